"""A disk that is full: a clear error, and every acknowledged save once there is room again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from payment_simulator.persistence.migrations import SCHEMA_VERSION

pytestmark = pytest.mark.slow
Report = dict[str, Any]
MEGABYTE = 2**20


@cache
def private_mounts(folder: Path) -> list[str] | None:
    """Return the command that lets a process mount what only it sees, if this machine has one."""
    if shutil.which("unshare") is None:
        return None
    for flags in ("-m", "-rm"):
        command = ["unshare", flags]
        mount = ["mount", "-t", "tmpfs", "tmpfs", str(folder)]
        if subprocess.run([*command, *mount], capture_output=True, check=False).returncode == 0:
            return command
    return None


@pytest.fixture
def on_small_disk(tmp_path: Path) -> Callable[..., Report]:
    """Run a scenario of ``small_disk`` and return what it reports."""
    command = private_mounts(tmp_path.parent)
    if command is None:
        pytest.skip("no small disk can be mounted: neither unshare -m nor unshare -rm is permitted")
    folder = tmp_path / "disk"
    folder.mkdir()

    def run(scenario: str, *args: Any) -> Report:
        given = json.dumps([scenario, str(folder), *args])
        python = [sys.executable, "-W", "error", "-m", "tests.faults.small_disk", given]
        done = subprocess.run([*command, *python], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def check_message(report: Report) -> None:
    assert report["error"] == "DatabaseFullError", report
    assert "free some space" in report["message"]


# With 64MB the log takes all saves and fills the disk; with 256KB a checkpoint meets its end.
@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("room", "threshold"),
    [(0.4, "64MB"), (2, "64MB"), (1.5, "256KB"), (3, "256KB"), (4, "256KB"), (5, "256KB")],
)
def test_saving(room, threshold, on_small_disk):
    report = on_small_disk("save", int(room * MEGABYTE), threshold)
    check_message(report)
    assert report["n_saves"] <= report["n_found"] <= report["n_saves"] + 1
    assert report["n_at_last"] == report["n_found"] + 9


def test_opening_what_a_kill_has_left(on_small_disk):
    report = on_small_disk("reopen")
    if report["error"]:
        check_message(report)
    assert report["n_found"] == 38


def test_making_a_database(on_small_disk):
    report = on_small_disk("create")
    check_message(report)
    assert report["n_found"] == 9
    assert report["files"] == ["simulation.db"]


def check_migration(report: Report) -> None:
    check_message(report)
    (_, was_whole), (version, is_whole) = report["found"]
    assert was_whole
    assert is_whole
    assert version == SCHEMA_VERSION


@pytest.mark.sampled(2)
@pytest.mark.parametrize("room", [0, 0.1, 1, 3, 4.5, 5])
def test_copying_before_a_migration(room, old_file, on_small_disk):
    report = on_small_disk("migrate", str(old_file), int(room * MEGABYTE), MEGABYTE)
    check_migration(report)
    assert report["found"][0][0] == 0  # not adopted
    # No half-written copy stays behind.
    assert set(report["files"]) <= {"ballast", "simulation.db", "simulation.db.wal"}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("bytes_left", [0, 4096, 8192, 12288])
def test_migrating(bytes_left, old_file, on_small_disk):
    report = on_small_disk("migrate", str(old_file), 24 * MEGABYTE, bytes_left)
    check_migration(report)


@pytest.mark.parametrize("whose", ["writer", "reader"])
def test_copying_for_a_reader(whose, on_small_disk):
    report = on_small_disk("read", whose)
    check_message(report)
    assert (f"PID {report['pid']}" in report["message"]) == (whose == "writer")
    assert report["files"] == ["ballast"]
    assert report["n_found"] == 101
