"""A game as the record holds it, read step by step."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import (
    GameFailureRecord,
    GameSessionRecord,
    GameStatus,
    IterationContextRecord,
    LLMInteractionRecord,
    PolicyIterationRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models.base import INT32_MAX
from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
from payment_simulator.ai_cash_mgmt.proposers.base import (
    Proposal,
    ProposerError,
    Situation,
    Tried,
)

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
        times = repository.get_step_times(game_id)
        self._keys = dict.fromkeys(key for key, at in times.items() if at != failed_at.get(key))
        banks = {bank for _, bank in times}
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
            self._window = {(step.iteration_number, step.agent_id): step for step in steps}
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


class RecordedGame:
    """What the record holds of a game; of its steps, the keys alone are kept in memory.

    Parameters
    ----------
    repository : GameRepository
    session : GameSessionRecord
    """

    def __init__(self, repository: GameRepository, session: GameSessionRecord) -> None:
        self.repository = repository
        self.session = session
        self.game_id = session.game_id
        self.has_ended = session.status in {GameStatus.COMPLETED, GameStatus.CONVERGED}
        self.failures = repository.get_game_failures(self.game_id)
        self.failures_of: dict[Key, list[GameFailureRecord]] = {}
        for failure in self.failures:
            if failure.agent_id is not None and failure.iteration_number is not None:
                key = failure.iteration_number, failure.agent_id
                self.failures_of.setdefault(key, []).append(failure)
        self._times: dict[Key, datetime] = repository.get_step_times(self.game_id)

    def holds(self, key: Key) -> bool:
        """Tell whether there is such a step, be it one in which the game failed."""
        return key in self._times

    def has_failed_at(self, key: Key) -> bool:
        """Tell whether a step is one in which the game failed, and that was not made again."""
        failures = self.failures_of.get(key, [])
        return bool(failures) and self._times.get(key) == failures[-1].failed_at

    def steps(self) -> list[Key]:
        """Return all steps, in order."""
        return list(self._times)

    def last_iteration(self) -> int:
        """Return the last iteration with a step in which the game did not fail; 0 without one."""
        return max((key[0] for key in self._times if not self.has_failed_at(key)), default=0)

    def step(self, key: Key) -> PolicyIterationRecord | None:
        """Return a step."""
        return self.repository.get_policy_iteration(self.game_id, key[1], key[0])

    def context(self, key: Key) -> IterationContextRecord | None:
        """Return what the proposer of a step was shown."""
        found = self.repository.get_iteration_contexts(self.game_id, key[1], key[0])
        return found[0] if found else None

    def calls(self, key: Key) -> list[LLMInteractionRecord]:
        """Return all calls of models of a step, those of failed tries included."""
        return self.repository.get_llm_interactions(self.game_id, key[1], key[0])

    def calls_of_tries(self, key: Key) -> list[list[LLMInteractionRecord]]:
        """Return the calls of each try of a step, and at last those after its last failure."""
        ends = [failure.model_calls for failure in self.failures_of.get(key, [])]
        calls = self.calls(key)
        return [
            [call for call in calls if first < call.attempt_number <= last]
            for first, last in pairwise([0, *ends, INT32_MAX])
        ]

    def counting_calls(self, key: Key) -> list[LLMInteractionRecord]:
        """Return the calls that the step in the record was made of."""
        return self.calls_of_tries(key)[-2 if self.has_failed_at(key) else -1]


def _tried(told: Mapping[str, Any]) -> Tried:
    """Return what a proposer tried, as it was recorded."""
    cost = told["cost"]
    return Tried(tuple(told["values"]), told["days"], math.inf if cost is None else cost)


class ReplayedProposals:
    """Gives the proposals that a proposer of a user's own gave, as they were recorded."""

    def __init__(self, label: str, record: RecordedGame, bank: str) -> None:
        self._record = record
        self._bank = bank
        #: As the step says that is replayed.
        self.label = label

    def propose(self, situation: Situation) -> Proposal:
        """Return what was proposed; refused proposals come first, as they did."""
        key = (situation.iteration, self._bank)
        step, context = self._record.step(key), self._record.context(key)
        if step is None or context is None:
            raise ProposerError("the record holds no proposal")
        self.label = step.llm_model
        told = json.loads(context.context_json)
        situation.shown.tried = tuple(map(_tried, told.get("tried", [])))
        refused = told.get("refused", [])
        place = len(situation.refused)
        if place >= len(refused) and self._record.has_failed_at(key):
            raise ProposerError(step.validation_errors[0] if step.validation_errors else "")
        given = refused[place] if place < len(refused) else {}
        text = given.get("proposal", step.new_policy_json)
        is_last = place + (1 if step.validation_errors else 0) >= len(refused)
        tokens = step.tokens_used if is_last else 0
        errors = tuple(given.get("errors", ())) if given.get("withdrawn") else ()
        return Proposal(text, told.get("reasoning", ""), tokens, 0.0, errors)
