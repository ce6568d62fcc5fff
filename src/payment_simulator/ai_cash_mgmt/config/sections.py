"""The sections of a game file, but for constraints and proposers."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, model_validator

from payment_simulator.ai_cash_mgmt.config.proposer import ProposerConfig
from payment_simulator.ai_cash_mgmt.constraints.sections import ScenarioConstraints
from payment_simulator.ai_cash_mgmt.evaluation.spending import FEWEST_DAYS
from payment_simulator.scenario.places import Missing
from payment_simulator.scenario.values import (
    MAX_TICKS,
    Flag,
    Section,
    Share,
    checked,
    is_number,
    misfit,
    number_in,
    whole_in,
)

MAX_SAMPLES = 1_000_000
MAX_ITERATIONS = 1_000_000

_Samples = Annotated[int, whole_in(1, MAX_SAMPLES, "samples")]


def _check_most(max_samples: int | None, num_samples: int | None) -> None:
    """Refuse fewer days at most than at first."""
    if max_samples is not None and num_samples is not None and max_samples < num_samples:
        raise misfit(
            f"{max_samples} is less than num_samples, {num_samples}; expected at least as many",
            "max_samples",
        )


def is_path(value: Any) -> bool:
    """Tell whether a value could be the path of a file."""
    return isinstance(value, str) and value.strip() != "" and "\0" not in value


class AgentConfig(Section):
    """A bank that is optimised, and what holds for it alone.

    Attributes
    ----------
    proposer : ProposerConfig, optional
        Instead of that of the game.
    constraints : ScenarioConstraints, optional
        Instead of those of the game.
    """

    proposer: ProposerConfig | None = None
    constraints: ScenarioConstraints | None = None


class OptimizationSchedule(Section):
    """When agents optimise.

    Attributes
    ----------
    type : {"on_simulation_end", "every_x_ticks", "after_eod"}
        Between whole simulations; or, in a running one, after every `interval_ticks`, or after
        every day but the last.
    interval_ticks : int, optional
        Ticks, of ``every_x_ticks`` alone.
    """

    type: Literal["on_simulation_end", "every_x_ticks", "after_eod"] = "on_simulation_end"
    interval_ticks: Annotated[int, whole_in(1, MAX_TICKS, "ticks")] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        needs = self.type == "every_x_ticks"
        if needs and self.interval_ticks is None:
            raise misfit("missing; every_x_ticks needs it", Missing("interval_ticks"))
        if not needs and self.interval_ticks is not None:
            raise misfit(
                f"it belongs to type every_x_ticks, but the type is {self.type}", "interval_ticks"
            )
        return self


class BootstrapConfig(Section):
    """The sample days that steps are judged on.

    Attributes
    ----------
    num_samples : int
        How many. A scenario without randomness is judged on its one day.
    sample_method : str
        ``fresh`` draws new days; the others resample payments that were observed.
    observed_runs : int
        How many runs are observed to resample from.
    max_samples : int, optional
        How many days may be drawn where those are not evidence enough; 16 times `num_samples` if
        not given.
    """

    num_samples: _Samples = 20
    sample_method: Literal["fresh", "bootstrap", "permutation", "stratified", "day_block"] = "fresh"
    observed_runs: Annotated[int, whole_in(1, 100_000, "runs")] = 100
    max_samples: _Samples | None = None

    @property
    def most_samples(self) -> int:
        """How many days may be drawn."""
        return self.max_samples or min(max(16 * self.num_samples, FEWEST_DAYS), MAX_SAMPLES)

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_most(self.max_samples, self.num_samples)
        return self


class AcceptanceConfig(Section):
    """When a proposal is accepted.

    Attributes
    ----------
    rule : {"mean", "confident"}
        The mean gain counts; or also its lower bound.
    confidence : float
        Of that bound, below 1.
    min_settlement_rate : float, optional
        Share of the value in the system that has to settle, whatever the gain.
    """

    rule: Literal["mean", "confident"] = "mean"
    confidence: Annotated[
        float,
        checked(
            lambda value: is_number(value) and 0 < value < 1,
            "a number between 0 and 1, such as 0.95",
        ),
    ] = 0.95
    min_settlement_rate: Share | None = None


class ConvergenceConfig(Section):
    """When a game ends.

    Attributes
    ----------
    stability_threshold : float
        Costs are stable when they vary by no more than this share.
    stability_window : int
        Over so many iterations.
    max_iterations : int
    improvement_threshold : float
        A gain counts when it is more than this share of the cost.
    best_response_check : bool
        Whether a game has converged only when no bank gains by deviating alone.
    """

    stability_threshold: Annotated[float, number_in(0, 1)] = 0.05
    stability_window: Annotated[int, whole_in(2, MAX_ITERATIONS, "iterations")] = 5
    max_iterations: Annotated[int, whole_in(1, MAX_ITERATIONS, "iterations")] = 50
    improvement_threshold: Annotated[float, number_in(0, 1)] = 0.01
    best_response_check: Flag = False


class EquilibriumConfig(Section):
    """How the distance from an equilibrium is measured at the end.

    Attributes
    ----------
    grid_points : int
        Values that are tried of a number without steps. A bank whose grid would have more than
        20,000 points is tried without it.
    num_samples : int, optional
        Sample days at first; as many as steps are judged on if not given. At least 200, unless
        `max_samples` is less.
    tolerance : float
        Days are added until the interval of each bank's regret is no wider than this share of its
        cost.
    max_samples : int, optional
        How many days may be drawn for that; 16 times those at first if not given.
    """

    grid_points: Annotated[int, whole_in(2, 20_000)] = 21
    num_samples: _Samples | None = None
    tolerance: Annotated[float, number_in(0, 1)] = 0.01
    max_samples: _Samples | None = None

    def sizes(self, num_samples: int) -> tuple[int, int]:
        """Return how many days are drawn at first, and at most.

        Parameters
        ----------
        num_samples : int
            On how many steps are judged.
        """
        first = max(self.num_samples or num_samples, FEWEST_DAYS)
        most = self.max_samples or min(16 * first, MAX_SAMPLES)
        return min(first, most), most

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_most(self.max_samples, self.num_samples)
        return self


class OutputConfig(Section):
    """Where the record goes.

    Attributes
    ----------
    database_path : str
        A DuckDB file, relative to the working folder.
    """

    database_path: Annotated[str, checked(is_path, "the path of a file", is_text=True)] = (
        "simulation.db"
    )


def _banks(data: Any) -> Any:
    """Return banks as a mapping; a list of names and names without a value are short forms."""
    if isinstance(data, list | tuple):
        for place, name in enumerate(data):
            if not isinstance(name, str):
                raise misfit(f"item {place} is no text; expected names of banks")
            if name in data[:place]:
                raise misfit(f"{name!r} is here twice; expected each bank once")
        return {name: {} for name in data}
    if isinstance(data, dict):
        return {name: {} if value is None else value for name, value in data.items()}
    return data


def _on_or_off(data: Any) -> Any:
    if isinstance(data, bool):
        return {} if data else None
    return data


Banks = Annotated[dict[str, AgentConfig], BeforeValidator(_banks)]
Equilibrium = Annotated[EquilibriumConfig | None, BeforeValidator(_on_or_off)]
