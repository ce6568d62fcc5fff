"""Every key of the format: what it accepts, what it refuses, and how it says so."""

from __future__ import annotations

import re
from typing import Any

import pytest

from payment_simulator.scenario import Scenario, parse_scenario
from payment_simulator.scenario.places import show_path
from payment_simulator.scenario.yaml_text import write_yaml
from tests.unit.scenario.samples import FULL, Path, changed, refusal, small, with_agent, without

CENTS = (-1, 0.5, 10**15 + 1, "1", True, None, [1], {}, float("nan"), float("inf"), 10**400)
OPTIONAL_CENTS = tuple(value for value in CENTS if value is not None)
AMOUNT = (0, *CENTS)
NUMBER = (-0.1, 1.1e12, "1", True, None, [1], {}, float("nan"), float("inf"), 10**400)
OPTIONAL_NUMBER = tuple(value for value in NUMBER if value is not None)
SHARE = (1.0001, *NUMBER)
RATE = (1e6 + 1, *NUMBER)
FLAG = ("true", "yes", 0, 1, None, [True], {})
TICKS = (-1, 0.5, 10_000_001, "1", True, None, [1], {})
PRIORITY = (-1, 11, 5.5, "5", True, None, [5], {})
TEXT = (1, True, None, ["a"], {})
NAME = ("", " A", "A ", "A\nB", "\x1b[31m", *TEXT)
LIST = (1, "A", True, None, {"a": 1})
MAPPING = (1, "A", True, None, [1])
WORD = ("", "Penalty", 1, True, None, [], {})

A = ("agents", 0)
CONFIG = (*A, "arrival_config")
AMOUNTS_OF_A = (*CONFIG, "amount_distribution")
BAND = ("agents", 1, "arrival_bands", "urgent")
RATES = ("cost_rates",)
MULTIPLIERS = (*RATES, "priority_delay_multipliers")
EVENTS = ("scenario_events",)

