"""Exports and imports that are killed, or find no room: whole or not at all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.exchange import import_file
from payment_simulator.errors import InputError
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.leftovers import maker
from tests.effort import tries
from tests.faults.exchange_children import (
    export,
    export_until,
    import_until,
    make,
    work_as_nobody,
)
from tests.faults.folder import content, names
from tests.faults.history import GAME
from tests.faults.test_full_disk import MEGABYTE, private_mounts

pytestmark = pytest.mark.slow
#: Moments of death are this far apart, so that all of an export are met in some of the runs.
STRIDE = tries(75, 1)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "games.db"
    make(path)
    return path


def games_of(folder: Path) -> list[str]:
    """Return the games of an export, after looking that it is whole."""
    with tempfile.TemporaryDirectory() as scratch:
        return list(import_file(folder, Path(scratch) / "games.db").added)


def test_an_export_that_is_killed_leaves_the_old_one_or_the_new_one(
    record: Path, tmp_path: Path, start_child: Callable[..., Any]
) -> None:
    out, met = tmp_path / "out", set()
    export(record, out, GAME)
    for number in range(1, 10_000, STRIDE):
        child = start_child(export_until, record, out, number)
        if child.exit_code == 0:
            break
        beside = [name for name in names(tmp_path) if name != "out"]
        assert len(beside) <= 2
        if not out.exists():
            # Between the two renamings; what was moved aside is put back by the next.
            with pytest.raises(InputError, match="not empty"):
                export(record, out, GAME)
        found = games_of(out)
        assert found in ([GAME], ["other"])
        met.add((found[0], bool(beside)))
        export(record, out, GAME, force=True)
        assert names(tmp_path) == ["out"]
    assert games_of(out) == ["other"]
    assert (GAME, True) in met


def test_what_was_moved_aside_is_put_back(record: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(record, out, GAME)
    machine, start, *_ = maker().split("-")
    ended, running = (f"{machine}-{start}-{pid}-0123abcd" for pid in (999999999, 1))
    out.rename(tmp_path / f".out.{ended}.old")
    shutil.copytree(tmp_path / f".out.{ended}.old", tmp_path / f".out.{ended}.new")
    (tmp_path / f".out.{running}.new").mkdir()
    (tmp_path / ".out.mine.new").mkdir()  # of somebody else
    with pytest.raises(InputError, match="not empty"):
        export(record, out, "other")
    assert games_of(out) == [GAME]
    assert names(tmp_path) == sorted([f".out.{running}.new", ".out.mine.new", "out"])


@pytest.mark.parametrize("is_new", [True, False])
def test_an_import_that_is_killed_adds_all_or_nothing(
    is_new: bool, record: Path, tmp_path: Path, start_child: Callable[..., Any]
) -> None:
    out, room = tmp_path / "out", tmp_path / "room"
    export(record, out, GAME)
    room.mkdir()
    before = tmp_path / "before.db"
    with DatabaseManager(before) as manager:
        GameRepository(manager.conn).initialize_schema()
    n_killed = 0
    for number in range(1, 10_000, 3 * STRIDE):
        home = tmp_path / str(number)
        home.mkdir()
        path = home / "games.db"
        if not is_new:
            shutil.copy(before, path)
        child = start_child(import_until, out, path, room, number)
        if child.exit_code == 0:
            break
        n_killed += 1
        if path.exists() or not is_new:
            with DatabaseManager(path) as manager:
                assert GameRepository(manager.conn).get_game_ids() in ([], [GAME])
        done = import_file(out, path)
        assert (*done.added, *done.already_there) == (GAME,)
        assert names(home) == ["games.db"]
    assert n_killed > tries(0, 3)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that anybody can reach, as those of pytest cannot be."""
    path = Path(tempfile.mkdtemp(prefix="payment-sim-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_without_rights(open_folder: Path, start_child: Callable[..., Any]) -> None:
    path, out = open_folder / "games.db", open_folder / "out"
    make(path)
    export(path, out, GAME)
    before = content(open_folder)
    said = start_child(work_as_nobody, path, out, open_folder).result()
    for kind, message in said:
        assert kind in {"InputError", "ReadOnlyDatabaseError"}, message
        assert "ermission denied" in message
        assert "\n" not in message
    assert content(open_folder) == before


@pytest.fixture
def on_small_disk(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run a scenario of ``exchange_children`` and return what it reports."""
    command = private_mounts(tmp_path.parent)
    if command is None:
        pytest.skip("no small disk can be mounted: neither unshare -m nor unshare -rm is permitted")
    folder = tmp_path / "disk"
    folder.mkdir()

    def run(scenario: str, *args: Any) -> dict[str, Any]:
        given = json.dumps([scenario, str(folder), *args])
        python = [sys.executable, "-W", "error", "-m", "tests.faults.exchange_children", given]
        done = subprocess.run([*command, *python], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.sampled(2)
@pytest.mark.parametrize("room", [0, 0.05, 1, 4])
def test_an_export_to_a_full_disk(room: float, on_small_disk: Callable[..., Any]) -> None:
    report = on_small_disk("export_to_full_disk", int(room * MEGABYTE))
    assert report["error"] == "DatabaseFullError", report
    assert "free some space" in report["message"]
    assert report["left"] == ["ballast"]
    assert report["then"] == ["out"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("room", [0, 0.05, 1, 6])
@pytest.mark.parametrize("is_new", [True, False])
def test_an_import_to_a_full_disk(
    room: float, is_new: bool, on_small_disk: Callable[..., Any]
) -> None:
    report = on_small_disk("import_to_full_disk", int(room * MEGABYTE), is_new)
    assert report["error"] == "DatabaseFullError", report
    assert report["left"][0] == "ballast"
    assert set(report["left"]) <= (
        {"ballast"} if is_new else {"ballast", "games.db", "games.db.wal"}
    )
    assert report["games"] == ([] if is_new else ["mine"])
    assert report["added"] == [GAME]
