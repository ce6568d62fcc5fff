"""Every benchmark runs, at a size that says nothing of speed, and reports what it promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
#: Options that make a run short, and lines that must then be there.
RUNS = {
    "record_saves": (
        "--rows 20 --stored 1000 --repeat 2",
        {
            "plain INSERT, 0 stored",
            "GameRepository, 0 stored",
            "GameRepository, 1,000 stored",
            "JSON lines, fsync",
            "SQLite, WAL, full sync",
        },
    ),
    "record_bulk": (
        "--rows 20 --growing 20 --repeat 1",
        {"executemany", "save_policy_iterations", "up to 20 rows"},
    ),
    "record_reads": (
        "--games 2 3 --per-game 20 --repeat 1",
        {
            "open",
            "get_policy_iterations, agent",
            "get_policy_iterations, game",
            "get_best_policy",
            "get_optimization_summary",
            "list_game_sessions",
            "peak memory, MB",
        },
    ),
    "record_snapshots": (
        "--rows 20 --games 1 --repeat 1",
        {
            "1,000 rows: a reader's copy",
            "20 saves into 1,000 rows, 0 readers",
            "20 saves into 1,000 rows, 2 readers",
        },
    ),
    "proposers": (
        "--repeat 1 --candidates 32 64 --seeds 2",
        {"search/tpe, 32 candidates", "grid, 21 points", "plain random search"},
    ),
    "search_quality": (
        "--banks 2 --seeds 1 --fresh 20",
        {"search", "without", "with races"},
    ),
    "game": (
        "--iterations 3 --days 100 --banks 3 --repeat 1",
        {
            "paired evaluation, 100 days x 2",
            "two banks, 3 iterations, 100 days",
            "3 banks, 3 iterations",
        },
    ),
    "results": (
        "--games 2 --per-game 20 --repeat 1",
        {
            *("start (--version)", "games", "show", "compare", "steps of a game as records"),
            *("list through a copy, while written", "list through a question"),
        },
    ),
    "dashboard": (
        "--games 2 --per-game 20 --chart-steps 50 --repeat 1 --no-browser",
        {"start, to the first list", "list of games", "game", "step", "peak memory, MB"},
    ),
    "exchange": (
        "--iterations 5 --samples 5 --repeat 1",
        {
            "EXPORT and IMPORT DATABASE, Parquet",
            *(f"export, {kind}" for kind in ("parquet", "csv", "json")),
            *(f"import into a new file, {kind}" for kind in ("parquet", "csv", "json")),
        },
    ),
    "inference": (
        "--samples 5 --games 2",
        {"false acceptance, normal", "false acceptance, loss of 99 on 1 % of days"},
    ),
    "import_time": (
        "--repeat 2 --top 3",
        {"python -c pass", "import duckdb", "import payment_simulator.ai_cash_mgmt"},
    ),
}


def run(name: str, options: str, scratch: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / f"{name}.py"), *options.split()],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", RUNS)
def test_a_small_run_reports_every_line(name: str, tmp_path: Path) -> None:
    options, expected = RUNS[name]
    figures, scratch = tmp_path / "figures.json", tmp_path / "scratch"
    scratch.mkdir()

    printed = run(name, f"{options} --json {figures}", scratch)

    result = json.loads(figures.read_text(encoding="utf-8"))
    lines = result["lines"]
    assert expected <= {line["what"] for line in lines}
    assert all(line["wall_s"] > 0 for line in lines if "wall_s" in line)
    judged = [line for line in lines if "met" in line]
    verdicts = [printed.count(f"target {word}") for word in ("met", "missed")]
    assert verdicts == [sum(line["met"] is met for line in judged) for met in (True, False)]
    assert result["machine"]["duckdb"] == duckdb.__version__
    assert str(tmp_path) not in figures.read_text(encoding="utf-8")
    assert list(scratch.iterdir()) == []


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", RUNS)
def test_help_names_every_option_that_is_used_here(name: str, tmp_path: Path) -> None:
    printed = run(name, "--help", tmp_path)
    used = {word for word in RUNS[name][0].split() if word.startswith("--")}
    assert all(option in printed for option in {*used, "--json"})


def test_others_are_measured_or_named_as_left_out(tmp_path: Path) -> None:
    printed = run("record_saves", "--rows 2 --stored 0 --repeat 1 --optuna --mlflow", tmp_path)
    for package, line in (("optuna", "Optuna, add_trial"), ("mlflow", "MLflow, log_batch")):
        assert (line in printed) != (f"{package}: not installed, left out" in printed)