WRONG: dict[Path, tuple[Any, ...]] = {
    ("name",): TEXT,
    ("description",): TEXT,
    ("source",): TEXT,
    ("simulation",): MAPPING,
    ("simulation", "ticks_per_day"): (0, *TICKS),
    ("simulation", "num_days"): (0, *TICKS),
    ("simulation", "rng_seed"): (-1, 2**63, 0.5, "1", True, None),
    ("agents",): ([], *LIST),
    A: MAPPING,
    (*A, "id"): NAME,
    (*A, "opening_balance"): CENTS,
    (*A, "unsecured_cap"): CENTS,
    (*A, "policy"): MAPPING,
    (*A, "policy", "type"): WORD,
    (*A, "policy", "urgency_threshold"): tuple(v for v in TICKS if v is not None),
    CONFIG: tuple(v for v in MAPPING if v is not None),
    (*CONFIG, "rate_per_tick"): RATE,
    AMOUNTS_OF_A: MAPPING,
    (*AMOUNTS_OF_A, "type"): WORD,
    (*AMOUNTS_OF_A, "mean"): (1.1e15, -1.1e15, "1", True, None, float("nan")),
    (*AMOUNTS_OF_A, "std_dev"): (1.1e15, -0.1, "1", True, None, float("inf")),
    (*CONFIG, "counterparty_weights"): MAPPING,
    (*CONFIG, "counterparty_weights", "B"): NUMBER,
    (*CONFIG, "deadline_range"): (1, "1", None, [], [1], [1, 2, 3], {}, [2, 1], [-1, 1], [0, 1e8]),
    (*CONFIG, "priority_distribution"): MAPPING,
    (*CONFIG, "priority_distribution", "type"): WORD,
    (*CONFIG, "priority_distribution", "values"): ([1], [1, 2, 3], [1, 11], [1.5, 2], *LIST),
    (*CONFIG, "priority_distribution", "weights"): ([1], [0, 0], [1, -1], *LIST),
    (*CONFIG, "divisible"): FLAG,
    (*A, "posted_collateral"): CENTS,
    (*A, "collateral_haircut"): SHARE,
    (*A, "max_collateral_capacity"): OPTIONAL_CENTS,
    (*A, "limits"): MAPPING,
    (*A, "limits", "bilateral_limits"): MAPPING,
    (*A, "limits", "bilateral_limits", "B"): CENTS,
    (*A, "limits", "multilateral_limit"): OPTIONAL_CENTS,
    (*A, "liquidity_pool"): OPTIONAL_CENTS,
    (*A, "liquidity_allocation_fraction"): SHARE,
    ("agents", 1, "multilateral_limit"): OPTIONAL_CENTS,
    ("agents", 1, "bilateral_limits"): MAPPING,
    ("agents", 1, "arrival_bands"): tuple(v for v in MAPPING if v is not None),
    BAND: tuple(v for v in MAPPING if v is not None),
    (*BAND, "rate_per_tick"): RATE,
    (*BAND, "amount_distribution"): MAPPING,
    (*BAND, "amount_distribution", "min"): (901, *CENTS),
    (*BAND, "amount_distribution", "max"): AMOUNT,
    (*BAND, "deadline_offset_min"): (9, *TICKS),
    (*BAND, "deadline_offset_max"): (1, *TICKS),
    (*BAND, "counterparty_weights"): ({"A": 0}, *MAPPING),
    (*BAND, "divisible"): FLAG,
    ("agents", 1, "arrival_bands", "normal", "amount_distribution", "mean"): (0, -1, "1", None),
    ("agents", 1, "arrival_bands", "low", "amount_distribution", "lambda"): (0, -1, 1e7, None),
    ("agents", 2, "arrival_config", "priority"): tuple(v for v in PRIORITY if v is not None),
    RATES: MAPPING,
    (*RATES, "overdraft_bps_per_tick"): NUMBER,
    (*RATES, "delay_cost_per_tick_per_cent"): NUMBER,
    (*RATES, "collateral_cost_per_tick_bps"): NUMBER,
    (*RATES, "liquidity_cost_per_tick_bps"): NUMBER,
    (*RATES, "eod_penalty"): tuple(v for v in CENTS if v != {}),
    (*RATES, "eod_penalty", "mode"): WORD,
    (*RATES, "eod_penalty", "bps_per_event"): NUMBER,
    (*RATES, "deadline_penalty"): ({"mode": "rate"}, {"mode": "fixed"}, {"amount": 1}, "1", None),
    (*RATES, "deadline_penalty", "amount"): CENTS,
    (*RATES, "split_friction_cost"): CENTS,
    (*RATES, "overdue_delay_multiplier"): NUMBER,
    (*RATES, "eod_borrowing_bps"): NUMBER,
    MULTIPLIERS: MAPPING,
    (*MULTIPLIERS, "urgent_multiplier"): NUMBER,
    (*MULTIPLIERS, "normal_multiplier"): NUMBER,
    (*MULTIPLIERS, "low_multiplier"): NUMBER,
    ("lsm_config",): MAPPING,
    ("lsm_config", "enable_bilateral"): FLAG,
    ("lsm_config", "enable_cycles"): FLAG,
    ("lsm_config", "max_cycle_length"): (2, 11, 3.5, "4", True, None),
    ("lsm_config", "max_cycles_per_tick"): (0, 101, 3.5, "4", True, None),
    EVENTS: LIST,
    (*EVENTS, 0): MAPPING,
    (*EVENTS, 0, "type"): WORD,
    (*EVENTS, 0, "from_agent"): ("a", *NAME),
    (*EVENTS, 0, "to_agent"): ("A", "b", *NAME),
    (*EVENTS, 0, "amount"): AMOUNT,
    (*EVENTS, 0, "schedule"): MAPPING,
    (*EVENTS, 0, "schedule", "type"): WORD,
    (*EVENTS, 0, "schedule", "tick"): (20, *TICKS),
    (*EVENTS, 1, "priority"): PRIORITY,
    (*EVENTS, 1, "deadline"): tuple(v for v in TICKS if v is not None),
    (*EVENTS, 1, "is_divisible"): FLAG,
    (*EVENTS, 1, "schedule", "start_tick"): (20, *TICKS),
    (*EVENTS, 1, "schedule", "interval"): (0, *TICKS),
    (*EVENTS, 2, "amount"): AMOUNT,
    (*EVENTS, 3, "agent"): ("a", *NAME),
    (*EVENTS, 3, "delta"): (10**15 + 1, -(10**15) - 1, 0.5, "1", True, None),
    (*EVENTS, 4, "multiplier"): RATE,
    (*EVENTS, 5, "agent"): ("a", *NAME),
    (*EVENTS, 5, "multiplier"): RATE,
    (*EVENTS, 6, "agent"): ("C", *NAME),
    (*EVENTS, 6, "counterparty"): ("A", "X", *NAME),
    (*EVENTS, 6, "new_weight"): NUMBER,
    (*EVENTS, 6, "auto_balance_others"): FLAG,
    (*EVENTS, 7, "min_ticks_multiplier"): OPTIONAL_NUMBER,
    (*EVENTS, 7, "max_ticks_multiplier"): OPTIONAL_NUMBER,
    ("policy_feature_toggles",): MAPPING,
    ("policy_feature_toggles", "exclude"): (["Relase"], 1, "Split", True, [1], {"a": 1}),
    ("cost_feature_toggles",): MAPPING,
    ("cost_feature_toggles", "exclude"): (["splits"], 1, "split", True, [1], {"a": 1}),
    ("deferred_crediting",): FLAG,
    ("deadline_cap_at_eod",): FLAG,
    ("algorithm_sequencing",): FLAG,
    ("entry_disposition_offsetting",): FLAG,
    ("priority_mode",): FLAG,
    ("queue1_ordering",): ("fifo", *WORD),
    ("priority_escalation",): MAPPING,
    ("priority_escalation", "enabled"): FLAG,
    ("priority_escalation", "curve"): WORD,
    ("priority_escalation", "start_escalating_at_ticks"): (0, *TICKS),
    ("priority_escalation", "max_boost"): PRIORITY,
    ("eod_rush_threshold",): SHARE,
    ("daily_liquidity_reallocation",): FLAG,
    ("end_of_day",): WORD,
    ("queue_discipline",): WORD,
    ("delay_applies_to",): WORD,
}

