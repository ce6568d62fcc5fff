"""Games that differ in their seed alone, their means, and what is said of the others."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import a_record, an_iteration

from payment_simulator.ai_cash_mgmt import (
    GameOutcomeRecord,
    GameProvenanceRecord,
    GameRepository,
    GameSessionRecord,
    ProvenanceFileRecord,
)
from payment_simulator.ai_cash_mgmt.evaluation.inference import interval
from payment_simulator.analysis.compare import all_seeds_of, compare_games
from payment_simulator.analysis.compare.groups import estimate
from payment_simulator.errors import GameNotFoundError, InputError

TEXTS = {"scenario": "name: s\n", "BANK_A": "{}", "BANK_B": "{}"}


def save(
    repo: GameRepository,
    game_id: str,
    seed: int,
    final: float = 1200.0,
    *,
    texts: dict[str, str] | None = None,
    config: dict[str, Any] | None = None,
    **session: Any,
) -> None:
    """Save a game that has ended, made of some texts."""
    own = {"game_id": game_id, "master_seed": seed, "output": {"database_path": f"{game_id}.db"}}
    values = {
        "config_json": json.dumps({"proposer": {"kind": "search"}, **own, **(config or {})}),
        "final_cost": final,
        **session,
    }
    repo.save_game_session(a_record(GameSessionRecord, game_id=game_id, master_seed=seed, **values))
    repo.save_policy_iteration(an_iteration(game_id=game_id))
    gains = {"cost_improvement": 1500.0 - final, "improvement_low": None, "improvement_high": None}
    n_days = (config or {}).get("bootstrap", {}).get("num_samples", 20)
    outcome = {"final_cost": final, "confidence": None, "num_samples": n_days, **gains}
    repo.save_game_outcomes([a_record(GameOutcomeRecord, game_id=game_id, **outcome)])
    repo.save_provenance_files(
        ProvenanceFileRecord(
            game_id=game_id, role=name if name in {"scenario", "payments"} else "policy",
            name="s" if name == "scenario" else name, content=content,
        )
        for name, content in (TEXTS if texts is None else texts).items()
    )  # fmt: skip


def numbers(repo: GameRepository, *games: str) -> list[tuple[str, ...]]:
    """Return the groups of games."""
    return [group.games for group in compare_games(repo, games).groups]


def test_the_interval_of_three_numbers():
    mean, low, high = estimate([1.0, 2.0, 3.0])
    # Student's t with 2 degrees of freedom stays below 4.302652729749 with 97.5 %.
    assert mean == 2.0
    assert high - mean == pytest.approx(4.302652729749 / math.sqrt(3), rel=1e-11)
    assert mean - low == pytest.approx(high - mean, rel=1e-11)


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=30), st.floats(0.01, 0.99))
def test_intervals_over_days_are_as_wide_or_wider(values: list[float], confidence: float):
    mean, low, high = estimate(values, confidence)
    assert low <= mean <= high
    wider = interval(np.array(values), confidence)  # they take skewness into account, too
    if wider is None:
        assert low == high
        return
    slack = 1e-6 + 1e-9 * (high - low)
    assert wider[0] <= low + slack
    assert wider[1] >= high - slack


def test_one_number_has_no_interval():
    with pytest.raises(InputError, match="1 values; expected two or more"):
        estimate([1.0])


def test_games_that_differ_in_their_seed_are_a_group(repo: GameRepository):
    costs = (1000.0, 1100.0, 1300.0)
    for seed, cost in enumerate(costs):
        save(repo, f"g{seed}", seed, cost)
    (group,) = compare_games(repo, ["g0", "g1", "g2"]).groups
    assert group.games == group.counted == ("g0", "g1", "g2")
    by_name = {(e.quantity, e.bank): e for e in group.estimates}
    final, of_bank = by_name["final_cost", None], by_name["final_cost", "BANK_A"]
    assert (final.n, final.mean) == (3, pytest.approx(3400 / 3))
    assert (final.mean, final.low, final.high) == estimate(costs)
    assert (of_bank.mean, of_bank.low, of_bank.high) == (final.mean, final.low, final.high)
    rate = by_name["final_settlement_rate", "BANK_A"]
    assert (rate.n, rate.mean, rate.low, rate.high) == (3, 1.0, 1.0, 1.0)
    told = group.to_dict()
    assert (told["confidence"], told["games"]) == (0.95, ("g0", "g1", "g2"))
    assert "Student's t" in told["method"]


@pytest.mark.parametrize(
    "other",
    [
        {"config": {"proposer": {"kind": "grid"}}},
        {"texts": {**TEXTS, "scenario": "name: t\n"}},
        {"texts": {**TEXTS, "BANK_B": "[]"}},
        {"texts": {**TEXTS, "payments": "tick\n"}},
        {"optimized_agents": ["BANK_B", "BANK_A"]},
        {"game_mode": "campaign_learning"},
        {"config": {"optimized_agents": {"BANK_B": {}, "BANK_A": {}}}},
        {"texts": {}},
    ],
    ids=["configuration", "scenario", "policy", "payments", "agents", "mode", "order", "unknown"],
)
def test_games_that_differ_in_more_are_in_no_group_together(
    repo: GameRepository, other: dict[str, Any]
):
    both = {"optimized_agents": {"BANK_A": {}, "BANK_B": {}}}
    save(repo, "a", 1, config=both)
    save(repo, "b", 2, **{"config": both, **other})
    assert numbers(repo, "a", "b") == [("a",), ("b",)]
    assert all_seeds_of(repo, "a") == ["a"]


def test_the_order_of_keys_and_where_the_scenario_lay_do_not_matter(repo: GameRepository):
    one = {"x": 1, "y": {"p": 1, "q": 2}, "scenario_config": "here.yaml"}
    other = {"scenario_config": "../there.yaml", "y": {"q": 2, "p": 1}, "x": 1}
    save(repo, "a", 1, config=one, scenario_config="here.yaml")
    save(repo, "b", 2, config=other, scenario_config="../there.yaml")
    assert numbers(repo, "a", "b") == [("a", "b")]


def test_games_of_unknown_scenarios_are_in_no_group_even_if_all_else_is_the_same(
    repo: GameRepository,
):
    save(repo, "a", 1, texts={})
    save(repo, "b", 2, texts={})
    found = compare_games(repo, ["a", "b"])
    assert [group.games for group in found.groups] == [("a",), ("b",)]
    assert any("does not hold the scenario of a, b" in note for note in found.notes)
    with pytest.raises(InputError, match="'a': the record does not hold the text of its scenario"):
        all_seeds_of(repo, "a")


def test_a_seed_counts_once(repo: GameRepository):
    save(repo, "a", 1, 1000.0)
    save(repo, "again", 1, 1400.0)
    save(repo, "b", 2, 1200.0)
    found = compare_games(repo, ["a", "again", "b"])
    (group,) = found.groups
    assert (group.games, group.counted) == (("a", "again", "b"), ("a", "b"))
    assert next(e.mean for e in group.estimates if e.quantity == "final_cost") == 1100.0
    assert any("each seed once; left out of its means: again" in note for note in found.notes)


@pytest.mark.parametrize("status", ["running", "failed"])
def test_a_game_that_has_not_ended_is_in_no_mean(repo: GameRepository, status: str):
    save(repo, "a", 1, 1000.0)
    save(repo, "b", 2, 1200.0)
    save(repo, "c", 3, 9999.0, status=status)
    found = compare_games(repo, ["a", "b", "c"])
    (group,) = found.groups
    assert (group.games, group.counted) == (("a", "b", "c"), ("a", "b"))
    shown = "interrupted" if status == "running" else status  # nobody plays it
    assert any(f"Not played to the end: {shown} (c)" in note for note in found.notes)


def test_one_game_has_no_interval_and_that_is_said(repo: GameRepository):
    save(repo, "a", 1)
    found = compare_games(repo, ["a"])
    assert found.groups[0].estimates == ()
    assert "One game of its kind: a. One seed has no interval over seeds." in found.notes


def test_all_seeds_of_a_game(repo: GameRepository):
    for seed in (3, 1, 2):
        save(repo, f"s{seed}", seed)
    save(repo, "other", 4, config={"proposer": {"kind": "grid"}})
    save(repo, "unknown", 5, texts={})
    assert all_seeds_of(repo, "s2") == ["s1", "s2", "s3"]
    assert all_seeds_of(repo, "other") == ["other"]
    with pytest.raises(GameNotFoundError, match="nearest: s"):
        all_seeds_of(repo, "s9")


def test_different_scenarios_are_never_compared_in_silence(repo: GameRepository):
    save(repo, "a", 1)
    save(repo, "b", 2, texts={**TEXTS, "scenario": "name: t\n"})
    save(repo, "c", 3, texts={**TEXTS, "payments": "tick\n"})
    (note,) = [n for n in compare_games(repo, ["a", "b", "c"]).notes if "Different scenarios" in n]
    assert "costs are not comparable" in note
    # All are called s, so parts of the hashes tell them apart.
    assert note.count("s [") == 3
    assert not any("scenarios" in n for n in compare_games(repo, ["a"]).notes)


def test_different_modes_and_programs_are_said(repo: GameRepository):
    save(repo, "a", 1)
    save(repo, "b", 2, game_mode="campaign_learning")
    for name, version in (("a", "1.0"), ("b", "2.0")):
        repo.save_game_provenance(
            a_record(GameProvenanceRecord, game_id=name, package_version=version)
        )
    notes = " ".join(compare_games(repo, ["a", "b"]).notes)
    assert "Different modes: rl_optimization (a), campaign_learning (b)." in notes
    assert "Different programs: payment-simulator 1.0 (a), payment-simulator 2.0 (b)." in notes


def days(n: int, method: str = "fresh", runs: int = 9, **more: Any) -> dict[str, Any]:
    """Return a configuration that differs in its held-out days, and in more."""
    bootstrap = {"num_samples": n, "sample_method": method, "observed_runs": runs}
    return {"config": {"bootstrap": bootstrap, **more}, "game_mode": "campaign_learning"}


GRID = {"proposer": {"kind": "grid"}}


def test_two_groups_with_the_same_days_are_paired_by_seed(repo: GameRepository):
    for seed, (first, second) in enumerate([(1000.0, 900.0), (1100.0, 1050.0), (1300.0, 1180.0)]):
        save(repo, f"a{seed}", seed, first, **days(20))
        save(repo, f"b{seed}", seed, second, **days(20, **GRID))
    save(repo, "b7", 7, 9999.0, **days(20, **GRID))
    found = compare_games(repo, ["a2", "a1", "a0", "b0", "b1", "b2", "b7"])
    assert found.pairing is not None
    assert found.pairing.seeds == (0, 1, 2)
    assert found.pairing.pairs == (("a0", "b0"), ("a1", "b1"), ("a2", "b2"))
    of_bank, of_all = found.pairing.differences
    assert (of_bank.bank, of_all.bank, of_all.n) == ("BANK_A", None, 3)
    assert of_all.mean == pytest.approx(-90.0)
    _, low, high = estimate([-100.0, -50.0, -120.0])
    assert (of_all.low, of_all.high) == pytest.approx((low, high), rel=1e-12)
    assert "In no pair, for the other group lacks the seed: b7." in found.notes
    told = found.to_dict()["paired"]
    assert (told["confidence"], told["seeds"]) == (0.95, (0, 1, 2))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (days(50, **GRID), "group 1 has 20 (fresh); group 2 has 50 (fresh). The same seed does"),
        (days(20, "bootstrap", **GRID), "group 2 has 20 (bootstrap, from 9 observed runs)"),
        ({**days(20), "game_mode": "rl_optimization"}, "group 2 has the run of a running sim"),
        ({**days(20, **GRID), "texts": {**TEXTS, "scenario": "name: t\n"}}, "Different scenarios"),
    ],
    ids=["number", "method", "mode", "scenario"],
)
def test_groups_with_other_days_are_not_paired_and_that_is_said(
    repo: GameRepository, other: dict[str, Any], said: str
):
    for seed in (1, 2):
        save(repo, f"a{seed}", seed, **days(20))
        save(repo, f"b{seed}", seed, **other)
    found = compare_games(repo, ["a1", "a2", "b1", "b2"])
    assert found.pairing is None
    assert said in " ".join(found.notes)


def test_groups_that_share_no_seed_are_not_paired_and_that_is_said(repo: GameRepository):
    for seed in (1, 2):
        save(repo, f"a{seed}", seed, **days(20))
        save(repo, f"b{seed}", seed + 1, **days(20, **GRID))
    found = compare_games(repo, ["a1", "a2", "b1", "b2"])
    assert found.pairing is None
    assert "have only seed 2 in common, so nothing is paired by seed." in " ".join(found.notes)
