"""How costs and parameters went over the iterations of a game."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.queries import named_queries

Verdict: TypeAlias = Literal["accepted", "rejected", "refused"]
_Points: TypeAlias = dict[int, tuple[float | None, float | None]]


@dataclass(frozen=True)
class CostTrajectory:
    """The steps of one bank, in columns of equal length, by iteration.

    Attributes
    ----------
    iteration, trigger_tick : tuple of int
        Which step, and the last tick played before it.
    old_cost, new_cost : tuple of float
        Cost of the policy in force and of the one proposed, as measured in the step (cents).
    verdict : tuple of str
        ``accepted``, ``rejected``, or ``refused``: there was no valid proposal.
    cost_in_force : tuple of float
        Cost of the policy in force after the step, as measured in it: the new cost where it was
        accepted, else the old (cents).
    best_cost : tuple of float
        The least cost in force of this step and those before it (cents).
    """

    iteration: tuple[int, ...]
    trigger_tick: tuple[int, ...]
    old_cost: tuple[float, ...]
    new_cost: tuple[float, ...]
    verdict: tuple[Verdict, ...]
    cost_in_force: tuple[float, ...]
    best_cost: tuple[float, ...]


@dataclass(frozen=True)
class ParameterTrajectory:
    """The values of one parameter of one bank, in columns of equal length, by iteration.

    Steps in which neither policy has the parameter as a number are left out.

    Attributes
    ----------
    iteration : tuple of int
    in_force : tuple of (float or None)
        Its value after the step; None where the policy in force lacks it.
    proposed : tuple of (float or None)
        Its value in the policy proposed; None where that was refused or lacks it.
    start : float or None
        Its value in the bank's first policy; None where that lacks it.
    """

    iteration: tuple[int, ...]
    in_force: tuple[float | None, ...]
    proposed: tuple[float | None, ...]
    start: float | None = None


def cost_trajectories(
    repo: GameRepository, game_id: str, after_iteration: int = 0
) -> dict[str, CostTrajectory]:
    """Return the costs of every bank over the iterations.

    Parameters
    ----------
    repo : GameRepository
        The record.
    game_id : str
        The game; one that is not there has no banks.
    after_iteration : int
        Only steps of later iterations; what was best before still counts.

    Returns
    -------
    dict of str to CostTrajectory
        By bank, in the order of names; banks without such steps are left out.
    """
    by_bank: dict[str, list[tuple[Any, ...]]] = {}
    for bank, *values in repo.read(_sql("cost_trajectories"), (game_id, after_iteration)):
        by_bank.setdefault(bank, []).append(tuple(values))
    return {
        bank: CostTrajectory(*zip(*rows, strict=True))  # the columns are in the order of fields
        for bank, rows in by_bank.items()
    }


def parameter_trajectories(
    repo: GameRepository, game_id: str
) -> dict[str, dict[str, ParameterTrajectory]]:
    """Return the parameters of every bank's policies over the iterations.

    Parameters
    ----------
    repo : GameRepository
        The record.
    game_id : str
        The game; one that is not there has no banks.

    Returns
    -------
    dict of str to dict of str to ParameterTrajectory
        By bank and parameter, in the order of names. Values that are no finite numbers are left
        out, and so are policies that are not JSON.
    """
    read = _Reader()
    starts = {
        bank: read.numbers(text) for bank, text in repo.read(_sql("first_parameters"), (game_id,))
    }
    found: dict[str, dict[str, _Points]] = {
        bank: {name: {} for name in start} for bank, start in starts.items()
    }
    for bank, iteration, was_accepted, *texts in repo.read(_sql("parameters_of_steps"), (game_id,)):
        in_force, proposed = map(read.numbers, texts)
        if was_accepted:
            proposed = in_force
        for name in (*in_force, *(name for name in proposed if name not in in_force)):
            point = (in_force.get(name), proposed.get(name))
            found[bank].setdefault(name, {})[iteration] = point
    return {
        bank: {
            name: _trajectory(parameters[name], starts[bank].get(name))
            for name in sorted(parameters)
        }
        for bank, parameters in found.items()
        if parameters
    }


class _Reader:
    """Reads parameters out of JSON texts; most texts come again, and are read once."""

    def __init__(self) -> None:
        self._known: dict[str | None, dict[str, float]] = {None: {}}

    def numbers(self, text: str | None) -> dict[str, float]:
        """Return the finite numbers of a JSON object by name; none where it is no object."""
        if text not in self._known:
            try:
                given = json.loads(text or "")
            except (ValueError, RecursionError):
                given = None
            self._known[text] = (
                {name: float(value) for name, value in given.items() if _is_finite(value)}
                if isinstance(given, dict)
                else {}
            )
        return self._known[text]


def _is_finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False


def _trajectory(points: _Points, start: float | None) -> ParameterTrajectory:
    columns = [tuple(column) for column in zip(*points.values(), strict=True)] or [(), ()]
    return ParameterTrajectory(tuple(points), columns[0], columns[1], start)


def _sql(name: str) -> str:
    return named_queries("payment_simulator.analysis.sql", "trajectories.sql")[name]
