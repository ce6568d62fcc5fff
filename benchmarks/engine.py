"""Days simulated a second: compiled, interpreted and by the plain Python twin; threads; growth.

The same scenarios in one run. The interpreted engine is the same source without the compiler, in a
process of its own; the twin is the readable program that the tests hold against the engine.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from pathlib import Path

from _measure import Report, Series, in_fresh_process, memory_mb, parser
from _scenarios import many_banks, two_banks
from payment_simulator.scenario import Scenario
from payment_simulator.simulation import simulate_batch

CASES = {
    "two banks, 12 ticks": (two_banks, (), 20_000, 60_000),
    "50 banks, 5,000 payments": (many_banks, (50, 5_000), 40, 150),
    "200 banks, 20,000 payments": (many_banks, (200, 20_000), 8, 30),
}


def scenario_of(case: str) -> Scenario:
    make, arguments, _, _ = CASES[case]
    return make(*arguments)


def play(scenario: Scenario, samples: int, repeat: int, threads: int = 1) -> Series:
    """Time batches of samples, after one that warms up."""
    simulate_batch(scenario, samples=1, threads=threads)
    series = Series()
    for _ in range(repeat):
        with series.timed():
            simulate_batch(scenario, samples=samples, threads=threads)
    return series


def interpreted(case: str, samples: int) -> float:
    """Return seconds of CPU a sample, in a process without the compiler."""
    code = (
        "import sys, time; from engine import scenario_of\n"
        "from payment_simulator.simulation import simulate_batch\n"
        "case, samples = sys.argv[1], int(sys.argv[2]); scenario = scenario_of(case)\n"
        "began = time.process_time(); simulate_batch(scenario, samples=samples, threads=1)\n"
        "print((time.process_time() - began) / samples)"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    root = Path(__file__).resolve().parent
    done = subprocess.run(
        [sys.executable, "-c", code, case, str(samples)],
        env=environment,
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def twin(case: str, samples: int) -> float:
    """Return seconds of CPU a sample of the plain Python twin."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from tests.reference.twin import run_twin

    scenario = scenario_of(case)
    began = time.process_time()
    for sample in range(samples):
        run_twin(scenario, sample=sample)
    return (time.process_time() - began) / samples


def start_up(seconds_of: str) -> float:
    """Return the wall seconds of a fresh process that plays one day."""
    code = (
        "import time; began = time.perf_counter()\n"
        "from engine import scenario_of\n"
        "from payment_simulator.simulation import simulate\n"
        "scenario = scenario_of('two banks, 12 ticks'); imported = time.perf_counter()\n"
        "simulate(scenario); print(imported - began, time.perf_counter() - imported)"
    )
    root = Path(__file__).resolve().parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True
    )
    imported, played = map(float, done.stdout.split())
    return {"import": imported, "play": played}[seconds_of]


def memory_of(samples: int) -> float:
    """Return the peak of memory of a process that plays so many samples (MB)."""
    simulate_batch(many_banks(50, 5_000), samples=samples)
    return memory_mb()[1]


def main() -> None:
    options = parser(__doc__, repeat=5)
    options.add_argument("--million", action="store_true", help="grow to a million payments a day")
    chosen = options.parse_args()
    report = Report("engine", chosen)
    for case, (_, _, samples, target) in CASES.items():
        series = play(scenario_of(case), samples, chosen.repeat)
        rate = samples / sorted(series.cpu)[len(series.cpu) // 2]
        report.add(
            "compiled, one thread",
            series,
            of=case,
            days_a_second=rate,
            target=f">= {target:,} days a CPU second",
            met=rate >= target,
        )
        per_day = interpreted(case, max(samples // 1000, 1))
        report.add("interpreted", of=case, days_a_second=1 / per_day, times_slower=per_day * rate)
        if case != "200 banks, 20,000 payments":  # minutes a day
            per_day = twin(case, max(samples // 1000, 1))
            report.add("twin", of=case, days_a_second=1 / per_day, times_slower=per_day * rate)
    for threads in (1, 2):
        series = play(scenario_of("two banks, 12 ticks"), 100_000, chosen.repeat, threads)
        if threads == 1:
            one = series
        ratio = one.over(series)[0]
        report.add(
            f"{threads} threads",
            series,
            of="threads, two banks",
            times_one=ratio,
            target="" if threads == 1 else ">= 1.7 x one",
            met=None if threads == 1 else ratio >= 1.7,
        )
    before = 0.0
    for payments in (1_000, 10_000, 100_000, *([1_000_000] if chosen.million else [])):
        series = play(many_banks(50, payments), 1, 3)
        seconds = min(series.cpu)
        # What n log n would come to, from a tenth of the payments.
        allowed = 10 * math.log(payments) / math.log(payments / 10)
        growth = seconds / before if before else 0.0
        report.add(
            f"{payments:,} payments a day",
            series,
            of="growth, 50 banks",
            microseconds_a_payment=1e6 * seconds / payments,
            times_before=growth,
            target=f"<= {allowed:.1f} x before" if before else "",
            met=growth <= allowed if before else None,
        )
        before = seconds
    for samples in (64, 640, 6_400):
        report.add(
            f"{samples:,} samples",
            of="memory, 50 banks",
            peak_mb=in_fresh_process(memory_of, samples),
        )
    report.add("import and parse", of="cached start", wall_seconds=start_up("import"))
    played = start_up("play")
    report.add(
        "first day", of="cached start", wall_seconds=played, target="< 1 s", met=played < 1.0
    )
    report.finish()


if __name__ == "__main__":
    main()
