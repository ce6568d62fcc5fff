"""Where a search's next tries come from: samplers that are asked, and told what the tries cost."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import TPESampler
from optuna.trial import Trial, TrialState, create_trial

from payment_simulator.ai_cash_mgmt.constraints.space import Axis, Values
from payment_simulator.ai_cash_mgmt.proposers.covering import Chance, EvenCovering

#: The samplers of a search: Parzen trees, chance, an even covering.
SAMPLERS: Final = ("tpe", "random", "qmc")

#: Tries before there are Parzen trees: those of the first round.
_STARTUP = 8
#: Tries that go into Parzen trees. Each that is asked for takes as long as there are tries, and
#: thousands of them would take longer than any simulation.
_MOST_LEARNED = 128
_OPTUNA_SEEDS = 2**32


class Asking(Protocol):
    """Comes up with tries, and learns from them."""

    def ask(self) -> Values:
        """Return the next try; it may be one that was made before."""
        ...

    def tell(self, values: Values, cost: float) -> None:
        """Take note of what a try costs, whoever came up with it."""
        ...


def asking(sampler: str, axes: Sequence[Axis], seed: int) -> Asking:
    """Return the sampler of a name.

    Parameters
    ----------
    sampler : str
        One of ``SAMPLERS``.
    axes : sequence of Axis
        What is chosen.
    seed : int
        For all that is random in it.
    """
    kinds: Mapping[str, Callable[[Sequence[Axis], int], Asking]]
    kinds = {"tpe": ParzenTrees, "random": Chance, "qmc": EvenCovering}
    return kinds[sampler](axes, seed)


class ParzenTrees:
    """Tries most often where cheap points are many: Optuna's TPE, by ask and tell, in memory.

    After some hundred tries it goes on as an even covering.

    Parameters
    ----------
    axes : sequence of Axis
    seed : int
    """

    def __init__(self, axes: Sequence[Axis], seed: int) -> None:
        self._axes = axes
        # Floats without a step are asked for as positions, all else by number.
        self._distributions = {axis.name: _distribution(axis) for axis in axes}
        self._waiting: dict[Values, Trial] = {}
        self._told: set[Values] = set()
        self._later = EvenCovering(axes, seed)
        with _quiet():
            self._study = optuna.create_study(
                sampler=TPESampler(
                    seed=seed % _OPTUNA_SEEDS,
                    multivariate=True,
                    constant_liar=True,
                    n_startup_trials=_STARTUP,
                )
            )

    def ask(self) -> Values:
        """Return what the trees suggest."""
        if len(self._told) >= _MOST_LEARNED:
            return self._later.ask()
        trial = self._study.ask(self._distributions)
        values = tuple(_value(axis, trial.params[axis.name]) for axis in self._axes)
        if values in self._waiting or values in self._told:
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._waiting[values] = trial
        return values

    def tell(self, values: Values, cost: float) -> None:
        """Take note of a try, unless its cost is no number or a value lies off the steps."""
        # Told twice, a cost would count twice.
        if values in self._told or len(self._told) >= _MOST_LEARNED:
            return
        self._told.add(values)
        trial = self._waiting.pop(values, None)
        if trial is not None:
            is_cost = math.isfinite(cost)
            state = TrialState.COMPLETE if is_cost else TrialState.FAIL
            self._study.tell(trial, cost if is_cost else None, state=state)
            return
        inner = {axis.name: _inner(axis, v) for axis, v in zip(self._axes, values, strict=True)}
        if not math.isfinite(cost) or None in inner.values():
            return
        self._study.add_trial(
            create_trial(params=inner, distributions=self._distributions, value=cost)
        )


def _distribution(axis: Axis) -> BaseDistribution:
    if axis.count is None:
        return FloatDistribution(0.0, 1.0)
    if axis.values:
        return CategoricalDistribution(range(axis.count))
    return IntDistribution(0, axis.count - 1)


def _value(axis: Axis, inner: float) -> float:
    return axis.value(inner) if axis.count is None else axis.at(int(inner))


def _inner(axis: Axis, value: float) -> float | None:
    """Return how the study knows a value; None if it does not."""
    position = axis.position(value)
    if axis.count is None:
        return position
    index = round(position * (axis.count - 1))
    return index if axis.at(index) == value else None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from reporting a new study, and from warning of options it calls experimental."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(before, optuna.logging.WARNING))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
