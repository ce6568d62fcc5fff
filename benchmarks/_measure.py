"""What the benchmarks share: races between contenders, medians, and a report of the figures."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
#: Prepares something, untimed, and gives the steps that are timed.
Contender = Callable[[], AbstractContextManager[Sequence[Callable[[], object]]]]


@dataclass
class Series:
    """Wall and CPU seconds of one contender, one entry for each repetition."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Time a block as one repetition."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.add(time.perf_counter() - wall, time.process_time() - cpu)

    def add(self, wall: float, cpu: float) -> None:
        self.wall.append(wall)
        self.cpu.append(cpu)

    def over(self, other: Series) -> tuple[float, float]:
        """Return the medians of this one's wall and CPU time over the other's, pair by pair."""
        walls = [mine / its for mine, its in zip(self.wall, other.wall, strict=True)]
        cpus = [mine / max(its, 1e-9) for mine, its in zip(self.cpu, other.cpu, strict=True)]
        return statistics.median(walls), statistics.median(cpus)


def race(contenders: Mapping[str, Contender], repeat: int) -> dict[str, Series]:
    """Time contenders step by step in turn, so that a slow moment of the machine hits them all.

    A repetition of a contender is the sum of its steps.
    """
    results = {name: Series() for name in contenders}
    for _ in range(repeat):
        sums = {name: Series() for name in contenders}
        with ExitStack() as stack:
            steps = {name: list(stack.enter_context(c())) for name, c in contenders.items()}
            for turn in range(max(map(len, steps.values()))):
                names = [name for name in steps if turn < len(steps[name])]
                first = turn % len(names)
                for name in names[first:] + names[:first]:
                    with sums[name].timed():
                        steps[name][turn]()
        for name, series in sums.items():
            results[name].add(sum(series.wall), sum(series.cpu))
    return results


def calls(function: Callable[[int], object], count: int) -> Series:
    """Time ``function(0)`` ... ``function(count - 1)``, each as one repetition."""
    series = Series()
    for number in range(count):
        with series.timed():
            function(number)
    return series


def in_fresh_process(function: Callable[..., T], *arguments: object) -> T:
    """Call a module's function in a new interpreter, whose memory is its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()


def memory_mb() -> tuple[float, float]:
    """Return what this process holds in memory now and has held at most, in MB of 10^6 bytes."""
    # Not getrusage(), whose maximum a child inherits from the process that started it.
    with Path("/proc/self/status").open(encoding="ascii") as lines:
        values = dict(line.split(":", 1) for line in lines)
    now, most = (int(values[key].split()[0]) * 1024 / 1e6 for key in ("VmRSS", "VmHWM"))
    return now, most


def parser(description: str | None, *, repeat: int) -> argparse.ArgumentParser:
    """Return a command line with what every benchmark takes."""
    made = argparse.ArgumentParser(description=(description or "").split("\n", 1)[0])
    made.add_argument("--repeat", type=int, default=repeat, help="repetitions (%(default)s)")
    made.add_argument("--json", type=Path, metavar="PATH", help="write the figures there, too")
    return made


@contextmanager
def scratch(keep: Path | None = None) -> Iterator[Path]:
    """Give a folder that is removed afterwards, unless one is named that is to be kept."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="payment-sim-benchmark-") as folder:
        yield Path(folder)


class Report:
    """Figures as they come in: printed as a table at the end, written as JSON if asked."""

    def __init__(self, title: str, options: argparse.Namespace) -> None:
        self.title = title
        self.lines: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self._options = options
        # What else the machine was doing: figures of a busy one are ratios at best.
        self.load = os.getloadavg()[0]

    def add(
        self,
        what: str,
        series: Series | None = None,
        *,
        of: str = "",
        rows: int = 0,
        over: Series | None = None,
        target: str = "",
        met: bool | None = None,
        **more: float,
    ) -> None:
        """Add a line: medians, rows per second, ratio to another series, and the target.

        Lines with the same ``of`` stand together under it.
        """
        line: dict[str, Any] = {"of": of, "what": what, **more}
        if series is not None:
            line["wall_s"] = statistics.median(series.wall)
            line["cpu_s"] = statistics.median(series.cpu)
            line["all_wall_s"], line["all_cpu_s"] = series.wall, series.cpu
        if rows and series is not None:
            line["rows_per_s"] = rows / line["wall_s"]
        if series is not None and over is not None:
            line["wall_ratio"], line["cpu_ratio"] = series.over(over)
        if met is not None:
            line["target"], line["met"] = target, met
        self.lines.append(line)

    def finish(self) -> None:
        """Print the table, and write the JSON file if one is asked for."""
        from rich.console import Console
        from rich.table import Table

        console = Console(highlight=False)
        if not console.is_terminal:
            console = Console(highlight=False, width=140)
        table = Table(
            title=f"{self.title} ({_versions()}, load {self.load:.1f} before)", title_justify="left"
        )
        table.add_column("what")
        for heading in ("wall", "CPU", "rows/s", "x wall", "x CPU", "more", "target"):
            table.add_column(heading, justify="left" if heading == "target" else "right")
        of = ""
        for line in self.lines:
            if line["of"] != of:
                of = line["of"]
                table.add_section()
                table.add_row(f"[b]{of}[/b]")
            table.add_row(*_cells(line))
        console.print(table)
        for note in self.notes:
            console.print(note)
        if self._options.json is not None:
            chosen = {k: v for k, v in vars(self._options).items() if not isinstance(v, Path)}
            result = {
                "benchmark": self.title,
                "machine": {**machine(), "load_before": self.load},
                "options": chosen,
                "lines": self.lines,
                "notes": self.notes,
            }
            self._options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


_KNOWN = {"of", "what", "wall_s", "cpu_s", "all_wall_s", "all_cpu_s", "rows_per_s"} | {
    "wall_ratio", "cpu_ratio", "target", "met",
}  # fmt: skip


def _cells(line: Mapping[str, Any]) -> Iterator[str]:
    yield line["what"]
    yield from (_seconds(line.get(key)) for key in ("wall_s", "cpu_s"))
    yield f"{line['rows_per_s']:,.0f}" if "rows_per_s" in line else ""
    yield from (f"{line[k]:.2f}" if k in line else "" for k in ("wall_ratio", "cpu_ratio"))
    yield ", ".join(f"{key} {value:,.4g}" for key, value in line.items() if key not in _KNOWN)
    verdict = {True: "target met", False: "target missed"}.get(line.get("met"), "")  # type: ignore[arg-type]
    yield f"{verdict}: {line['target']}" if verdict else ""


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"


def machine() -> dict[str, Any]:
    """Return what the figures depend on, without names of this machine."""
    import duckdb

    return {
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
    }


def _versions() -> str:
    found = machine()
    return f"Python {found['python']}, DuckDB {found['duckdb']}, {found['cores']} cores"