REQUIRED: list[Path] = [
    ("simulation",),
    ("simulation", "ticks_per_day"),
    ("simulation", "num_days"),
    ("agents",),
    (*A, "id"),
    (*A, "opening_balance"),
    (*A, "policy", "type"),
    (*CONFIG, "rate_per_tick"),
    AMOUNTS_OF_A,
    (*AMOUNTS_OF_A, "type"),
    (*AMOUNTS_OF_A, "mean"),
    (*AMOUNTS_OF_A, "std_dev"),
    (*CONFIG, "deadline_range"),
    (*BAND, "rate_per_tick"),
    (*BAND, "amount_distribution"),
    (*BAND, "deadline_offset_min"),
    (*BAND, "deadline_offset_max"),
    (*RATES, "eod_penalty", "mode"),
    (*RATES, "eod_penalty", "bps_per_event"),
    (*EVENTS, 0, "type"),
    (*EVENTS, 0, "from_agent"),
    (*EVENTS, 0, "to_agent"),
    (*EVENTS, 0, "amount"),
    (*EVENTS, 0, "schedule"),
    (*EVENTS, 0, "schedule", "tick"),
    (*EVENTS, 1, "schedule", "start_tick"),
    (*EVENTS, 1, "schedule", "interval"),
    (*EVENTS, 3, "delta"),
    (*EVENTS, 4, "multiplier"),
    (*EVENTS, 6, "new_weight"),
    ("priority_escalation", "enabled"),
]


def paths_of(data: Any, path: Path = ()) -> list[Path]:
    """List the paths of everything in a scenario."""
    parts = data.items() if isinstance(data, dict) else enumerate(data)
    found: list[Path] = []
    for step, part in parts:
        found.append((*path, step))
        if isinstance(part, dict | list):
            found += paths_of(part, (*path, step))
    return found


def test_the_full_scenario_is_accepted_and_read_back_the_same() -> None:
    scenario = parse_scenario(FULL)
    assert scenario.name == "everything"
    assert parse_scenario(scenario.text) == scenario


def test_every_key_of_the_full_scenario_has_its_wrong_values() -> None:
    """A key that is added to the sample must be added to the table as well."""
    names = {path[-1] for path in WRONG}
    missing = {path[-1] for path in paths_of(FULL)} - names - set(range(9)) - {"A", "B", "C"}
    # Two kinds of one key, tested by their kind elsewhere.
    # Bands, of which the first stands for all.
    assert missing <= {"normal", "low"}


