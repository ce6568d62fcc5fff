"""A game in figures, as the record tells it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.models import (
    EquilibriumCertificateRecord,
    GameFailureRecord,
    GameOutcomeRecord,
    GameProvenanceRecord,
    GameSessionRecord,
    GameStatus,
)
from payment_simulator.ai_cash_mgmt.record.certified import (
    Certified,
    CertifiedRegret,
    certified,
    regrets_dict,
)
from payment_simulator.analysis.calls import CallTotals, call_totals
from payment_simulator.analysis.game_rules import GameRules, game_rules
from payment_simulator.analysis.game_state import can_go_on, game_state, resume_options
from payment_simulator.analysis.older_files import or_nothing
from payment_simulator.analysis.trajectories import CostTrajectory, cost_trajectories
from payment_simulator.errors import GameNotFoundError
from payment_simulator.persistence.queries import named_queries

T = TypeVar("T")


@dataclass(frozen=True)
class AgentOverview:
    """What one agent did in a game.

    Attributes
    ----------
    agent_id : str
        The agent.
    steps : int
        Steps recorded.
    accepted, rejected, refused : int
        Steps whose proposal was accepted, was not, or was not valid.
    start_cost, final_cost : float
        Cost of the first policy, and of the one in force after the last step (cents), each as
        measured in that step.
    best_cost : float or None
        Least cost among accepted proposals (cents).
    regret : CertifiedRegret or None
        What the bank could still gain alone (cents), by the latest certificate.
    proposers : list of str
        Who proposed.
    tokens_used : int
        Tokens, in and out.
    latency_seconds : float
        Time that proposing took.
    """

    agent_id: str
    steps: int
    accepted: int
    rejected: int
    refused: int
    start_cost: float
    final_cost: float
    best_cost: float | None
    regret: CertifiedRegret | None
    proposers: list[str]
    tokens_used: int
    latency_seconds: float

    @property
    def acceptance_rate(self) -> float:
        """Share of steps whose proposal was accepted."""
        return self.accepted / self.steps

    def as_dict(self) -> dict[str, Any]:
        """Return the same for JSON."""
        return {**asdict(self), "acceptance_rate": self.acceptance_rate}


@dataclass(frozen=True)
class LastStep:
    """How far a game has come.

    Attributes
    ----------
    iteration : int
    agents : tuple of str
        The banks that made a step in it.
    recorded_at : datetime
        When the last of all steps was recorded (UTC).
    """

    iteration: int
    agents: tuple[str, ...]
    recorded_at: datetime


@dataclass(frozen=True)
class GameOverview:
    """What a game was and what became of it.

    Attributes
    ----------
    session : GameSessionRecord
        The game.
    state : str
        What it is shown as: its status, or interrupted where nobody plays it.
    resume_options : tuple of str
        What ``payment-sim resume`` needs beside the database; none where the game has ended.
    rules : GameRules
        How it was played, as far as its configuration tells.
    summary : dict
        As ``get_optimization_summary`` returns it.
    agents : list of AgentOverview
        By agent; those that have made a step.
    judging_days : tuple of int, or None
        On how many days steps were judged, the fewest and the most; None where nothing tells.
    provenance : GameProvenanceRecord or None
        The program that played it.
    certificate : EquilibriumCertificateRecord or None
        The latest equilibrium certificate.
    outcomes : list of GameOutcomeRecord
        What each bank paid at the start and at the end, on the same days; none before the end.
    failure : GameFailureRecord or None
        Why the game stopped, where it has failed and not gone on.
    calls : list of CallTotals
        Calls of language models, by bank and model.
    trajectories : dict of str to CostTrajectory
        The steps of each bank in columns.
    last_step : LastStep or None
    """

    session: GameSessionRecord
    state: str
    resume_options: tuple[str, ...]
    rules: GameRules
    summary: dict[str, Any]
    agents: list[AgentOverview]
    judging_days: tuple[int, int] | None
    provenance: GameProvenanceRecord | None
    certificate: EquilibriumCertificateRecord | None
    outcomes: list[GameOutcomeRecord]
    failure: GameFailureRecord | None
    calls: list[CallTotals]
    trajectories: dict[str, CostTrajectory]
    last_step: LastStep | None

    @property
    def certified(self) -> Certified | None:
        """What the certificate says of the distance from an equilibrium."""
        return None if self.certificate is None else certified(self.certificate)

    @property
    def iterations(self) -> int:
        """Iterations played; while the game runs, those up to its last step."""
        last = self.last_step.iteration if self.last_step else 0
        return max(self.session.total_iterations, last)

    def as_dict(self) -> dict[str, Any]:
        """Return the overview for JSON; costs are in cents."""
        records = (self.provenance, self.certificate, self.failure)
        provenance, certificate, failure = (
            record.model_dump(mode="json") if record else None for record in records
        )
        found = self.certified
        return {
            "session": self.session.model_dump(mode="json"),
            "state": self.state,
            "is_playing": self.state == GameStatus.RUNNING,
            "iterations": self.iterations,
            "rules": asdict(self.rules),
            "judging_days": self.judging_days,
            "summary": self.summary,
            "agents": [agent.as_dict() for agent in self.agents],
            "calls": [asdict(call) for call in self.calls],
            "provenance": provenance,
            "certificate": certificate,
            "distance_from_equilibrium": None if found is None else found.distance.estimate,
            "distance_upper_bound": None if found is None else found.distance.high,
            "regrets": None if found is None else regrets_dict(found.regrets),
            "outcomes": [outcome.model_dump(mode="json") for outcome in self.outcomes],
            "failure": failure,
        }


def game_overview(repo: GameRepository, game_id: str) -> GameOverview:
    """Return a game in figures, all of one state of the record.

    Raises
    ------
    GameNotFoundError
        There is no such game; the message names the nearest ids.
    """
    with repo.one_snapshot():
        return _overview(repo, game_id)


def _overview(repo: GameRepository, game_id: str) -> GameOverview:
    session = repo.get_game_session(game_id)
    if session is None:
        raise GameNotFoundError(game_id, repo.get_game_ids())
    certificate = _last(or_nothing(lambda: repo.get_equilibrium_certificates(game_id)))
    failures: list[GameFailureRecord] = []
    if session.status == GameStatus.FAILED:
        failures = or_nothing(lambda: repo.get_game_failures(game_id))
    trajectories = cost_trajectories(repo, game_id)
    proposing = repo.read(_sql("proposing"), (game_id,))
    regrets = {} if certificate is None else certified(certificate).regrets
    state = game_state(session.status, game_id, repo.at_work())
    banks = session.optimized_agents
    return GameOverview(
        session=session,
        state=state,
        resume_options=resume_options(session.config_json, banks) if can_go_on(state) else (),
        rules=game_rules(session.config_json),
        summary=repo.get_optimization_summary(game_id),
        agents=[_agent(row, trajectories[row[0]], regrets) for row in proposing],
        judging_days=_judging_days(repo, game_id),
        provenance=_last(or_nothing(lambda: [repo.get_game_provenance(game_id)])),
        certificate=certificate,
        outcomes=or_nothing(lambda: repo.get_game_outcomes(game_id)),
        failure=_last(failures),
        calls=or_nothing(lambda: call_totals(repo, game_id)),
        trajectories=trajectories,
        last_step=_last_step(trajectories, [row[5] for row in proposing]),
    )


def numbers_of(text: str) -> dict[str, float]:
    """Return the numbers of a JSON object by name; whatever else a text holds is left out."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {
        name: float(value)
        for name, value in (found.items() if isinstance(found, dict) else ())
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _last(found: Sequence[T]) -> T | None:
    return found[-1] if found else None


