"""Situations as a bank's agent finds them in a game, with real sample days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from payment_simulator.ai_cash_mgmt.constraints import (
    ConstraintValidator,
    ParameterSpec,
    ScenarioConstraints,
    starting_policy,
)
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.evaluation.sampling import Sampler
from payment_simulator.ai_cash_mgmt.persistence.models import LLMInteractionRecord
from payment_simulator.ai_cash_mgmt.proposers.base import PastStep, Refusal, Situation, Tools
from payment_simulator.policy import to_dict, to_json
from payment_simulator.scenario import Scenario, load_scenario, parse_scenario
from payment_simulator.simulation import Simulation
from tests.games import FRACTION, SCENARIOS

#: The share of the pool, in twentieths.
SHARE = ParameterSpec(name=FRACTION, min_value=0, max_value=1, step=0.05)

#: Numbers of the banks that are not asked; no prompt of BANK_A may hold any of them.
PRIVATE = {
    "opening_balance": 7_131_317,
    "unsecured_cap": 913_577,
    "posted_collateral": 4_142_135,
    "max_collateral_capacity": 51_413_121,
    "liquidity_pool": 8_675_309,
    "liquidity_allocation_fraction": 0.37259,
    "limit": 33_550_337,
    "between_others": 271_828,
    "rate": 1.61803,
    "mean": 141_421.3,
    "parameter": 61.803,
}

THREE_BANKS = f"""
name: three banks
description: BANK_B has a pool of {PRIVATE["liquidity_pool"]} cents.
simulation: {{ticks_per_day: 6, num_days: 2, rng_seed: 3}}
cost_rates: {{liquidity_cost_per_tick_bps: 5, deadline_penalty: 700}}
agents:
  - id: BANK_A
    opening_balance: 50_000
    liquidity_pool: 400_000
    liquidity_allocation_fraction: 0.5
    arrival_config:
      rate_per_tick: 1
      amount_distribution: {{type: Uniform, min: 20_000, max: 90_000}}
      deadline_range: [1, 4]
  - id: BANK_B
    opening_balance: {PRIVATE["opening_balance"]}
    unsecured_cap: {PRIVATE["unsecured_cap"]}
    posted_collateral: {PRIVATE["posted_collateral"]}
    max_collateral_capacity: {PRIVATE["max_collateral_capacity"]}
    liquidity_pool: {PRIVATE["liquidity_pool"]}
    liquidity_allocation_fraction: {PRIVATE["liquidity_allocation_fraction"]}
    limits: {{multilateral_limit: {PRIVATE["limit"]}}}
    policy:
      type: InlineJson
      json_string: '{{"policy_id": "hers", "parameters": {{"patience": {PRIVATE["parameter"]}}},
        "payment_tree": {{"condition": {{"op": ">=", "left": {{"field": "queue_age"}},
        "right": {{"param": "patience"}}}}, "on_true": {{"action": "Hold"}},
        "on_false": {{"action": "Release"}}}}}}'
    arrival_config:
      rate_per_tick: {PRIVATE["rate"]}
      amount_distribution: {{type: Normal, mean: {PRIVATE["mean"]}, std_dev: 9_000}}
      deadline_range: [1, 4]
  - id: BANK_C
    opening_balance: 600_000
    arrival_config:
      rate_per_tick: 1
      amount_distribution: {{type: Uniform, min: 20_000, max: 90_000}}
      deadline_range: [2, 5]
scenario_events:
  - type: CustomTransactionArrival
    from_agent: BANK_B
    to_agent: BANK_C
    amount: {PRIVATE["between_others"]}
    schedule: {{type: OneTime, tick: 1}}
  - type: DirectTransfer
    from_agent: BANK_C
    to_agent: BANK_B
    amount: {PRIVATE["between_others"]}
    schedule: {{type: OneTime, tick: 2}}