def test_the_full_scenario_has_every_key_of_the_top_level() -> None:
    assert set(Scenario.keys()) - set(FULL) == {"payments_file"}


@pytest.mark.parametrize("path", WRONG, ids=show_path)
def test_wrong_values_are_refused_with_their_place(path: Path) -> None:
    for value in WRONG[path]:
        message = refusal(changed(FULL, path, value))
        assert message.startswith("scenario, "), value
        # Never a place outside of where the value stands.
        place = message.removeprefix("scenario, ").split(":")[0]
        shared = place.startswith(show_path(path[:-1])) or show_path(path).startswith(place)
        assert shared, message


@pytest.mark.parametrize("path", WRONG, ids=show_path)
def test_the_line_is_that_of_the_value(path: Path) -> None:
    """On the line that the error names stands the key that it names."""
    data = changed(FULL, path, WRONG[path][0])
    text = write_yaml(data)
    where, line, rest = refusal(text).split(", ", 2)
    assert where == "scenario"
    assert f"scenario, {rest}" == refusal(data)
    last = re.split(r"[.\[]", rest.split(":")[0])[-1]
    shown = text.splitlines()[int(line.removeprefix("line ")) - 1]
    assert f'"{last}"' in shown or (last.endswith("]") and shown.lstrip().startswith("- "))


@pytest.mark.parametrize("path", REQUIRED, ids=show_path)
def test_required_keys_are_missed_by_name(path: Path) -> None:
    message = refusal(without(FULL, path))
    assert str(path[-1]) in message
    assert "missing" in message or "nothing was given" in message


@pytest.mark.parametrize(
    "path",
    [path for path in paths_of(FULL) if isinstance(path[-1], str) and path[-1] not in "ABC"],
    ids=show_path,
)
def test_a_misspelled_key_is_refused_with_the_nearest(path: Path) -> None:
    """A letter too many, in every key of every section."""
    key = str(path[-1])
    value: Any = FULL
    for step in path:
        value = value[step]
    data = changed(without(FULL, path), (*path[:-1], key + "x"), value)
    message = refusal(data)
    if key == "type":
        assert f"{show_path(path)}: nothing was given; expected one of" in message
    elif path[:-1] == (*RATES, "eod_penalty") or path[:-1] == (*RATES, "deadline_penalty"):
        assert "missing" in message or f"nearest: {key}" in message
    else:
        assert f"{show_path(path)}x: unknown key; nearest: {key}" in message


def test_defaults() -> None:
    scenario = parse_scenario(small())
    rates = scenario.cost_rates
    assert scenario.simulation.rng_seed == 42
    assert (rates.overdraft_bps_per_tick, rates.delay_cost_per_tick_per_cent) == (0.001, 0.0001)
    assert (rates.collateral_cost_per_tick_bps, rates.liquidity_cost_per_tick_bps) == (0.0002, 0)
    assert (rates.eod_penalty.mode, rates.eod_penalty.amount) == ("fixed", 10_000)
    assert (rates.deadline_penalty.mode, rates.deadline_penalty.amount) == ("fixed", 50_000)
    assert (rates.split_friction_cost, rates.overdue_delay_multiplier) == (1000, 5)
    assert rates.eod_borrowing_bps == 0
    multipliers = rates.priority_delay_multipliers
    assert multipliers.urgent_multiplier == multipliers.low_multiplier == 1
    assert scenario.lsm_config.max_cycle_length == 4
    assert scenario.lsm_config.max_cycles_per_tick == 10
    assert scenario.algorithms == ("fifo", "bilateral", "cycles")
    assert not scenario.deferred_crediting
    assert scenario.daily_liquidity_reallocation
    assert (scenario.queue1_ordering, scenario.end_of_day) == ("Fifo", "penalty")
    assert (scenario.queue_discipline, scenario.delay_applies_to) == ("bypass", "both_queues")
    assert scenario.eod_rush_threshold == 0.8
    assert not scenario.priority_escalation.enabled
    assert len(scenario.charged_kinds) == 7
    assert scenario.payments == ()
    assert scenario.skipped_lines == 0
    assert not scenario.is_random
    bank = scenario.agents[0]
    assert (bank.unsecured_cap, bank.posted_collateral, bank.haircut_ppm) == (0, 0, 0)
    assert bank.liquidity_pool is None
    assert bank.liquidity_allocation_fraction == 1
    assert bank.policy.type == "Fifo"
    assert (scenario.n_banks, scenario.n_ticks, scenario.bank_ids) == (2, 20, ("A", "B"))