def _agent(
    row: Sequence[Any], trajectory: CostTrajectory, regrets: Mapping[str, CertifiedRegret]
) -> AgentOverview:
    bank, proposers, tokens, seconds, best, _ = row
    verdicts = trajectory.verdict
    return AgentOverview(
        agent_id=bank,
        steps=len(verdicts),
        accepted=verdicts.count("accepted"),
        rejected=verdicts.count("rejected"),
        refused=verdicts.count("refused"),
        start_cost=trajectory.old_cost[0],
        final_cost=trajectory.cost_in_force[-1],
        best_cost=best,
        regret=regrets.get(bank),
        proposers=proposers,
        tokens_used=tokens,
        latency_seconds=math.fsum(seconds),
    )


def _judging_days(repo: GameRepository, game_id: str) -> tuple[int, int] | None:
    found = or_nothing(lambda: repo.read(_sql("judging_days"), (game_id,)))
    return next(((fewest, most) for fewest, most in found if fewest is not None), None)


def _last_step(
    trajectories: Mapping[str, CostTrajectory], recorded: Sequence[datetime]
) -> LastStep | None:
    if not trajectories:
        return None
    iteration = max(steps.iteration[-1] for steps in trajectories.values())
    banks = [bank for bank, steps in trajectories.items() if steps.iteration[-1] == iteration]
    return LastStep(iteration, tuple(banks), max(recorded))


def _sql(name: str) -> str:
    return named_queries("payment_simulator.analysis.sql", "overview.sql")[name]