"""


class Calls:
    """The calls of one step, kept in a list.

    Parameters
    ----------
    before : sequence of LLMInteractionRecord
        Calls that were made before.
    """

    game_id = "a game"

    def __init__(self, before: Sequence[LLMInteractionRecord] = ()) -> None:
        self.saved: list[LLMInteractionRecord] = []
        self._waiting = list(before)
        self._number = len(self._waiting)

    def begin(self) -> tuple[int, LLMInteractionRecord | None]:
        """Return the number of the next call, and the call if it was made before."""
        if self._waiting:
            call = self._waiting.pop(0)
            return call.attempt_number, call
        self._number += 1
        return self._number, None

    def save(self, interaction: LLMInteractionRecord) -> None:
        """Keep a call."""
        self.saved.append(interaction.checked())


def three_banks() -> Scenario:
    """Return the scenario with distinctive numbers."""
    return parse_scenario(THREE_BANKS)


def bank_situation(
    scenario: Scenario | str = "two_period",
    bank: str = "BANK_A",
    *,
    constraints: ScenarioConstraints | None = None,
    num_samples: int = 3,
    history: Sequence[PastStep] = (),
    refused: Sequence[Refusal] = (),
    calls: Calls | None = None,
    ticks_played: int = 0,
) -> Situation:
    """Return what an agent is told in a game, between simulations or inside a running one.

    Parameters
    ----------
    scenario : Scenario or str
        A shipped one, by its name.
    ticks_played : int
        Of a running simulation; 0 for none.
    """
    if isinstance(scenario, str):
        scenario = load_scenario(SCENARIOS / f"{scenario}.yaml")
    constraints = constraints or ScenarioConstraints(allowed_parameters=(SHARE,))
    own = starting_policy(scenario, bank, constraints)
    i = scenario.bank_ids.index(bank)
    profile = (*scenario.policies[:i], own, *scenario.policies[i + 1 :])
    running = Simulation(scenario, profile).run_until(ticks_played) if ticks_played else None
    arena = Arena(scenario, start=None if running is None else running.snapshot(), threads=1)
    sampler = Sampler(scenario, method="fresh", num_samples=num_samples, master_seed=42)
    days = sampler.days("propose", 1, bank)
    tools = Tools(
        costs=lambda candidates: arena.candidate_costs(profile, bank, candidates, days),
        day_costs=lambda candidates, first, end: arena.day_costs(
            profile, bank, candidates, days.part(first, end)
        ),
        n_days=len(days),
        report=lambda: arena.report(profile, bank, days),
        replay=lambda number: arena.replay(profile, days, number),
        so_far=lambda: None if running is None else running.result(),
    )
    return Situation(
        bank=bank,
        iteration=len(history) + 1,
        trigger_tick=(ticks_played or scenario.n_ticks) - 1,
        mode="rl_optimization" if ticks_played else "campaign_learning",
        scenario=scenario,
        policy=own,
        constraints=constraints,
        validator=ConstraintValidator(constraints, scenario, bank, own),
        history=tuple(history),
        refused=tuple(refused),
        seed=7,
        calls=calls or Calls(),
        tools=tools,
    )


def past(situation: Situation, n: int) -> tuple[PastStep, ...]:
    """Return steps that a bank may look back on: accepted, rejected and not valid in turn."""
    steps = []
    for k in range(1, n + 1):
        share = (k % 21) * 0.05
        parameters = {**situation.policy.parameters, FRACTION: share}
        policy = replace(situation.policy, parameters=parameters)
        steps.append(
            PastStep(
                iteration=k,
                policy_json=to_json(policy),
                parameters=parameters,
                old_cost=1_000.0 + k,
                new_cost=1_000.0 - k,
                was_accepted=k % 3 == 1,
                errors=("payment_tree: it is no tree",) if k % 3 == 0 else (),
            )
        )
    return tuple(steps)


def proposed(situation: Situation, share: Any) -> dict[str, Any]:
    """Return what a model answers that wants another share: its reasoning, and a policy."""
    policy = to_dict(situation.policy)
    policy["parameters"] = {**policy["parameters"], FRACTION: share}
    return {"reasoning": f"{share} is enough", "policy": policy}
