"""A game in figures, as the record tells it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import (
    EquilibriumCertificateRecord,
    GameFailureRecord,
    GameOutcomeRecord,
    GameProvenanceRecord,
    GameSessionRecord,
    GameStatus,
    PolicyIterationRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
from payment_simulator.errors import GameNotFoundError


@dataclass(frozen=True)
class AgentOverview:
    """What one agent did in a game.

    Attributes
    ----------
    agent_id : str
        The agent.
    steps, accepted : int
        Steps recorded, and those whose proposal was accepted.
    start_cost, final_cost : float
        Cost of the first policy, and of the one in force after the last step (cents), each as
        measured in that step.
    best_cost : float or None
        Least cost among accepted proposals (cents).
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
    start_cost: float
    final_cost: float
    best_cost: float | None
    proposers: list[str]
    tokens_used: int
    latency_seconds: float


@dataclass(frozen=True)
class GameOverview:
    """What a game was and what became of it.

    Attributes
    ----------
    session : GameSessionRecord
        The game.
    summary : dict
        As ``get_optimization_summary`` returns it.
    agents : list of AgentOverview
        By agent.
    provenance : GameProvenanceRecord or None
        The program that played it.
    certificate : EquilibriumCertificateRecord or None
        The latest equilibrium certificate.
    outcomes : list of GameOutcomeRecord
        What each bank paid at the start and at the end, on the same days; none before the end.
    failure : GameFailureRecord or None
        Why the game stopped, where it has failed and not gone on.
    last_iteration : int
        Of the last step; 0 where there is none.
    """

    session: GameSessionRecord
    summary: dict[str, Any]
    agents: list[AgentOverview]
    provenance: GameProvenanceRecord | None
    certificate: EquilibriumCertificateRecord | None
    outcomes: list[GameOutcomeRecord]
    failure: GameFailureRecord | None
    last_iteration: int

    def as_dict(self) -> dict[str, Any]:
        """Return the overview for JSON."""
        records = (self.provenance, self.certificate, self.failure)
        provenance, certificate, failure = (
            record.model_dump(mode="json") if record else None for record in records
        )
        return {
            "session": self.session.model_dump(mode="json"),
            "summary": self.summary,
            "agents": [asdict(agent) for agent in self.agents],
            "provenance": provenance,
            "certificate": certificate,
            "outcomes": [outcome.model_dump(mode="json") for outcome in self.outcomes],
            "failure": failure,
        }


def game_overview(repo: GameRepository, game_id: str) -> GameOverview:
    """Return a game in figures.

    Raises
    ------
    GameNotFoundError
        There is no such game; the message names the nearest ids.
    """
    session = repo.get_game_session(game_id)
    if session is None:
        raise GameNotFoundError(game_id, repo.get_game_ids())
    by_agent: dict[str, list[PolicyIterationRecord]] = {}
    for step in repo.get_policy_iterations(game_id):
        by_agent.setdefault(step.agent_id, []).append(step)
    certificates = repo.get_equilibrium_certificates(game_id)
    failures = repo.get_game_failures(game_id) if session.status == GameStatus.FAILED else []
    return GameOverview(
        session,
        repo.get_optimization_summary(game_id),
        [_agent(agent, steps) for agent, steps in sorted(by_agent.items())],
        repo.get_game_provenance(game_id),
        certificates[-1] if certificates else None,
        repo.get_game_outcomes(game_id),
        failures[-1] if failures else None,
        max((steps[-1].iteration_number for steps in by_agent.values()), default=0),
    )


def _agent(agent_id: str, steps: list[PolicyIterationRecord]) -> AgentOverview:
    accepted = [step for step in steps if step.was_accepted]
    last = steps[-1]
    return AgentOverview(
        agent_id,
        len(steps),
        len(accepted),
        steps[0].old_cost,
        last.new_cost if last.was_accepted else last.old_cost,
        min((step.new_cost for step in accepted), default=None),
        sorted({step.llm_model for step in steps}),
        sum(step.tokens_used for step in steps),
        sum(step.llm_latency_seconds for step in steps),
    )
