import numpy as np
import pytest

from payment_simulator.errors import InputError, SimulationError
from payment_simulator.kernels import layout as k
from payment_simulator.policy import builtin, parse_policy
from payment_simulator.scenario import parse_scenario
from payment_simulator.simulation import COST_KINDS, Simulation, Snapshot, simulate, simulate_batch
from payment_simulator.simulation.room import Room
from payment_simulator.simulation.worlds import funded


def scenario(**changes):
    arrivals = {
        "rate_per_tick": 1.5,
        "amount_distribution": {"type": "Uniform", "min": 100, "max": 900},
        "deadline_range": [1, 4],
    }
    keys = {
        "name": "small",
        "simulation": {"ticks_per_day": 4, "num_days": 2, "rng_seed": 5},
        "agents": [
            {"id": bank, "opening_balance": 800, "arrival_config": arrivals}
            for bank in ("A", "B", "C")
        ],
    }
    return parse_scenario({**keys, **changes})


@pytest.mark.parametrize(
    ("pool", "fraction", "cents"),
    [(100, 0.57, 57), (100, 0.29, 29), (3, 1 / 3, 0), (10**15, 1.0, 10**15), (10**15, 0.1, 10**14)],
)
def test_funding_is_what_the_decimal_form_of_the_fraction_says(pool, fraction, cents):
    assert funded(pool, fraction) == cents


def test_a_mapping_of_policies_may_name_some_of_the_banks():
    played = simulate(scenario(), {"B": builtin("deadline")})
    assert [p.policy_id for p in played.policies] == [
        scenario().policies[0].policy_id,
        builtin("deadline").policy_id,
        scenario().policies[2].policy_id,
    ]


@pytest.mark.parametrize(
    ("policies", "says"),
    [({"D": builtin("fifo")}, "bank 'D' is not in scenario 'small'"), ([builtin("fifo")], "1 pol")],
)
def test_policies_that_do_not_fit_the_banks_are_refused(policies, says):
    with pytest.raises(InputError, match=says):
        simulate(scenario(), policies)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, True, "7"])
def test_a_seed_is_a_whole_number_of_64_bits(seed):
    with pytest.raises(InputError, match="seed"):
        simulate(scenario(), seed=seed)


def test_the_scenario_gives_the_seed_where_none_is_given():
    assert np.array_equal(simulate(scenario()).pay, simulate(scenario(), seed=5).pay)
    assert not np.array_equal(simulate(scenario()).pay, simulate(scenario(), seed=6).pay)


def test_samples_play_other_random_days():
    # Sample 1 of a run of two days begins with random day 2, which is sample 2 of a run of one.
    one_day = scenario(simulation={"ticks_per_day": 4, "num_days": 1, "rng_seed": 5})
    first = Simulation(scenario(), sample=1).arrivals
    same = Simulation(one_day, sample=2).arrivals
    assert np.array_equal(first[first[:, k.A_TICK] < 4], same)


def test_ticks_that_cannot_be_reached_are_refused():
    run = Simulation(scenario()).run_until(3)
    for tick in (2, 9):
        with pytest.raises(InputError, match=f"tick {tick} cannot be reached"):
            run.run_until(tick)


def test_a_policy_that_divides_by_zero_stops_the_run_and_says_where():
    tree = {
        "type": "condition",
        "node_id": "c",
        "condition": {
            "op": ">",
            "left": {
                "compute": {
                    "op": "/",
                    "left": {"value": 1},
                    "right": {
                        "compute": {
                            "op": "-",
                            "left": {"field": "amount"},
                            "right": {"field": "amount"},
                        }
                    },
                }
            },
            "right": {"value": 0},
        },
        "on_true": {"action": "Release"},
        "on_false": {"action": "Hold"},
    }
    policy = parse_policy({"policy_id": "zero", "payment_tree": tree})
    with pytest.raises(SimulationError, match=r"tick \d+, bank B, payment \d+: .* div0"):
        simulate(scenario(), {"B": policy})
    with pytest.raises(SimulationError, match=r"sample 0, profile 1, tick \d+, bank B, payment"):
        simulate_batch(scenario(), [None, {"B": policy}], samples=3)


@pytest.mark.parametrize(("action", "fails"), [("Hold", False), ("WithdrawFromRtgs", True)])
def test_a_tree_that_can_do_nothing_in_queue2_is_not_asked_there(action, fails):
    # A releases two payments; the first takes all it has, the second waits in Queue 2, where the
    # tree would divide by a balance of nothing.
    quotient = {"op": "/", "left": {"field": "amount"}, "right": {"field": "balance"}}
    tree = {
        "condition": {"op": ">", "left": {"compute": quotient}, "right": {"value": 9}},
        "on_true": {"action": action},
        "on_false": {"action": "Release"},
    }
    policy = parse_policy({"policy_id": "divides", "payment_tree": tree})
    owes = {
        "type": "CustomTransactionArrival",
        "schedule": {"type": "OneTime", "tick": 0},
        "from_agent": "A",
        "to_agent": "B",
        "amount": 5,
    }
    poor = scenario(
        agents=[{"id": "A", "opening_balance": 5}, {"id": "B", "opening_balance": 0}],
        scenario_events=[owes, owes],
    )
    if fails:
        with pytest.raises(SimulationError, match="tick 1, bank A, payment 1"):
            simulate(poor, {"A": policy})
    else:
        assert simulate(poor, {"A": policy}).stat[0, k.S_SETTLED] == 1


