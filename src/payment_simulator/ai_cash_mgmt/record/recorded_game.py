"""A game as the record holds it, to be played once more."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import (
    GameSessionRecord,
    GameStatus,
    LLMInteractionRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
from payment_simulator.ai_cash_mgmt.proposers.base import Proposal, ProposerError, Situation

Key = tuple[int, str]


class RecordedGame:
    """All that the record holds of a game."""

    def __init__(self, repository: GameRepository, session: GameSessionRecord) -> None:
        game_id = session.game_id
        self.repository = repository
        self.session = session
        self.has_ended = session.status in {GameStatus.COMPLETED, GameStatus.CONVERGED}
        self.failed_at: dict[Key, datetime] = {}
        for failure in repository.get_game_failures(game_id):
            if failure.agent_id is not None and failure.iteration_number is not None:
                self.failed_at[failure.iteration_number, failure.agent_id] = failure.failed_at
        steps = repository.get_policy_iterations(game_id)
        # A step in which the game failed tells of the fault of that moment.
        self.steps = {
            key_of(step): step
            for step in steps
            if step.created_at != self.failed_at.get(key_of(step))
        }
        self.calls: dict[Key, list[LLMInteractionRecord]] = {}
        for call in repository.get_llm_interactions(game_id):
            self.calls.setdefault(key_of(call), []).append(call)


def key_of(record: Any) -> Key:
    """Return iteration and bank of what belongs to a step."""
    return record.iteration_number, record.agent_id


class ReplayedProposals:
    """Gives the proposals that a proposer of a user's own gave, as they were recorded."""

    def __init__(self, label: str, record: RecordedGame, bank: str) -> None:
        self._record = record
        self._bank = bank
        labels = {s.llm_model for (_, agent), s in record.steps.items() if agent == bank}
        self.label = min(labels, default=label)

    def propose(self, situation: Situation) -> Proposal:
        """Return what was proposed; refused proposals come first, as they did."""
        key = (situation.iteration, self._bank)
        step = self._record.steps.get(key)
        if step is None:
            raise ProposerError("the record holds no proposal")
        contexts = self._record.repository.get_iteration_contexts(
            step.game_id, self._bank, situation.iteration
        )
        told = json.loads(contexts[0].context_json) if contexts else {}
        refused = told.get("refused", [])
        place = len(situation.refused)
        given = refused[place] if place < len(refused) else {}
        text = given.get("proposal", step.new_policy_json)
        is_last = place + (1 if step.validation_errors else 0) >= len(refused)
        tokens = step.tokens_used if is_last else 0
        errors = tuple(given.get("errors", ())) if given.get("withdrawn") else ()
        return Proposal(text, told.get("reasoning", ""), tokens, 0.0, errors)
