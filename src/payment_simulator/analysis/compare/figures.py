"""The figures of a game that are compared, as the record tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class BankFigures:
    """What became of one bank in one game; costs in cents.

    Attributes
    ----------
    bank : str
    is_optimized : bool
        Whether an agent played it.
    start_cost, final_cost : float or None
        Under the first and the last policies; see ``GameFigures.cost_source``.
    improvement : float or None
        The first less the second.
    improvement_low, improvement_high : float or None
        Interval of the mean paired difference, where the record has one.
    confidence : float or None
        Of that interval.
    start_settlement_rate, final_settlement_rate : float or None
        Share of the bank's own value that settled.
    parameters : Mapping of str to float
        Of the last policy; those that were optimised alone.
    regret, regret_low, regret_high : float or None
        What the bank could still gain alone, as the certificate of the game has it, and the ends of
        its interval.
    steps, accepted : int
    """

    bank: str
    is_optimized: bool
    start_cost: float | None
    final_cost: float | None
    improvement: float | None
    improvement_low: float | None
    improvement_high: float | None
    confidence: float | None
    start_settlement_rate: float | None
    final_settlement_rate: float | None
    parameters: Mapping[str, float]
    regret: float | None
    regret_low: float | None
    regret_high: float | None
    steps: int
    accepted: int


@dataclass(frozen=True)
class GameFigures:
    """What a game came to; costs in cents.

    Attributes
    ----------
    game_id : str
    status : str
        As it is stored.
    state : str
        What the game is shown as: its status, or interrupted where nobody plays it.
    game_mode : str
    scenario : str
        Its name, or its path where the record does not hold its text.
    scenario_sha256 : str or None
        Hash of what was played: the scenario's text and the payments read beside it. None where
        the record does not hold them.
    master_seed : int
    cost_source : {"outcomes", "steps", "none"}
        Costs are means of held-out days; or, of a game without outcomes, those of the first and the
        last step of each bank, as these measured them.
    num_samples : int or None
        Held-out days.
    sample_method : str or None
        How days are drawn, as the game's configuration has it.
    observed_runs : int or None
        Runs that days are resampled from; None where days are fresh.
    banks : tuple of BankFigures
    start_cost, final_cost, improvement : float or None
        Of all banks.
    iterations : int
        Iterations played.
    last_accepted_iteration : int
        The last iteration in which a policy was accepted; 0 where none was.
    converged_iteration : int or None
        The iteration at whose end the game was declared converged; None where it was not.
    steps, accepted : int
        Steps of all agents, and those whose proposal was accepted.
    acceptance_rate : float or None
        Their quotient.
    distance_from_equilibrium, distance_upper_bound : float or None
        The largest regret, and what none is above.
    num_deviations : int or None
        Deviations that the game's certificate tried.
    deviation_space : str or None
        What these vary.
    price_of_anarchy : float or None
    proposers : tuple of str
    tokens_used : int
        Of all steps, in and out.
    calls : int
        Calls of language models.
    cost_usd : float or None
        Price of those calls whose price is known; None where none is.
    unpriced_calls : int
        Calls without a known price.
    package_version : str or None
        Of the program that played it.
    """

    game_id: str
    status: str
    state: str
    game_mode: str
    scenario: str
    scenario_sha256: str | None
    master_seed: int
    cost_source: str
    num_samples: int | None
    sample_method: str | None
    observed_runs: int | None
    banks: tuple[BankFigures, ...]
    start_cost: float | None
    final_cost: float | None
    improvement: float | None
    iterations: int
    last_accepted_iteration: int
    converged_iteration: int | None
    steps: int
    accepted: int
    acceptance_rate: float | None
    distance_from_equilibrium: float | None
    distance_upper_bound: float | None
    num_deviations: int | None
    deviation_space: str | None
    price_of_anarchy: float | None
    proposers: tuple[str, ...]
    tokens_used: int
    calls: int
    cost_usd: float | None
    unpriced_calls: int
    package_version: str | None

    @property
    def has_ended(self) -> bool:
        """Whether the game was played to its end."""
        return self.status in {"completed", "converged"}

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        return asdict(self)
