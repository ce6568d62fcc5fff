"""What no key can know by itself: banks, limits, schedules and sums against each other."""

from __future__ import annotations

from typing import Any

import pytest

from payment_simulator.scenario import COST_KINDS, MAX_CENTS, parse_scenario
from tests.unit.scenario.samples import AMOUNTS, BAND, ONCE, PRIORITIES, refusal, small, with_agent

CONFIG: dict[str, Any] = {
    "rate_per_tick": 1,
    "amount_distribution": AMOUNTS["Uniform"],
    "deadline_range": [1, 5],
}


def with_arrivals(**keys: Any) -> dict[str, Any]:
    """Return a scenario in which bank A has random payments."""
    return with_agent(arrival_config={**CONFIG, **keys})


class TestBanks:
    """Names of banks."""

    def test_an_id_twice(self) -> None:
        data = small()
        data["agents"].append({"id": "A", "opening_balance": 1})
        assert "agents[2].id: 'A' is the id of agents[0] too" in refusal(data)

    def test_too_many(self) -> None:
        banks = [{"id": f"B{n}", "opening_balance": 0} for n in range(2001)]
        assert parse_scenario(small(agents=banks[:2000])).n_banks == 2000
        assert "agents: 2001 items; expected at most 2000" in refusal(small(agents=banks))

    @pytest.mark.parametrize("key", ["arrival_config", "limits"])
    def test_unknown_ones_are_named_with_the_nearest(self, key: str) -> None:
        data = (
            with_arrivals(counterparty_weights={"b": 1})
            if key == "arrival_config"
            else with_agent(bilateral_limits={"b": 1})
        )
        assert "'b' is no bank of this scenario; nearest: B" in refusal(data)

    def test_weights_and_limits_to_oneself(self) -> None:
        own = "'A' is the bank itself"
        assert own in refusal(with_arrivals(counterparty_weights={"A": 0, "B": 1}))
        assert own in refusal(with_agent(limits={"bilateral_limits": {"A": 1}}))

    def test_a_single_bank_has_nobody_to_pay(self) -> None:
        alone = small(agents=[{"id": "A", "opening_balance": 5}])
        assert parse_scenario(alone).n_banks == 1
        alone["agents"][0]["arrival_config"] = CONFIG
        assert "agents[0].arrival_config: 'A' is the only bank" in refusal(alone)
        alone["agents"][0] = {"id": "A", "opening_balance": 5, "arrival_bands": {"low": BAND}}
        assert "agents[0].arrival_bands.low: 'A' is the only bank" in refusal(alone)


class TestKeysThatExcludeOneAnother:
    """Two ways of saying one thing."""

    def test_arrivals(self) -> None:
        data = with_agent(arrival_config=CONFIG, arrival_bands={})
        assert "agents[0].arrival_bands: arrival_config is given too" in refusal(data)

    def test_priorities(self) -> None:
        data = with_arrivals(priority=5, priority_distribution=PRIORITIES["Fixed"])
        assert "priority_distribution: priority is given too" in refusal(data)

    def test_limits(self) -> None:
        data = with_agent(multilateral_limit=5, limits={"multilateral_limit": 5})
        assert "agents[0].multilateral_limit: it is given here and in limits" in refusal(data)
        # Each in another place is no contradiction.
        limits = (
            parse_scenario(with_agent(multilateral_limit=5, limits={"bilateral_limits": {"B": 6}}))
            .agents[0]
            .limits
        )
        assert (limits.multilateral_limit, limits.bilateral_limits) == (5, {"B": 6})
        assert "expected limits as a mapping" in refusal(
            with_agent(multilateral_limit=5, limits=[1])
        )

    def test_a_fraction_without_a_pool(self) -> None:
        message = refusal(with_agent(liquidity_allocation_fraction=1))
        assert "liquidity_allocation_fraction: it is given without a liquidity_pool" in message

    @pytest.mark.parametrize("switch", ["enable_bilateral", "enable_cycles"])
    def test_algorithms_and_switches(self, switch: str) -> None:
        data = small(lsm_config={"algorithms": ["fifo"], switch: True})
        assert f"lsm_config.{switch}: it stands beside algorithms" in refusal(data)

    @pytest.mark.parametrize("toggles", ["policy_feature_toggles", "cost_feature_toggles"])
    def test_toggles(self, toggles: str) -> None:
        data = small(**{toggles: {"include": [], "exclude": []}})
        assert f"{toggles}.exclude: include is given too" in refusal(data)

    @pytest.mark.parametrize(
        ("penalty", "words"),
        [
            ({"mode": "fixed", "amount": 1, "bps_per_event": 0}, "bps_per_event: mode fixed takes"),
            ({"mode": "rate", "amount": 0, "bps_per_event": 1}, "amount: mode rate takes"),
            ({"mode": "rate"}, "bps_per_event is missing"),
            ({"amount": 5}, "mode: missing"),
        ],
    )
    def test_penalties(self, penalty: dict[str, Any], words: str) -> None:
        assert words in refusal(small(cost_rates={"eod_penalty": penalty}))


