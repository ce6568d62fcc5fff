"""How a game ended, as the record tells it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from payment_simulator.ai_cash_mgmt.evaluation.convergence import Cycle, cycle_of
from payment_simulator.ai_cash_mgmt.persistence.models import (
    GameOutcomeRecord,
    GameSessionRecord,
    GameStatus,
)
from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
from payment_simulator.ai_cash_mgmt.record.certified import Certified, certified, regrets_dict
from payment_simulator.errors import GameNotFoundError
from payment_simulator.policy.grammar import FRACTION


@dataclass(frozen=True)
class BankResult:
    """What became of one bank.

    Attributes
    ----------
    start_cost, final_cost : float
        Mean cost under the first and the last policies, on the same held-out days, cents.
    parameters : Mapping of str to float
        Of its last policy.
    interval : tuple of float, optional
        Two-sided interval of what it gained, cents; none where there is one day.
    optimized : tuple of str
        The parameters that its agent could set; none where nobody plays it.
    """

    start_cost: float
    final_cost: float
    parameters: Mapping[str, float]
    interval: tuple[float, float] | None = None
    optimized: tuple[str, ...] = ()


@dataclass(frozen=True)
class GameResult:
    """How a game ended.

    Attributes
    ----------
    game_id : str
    status : str
        ``converged`` or ``completed``.
    iterations : int
    converged : bool
    final_cost : float or None
        Cost of all banks under the last policies, cents.
    banks : Mapping of str to BankResult
        All banks, in the order of the scenario.
    certified : Certified, optional
        How much a bank could still gain alone; None where the game file did not ask for it.
    cycle : Cycle, optional
        Where the game ended because policies replaced each other in turn.
    """

    game_id: str
    status: str
    iterations: int
    converged: bool
    final_cost: float | None
    banks: Mapping[str, BankResult]
    certified: Certified | None = None
    cycle: Cycle | None = None

    @property
    def distance_from_equilibrium(self) -> float | None:
        """The largest gain that a bank could still make alone, by estimate, cents."""
        return None if self.certified is None else self.certified.distance.estimate

    @property
    def distance_upper_bound(self) -> float | None:
        """What no bank gains by any deviation tried, cents; None where it is not known."""
        return None if self.certified is None else self.certified.distance.high

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        return {
            "game_id": self.game_id,
            "status": self.status,
            "iterations": self.iterations,
            "converged": self.converged,
            "final_cost": self.final_cost,
            "banks": {
                bank: {
                    "start_cost": found.start_cost,
                    "final_cost": found.final_cost,
                    "parameters": dict(found.parameters),
                }
                for bank, found in self.banks.items()
            },
            "distance_from_equilibrium": self.distance_from_equilibrium,
            "distance_upper_bound": self.distance_upper_bound,
            "regrets": None if self.certified is None else regrets_dict(self.certified.regrets),
            "cycle": None if self.cycle is None else asdict(self.cycle),
        }


def game_result(repository: GameRepository, game_id: str) -> GameResult:
    """Return how a game ended.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    """
    session = repository.get_game_session(game_id)
    if session is None:
        raise GameNotFoundError(game_id, repository.get_game_ids())
    certificates = repository.get_equilibrium_certificates(game_id)
    outcomes = repository.get_game_outcomes(game_id)
    return GameResult(
        game_id=game_id,
        status=session.status,
        iterations=session.total_iterations,
        converged=session.converged,
        final_cost=session.final_cost,
        banks=MappingProxyType(bank_results(session, outcomes)),
        certified=certified(certificates[-1]) if certificates else None,
        cycle=cycle_in(repository, session),
    )


def cycle_in(repository: GameRepository, session: GameSessionRecord) -> Cycle | None:
    """Return the cycle of policies in which a completed game ended; None where there is none."""
    if session.status != GameStatus.COMPLETED:
        return None
    rule = _object(session.config_json).get("convergence")
    window = rule.get("stability_window") if isinstance(rule, dict) else None
    if not isinstance(window, int):
        return None
    return cycle_of(repository.get_profiles(session.game_id), window)


def bank_results(
    session: GameSessionRecord, outcomes: Iterable[GameOutcomeRecord]
) -> dict[str, BankResult]:
    """Return what became of each bank, as the record of a game tells it."""
    config = _object(session.config_json)
    names = {bank: _optimized(config, bank) for bank in session.optimized_agents}
    return {found.agent_id: bank_result(found, names.get(found.agent_id, ())) for found in outcomes}


def bank_result(outcome: GameOutcomeRecord, optimized: tuple[str, ...] = ()) -> BankResult:
    """Return what became of one bank, as the record tells it.

    Parameters
    ----------
    outcome : GameOutcomeRecord
    optimized : tuple of str
        The parameters that its agent could set.
    """
    low, high = outcome.improvement_low, outcome.improvement_high
    parameters = _object(outcome.final_policy_json).get("parameters")
    return BankResult(
        start_cost=outcome.start_cost,
        final_cost=outcome.final_cost,
        parameters=MappingProxyType(parameters if isinstance(parameters, dict) else {}),
        interval=None if low is None or high is None else (low, high),
        optimized=optimized,
    )


def _optimized(config: Mapping[str, Any], bank: str) -> tuple[str, ...]:
    """Return the parameters that the agent of a bank could set."""
    agents = config.get("optimized_agents")
    own = agents.get(bank) if isinstance(agents, dict) else None
    constraints = (own.get("constraints") if isinstance(own, dict) else None) or config.get(
        "constraints"
    )
    if not isinstance(constraints, dict):
        return (FRACTION,)  # what agents may set where nothing is declared
    specs = constraints.get("allowed_parameters")
    listed = specs if isinstance(specs, list) else []
    named = [spec.get("name") for spec in listed if isinstance(spec, dict)]
    return tuple(name for name in named if isinstance(name, str))


def _object(text: str) -> dict[str, Any]:
    """Return a JSON object; an empty one for texts of other programs that are none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
