"""Starts fresh processes: how long until the package can be used, and what takes the time."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path
from statistics import median

from _measure import Report, Series, parser, scratch

NOTHING, DUCKDB = "python -c pass", "import duckdb"
PACKAGE, HELP = "import payment_simulator.ai_cash_mgmt", "payment-sim --help"
CODE = {NOTHING: "pass", DUCKDB: DUCKDB, PACKAGE: PACKAGE}
#: Seconds, at most.
TARGETS = {PACKAGE: 0.4, HELP: 0.3}


def command(name: str, *flags: str) -> list[str]:
    """Return what to run."""
    if name == HELP:
        code = "import sys; from payment_simulator.cli import main; sys.exit(main())"
        return [sys.executable, *flags, "-c", code, "--help"]
    return [sys.executable, *flags, "-c", CODE[name]]


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which modules are compiled once, whatever this one says."""
    mine = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**mine, "PYTHONPYCACHEPREFIX": str(folder)}


def started(name: str, env: dict[str, str]) -> tuple[float, float]:
    """Return wall and CPU seconds of one process."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command(name), check=True, capture_output=True, env=env)
    wall, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def costs(name: str, count: int, env: dict[str, str]) -> list[tuple[int, int, str]]:
    """Return own and cumulative microseconds of the modules that cost most by themselves."""
    done = subprocess.run(
        command(name, "-X", "importtime"), check=True, capture_output=True, text=True, env=env
    )
    found = []
    for line in done.stderr.splitlines():
        own, _, rest = line.removeprefix("import time:").partition("|")
        total, _, module = rest.partition("|")
        if own.strip().isdigit():
            found.append((int(own), int(total), module.strip()))
    return sorted(found, reverse=True)[:count]


def has_command_line() -> bool:
    """Tell whether ``payment-sim --help`` says anything."""
    done = subprocess.run(command(HELP), check=False, capture_output=True)
    return done.returncode == 0 and bool(done.stdout)


def measure(report: Report, options: Namespace, env: dict[str, str]) -> None:
    """Start processes in turn."""
    names = [NOTHING, DUCKDB, PACKAGE]
    if has_command_line():
        names.append(HELP)
    else:
        report.notes.append(f"{HELP}: says nothing here, left out")
    for name in names:
        started(name, env)  # compiles what is not compiled yet
    found = {name: Series() for name in names}
    for _ in range(options.repeat):
        for name in names:
            found[name].add(*started(name, env))
    for name, series in found.items():
        most = TARGETS.get(name)
        met = None if most is None else median(series.wall) < most
        report.add(name, series, over=found[NOTHING], target=f"under {most} s", met=met)
    for name in names[2:]:
        report.notes.append(f"{name}: own and cumulative milliseconds")
        for own, total, module in costs(name, options.top, env):
            report.notes.append(f"{own / 1000:8.1f} {total / 1000:8.1f}  {module}")


def main() -> None:
    """Run the benchmark."""
    arguments = parser(__doc__, repeat=10)
    arguments.add_argument(
        "--top", type=int, default=10, help="modules to list by own time (%(default)s)"
    )
    options = arguments.parse_args()
    report = Report("Starting", options)
    with scratch() as folder:
        measure(report, options, environment(folder))
    report.finish()


if __name__ == "__main__":
    main()