class TestAlgorithms:
    """The sequence of Queue 2."""

    @pytest.mark.parametrize(
        ("config", "sequence"),
        [
            ({}, ("fifo", "bilateral", "cycles")),
            ({"enable_bilateral": False}, ("fifo", "cycles")),
            ({"enable_cycles": False}, ("fifo", "bilateral")),
            ({"enable_bilateral": False, "enable_cycles": False}, ("fifo",)),
            ({"algorithms": ["multilateral", "fifo"]}, ("multilateral", "fifo")),
            ({"algorithms": []}, ()),
            ({"algorithms": None, "enable_cycles": False}, ("fifo", "bilateral")),
        ],
    )
    def test_sequences(self, config: dict[str, Any], sequence: tuple[str, ...]) -> None:
        assert parse_scenario(small(lsm_config=config)).algorithms == sequence

    def test_unknown_and_double_ones(self) -> None:
        twice = refusal(small(lsm_config={"algorithms": ["fifo", "cycles", "fifo"]}))
        assert "lsm_config.algorithms: fifo is there twice" in twice
        unknown = refusal(small(lsm_config={"algorithms": ["fifo", "cycle"]}))
        assert "lsm_config.algorithms[1]: 'cycle' is not known; nearest: cycles" in unknown


class TestDistributions:
    """Amounts and priorities."""

    @pytest.mark.parametrize("kind", AMOUNTS)
    def test_amounts(self, kind: str) -> None:
        scenario = parse_scenario(with_arrivals(amount_distribution=AMOUNTS[kind]))
        config = scenario.agents[0].arrival_config
        assert config is not None
        assert config.amount_distribution.type == kind

    @pytest.mark.parametrize("kind", PRIORITIES)
    def test_priorities(self, kind: str) -> None:
        scenario = parse_scenario(with_arrivals(priority_distribution=PRIORITIES[kind]))
        config = scenario.agents[0].arrival_config
        assert config is not None
        assert config.priority_distribution.model_dump() == PRIORITIES[kind] | {"type": kind} or (
            kind == "Categorical"
        )

    def test_priority_is_five_where_nothing_is_said(self) -> None:
        config = parse_scenario(with_arrivals()).agents[0].arrival_config
        assert config is not None
        assert config.priority_distribution.model_dump() == {"type": "Fixed", "value": 5}

    @pytest.mark.parametrize(
        "given", [{"type": "Fixed", "value": 11}, {"type": "Uniform", "min": 3, "max": 2}]
    )
    def test_wrong_priorities(self, given: dict[str, Any]) -> None:
        assert "priority_distribution" in refusal(with_arrivals(priority_distribution=given))

    def test_the_least_lambda_and_mean(self) -> None:
        tiny = {"type": "Exponential", "lambda": 1e-300}
        assert "lambda" in refusal(with_arrivals(amount_distribution=tiny))
        zero = {"type": "LogNormal", "mean": 0, "std_dev": 1}
        assert "mean" in refusal(with_arrivals(amount_distribution=zero))


