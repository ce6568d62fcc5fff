"""Calls of models in one step: made durable one by one, and answered from the record again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from payment_simulator.ai_cash_mgmt.persistence.models import LLMInteractionRecord


def calls_that_count(
    calls: Sequence[LLMInteractionRecord], failed_at: datetime | None
) -> list[LLMInteractionRecord]:
    """Return the calls of a step that its last attempt was made of, in their order.

    Parameters
    ----------
    calls : sequence of LLMInteractionRecord
        All of the step.
    failed_at : datetime, optional
        When the game last failed in this step; it is then played again with new calls.
    """
    ordered = sorted(calls, key=lambda call: call.attempt_number)
    if failed_at is None:
        return ordered
    return [call for call in ordered if call.request_timestamp > failed_at]


class StepCalls:
    """The calls of one step.

    Parameters
    ----------
    game_id : str
    before : sequence of LLMInteractionRecord
        Calls made before that count, in their order.
    next_number : int
        Number of the first call that is new.
    save : callable
        Makes a call durable; it is given repeated calls too.
    """

    def __init__(
        self,
        game_id: str,
        before: Sequence[LLMInteractionRecord],
        next_number: int,
        save: Callable[[LLMInteractionRecord], None],
    ) -> None:
        self._game_id = game_id
        self._waiting = list(before)
        self._next = next_number
        self._save = save

    @property
    def game_id(self) -> str:
        """The game that the calls belong to."""
        return self._game_id

    def begin(self) -> tuple[int, LLMInteractionRecord | None]:
        """Return the number of the next call, and the call itself where it was made before."""
        if self._waiting:
            call = self._waiting.pop(0)
            return call.attempt_number, call
        number, self._next = self._next, self._next + 1
        return number, None

    def save(self, interaction: LLMInteractionRecord) -> None:
        """Make a call durable."""
        self._save(interaction)