def test_what_the_full_scenario_says_is_what_is_kept() -> None:
    scenario = parse_scenario(FULL)
    a, b, c = scenario.agents
    assert (a.opening_balance, a.unsecured_cap, a.posted_collateral) == (1_000_000, 200_000, 5_000)
    assert (a.haircut_ppm, a.max_collateral_capacity, a.liquidity_pool) == (50_000, 90_000, 600_000)
    assert a.limits.bilateral_limits == {"B": 700}
    assert a.limits.multilateral_limit == 900
    assert b.limits.bilateral_limits == {"C": 5}
    assert b.limits.multilateral_limit == 77
    assert a.arrival_config is not None
    assert a.arrival_config.deadline_range == (1, 9)
    assert a.arrival_config.priority_distribution.type == "Categorical"
    assert a.arrival_config.counterparty_weights == {"B": 2.0, "C": 0.5}
    assert b.arrival_bands is not None
    assert [name for name, _ in b.arrival_bands.bands()] == ["urgent", "normal", "low"]
    assert b.arrival_bands.low is not None
    assert b.arrival_bands.low.amount_distribution.rate == 0.001  # type: ignore[union-attr]
    assert c.arrival_config is not None
    assert c.arrival_config.priority_distribution.value == 8  # type: ignore[union-attr]
    assert scenario.cost_rates.eod_penalty.bps_per_event == 12.5
    assert scenario.algorithms == ("fifo", "cycles")
    assert scenario.charged_kinds == {
        *("liquidity", "overdraft", "collateral", "delay", "deadline_penalty", "end_of_day"),
    }
    assert scenario.is_random
    assert (scenario.end_of_day, scenario.queue_discipline) == ("borrow", "strict")


def test_whole_floats_are_whole_numbers() -> None:
    balance = parse_scenario(with_agent(opening_balance=1000.0)).agents[0].opening_balance
    assert balance == 1000
    assert type(balance) is int


def test_other_names_of_keys() -> None:
    scenario = parse_scenario(
        small(
            cost_rates={"eod_penalty_per_transaction": 7},
            priority_escalation={"enabled": True, "threshold_ticks": 9},
        )
    )
    assert scenario.cost_rates.eod_penalty.amount == 7
    assert scenario.priority_escalation.start_escalating_at_ticks == 9
    both = refusal(small(cost_rates={"eod_penalty_per_transaction": 7, "eod_penalty": 7}))
    assert "two names of one key" in both
    negative = refusal(small(cost_rates={"eod_penalty_per_transaction": -7}))
    assert "cost_rates.eod_penalty_per_transaction: -7 is negative" in negative


@pytest.mark.parametrize(("haircut", "ppm"), [(0.05, 50_000), (1, 10**6), (0.1 + 0.2, 300_000)])
def test_haircut_in_millionths(haircut: float, ppm: int) -> None:
    assert parse_scenario(with_agent(collateral_haircut=haircut)).agents[0].haircut_ppm == ppm


@pytest.mark.parametrize(("haircut", "ppm"), [(5e-7, 1), (4.9e-7, 0), (2.5e-6, 3)])
def test_half_a_millionth_is_rounded_up(haircut: float, ppm: int) -> None:
    assert parse_scenario(with_agent(collateral_haircut=haircut)).agents[0].haircut_ppm == ppm


def test_a_scenario_stays_as_it_is() -> None:
    scenario = parse_scenario(small())
    with pytest.raises(ValueError, match="frozen"):
        scenario.end_of_day = "borrow"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        scenario.agents[0].opening_balance = 5  # type: ignore[misc]


def test_a_scenario_made_by_hand_says_that_it_is_not_complete() -> None:
    scenario = Scenario.model_validate(small())
    with pytest.raises(ValueError, match="parse_scenario"):
        _ = scenario.policies