class TestRates:
    """Events may not raise a rate beyond what a rate may be."""

    def test_multiplied(self) -> None:
        events = [
            {"type": "GlobalArrivalRateChange", "multiplier": 1000, "schedule": ONCE},
            {"type": "AgentArrivalRateChange", "agent": "A", "multiplier": 500, "schedule": ONCE},
            {"type": "AgentArrivalRateChange", "agent": "B", "multiplier": 9999, "schedule": ONCE},
        ]
        fine = with_arrivals(rate_per_tick=2) | {"scenario_events": events}
        assert parse_scenario(fine).is_random
        high = with_arrivals(rate_per_tick=2.1) | {"scenario_events": events}
        message = refusal(high)
        assert "agents[0].arrival_config.rate_per_tick: with the multipliers of events" in message

    def test_lowered(self) -> None:
        events = [{"type": "GlobalArrivalRateChange", "multiplier": 0, "schedule": ONCE}]
        data = with_arrivals(rate_per_tick=1e6) | {"scenario_events": events}
        assert parse_scenario(data).is_random


class TestSums:
    """No sum of money leaves int64."""

    @staticmethod
    def rich(n_banks: int, **keys: Any) -> dict[str, Any]:
        banks = [{"id": f"B{n}", "opening_balance": MAX_CENTS, **keys} for n in range(n_banks)]
        return small(agents=banks)

    def test_balances_pools_and_credit(self) -> None:
        more = dict.fromkeys(("liquidity_pool", "unsecured_cap", "posted_collateral"), MAX_CENTS)
        assert parse_scenario(self.rich(999, **more)).n_banks == 999
        message = refusal(self.rich(1000, **more))
        assert message.startswith("scenario: balances, credit, pools and payments")
        assert "4000000000000000000 cents" in message

    @pytest.mark.parametrize(
        "event",
        [
            {"type": "DirectTransfer", "from_agent": "A", "to_agent": "B", "amount": MAX_CENTS},
            {
                "type": "ScheduledSettlement",
                "from_agent": "A",
                "to_agent": "B",
                "amount": MAX_CENTS,
            },
            {
                "type": "CustomTransactionArrival",
                "from_agent": "A",
                "to_agent": "B",
                "amount": MAX_CENTS,
            },
            {"type": "CollateralAdjustment", "agent": "A", "delta": MAX_CENTS},
            {"type": "CollateralAdjustment", "agent": "A", "delta": -MAX_CENTS},
        ],
    )
    def test_events_count_each_time(self, event: dict[str, Any]) -> None:
        data = small(simulation={"ticks_per_day": 4000, "num_days": 1})
        schedule = {"type": "Repeating", "start_tick": 0, "interval": 1}
        data["scenario_events"] = [{**event, "schedule": schedule}]
        assert "come to 4000000000000000000 cents" in refusal(data)
        data["scenario_events"][0]["schedule"]["start_tick"] = 1
        assert parse_scenario(data).n_ticks == 4000


class TestLengthOfTheRun:
    """Ticks and seeds."""

    def test_the_longest(self) -> None:
        longest = small(simulation={"ticks_per_day": 10_000, "num_days": 1000})
        assert parse_scenario(longest).n_ticks == 10_000_000
        longer = small(simulation={"ticks_per_day": 10_000, "num_days": 1001})
        assert "simulation.num_days: ticks_per_day * num_days is 10010000" in refusal(longer)


class TestCostToggles:
    """Kinds of cost that are charged."""

    def test_include_and_exclude(self) -> None:
        included = small(cost_feature_toggles={"include": ["delay", "liquidity"]})
        assert parse_scenario(included).charged_kinds == {"delay", "liquidity"}
        excluded = small(cost_feature_toggles={"exclude": ["delay"]})
        assert parse_scenario(excluded).charged_kinds == set(COST_KINDS) - {"delay"}
        nothing = small(cost_feature_toggles={"include": []})
        assert parse_scenario(nothing).charged_kinds == frozenset()

    @pytest.mark.parametrize("key", ["include", "exclude"])
    def test_unknown_kinds(self, key: str) -> None:
        message = refusal(small(cost_feature_toggles={key: ["delay", "deadline_penalties"]}))
        assert f"cost_feature_toggles.{key}[1]: 'deadline_penalties' is no kind" in message
        assert "nearest: deadline_penalty" in message


class TestEscalation:
    """A section that says nothing about whether it holds."""

    def test_enabled_must_be_said(self) -> None:
        assert "enabled is missing" in refusal(small(priority_escalation={"max_boost": 2}))
        assert not parse_scenario(small(priority_escalation={})).priority_escalation.enabled
