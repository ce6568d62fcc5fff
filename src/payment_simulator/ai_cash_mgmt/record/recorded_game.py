"""A game as the record holds it, to be played once more.

Steps and calls are read when they are asked for, some at a time: together they may be larger than
the memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import (
    GameSessionRecord,
    GameStatus,
    LLMInteractionRecord,
    PolicyIterationRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
from payment_simulator.ai_cash_mgmt.proposers.base import Proposal, ProposerError, Situation

Key = tuple[int, str]
#: Steps that are read at once, for a game is played in their order.
_STEPS = 100


class RecordedSteps(Mapping[Key, PolicyIterationRecord]):
    """The steps of a game by iteration and bank.

    Parameters
    ----------
    repository : GameRepository
    game_id : str
    failed_at : mapping of Key to datetime
        Steps in which the game failed: what was saved at that moment is no step of the game.
    """

    def __init__(
        self, repository: GameRepository, game_id: str, failed_at: Mapping[Key, datetime]
    ) -> None:
        self._repo, self._game_id = repository, game_id
        found = repository.get_step_keys(game_id)
        self._keys = dict.fromkeys(
            (iteration, bank)
            for iteration, bank, created_at in found
            if created_at != failed_at.get((iteration, bank))
        )
        banks = {bank for _, bank, _ in found}
        self._at_once = max(1, _STEPS // max(1, len(banks)))
        self._window: dict[Key, PolicyIterationRecord] = {}

    def __getitem__(self, key: Key) -> PolicyIterationRecord:
        """Return a step; its neighbours are read with it."""
        if key not in self._keys:
            raise KeyError(key)
        if key not in self._window:
            first = key[0] - (key[0] - 1) % self._at_once
            steps = self._repo.get_policy_iterations_between(
                self._game_id, first, first + self._at_once - 1
            )
            self._window = {key_of(step): step for step in steps}
        return self._window[key]

    def __contains__(self, key: object) -> bool:
        """Tell whether there is such a step; nothing is read."""
        return key in self._keys

    def __iter__(self) -> Iterator[Key]:
        """Yield iteration and bank of every step, in order."""
        return iter(self._keys)

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self._keys)


class RecordedCalls(Mapping[Key, list[LLMInteractionRecord]]):
    """The calls of language models of a game by iteration and bank, read step by step.

    Parameters
    ----------
    repository : GameRepository
    game_id : str
    """

    def __init__(self, repository: GameRepository, game_id: str) -> None:
        self._repo, self._game_id = repository, game_id
        found = repository.get_llm_attempts(game_id)
        self._keys = dict.fromkeys((iteration, bank) for iteration, bank, _ in found)

    def __getitem__(self, key: Key) -> list[LLMInteractionRecord]:
        """Return the calls of a step, by attempt."""
        if key not in self._keys:
            raise KeyError(key)
        iteration, bank = key
        return self._repo.get_llm_interactions(self._game_id, bank, iteration)

    def __contains__(self, key: object) -> bool:
        """Tell whether a step has calls; none is read."""
        return key in self._keys

    def __iter__(self) -> Iterator[Key]:
        """Yield iteration and bank of every step that has calls, in order."""
        return iter(self._keys)

    def __len__(self) -> int:
        """Return the number of steps that have calls."""
        return len(self._keys)


class RecordedGame:
    """What the record holds of a game."""

    def __init__(self, repository: GameRepository, session: GameSessionRecord) -> None:
        game_id = session.game_id
        self.repository = repository
        self.session = session
        self.has_ended = session.status in {GameStatus.COMPLETED, GameStatus.CONVERGED}
        self.failed_at = failed_steps(repository, game_id)
        self.steps = RecordedSteps(repository, game_id, self.failed_at)
        self.calls = RecordedCalls(repository, game_id)


def failed_steps(repository: GameRepository, game_id: str) -> dict[Key, datetime]:
    """Return when the game last failed in each step in which it did."""
    return {
        (failure.iteration_number, failure.agent_id): failure.failed_at
        for failure in repository.get_game_failures(game_id)
        if failure.agent_id is not None and failure.iteration_number is not None
    }


def key_of(record: Any) -> Key:
    """Return iteration and bank of what belongs to a step."""
    return record.iteration_number, record.agent_id


class ReplayedProposals:
    """Gives the proposals that a proposer of a user's own gave, as they were recorded."""

    def __init__(self, label: str, record: RecordedGame, bank: str) -> None:
        self._record = record
        self._bank = bank
        labels = record.repository.get_proposer_labels(record.session.game_id, bank)
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
        text = refused[place]["proposal"] if place < len(refused) else step.new_policy_json
        is_last = place + (1 if step.validation_errors else 0) >= len(refused)
        tokens = step.tokens_used if is_last else 0
        return Proposal(text, told.get("reasoning", ""), tokens, 0.0)