def test_a_run_that_needs_more_room_than_expected_gets_it():
    split = {"action": "Split", "node_id": "s", "parameters": {"num_splits": {"value": 40}}}
    policy = parse_policy({"policy_id": "many", "payment_tree": split})
    run = Simulation(scenario(), {"A": policy, "B": policy, "C": policy})
    small = Simulation(scenario(), run.policies)
    small._room = Room(8, len(run.arrivals) + 1, 4, is_full=True)
    small._make_world()
    small._prepare(None)
    left, right = run.run_until().result(), small.run_until().result()
    assert len(left.pay) > 200
    for name in ("pay", "cost", "log", "trace", "toll", "stat"):
        assert np.array_equal(getattr(left, name), getattr(right, name)), name


def test_a_batch_that_needs_more_room_gets_it():
    split = {"action": "Split", "node_id": "s", "parameters": {"num_splits": {"value": 40}}}
    policy = parse_policy({"policy_id": "many", "payment_tree": split})
    profiles = [None, dict.fromkeys("ABC", policy)]
    batch = simulate_batch(scenario(), profiles, samples=3)
    for sample in range(3):
        for profile, policies in enumerate(profiles):
            single = simulate(scenario(), policies, sample=sample)
            assert np.array_equal(batch.stat[sample, profile], single.stat)


def test_splits_without_end_are_stopped():
    with pytest.raises(SimulationError, match="is_split"):
        Room(150_000_000, 1, 1, is_full=True).grown(k.E_PAYMENTS_FULL)


def test_snapshots_are_only_taken_up_by_their_own_scenario():
    snapshot = Simulation(scenario()).run_until(3).snapshot()
    other = scenario(deferred_crediting=True)
    with pytest.raises(InputError, match="another scenario"):
        Simulation.restore(other, snapshot)
    with pytest.raises(InputError, match="another scenario"):
        simulate_batch(other, samples=2, start=snapshot)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"x" * 100])
def test_bytes_that_are_no_snapshot_are_refused(data):
    with pytest.raises(InputError, match="not a snapshot"):
        Snapshot.from_bytes(data)


def test_a_batch_can_begin_from_a_snapshot():
    whole = simulate(scenario(), sample=0)
    snapshot = Simulation(scenario(), sample=0).run_until(5).snapshot()
    batch = simulate_batch(scenario(), samples=[0, 1], start=snapshot)
    # Sample 0 is what would have come anyhow; sample 1 has the same past and another future.
    assert np.array_equal(batch.stat[0, 0], whole.stat)
    assert np.array_equal(batch.cost[0, 0], whole.cost[0] + whole.cost[1])
    assert not np.array_equal(batch.stat[1, 0], whole.stat)


def test_given_arrivals_are_played_instead_of_random_ones():
    run = Simulation(scenario())
    again = simulate(scenario(), seed=99, arrivals=run.arrivals)
    assert np.array_equal(again.pay, run.run_until().result().pay)
    batch = simulate_batch(scenario(), arrivals=[run.arrivals, run.arrivals[:0]])
    assert np.array_equal(batch.stat[0, 0], again.stat)
    assert batch.stat[1, 0, :, k.S_ARRIVED].tolist() == [0, 0, 0]
    assert batch.settlement_rate[1, 0] == 1.0


def test_progress_counts_every_sample_once():
    seen = []
    simulate_batch(scenario(), samples=150, threads=1, progress=seen.append)
    assert seen[-1] == 150
    assert seen == sorted(set(seen))


def test_tables_carry_the_columns_of_the_record():
    run = simulate(scenario())
    assert len(run.payments()) == len(run.pay)
    assert len(run.events()) == len(run.log)
    assert len(run.states()) == 3 * 8
    assert len(run.daily_costs()) == 2 * 3 * len(COST_KINDS)
    totals = {bank: sum(kinds.values()) for bank, kinds in run.costs.items()}
    assert run.total_costs == pytest.approx(totals)


def test_costs_by_payment_add_up_to_those_of_the_banks():
    run = simulate(scenario())
    of_banks = run.cost[:, :, [COST_KINDS.index(kind) for kind in ("delay",)]].sum()
    assert run.toll[:, 0].sum() == pytest.approx(of_banks)
    kinds = [COST_KINDS.index(kind) for kind in ("deadline_penalty", "end_of_day", "split")]
    assert run.toll[:, 1].sum() == pytest.approx(run.cost[:, :, kinds].sum())


def test_registers_keep_their_names_when_policies_change():
    def policy(*names, read):
        tree = {
            "type": "action",
            "node_id": "a",
            "action": "AddState",
            "parameters": {"key": names[-1], "value": {"value": 1}},
        }
        for depth, name in enumerate(names[:-1]):
            tree = {
                "type": "condition",
                "node_id": f"c{depth}",
                "condition": {"op": "<", "left": {"field": name}, "right": {"value": 0}},
                "on_true": {"action": "NoAction", "node_id": f"n{depth}"},
                "on_false": tree,
            }
        pays = {
            "type": "condition",
            "node_id": "p",
            "condition": {"op": ">=", "left": {"field": read}, "right": {"value": 3}},
            "on_true": {"action": "Release", "node_id": "r"},
            "on_false": {"action": "Hold", "node_id": "h"},
        }
        return parse_policy({"policy_id": "p", "bank_tree": tree, "payment_tree": pays})

    first = policy("bank_state_n", read="bank_state_n")
    # The same register stands in another place here.
    second = policy("bank_state_other", "bank_state_n", read="bank_state_n")
    run = Simulation(scenario(), dict.fromkeys("ABC", first)).run_until(2)
    assert not (run.result().pay[:, k.P_RELEASED] >= 0).any()
    run.set_policies(dict.fromkeys("ABC", second))
    run.run_until(4)
    released = run.result().pay[:, k.P_RELEASED]
    assert set(released[released >= 0].tolist()) == {2, 3}
