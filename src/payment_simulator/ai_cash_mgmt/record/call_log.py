"""Calls of models in one step: made durable one by one, and answered from the record again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from payment_simulator.ai_cash_mgmt.persistence.models import LLMInteractionRecord


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

    Attributes
    ----------
    made : list of LLMInteractionRecord
        The calls of this try of the step so far, in their order.
    last : int
        The highest number of a call of the step so far.
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
        self.made: list[LLMInteractionRecord] = []
        self.last = max(next_number - 1, 0)

    @property
    def game_id(self) -> str:
        """The game that the calls belong to."""
        return self._game_id

    @property
    def left(self) -> list[LLMInteractionRecord]:
        """The calls made before that were not asked for again."""
        return self._waiting

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
        self.made.append(interaction)
        self.last = max(self.last, interaction.attempt_number)
