"""What the language models of a game were asked, in figures."""

from __future__ import annotations

import math
from dataclasses import dataclass

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.queries import named_queries


@dataclass(frozen=True)
class CallTotals:
    """All calls of one model for one bank.

    Attributes
    ----------
    agent_id, model : str
    calls, without_policy : int
        Calls, and those from whose answer no policy could be read.
    input_tokens, output_tokens : int
    latency_seconds : float
        In sum.
    cost_usd : float or None
        In sum over the calls whose price is known; None where no price is.
    priced : int
        Calls whose price is known.
    cut, refused : int
        Answers that ended at their longest, and that the model refused or a content filter stopped.
    uncounted : int
        Answers whose tokens the server did not count.
    """

    agent_id: str
    model: str
    calls: int
    without_policy: int
    input_tokens: int
    output_tokens: int
    latency_seconds: float
    cost_usd: float | None
    priced: int
    cut: int = 0
    refused: int = 0
    uncounted: int = 0

    @property
    def endings(self) -> str:
        """How answers ended that did not end as they should, in words; empty where all did."""
        told = ((self.cut, "cut at their longest"), (self.refused, "refused or filtered"))
        return ", ".join(f"{count:,} {words}" for count, words in told if count)


def call_totals(repo: GameRepository, game_id: str) -> list[CallTotals]:
    """Return the calls of a game by bank and model; none where no model was asked."""
    sql = named_queries("payment_simulator.analysis.sql", "calls.sql")["totals"]
    return [
        CallTotals(
            bank,
            model,
            calls,
            failed,
            tokens_in,
            tokens_out,
            math.fsum(latencies),  # rounded once, so that it is the same in any order
            math.fsum(price for price in prices if price is not None) if priced else None,
            priced,
            *more,
        )
        for bank, model, calls, failed, tokens_in, tokens_out, latencies, prices, priced, *more in (
            repo.read(sql, (game_id,))
        )
    ]
