"""Whole games: what steps cost beside simulation, paired evaluation, cost of late iterations.

Ratios in one run: each share is of the same game, each growth of the same process.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.evaluation import Arena
from payment_simulator.ai_cash_mgmt.game_setup import set_up
from payment_simulator.ai_cash_mgmt.orchestrator import GameOrchestrator
from payment_simulator.ai_cash_mgmt.proposers import search
from payment_simulator.ai_cash_mgmt.record_ledger import RecordLedger
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.scenario import load_scenario, parse_scenario

SCENARIOS = Path(__file__).parents[1] / "examples" / "scenarios"
FRACTION = {"name": "initial_liquidity_fraction", "min_value": 0, "max_value": 1}


class Clock:
    """Adds up the time that functions take, inner ones taken off the outer."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    def watch(self, owner: Any, name: str, label: str) -> None:
        """Count the calls of a method of a class."""
        plain: Callable[..., Any] = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._inner.append(0.0)
            started = time.perf_counter()
            try:
                return plain(*args, **kwargs)
            finally:
                took = time.perf_counter() - started
                self.seconds[label] += took - self._inner.pop()
                self._inner[-1] += took

        setattr(owner, name, watched)


def config_of(scenario: str, samples: int, iterations: int) -> GameConfig:
    return GameConfig.from_mapping(
        {
            "game_id": "bench",
            "scenario_config": scenario,
            "bootstrap": {"num_samples": samples},
            # It never comes to rest: all iterations are played.
            "convergence": {"stability_window": iterations + 1, "max_iterations": iterations},
            "constraints": {"allowed_parameters": [FRACTION]},
        }
    )


def play(config: GameConfig, scenario: Any, on_step: Any = None) -> float:
    with (
        tempfile.TemporaryDirectory() as folder,
        DatabaseManager(Path(folder) / "bench.db") as manager,
    ):
        repository = GameRepository(manager.conn)
        game = GameOrchestrator(config, repository, scenario=scenario, on_step=on_step)
        started = time.perf_counter()
        game.play()
        return time.perf_counter() - started


def shares() -> None:
    """Say where the time of a two-bank game of 50 iterations with 1,000 sample days goes."""
    path = SCENARIOS / "twelve_period.yaml"
    scenario = load_scenario(path)
    play(config_of(str(path), 10, 2), scenario)  # warm
    clock = Clock()
    clock.watch(Arena, "play", "simulation")
    clock.watch(search.SearchProposer, "propose", "search's own thinking")
    clock.watch(RecordLedger, "save_step", "recording")
    marks: list[float] = []
    config = config_of(str(path), 1_000, 50)
    whole = play(config, scenario, on_step=lambda _: marks.append(time.perf_counter()))
    print(f"two banks, 50 iterations, 1,000 days: {whole:.1f} s, {len(marks)} steps")
    for label, seconds in sorted(clock.seconds.items(), key=lambda item: -item[1]):
        print(f"  {label:24} {seconds:6.2f} s  {seconds / whole:6.1%}")
    rest = whole - sum(clock.seconds.values())
    print(f"  {'everything else':24} {rest:6.2f} s  {rest / whole:6.1%}")
    beside = clock.seconds["recording"] + rest
    print(f"  beside simulation and proposer: {beside / whole:.1%} (target: under 20 %)")


def paired() -> None:
    """Time the paired evaluation of the two-bank day, days growing in steps of ten."""
    path = SCENARIOS / "twelve_period.yaml"
    scenario = load_scenario(path)
    before = None
    for samples in (100, 1_000, 10_000):
        setup = set_up("bench", config_of(str(path), samples, 1), scenario)
        arena, days = Arena(setup.scenario), setup.sampler.days("judge", 1, "BANK_A")
        policy = setup.scenario.policies[1]
        times = []
        for _ in range(7):
            started = time.perf_counter()
            arena.compare(setup.scenario.policies, "BANK_A", policy, days)
            times.append(time.perf_counter() - started)
        took = statistics.median(times)
        growth = "" if before is None else f", {took / before:.1f} x for 10 x the days"
        target = " (target: under 100 ms)" if samples == 1_000 else ""
        print(f"paired evaluation, {samples:,} days x 2: {took * 1000:.1f} ms{growth}{target}")
        before = took


def ten_banks() -> None:
    """Set late iterations of a game of 10 banks, 200 days each, beside early ones."""
    agents = "\n".join(
        f"  - id: BANK_{i}\n    opening_balance: 0\n    liquidity_pool: 10_000_000\n"
        "    liquidity_allocation_fraction: 0.5\n    arrival_config:\n      rate_per_tick: 1\n"
        "      amount_distribution: {type: LogNormal, mean: 300_000, std_dev: 200_000}\n"
        "      deadline_range: [5, 11]"
        for i in range(10)
    )
    text = (
        "simulation: {ticks_per_day: 24, num_days: 1}\nend_of_day: borrow\n"
        "cost_rates: {liquidity_cost_per_tick_bps: 40, delay_cost_per_tick_per_cent: 0.02, "
        f"eod_borrowing_bps: 2_000}}\nagents:\n{agents}\n"
    )
    scenario = parse_scenario(text)
    by_iteration: dict[int, float] = defaultdict(float)
    last = time.perf_counter()

    def on_step(step: Any) -> None:
        nonlocal last
        now = time.perf_counter()
        by_iteration[step.iteration] += now - last
        last = now

    whole = play(config_of("ten_banks.yaml", 200, 50), scenario, on_step)
    early = statistics.median(by_iteration[k] for k in range(2, 12))
    late = statistics.median(by_iteration[k] for k in range(41, 51))
    print(f"ten banks, 50 iterations, 200 days: {whole:.0f} s")
    print(f"  iterations 2-11: {early:.2f} s each, 41-50: {late:.2f} s each, {late / early:.2f} x")


if __name__ == "__main__":
    paired()
    shares()
    ten_banks()
