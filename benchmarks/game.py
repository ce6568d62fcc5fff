"""Whole games: what steps cost beside simulation, paired evaluation, late against early iterations.

Shares are of the same game, growth is within the same process.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from _measure import Report, Series, calls, parser, scratch
from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.game_setup import set_up
from payment_simulator.ai_cash_mgmt.orchestrator import GameOrchestrator
from payment_simulator.ai_cash_mgmt.proposers.search import SearchProposer
from payment_simulator.ai_cash_mgmt.record.ledger import RecordLedger
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.scenario import Scenario, load_scenario, parse_scenario

TWELVE = Path(__file__).parents[1] / "examples" / "scenarios" / "twelve_period.yaml"
SHARE = {"name": "initial_liquidity_fraction", "min_value": 0, "max_value": 1}
SIMULATION, SEARCH, RECORDING = "simulation", "the search itself", "recording"
WATCHED = (
    (Arena, "play", SIMULATION),
    (SearchProposer, "propose", SEARCH),
    (RecordLedger, "save_step", RECORDING),
)


class Clock:
    """Adds up the time that methods take, inner ones taken off the outer."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def watched(self, method: Callable[..., Any], label: str) -> Callable[..., Any]:
        """Return the method with its time added up under a label."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._inner.append(0.0)
            started = time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                took = time.perf_counter() - started
                self.seconds[label] += took - self._inner.pop()
                self._inner[-1] += took

        return timed


@contextmanager
def watching() -> Iterator[Clock]:
    """Watch what a game spends its time on."""
    clock = Clock()
    plain = [getattr(owner, name) for owner, name, _ in WATCHED]
    for (owner, name, label), method in zip(WATCHED, plain, strict=True):
        setattr(owner, name, clock.watched(method, label))
    try:
        yield clock
    finally:
        for (owner, name, _), method in zip(WATCHED, plain, strict=True):
            setattr(owner, name, method)


def config_of(samples: int, iterations: int) -> GameConfig:
    return GameConfig.from_mapping(
        {
            "game_id": "bench",
            "scenario_config": "scenario.yaml",
            "bootstrap": {"num_samples": samples},
            # It never comes to rest, so all iterations are played.
            "convergence": {"stability_window": iterations + 1, "max_iterations": iterations},
            "constraints": {"allowed_parameters": [SHARE]},
        }
    )


def play(config: GameConfig, scenario: Scenario, on_step: Any = None) -> Series:
    series = Series()
    with scratch() as folder, DatabaseManager(folder / "bench.db") as manager:
        repository = GameRepository(manager.conn)
        game = GameOrchestrator(config, repository, scenario=scenario, on_step=on_step)
        with series.timed():
            game.play()
    return series


def paired(report: Report, days: int, repeat: int) -> None:
    """Time the paired evaluation of the two-bank day, days growing in steps of ten."""
    scenario, of = load_scenario(TWELVE), "paired evaluation of the two-bank day"
    before = None
    for samples in (days, 10 * days, 100 * days):
        setup = set_up("bench", config_of(samples, 1), scenario)
        arena, drawn = Arena(setup.scenario), setup.sampler.days("judge", 1, "BANK_A")
        profile = setup.scenario.policies
        took = calls(lambda _: arena.compare(profile, "BANK_A", profile[1], drawn), repeat)  # noqa: B023
        is_judged = samples == 1_000
        report.add(
            f"paired evaluation, {samples:,} days x 2",
            took,
            of=of,
            over=before,
            target="under 100 ms" if is_judged else "",
            met=statistics.median(took.wall) < 0.1 if is_judged else None,
        )
        before = took


def shares(report: Report, iterations: int, days: int) -> None:
    """Say where the time of a two-bank game goes."""
    what = f"two banks, {iterations} iterations, {days:,} days"
    with watching() as clock:
        whole = play(config_of(days, iterations), load_scenario(TWELVE))
    [seconds] = whole.wall
    report.add(what, whole, of=what)
    rest = seconds - sum(clock.seconds.values())
    for label in (SIMULATION, SEARCH, RECORDING):
        report.add(label, of=what, share=clock.seconds[label] / seconds)
    beside = (clock.seconds[RECORDING] + rest) / seconds
    report.add(
        "all beside simulation and search",
        of=what,
        share=beside,
        target="under 20 %",
        met=beside < 0.2,
    )


def many_banks(n_banks: int) -> Scenario:
    agents = "\n".join(
        f"  - id: BANK_{i}\n    opening_balance: 0\n    liquidity_pool: 10_000_000\n"
        "    liquidity_allocation_fraction: 0.5\n    arrival_config:\n      rate_per_tick: 1\n"
        "      amount_distribution: {type: LogNormal, mean: 300_000, std_dev: 200_000}\n"
        "      deadline_range: [5, 11]"
        for i in range(n_banks)
    )
    return parse_scenario(
        "simulation: {ticks_per_day: 24, num_days: 1}\nend_of_day: borrow\n"
        "cost_rates: {liquidity_cost_per_tick_bps: 40, delay_cost_per_tick_per_cent: 0.02, "
        f"eod_borrowing_bps: 2_000}}\nagents:\n{agents}\n"
    )


def growth(report: Report, n_banks: int, iterations: int, days: int) -> None:
    """Set late iterations of a game beside early ones, with simulation and without."""
    what = f"{n_banks} banks, {iterations} iterations"
    all_of: dict[int, float] = defaultdict(float)
    beside: dict[int, float] = defaultdict(float)
    last = [time.perf_counter(), 0.0]
    with watching() as clock:

        def on_step(step: Any) -> None:
            now, simulated = time.perf_counter(), clock.seconds[SIMULATION]
            all_of[step.iteration] += now - last[0]
            beside[step.iteration] += now - last[0] - (simulated - last[1])
            last[:] = [now, simulated]

        whole = play(config_of(days, iterations), many_banks(n_banks), on_step)
    report.add(what, whole, of=f"{what}, {days:,} days")
    fifth = max(iterations // 5, 1)
    for name, by_iteration in (("all", all_of), ("beside simulation", beside)):
        early = statistics.median(by_iteration[k] for k in range(2, 2 + fifth))
        late = statistics.median(
            by_iteration[k] for k in range(iterations - fifth + 1, iterations + 1)
        )
        report.add(
            f"an iteration, {name}",
            of=f"{what}, {days:,} days",
            early_s=early,
            late_over_early=late / early,
        )


def main() -> None:
    options: argparse.ArgumentParser = parser(__doc__, repeat=7)
    options.add_argument("--iterations", type=int, default=50, help="of each game (%(default)s)")
    options.add_argument("--days", type=int, default=1_000, help="two banks' days (%(default)s)")
    options.add_argument("--banks", type=int, default=10, help="of the larger game (%(default)s)")
    chosen = options.parse_args()
    report = Report("game", chosen)
    play(config_of(4, 2), load_scenario(TWELVE))  # what is made once is no part of a game
    paired(report, max(chosen.days // 10, 1), chosen.repeat)
    shares(report, chosen.iterations, chosen.days)
    growth(report, chosen.banks, chosen.iterations, max(chosen.days // 5, 1))
    report.finish()


if __name__ == "__main__":
    main()
