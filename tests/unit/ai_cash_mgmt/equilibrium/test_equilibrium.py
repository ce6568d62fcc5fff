"""Equilibria on grids, and the best deviations from any policies."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payment_simulator.ai_cash_mgmt.equilibrium import (
    GridEquilibrium,
    best_deviation,
    explore,
    explore_grid,
    parameter_grid,
    regrets,
)
from payment_simulator.ai_cash_mgmt.evaluation import mean_costs
from payment_simulator.errors import InputError, SimulationError
from payment_simulator.policy import builtin, parse_policy
from payment_simulator.scenario import parse_scenario
from payment_simulator.simulation import Simulation, simulate

FRACTION = "initial_liquidity_fraction"


def two_by_two(first, second, **more):
    """Return a game of two banks with two choices; costs by the choice of A, then of B."""
    cost = np.stack([np.array(first, float), np.array(second, float)], axis=-1)
    return GridEquilibrium(("A", "B"), {"A": (0, 1), "B": (0, 1)}, cost, **more)


def points(outcomes):
    return [tuple(outcome.point.values()) for outcome in outcomes]


STAG_HUNT = two_by_two([[1, 4], [3, 3]], [[1, 3], [4, 3]])
PENNIES = two_by_two([[0, 2], [2, 0]], [[2, 0], [0, 2]])
DILEMMA = two_by_two([[2, 9], [0, 6]], [[2, 0], [9, 6]])


def days(policy_of_c=None, **changes):
    """Return a scenario of three random banks, of which two have a pool."""
    arrivals = {
        "rate_per_tick": 1.5,
        "amount_distribution": {"type": "Uniform", "min": 100, "max": 900},
        "deadline_range": [1, 3],
    }
    agents = [
        {"id": "A", "opening_balance": 0, "liquidity_pool": 4_000},
        {"id": "B", "opening_balance": 500},
        {"id": "C", "opening_balance": 0, "liquidity_pool": 4_000},
    ]
    for agent in agents:
        agent["arrival_config"] = arrivals
        agent["policy"] = {"type": "Deadline", "urgency_threshold": 2}
    agents[2]["policy"] = policy_of_c or agents[2]["policy"]
    keys = {
        "name": "days",
        "simulation": {"ticks_per_day": 4, "num_days": 1, "rng_seed": 5},
        "agents": agents,
        "cost_rates": {"liquidity_cost_per_tick_bps": 90, "delay_cost_per_tick_per_cent": 0.07},
    }
    return parse_scenario({**keys, **changes})


def run_costs(scenario, policies, **how):
    """Return what each bank pays in one run."""
    return np.array(list(simulate(scenario, policies, **how).total_costs.values()))


def with_fractions(scenario, **fractions):
    """Return policies that fund these shares of the pools."""
    own = dict(zip(scenario.bank_ids, scenario.policies, strict=True))
    return {
        bank: replace(own[bank], parameters={**own[bank].parameters, FRACTION: value})
        for bank, value in fractions.items()
    }


class TestParameterGrid:
    def test_values_are_those_that_a_person_would_write(self):
        assert parameter_grid(0, 1, 21) == tuple(float(f"{n / 20:.2f}") for n in range(21))
        assert parameter_grid(0.1, 0.7, 7) == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
        assert parameter_grid(-1, 1, 5) == (-1.0, -0.5, 0.0, 0.5, 1.0)
        assert parameter_grid(0, 1, 4)[1:3] == (0.333333333333, 0.666666666667)

    def test_the_ends_are_kept_to_the_last_digit(self):
        low, high = 1 / 3, 2 / 3
        values = parameter_grid(low, high, 3)
        assert (values[0], values[-1]) == (low, high)
        assert parameter_grid(0.3, 0.3, 1) == (0.3,)

    @pytest.mark.parametrize(
        ("low", "high", "count", "says"),
        [
            (0, 1, 1, "2 values or more"),
            (1, 0, 5, "the lowest value below the highest"),
            (0.5, 0.5, 2, "the lowest value below the highest"),
            (0, float("nan"), 5, "the highest value is nan; expected a finite number"),
            (-float("inf"), 0, 5, "the lowest value is -inf"),
            (0, 10**400, 5, "the highest value is"),
            (True, 2, 5, "the lowest value is true"),
            (0, 1, 0, "a whole number from 1"),
            (0, 1, 2.0, "a whole number from 1"),
            (0, 1, 10**9, "a whole number from 1 to 200,000"),
            (1, 1 + 1e-14, 11, "too close for so many"),
        ],
    )
    def test_what_makes_no_grid_is_refused(self, low, high, count, says):
        with pytest.raises(InputError, match=says):
            parameter_grid(low, high, count)

    @given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 60))
    def test_values_rise_at_equal_distances(self, low, width, count):
        values = parameter_grid(low, low + width, count)
        assert len(values) == count
        steps = np.diff(values)
        assert (steps > 0).all()
        # Half a unit of the twelfth digit at both ends of a step.
        slack = 1.01e-11 * max(map(abs, values))
        assert np.abs(steps - (values[-1] - low) / (count - 1)).max() <= slack


class TestGames:
    def test_two_equilibria_of_which_one_is_best_for_all(self):
        assert points(STAG_HUNT.pure_equilibria) == [(0, 0), (1, 1)]
        assert dict(STAG_HUNT.pure_equilibria[1].costs) == {"A": 3, "B": 3}
        assert STAG_HUNT.social_optimum.points == ({"A": 0, "B": 0},)
        assert STAG_HUNT.social_optimum.total_cost == 2
        assert STAG_HUNT.price_of_anarchy == 3.0
        assert STAG_HUNT.price_of_anarchy_note is None

    def test_no_pure_equilibrium(self):
        assert PENNIES.pure_equilibria == ()
        assert PENNIES.price_of_anarchy is None
        assert PENNIES.price_of_anarchy_note == "there is no pure equilibrium on the grid"
        assert min(PENNIES.distance_from_equilibrium(p) for p in corners()) == 2.0

    def test_an_equilibrium_that_is_worse_for_all(self):
        assert points(DILEMMA.pure_equilibria) == [(1, 1)]
        assert DILEMMA.social_optimum.points == ({"A": 0, "B": 0},)
        assert DILEMMA.price_of_anarchy == 3.0
        assert DILEMMA.regret({"A": 0, "B": 0}) == {"A": 2.0, "B": 2.0}
        assert DILEMMA.regret({"A": 0, "B": 1}) == {"A": 3.0, "B": 0.0}
        assert DILEMMA.distance_from_equilibrium({"A": 1, "B": 1}) == 0.0

    def test_best_responses_name_the_others_and_all_ties(self):
        game = two_by_two([[1, 4], [1, 3]], [[1, 3], [4, 3]])
        against_a, against_b = game.best_responses["B"], game.best_responses["A"]
        assert [(r.others, r.best, r.cost) for r in against_b] == [
            ({"B": 0}, (0, 1), 1),
            ({"B": 1}, (1,), 3),
        ]
        assert [(r.others, r.best, r.cost) for r in against_a] == [
            ({"A": 0}, (0,), 1),
            ({"A": 1}, (1,), 3),
        ]

    def test_where_choices_do_not_matter_all_are_best(self):
        game = two_by_two([[5, 5], [5, 5]], [[7, 7], [7, 7]])
        assert points(game.pure_equilibria) == [(0, 0), (0, 1), (1, 0), (1, 1)]
        assert len(game.social_optimum.points) == 4
        assert game.price_of_anarchy == 1.0

    @pytest.mark.parametrize(("gap", "n_equilibria"), [(1e-10, 2), (1e-8, 1)])
    def test_costs_are_the_same_within_the_stated_share(self, gap, n_equilibria):
        cost = np.array([[1e6], [1e6 * (1 + gap)]])
        game = GridEquilibrium(("A",), {"A": (0, 1)}, cost)
        assert len(game.pure_equilibria) == n_equilibria
        assert len(game.social_optimum.points) == n_equilibria
        assert (game.regret({"A": 1})["A"] == 0) is (n_equilibria == 2)
        assert game.price_of_anarchy == 1.0

    def test_a_price_of_anarchy_where_something_costs_nothing(self):
        zero = two_by_two([[0, 1], [1, 1]], [[0, 1], [1, 1]])
        assert points(zero.pure_equilibria) == [(0, 0), (1, 1)]
        assert zero.price_of_anarchy is None
        assert zero.price_of_anarchy_note.startswith("infinite")
        assert zero.to_dict()["price_of_anarchy"] is None
        assert two_by_two([[0, 1], [1, 2]], [[0, 1], [1, 2]]).price_of_anarchy == 1.0
        gains = two_by_two([[-1, 3], [3, 2]], [[-1, 3], [3, 2]])
        assert gains.price_of_anarchy is None
        assert gains.price_of_anarchy_note.startswith("undefined")

    def test_a_bank_without_a_choice_pays_and_counts(self):
        cost = np.array([[1.0, 50.0], [2.0, 10.0]])
        game = GridEquilibrium(("A",), {"A": (0, 1)}, cost, bank_ids=("A", "B"))
        assert [(o.point, o.costs) for o in game.pure_equilibria] == [
            ({"A": 0}, {"A": 1.0, "B": 50.0})
        ]
        assert game.pure_equilibria[0].total_cost == 51.0
        assert game.social_optimum.points == ({"A": 1},)
        assert game.price_of_anarchy == 51 / 12
        assert game.regret({"A": 1}) == {"A": 1.0}

    def test_json_holds_what_is_found_and_nothing_else(self):
        found = json.loads(json.dumps(DILEMMA.to_dict()))
        assert found == {
            "pure_equilibria": [{"point": {"A": 1, "B": 1}, "costs": {"A": 6, "B": 6}}],
            "best_responses": {
                "A": [
                    {"others": {"B": 0}, "best": [1], "cost": 0},
                    {"others": {"B": 1}, "best": [1], "cost": 6},
                ],
                "B": [
                    {"others": {"A": 0}, "best": [1], "cost": 0},
                    {"others": {"A": 1}, "best": [1], "cost": 6},
                ],
            },
            "social_optimum": {"points": [{"A": 0, "B": 0}], "total_cost": 4},
            "price_of_anarchy": 3,
        }

    @settings(max_examples=60)
    @given(st.lists(st.integers(0, 3), min_size=72, max_size=72))
    def test_three_banks_against_the_definitions(self, numbers):
        shape = (2, 3, 4)
        cost = np.array(numbers, float).reshape(*shape, 3)
        grids = {bank: tuple(range(n)) for bank, n in zip("ABC", shape, strict=True)}
        game = GridEquilibrium(tuple("ABC"), grids, cost)
        stable = []
        for point in itertools.product(*grids.values()):
            gains = []
            for axis, values in enumerate(grids.values()):
                moves = [(*point[:axis], v, *point[axis + 1 :]) for v in values]
                gains.append(cost[point][axis] - min(cost[move][axis] for move in moves))
            assert list(game.regret(dict(zip("ABC", point, strict=True))).values()) == gains
            stable += [point] * (not any(gains))
        assert points(game.pure_equilibria) == stable
        for axis, bank in enumerate("ABC"):
            assert len(game.best_responses[bank]) == 24 // shape[axis]
            for response in game.best_responses[bank]:
                for value in grids[bank]:
                    point = tuple(int({**response.others, bank: value}[b]) for b in "ABC")
                    assert cost[point][axis] >= response.cost
                    assert (cost[point][axis] == response.cost) == (value in response.best)
        total = min(sum(cost[p]) for p in itertools.product(*grids.values()))
        assert game.social_optimum.total_cost == total

    def test_a_table_is_nobodys_to_change(self):
        cost = np.array([[1.0], [2.0]])
        game = GridEquilibrium(("A",), {"A": (0, 1)}, cost)
        cost[:] = 0
        assert game.outcome({"A": 1}).costs == {"A": 2.0}
        with pytest.raises(ValueError, match="read-only"):
            game.cost[0] = 5

    @pytest.mark.parametrize(
        ("point", "says"),
        [
            ({"A": 0, "B": 0.4}, 'bank "B" has 0.4, which is not on its grid; nearest: 0'),
            ({"A": 0}, 'no value for bank "B"'),
            ({"A": 0, "B": 0, "BB": 1}, 'bank "BB"; nearest: B'),
        ],
    )
    def test_points_that_are_not_on_the_grid_are_refused(self, point, says):
        with pytest.raises(InputError, match=says):
            DILEMMA.regret(point)

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"cost": np.zeros((2, 2))}, r"cost has shape \(2, 2\); expected \(2, 2, 2\)"),
            ({"cost": np.full((2, 2, 2), np.nan)}, "NaN or infinite"),
            ({"values": {"A": (0, 1)}}, "values are given for A; expected them for A, B"),
            ({"values": {"A": (0, 0), "B": (0, 1)}}, "none twice"),
            ({"banks": ()}, "at least one"),
            ({"banks": ("A", "A")}, "none twice"),
            ({"bank_ids": ("A", "C")}, "among A, C"),
        ],
    )
    def test_parts_that_do_not_fit_are_refused(self, changes, says):
        whole = {"banks": ("A", "B"), "values": {"A": (0, 1), "B": (0, 1)}}
        whole["cost"] = np.zeros((2, 2, 2))
        with pytest.raises(InputError, match=says):
            GridEquilibrium(**{**whole, **changes})


def corners():
    return [{"A": a, "B": b} for a in (0, 1) for b in (0, 1)]


class TestExploring:
    def test_a_cost_is_the_mean_of_single_runs(self):
        scenario, seen = days(), []
        found = explore_grid(
            scenario,
            values={"A": (0.2, 0.6), "C": (0, 0.5, 1)},
            samples=3,
            seed=9,
            progress=lambda done, total: seen.append((done, total)),
        )
        assert (found.banks, found.bank_ids) == (("A", "C"), ("A", "B", "C"))
        assert (found.n_samples, found.seed, found.parameter) == (3, 9, FRACTION)
        for a, c in itertools.product((0.2, 0.6), (0, 0.5, 1)):
            policies = with_fractions(scenario, A=a, C=c)
            runs = [run_costs(scenario, policies, seed=9, sample=k) for k in range(3)]
            expected = (runs[0] + runs[1] + runs[2]) / 3
            costs = found.outcome({"A": a, "C": c}).costs
            assert np.array_equal(list(costs.values()), expected)
        assert seen[-1] == (18, 18)
        assert seen == sorted(seen)

    def test_how_the_work_is_cut_changes_nothing(self, monkeypatch):
        how = {"values": (0, 0.3, 1), "samples": 4}
        whole = explore_grid(days(), **how)
        for cells, size in ((1, 1024), (10**6, 2), (200, 3)):
            monkeypatch.setattr(mean_costs, "_CELLS", cells)
            monkeypatch.setattr(mean_costs, "_SLICE", size)
            cut = explore_grid(days(), **how)
            assert np.array_equal(cut.cost, whole.cost)
        assert np.array_equal(explore_grid(days(), **how, threads=1).cost, whole.cost)

    def test_samples_may_be_named(self):
        one, other = (explore_grid(days(), values=(0.5,), samples=(k,)).cost for k in (3, 7))
        both = explore_grid(days(), values=(0.5,), samples=(3, 7)).cost
        assert not np.array_equal(one, other)
        assert np.array_equal(both, (one + other) / 2)

    def test_the_scenario_gives_the_seed_where_none_is_given(self):
        found = explore_grid(days(), values=(0.5, 1))
        assert found.seed == 5
        assert np.array_equal(found.cost, explore_grid(days(), values=(0.5, 1), seed=5).cost)

    def test_banks_with_a_choice_choose(self):
        assert explore_grid(days(), values=(0, 1)).banks == ("A", "C")
        assert explore_grid(days(), "urgency_threshold", (1, 3)).banks == ("A", "B", "C")
        assert explore_grid(days(), "urgency_threshold", (1,), banks=["C", "B"]).banks == ("B", "C")
        assert explore_grid(days(), values={"C": (0, 1)}).shape == (2,)

    def test_a_fraction_has_a_usual_grid(self):
        assert explore_grid(days(), banks=["A"]).values["A"] == parameter_grid(0, 1, 21)

    @pytest.mark.parametrize(
        ("how", "says"),
        [
            ({"parameter": "urgncy_threshold"}, "nearest: urgency_threshold"),
            ({"banks": ["D"]}, 'scenario "days" has no bank "D"; known: A, B, C'),
            ({"banks": ["B"]}, 'bank "B" has no liquidity_pool; .* a choice: A, C'),
            ({"banks": []}, "expected a list of at least one name"),
            ({"banks": "A"}, "expected a list of at least one name"),
            (
                {"banks": ["A"], "values": {"C": (0,)}},
                "values are given for C, but the banks are A",
            ),
            ({"values": (0, 1.5)}, 'bank "A": .*"initial_liquidity_fraction" is 1.5'),
            ({"values": (0, 0)}, "none twice"),
            ({"values": ()}, "at least one"),
            ({"values": (0, float("nan"))}, 'a value of bank "A" is nan'),
            ({"samples": 0}, "samples: 0; expected at least one"),
            ({"samples": ()}, "expected at least one"),
            ({"samples": 1.5}, "samples: 1.5; expected a whole number"),
            ({"samples": True}, "samples: True; expected a whole number"),
            ({"samples": (0, 1.5)}, "samples: 1.5 is among them; expected whole numbers"),
            ({"samples": "12"}, "samples: '1' is among them; expected whole numbers"),
            ({"samples": (0, -1)}, "samples: numbers from 0"),
            (
                {"parameter": "urgency_threshold", "values": None},
                "no values of urgency_threshold; expected those to choose from",
            ),
            ({"seed": -1}, "seed: -1"),
        ],
    )
    def test_what_cannot_be_chosen_is_refused(self, how, says):
        with pytest.raises(InputError, match=says):
            explore_grid(days(), **{"values": (0, 1), **how})

    def test_without_a_pool_there_is_no_fraction_to_choose(self):
        agents = [{"id": "A", "opening_balance": 5}, {"id": "B", "opening_balance": 5}]
        with pytest.raises(InputError, match="no bank has a liquidity_pool"):
            explore_grid(days(agents=agents))

    def test_too_many_combinations_are_refused_with_a_way_out(self):
        with pytest.raises(InputError) as caught:
            explore_grid(days(), values=parameter_grid(0, 1, 1000))
        assert str(caught.value) == (
            "the grid has 1,000^2 = 1,000,000 combinations, more than 200,000; take at most 447 "
            "values for each of the 2 banks, or name fewer banks"
        )
        with pytest.raises(InputError, match=r"900 x 800 = 720,000 combinations"):
            explore_grid(
                days(), values={"A": parameter_grid(0, 1, 900), "C": parameter_grid(0, 1, 800)}
            )

    @pytest.mark.parametrize("n_banks", [63, 64])
    def test_more_banks_than_a_table_has_axes_are_refused(self, n_banks):
        agents = [
            {"id": f"B{i}", "opening_balance": 0, "liquidity_pool": 100} for i in range(n_banks)
        ]
        if n_banks == 64:
            with pytest.raises(InputError, match="64 banks would choose; expected 63 at most"):
                explore_grid(days(agents=agents), values=(0.5,))
            return
        found = explore_grid(days(agents=agents), values=(0.5,))
        assert len(found.pure_equilibria) == 1
        assert len(found.best_responses["B62"][0].others) == 62
        assert set(found.regret(found.pure_equilibria[0].point).values()) == {0.0}

    def test_tables_are_bounded_by_the_number_of_all_banks(self, monkeypatch):
        monkeypatch.setattr(explore, "MAX_COSTS", 30)
        assert explore_grid(days(), values={"A": range(2), "C": (0, 1)}).shape == (2, 2)
        with pytest.raises(InputError, match=r"4\^2 = 16 combinations, more than 10; .* most 3"):
            explore_grid(days(), values=parameter_grid(0, 1, 4))
        with pytest.raises(InputError, match=r"11 combinations, more than 10; name fewer values"):
            explore_grid(days(), values={"A": parameter_grid(0, 1, 11)})

    def test_a_run_that_stops_is_named_by_its_values(self):
        share = {"compute": {"op": "/", "left": {"value": 6}, "right": {"param": "share"}}}
        tree = {
            "condition": {"op": "<", "left": {"field": "ticks_to_deadline"}, "right": share},
            "on_true": {"action": "Release"},
            "on_false": {"action": "Release"},
        }
        policy = {"policy_id": "p", "parameters": {"share": 2}, "payment_tree": tree}
        scenario = days({"type": "InlineJson", "json_string": json.dumps(policy)})
        with pytest.raises(SimulationError) as caught:
            explore_grid(scenario, "share", (2, 1, 0), samples=(4, 2))
        said = str(caught.value)
        assert said.startswith("share of C 0: sample 4, scenario 'days', tick ")
        assert "bank C" in said
        assert "profile" not in said


class TestDeviations:
    def test_regrets_are_those_of_the_grid(self):
        scenario, values = days(), (0.0, 0.25, 0.5, 1.0)
        grid = explore_grid(scenario, values=values, samples=3)
        candidates = {
            bank: [with_fractions(scenario, **{bank: v})[bank] for v in values]
            for bank in ("A", "C")
        }
        n_stable = 0
        for a, c in itertools.product(values, values):
            point = {"A": a, "C": c}
            found = regrets(scenario, with_fractions(scenario, **point), candidates, samples=3)
            assert found.regrets == grid.regret(point)
            assert found.distance_from_equilibrium == grid.distance_from_equilibrium(point)
            n_stable += found.distance_from_equilibrium == 0
            for bank, deviation in found.by_bank.items():
                assert (deviation.candidate is None) is (deviation.regret == 0)
                if deviation.candidate is not None:
                    better = {**point, bank: values[deviation.candidate]}
                    gain = grid.outcome(point).costs[bank] - grid.outcome(better).costs[bank]
                    assert gain == deviation.regret > 0
        assert n_stable == len(grid.pure_equilibria)

    def test_the_first_of_equal_candidates_is_named(self):
        scenario = days()
        best, worse = (with_fractions(scenario, A=v)["A"] for v in (0.5, 0.9))
        at_all = with_fractions(scenario, A=1.0)
        regret, candidate = best_deviation(scenario, at_all, "A", [worse, best, best])
        assert (regret > 0, candidate) == (True, 1)

    def test_policies_of_any_kind_may_be_compared(self):
        scenario = days()
        hold = parse_policy({"policy_id": "hold", "payment_tree": {"action": "Hold"}})
        policies = [hold, *scenario.policies[1:]]
        found = best_deviation(scenario, policies, "A", [builtin("fifo"), hold], samples=2)
        assert found.candidate == 0
        costs = [
            np.mean([run_costs(scenario, p, sample=k)[0] for k in range(2)])
            for p in (policies, {"A": builtin("fifo")})
        ]
        assert found.regret == pytest.approx(costs[0] - costs[1], rel=1e-12)

    def test_observed_arrivals_may_be_the_judge(self):
        scenario = days()
        policies = with_fractions(scenario, A=1.0)
        candidates = [with_fractions(scenario, A=0.8)["A"]]
        tables = [Simulation(scenario, sample=k).arrivals for k in range(3)]
        drawn = best_deviation(scenario, policies, "A", candidates, samples=3)
        given = best_deviation(scenario, policies, "A", candidates, arrivals=tables)
        assert drawn == given
        assert drawn.regret > 0

    def test_without_candidates_nothing_is_gained(self):
        found = regrets(days(), None, {"A": []})
        assert found.to_dict() == {
            "regrets": {"A": 0.0},
            "best_deviations": {"A": None},
            "distance_from_equilibrium": 0.0,
            "num_samples": 1,
        }
        assert regrets(days(), None, {}).distance_from_equilibrium == 0.0

    def test_a_bank_that_is_not_there_is_refused(self):
        with pytest.raises(InputError, match='has no bank "D"; known: A, B, C'):
            best_deviation(days(), None, "D", [builtin("fifo")])
        with pytest.raises(InputError, match="at least one sample"):
            best_deviation(days(), None, "A", [builtin("fifo")], arrivals=[])

    def test_a_candidate_that_stops_is_named(self):
        zero = {"compute": {"op": "/", "left": {"value": 1}, "right": {"field": "is_split"}}}
        tree = {
            "condition": {"op": "<", "left": {"value": 1}, "right": zero},
            "on_true": {"action": "Hold"},
            "on_false": {"action": "Hold"},
        }
        bad = parse_policy({"policy_id": "bad", "payment_tree": tree})
        arrivals = Simulation(days()).arrivals
        for how in ({"samples": 2}, {"arrivals": [arrivals]}):
            with pytest.raises(SimulationError, match=r"^candidate 1 of bank B: sample 0, .*zero"):
                best_deviation(days(), None, "B", [builtin("fifo"), bad], **how)
        with pytest.raises(SimulationError, match=r"^the policies as they are: sample 0, .*zero"):
            best_deviation(days(), {"A": bad}, "B", [builtin("fifo")])

    def test_an_error_that_does_not_come_again_is_not_lost(self, monkeypatch):
        def stop(*_, **__):
            raise SimulationError("stopped once")

        monkeypatch.setattr(mean_costs, "simulate_batch", stop)
        with pytest.raises(SimulationError, match=r"^stopped once$"):
            best_deviation(days(), None, "B", [builtin("fifo")])
