"""Sample days: fresh, and drawn again from what was observed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from payment_simulator.ai_cash_mgmt.evaluation.resampling import WAYS
from payment_simulator.ai_cash_mgmt.evaluation.sampling import METHODS, Sampler
from payment_simulator.ai_cash_mgmt.seeds import derive_seed
from payment_simulator.errors import InputError
from payment_simulator.kernels.layout import (
    A_AMOUNT,
    A_DEADLINE,
    A_DIRECT,
    A_SENDER,
    A_TICK,
    S_ARRIVED_VALUE,
)
from payment_simulator.scenario import ObservedPayment, parse_scenario
from payment_simulator.simulation import Simulation, simulate, simulate_batch

TICKS, DAYS = 8, 3
#: Marks the payments of events, which no random payment is as large as.
EVENT = 1_000_000


def event(kind, tick, amount, **more):
    schedule = {"type": "OneTime", "tick": tick}
    ends = {"from_agent": "A", "to_agent": "B", "amount": amount}
    return {"type": kind, "schedule": schedule, **ends, **more}


def scenario(*, rate=1.5, num_days=DAYS, events=True, payments=(), **more):
    """Return a scenario of three banks that pay at random, with payments of events."""
    arrivals = {
        "rate_per_tick": rate,
        "amount_distribution": {"type": "Uniform", "min": 1, "max": 900},
        "deadline_range": [1, 12],
    }
    happenings = [
        event("CustomTransactionArrival", 3, EVENT, deadline=2),
        event("ScheduledSettlement", 3, EVENT + 1),
        event("CustomTransactionArrival", 10, EVENT + 2),
        event("ScheduledSettlement", 20, EVENT + 3),
    ]
    n_ticks = TICKS * num_days
    made = parse_scenario(
        {
            "simulation": {"ticks_per_day": TICKS, "num_days": num_days, "rng_seed": 1},
            "agents": [
                {"id": bank, "opening_balance": 900, "arrival_config": arrivals} for bank in "ABC"
            ],
            "cost_rates": {"delay_cost_per_tick_per_cent": 0.01},
            "scenario_events": [
                e for e in happenings if events and e["schedule"]["tick"] < n_ticks
            ],
            **more,
        }
    )
    return made.with_loaded(replace(made.loaded, payments=tuple(payments)))


def observed_payments(n_ticks=TICKS * DAYS):
    """Return some payments of a payments file."""
    return [
        ObservedPayment(
            tick=tick,
            sender=tick % 3,
            receiver=(tick + 1) % 3,
            amount=100 + tick,
            deadline_offset=tick % 7,
            priority=tick % 11,
            divisible=False,
        )
        for tick in range(1, n_ticks, 2)
    ]


def sampler(played, method, n=12, **more):
    more.setdefault("observed_runs", 10)
    return Sampler(played, method=method, num_samples=n, master_seed=42, **more)


def rows(table):
    return [tuple(row) for row in table.tolist()]


def random_ones(table):
    return table[table[:, A_AMOUNT] < EVENT]


def observed(played, runs=10):
    """Return what the sampler observes, without payments of events."""
    seed = derive_seed(42, "observed")
    return [
        random_ones(Simulation(played, seed=seed, sample=sample).arrivals) for sample in range(runs)
    ]


def without_times(table):
    """Return payments without their ticks, but with the ticks to their deadlines."""
    kept = table.copy()
    kept[:, A_DEADLINE] -= kept[:, A_TICK]
    kept[:, A_TICK] = 0
    return kept


class TestFresh:
    def test_days_are_numbers_of_samples_under_a_seed_of_the_purpose(self):
        days = sampler(scenario(), "fresh").days("judge", 3, "A")
        assert tuple(days.numbers) == tuple(range(12))
        assert days.seed == derive_seed(42, "judge", 3, "A")
        assert days.arrivals is None

    @pytest.mark.parametrize("payments", [(), observed_payments()])
    def test_without_randomness_there_is_one_day_whatever_the_purpose(self, payments):
        made = sampler(scenario(rate=0, payments=payments), "fresh")
        for labels in (("judge", 1, "A"), ("propose", 1, "A"), ("final",)):
            days = made.days(*labels)
            assert (tuple(days.numbers), days.seed, days.arrivals) == ((0,), None, None)


class TestResampled:
    @pytest.mark.parametrize("method", WAYS)
    def test_the_same_purpose_has_the_same_days_and_another_others(self, method):
        played = scenario()
        first = sampler(played, method)
        one, other = first.days("propose", 1, "A"), first.days("judge", 1, "A")
        again = sampler(played, method).days("propose", 1, "A")
        assert tuple(one.numbers) == tuple(range(12)) == tuple(other.numbers)
        assert all(map(np.array_equal, one.arrivals, again.arrivals))
        both = [table.tobytes() for table in (*one.arrivals, *other.arrivals)]
        assert len(set(both)) == len(both)

    @pytest.mark.parametrize("method", WAYS)
    def test_payments_of_events_stay_as_they_are(self, method):
        played = scenario(payments=observed_payments())
        plain = Simulation(played, seed=5).arrivals
        expected = plain[plain[:, A_AMOUNT] >= EVENT]
        assert expected[:, A_DIRECT].tolist() == [0, 1, 0, 1]
        for table in sampler(played, method).days("judge", 1, "A").arrivals:
            assert table.dtype == np.int64
            is_event = table[:, A_AMOUNT] >= EVENT
            assert rows(table[is_event]) == rows(expected)
            # They come first in their tick.
            for tick in (3, 10, 20):
                kinds = is_event[table[:, A_TICK] == tick].tolist()
                assert kinds == sorted(kinds, reverse=True)

    @pytest.mark.parametrize("method", ["bootstrap", "stratified", "day_block"])
    def test_random_and_filed_payments_are_drawn_again_at_their_tick_of_day(self, method):
        played = scenario(payments=observed_payments())
        pool = np.concatenate(observed(played))
        pool[:, A_DEADLINE] -= pool[:, A_TICK]
        if method == "day_block":
            pool[:, A_TICK] %= TICKS
        known = set(rows(pool))
        drawn = []
        for table in sampler(played, method, 40).days("judge", 1, "A").arrivals:
            ones = random_ones(table)
            ones[:, A_DEADLINE] -= ones[:, A_TICK]
            if method == "day_block":
                ones[:, A_TICK] %= TICKS
            assert set(rows(ones)) <= known
            drawn.append(ones)
        mean = np.mean([len(ones) for ones in drawn])
        assert mean == pytest.approx(len(pool) / 10, rel=0.05)
        filed = set(rows(pool)) & {row for ones in drawn for row in rows(ones) if row[2] < 130}
        assert len(filed) > 5  # amounts 101 to 123: of the file, or as good as

    def test_bootstrap_draws_with_replacement(self):
        tables = sampler(scenario(), "bootstrap").days("judge", 1, "A").arrivals
        assert all(max(Counter(rows(random_ones(table))).values()) > 1 for table in tables)

    def test_permutation_moves_the_payments_of_one_run_to_each_others_ticks(self):
        played = scenario()
        runs = {tuple(sorted(rows(without_times(run)))): run for run in observed(played)}
        found = Counter()
        for table in sampler(played, "permutation", 30).days("judge", 1, "A").arrivals:
            ones = random_ones(table)
            run = runs[tuple(sorted(rows(without_times(ones))))]
            assert ones[:, A_TICK].tolist() == run[:, A_TICK].tolist()
            assert rows(ones) != rows(run)
            found[run.tobytes()] += 1
        assert len(found) > 5

    def test_stratified_has_the_numbers_by_sender_and_quarter_of_one_observed_run(self):
        def strata(table):
            return Counter(zip(table[:, A_SENDER], table[:, A_TICK] % TICKS // 2, strict=True))

        played = scenario()
        known = [strata(run) for run in observed(played)]
        found = [
            strata(random_ones(table))
            for table in sampler(played, "stratified", 30).days("judge", 1, "A").arrivals
        ]
        assert all(counts in known for counts in found)
        assert sum(counts in found for counts in known) > 5

    def test_bootstrap_has_the_number_of_one_observed_run(self):
        played = scenario()
        known = {len(run) for run in observed(played)}
        tables = sampler(played, "bootstrap", 30).days("judge", 1, "A").arrivals
        found = {len(random_ones(table)) for table in tables}
        assert found <= known
        assert len(found) > 3

    def test_day_block_moves_whole_days(self):
        played = scenario()

        def day(run, number):
            own = run[run[:, A_TICK] // TICKS == number].copy()
            own[:, [A_TICK, A_DEADLINE]] -= number * TICKS
            return own.tobytes()

        known = {day(run, number): number for run in observed(played) for number in range(DAYS)}
        places = Counter()
        for table in sampler(played, "day_block", 30).days("judge", 1, "A").arrivals:
            for number in range(DAYS):
                places[known[day(random_ones(table), number)], number] += 1
        assert sum(places.values()) == 30 * DAYS
        assert len(places) == DAYS * DAYS  # every day of a run comes to stand at every place

    @pytest.mark.parametrize("method", WAYS)
    @pytest.mark.parametrize("is_capped", [False, True])
    def test_deadlines_end_with_the_day_only_where_the_scenario_says_so(self, method, is_capped):
        played = scenario(deadline_cap_at_eod=is_capped)
        ends = Counter()
        for table in sampler(played, method).days("judge", 1, "A").arrivals:
            last = table[:, A_TICK] // TICKS * TICKS + TICKS - 1
            ends.update((table[:, A_DEADLINE] > last).tolist())
            assert np.all(table[:, A_DEADLINE] >= table[:, A_TICK])
        assert (ends[True] > 0) is not is_capped

    def test_fewer_runs_observed_are_a_smaller_pool(self):
        played = scenario()
        days = sampler(played, "permutation", 9, observed_runs=1).days("judge", 1, "A")
        (only,) = observed(played, 1)
        totals = {random_ones(table)[:, A_AMOUNT].sum() for table in days.arrivals}
        assert totals == {only[:, A_AMOUNT].sum()}

    def test_a_payments_file_is_observed_once(self):
        payments = observed_payments()
        made = sampler(scenario(rate=0, payments=payments), "bootstrap")
        days = made.days("judge", 1, "A", count=400)
        sizes = [len(random_ones(table)) for table in days.arrivals]
        # Each payment comes as often as a Poisson number of mean 1 says.
        assert np.mean(sizes) == pytest.approx(len(payments), rel=0.1)
        assert np.var(sizes) == pytest.approx(len(payments), rel=0.25)
        assert len({table.tobytes() for table in days.arrivals}) == 400
        assert days.n_observed == 1

    def test_where_there_is_one_day_to_choose_from_there_is_one_sample(self):
        payments = observed_payments(TICKS)
        played = scenario(rate=0, num_days=1, payments=payments)
        made = sampler(played, "day_block")
        (table,) = made.days("judge", 1, "A").arrivals
        assert rows(table) == rows(Simulation(played).arrivals)
        assert len(sampler(played, "bootstrap").days("judge", 1, "A")) == 12

    @pytest.mark.parametrize("method", WAYS)
    def test_where_nothing_is_observed_days_are_fresh(self, method):
        days = sampler(scenario(rate=0), method).days("judge", 1, "A")
        assert (tuple(days.numbers), days.arrivals) == ((0,), None)
        rare = sampler(scenario(rate=1e-9), method).days("judge", 1, "A")
        assert (len(rare), rare.arrivals) == (12, None)

    def test_days_bring_what_fresh_ones_bring(self):
        played = scenario(events=False)
        value, cost = {}, {}
        for method in METHODS:
            days = sampler(played, method, 600, observed_runs=300).days("judge", 1, "A")
            batch = simulate_batch(
                played, samples=days.numbers, arrivals=days.arrivals, seed=days.seed
            )
            value[method] = batch.stat[..., S_ARRIVED_VALUE].mean()
            cost[method] = batch.total_cost.mean()
        assert all(mean == pytest.approx(value["fresh"], rel=0.05) for mean in value.values())
        assert all(mean == pytest.approx(cost["fresh"], rel=0.15) for mean in cost.values())

    @pytest.mark.parametrize("method", WAYS)
    def test_days_vary_as_much_as_fresh_ones(self, method):
        played = scenario(events=False)

        def spread(way):
            made = sampler(played, way, 600, observed_runs=300)
            days = made.days("judge", 1, "A")
            batch = simulate_batch(
                played, samples=days.numbers, arrivals=days.arrivals, seed=days.seed
            )
            return np.std(batch.stat[:, 0, :, S_ARRIVED_VALUE].sum(axis=1))

        assert spread(method) == pytest.approx(spread("fresh"), rel=0.15)

    @pytest.mark.parametrize("method", METHODS)
    def test_the_first_of_more_days_are_those_of_fewer(self, method):
        made = sampler(scenario(), method)
        few, many = made.days("judge", 1, "A"), made.days("judge", 1, "A", count=20)
        assert (len(few), len(many)) == (12, 20)
        first = many.part(0, 12)
        assert (tuple(first.numbers), first.seed) == (tuple(few.numbers), few.seed)
        if method != "fresh":
            assert all(map(np.array_equal, first.arrivals, few.arrivals))

    def test_days_tell_of_how_many_runs_they_were_drawn(self):
        played = scenario()
        found = {m: sampler(played, m).days("judge", 1, "A").n_observed for m in METHODS}
        # Of day_block, judging has every third run of ten, of which whole days are put together.
        assert found == {
            "fresh": None, "bootstrap": 10, "permutation": 10, "stratified": 10, "day_block": 3,
        }  # fmt: skip

    @pytest.mark.parametrize("num_days", [1, DAYS])
    @pytest.mark.parametrize("runs", [2, 3, 10])
    def test_blocks_of_purposes_that_are_apart_are_different_days(self, num_days, runs):
        played = scenario(num_days=num_days, events=False)
        made = sampler(played, "day_block", 30, observed_runs=runs)

        def blocks(*labels):
            found = set()
            for table in made.days(*labels).arrivals:
                for first in range(0, num_days * TICKS, TICKS):
                    own = table[table[:, A_TICK] // TICKS == first // TICKS].copy()
                    own[:, [A_TICK, A_DEADLINE]] -= first
                    found.add(own.tobytes())
            return found

        propose, judge = blocks("propose", 1, "A"), blocks("judge", 1, "A")
        assert not propose & judge
        assert judge == blocks("judge", 2, "B")
        if num_days * runs > 3:
            final, certified = blocks("final"), blocks("equilibrium")
            assert not final & (propose | judge | certified)
            assert not certified & (propose | judge)
            assert len(final | propose | judge | certified) == num_days * runs


class TestFutures:
    """Of a running simulation."""

    @staticmethod
    def at(played, tick, seed=9):
        run = Simulation(played, seed=seed)
        return run.run_until(tick).snapshot()

    def futures(self, played, tick, method, n=12, labels=("judge", 1, "A")):
        start = self.at(played, tick)
        return start, sampler(played, method, n).days_from(start, start.arrivals, *labels)

    def test_fresh_futures_are_drawn_by_the_engine(self):
        _, days = self.futures(scenario(), 5, "fresh")
        assert days.seed == derive_seed(42, "judge", 1, "A")
        assert (len(days), days.arrivals) == (12, None)
        _, days = self.futures(scenario(rate=0), 5, "fresh")
        assert (tuple(days.numbers), days.seed, days.arrivals) == ((0,), None, None)

    @pytest.mark.parametrize("method", WAYS)
    @pytest.mark.parametrize("tick", [5, 8, 11, 16, 23])
    def test_futures_begin_at_the_next_tick_with_the_events_to_come(self, method, tick):
        played = scenario()
        start, days = self.futures(played, tick, method)
        to_come = start.arrivals[start.arrivals[:, A_TICK] >= tick]
        expected = to_come[to_come[:, A_AMOUNT] >= EVENT]
        for table in days.arrivals:
            ticks = table[:, A_TICK]
            assert np.all(ticks >= tick)
            assert np.all(ticks < TICKS * DAYS)
            assert np.all(np.diff(ticks) >= 0)
            assert rows(table[table[:, A_AMOUNT] >= EVENT]) == rows(expected)

    @pytest.mark.parametrize("method", WAYS)
    @pytest.mark.parametrize("tick", [5, 19])
    def test_proposing_and_judging_futures_differ(self, method, tick):
        _, one = self.futures(scenario(), tick, method, labels=("propose", 1, "A"))
        _, other = self.futures(scenario(), tick, method, labels=("judge", 1, "A"))
        both = [table.tobytes() for table in (*one.arrivals, *other.arrivals)]
        assert not set(both[:12]) & set(both[12:])

    @pytest.mark.parametrize("method", WAYS)
    def test_what_is_to_come_is_not_looked_at(self, method):
        played = scenario()
        start = self.at(played, 11)
        seen = start.arrivals[start.arrivals[:, A_TICK] < 11]
        made = sampler(played, method)
        whole, past = (made.days_from(start, known, "judge") for known in (start.arrivals, seen))
        assert all(map(np.array_equal, whole.arrivals, past.arrivals))

    @pytest.mark.parametrize("method", WAYS)
    @pytest.mark.parametrize("tick", [16, 19])
    def test_after_whole_days_payments_keep_their_tick_of_day(self, method, tick):
        start, days = self.futures(scenario(), tick, method, 60)
        seen = random_ones(start.arrivals[start.arrivals[:, A_TICK] < 16])
        offset = seen[:, A_DEADLINE] - seen[:, A_TICK]
        identities = (seen[:, A_AMOUNT], offset)
        known = set(zip(*identities, seen[:, A_TICK] % TICKS, strict=True))
        if method == "permutation":
            known = {(amount, off, tick) for amount, off, _ in known for tick in range(TICKS)}
        sizes = []
        for table in days.arrivals:
            ones = random_ones(table)
            offset = ones[:, A_DEADLINE] - ones[:, A_TICK]
            drawn = zip(ones[:, A_AMOUNT], offset, ones[:, A_TICK] % TICKS, strict=True)
            assert set(drawn) <= known
            sizes.append(len(ones))
        if method == "day_block":
            # Of the two days seen, proposing has the first, and judging the second.
            second = seen[seen[:, A_TICK] >= TICKS]
            assert sizes == [(second[:, A_TICK] >= tick - TICKS).sum()]
            return
        expected = (seen[:, A_TICK] % TICKS >= tick - 16).sum() / 2
        assert np.mean(sizes) == pytest.approx(expected, rel=0.1)

    @pytest.mark.parametrize("method", WAYS)
    def test_after_a_part_of_a_day_every_tick_brings_as_many_as_one_so_far(self, method):
        start, days = self.futures(scenario(), 5, method, 200)
        seen = random_ones(start.arrivals[start.arrivals[:, A_TICK] < 5])
        per_tick = np.zeros(TICKS * DAYS)
        amounts, sizes = set(), set()
        for table in days.arrivals:
            ones = random_ones(table)
            np.add.at(per_tick, ones[:, A_TICK], 1 / 200)
            amounts |= set(ones[:, A_AMOUNT].tolist())
            sizes.add(len(ones))
        assert len(sizes) > 10
        assert amounts == set(seen[:, A_AMOUNT].tolist())
        assert per_tick[:5].sum() == 0
        assert per_tick[5:] == pytest.approx(np.full(19, len(seen) / 5), rel=0.2)

    @pytest.mark.parametrize("method", WAYS)
    def test_where_nothing_was_seen_futures_are_fresh(self, method):
        _, days = self.futures(scenario(), 0, method)
        assert (len(days), days.arrivals) == (12, None)
        filed = scenario(rate=0, payments=observed_payments()[3:])
        _, days = self.futures(filed, 5, method)
        assert (tuple(days.numbers), days.seed, days.arrivals) == ((0,), None, None)

    def test_one_day_seen_makes_one_future_of_whole_days(self):
        start, days = self.futures(scenario(events=False), 11, "day_block")
        (table,) = days.arrivals
        first_day = start.arrivals[start.arrivals[:, A_TICK] < TICKS].copy()
        second = first_day + np.array([0, 0, 0, TICKS, 0, 0, 0, TICKS])
        third = second + np.array([0, 0, 0, TICKS, 0, 0, 0, TICKS])
        second = second[second[:, A_TICK] >= 11]
        assert rows(table) == [*rows(second), *rows(third)]

    def test_the_engine_needs_no_rows_of_the_past(self):
        played = scenario()
        start, days = self.futures(played, 11, "bootstrap", 3)
        found = simulate_batch(played, arrivals=days.arrivals, start=start)
        past = start.arrivals[start.arrivals[:, A_TICK] < 11]
        for place, table in enumerate(days.arrivals):
            whole = simulate(played, arrivals=np.concatenate([past, table]))
            expected = list(whole.total_costs.values())
            assert found.total_cost[place, 0].tolist() == pytest.approx(expected, rel=1e-12)

    def test_arrivals_of_another_run_are_refused(self):
        played = scenario()
        start = self.at(played, 11)
        other = Simulation(scenario(events=False), seed=9).arrivals
        with pytest.raises(InputError, match="do not have those of its events first"):
            sampler(played, "bootstrap").days_from(start, other, "judge")


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"method": "botstrap"}, 'sample_method: "botstrap"; nearest: bootstrap'),
        ({"method": 3}, "sample_method: 3; known: fresh"),
        ({"num_samples": 0}, "num_samples: 0; expected at least 1"),
        ({"observed_runs": 0}, "observed_runs: 0; expected at least 1"),
    ],
)
def test_a_value_that_means_nothing_is_refused(values, named):
    given = {"method": "fresh", "num_samples": 3, "master_seed": 1, "observed_runs": 2, **values}
    with pytest.raises(InputError, match=named):
        Sampler(scenario(), **given)
