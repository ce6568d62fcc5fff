"""The file is removed, moved or replaced while a game is played: nothing saved is lost."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from payment_simulator.persistence.files import log_path
from payment_simulator.persistence.sidecar import sidecar_path
from tests.faults.children import Child
from tests.faults.folder import content
from tests.faults.stopped_games import (
    finish,
    game_file,
    make_record,
    play_and_be_stopped,
    play_and_wait,
)
from tests.games import tables

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return game_file(tmp_path_factory.mktemp("game"))


@pytest.fixture(scope="module")
def whole(game: Path, tmp_path_factory: pytest.TempPathFactory):
    """Play a game that nothing disturbs; return its statements and its record."""
    path = tmp_path_factory.mktemp("whole") / "game.db"
    child = Child(play_and_be_stopped, game, path, 1_000_000, (), None)
    statements = child.result().statements
    child.end()
    return statements, tables(path)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make another record, with a log."""
    path = tmp_path_factory.mktemp("other") / "other.db"
    child = Child(make_record, path)
    child.hear()
    child.end()
    assert log_path(path).stat().st_size > 0
    return path


def removed(path: Path, _: Path) -> None:
    path.unlink()


def removed_with_its_log(path: Path, _: Path) -> None:
    path.unlink()
    log_path(path).unlink()


def folder_removed(path: Path, _: Path) -> None:
    shutil.rmtree(path.parent)


def renamed(path: Path, _: Path) -> None:
    path.rename(path.with_name("old.db"))


def renamed_with_its_log(path: Path, _: Path) -> None:
    path.rename(path.with_name("old.db"))
    log_path(path).rename(path.with_name("old.db.wal"))


def replaced_by_an_empty_file(path: Path, _: Path) -> None:
    path.rename(path.with_name("old.db"))
    path.touch()


def replaced_by_a_record(path: Path, other: Path) -> None:
    path.rename(path.with_name("old.db"))
    shutil.copy(other, path)


def replaced_by_a_record_with_a_log(path: Path, other: Path) -> None:
    path.rename(path.with_name("old.db"))
    shutil.copy(other, path.with_name("new"))
    path.with_name("new").rename(path)
    shutil.copy(log_path(other), path.with_name("new.wal"))
    path.with_name("new.wal").rename(log_path(path))


def replaced_in_one_step(path: Path, other: Path) -> None:
    shutil.copy(other, path.with_name("new"))
    path.with_name("new").replace(path)


def log_overwritten_too(path: Path, other: Path) -> None:
    path.rename(path.with_name("old.db"))
    shutil.copy(other, path)
    shutil.copy(log_path(other), log_path(path))


def folder_renamed(path: Path, _: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


def emptied(path: Path, _: Path) -> None:
    os.truncate(path, 0)


def cut(path: Path, _: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwritten(path: Path, other: Path) -> None:
    shutil.copyfile(other, path)


MISHAPS = [
    removed, removed_with_its_log, folder_removed, renamed, renamed_with_its_log,
    replaced_by_an_empty_file, replaced_by_a_record, replaced_by_a_record_with_a_log,
    replaced_in_one_step, log_overwritten_too, folder_renamed, emptied, cut, overwritten,
]  # fmt: skip


def found_in(text: str) -> Path:
    """Return the database that a message says to go on with."""
    found = re.search(r"(?:resume|show) stopped --db (\S+)", text)
    assert found is not None, text
    return Path(found[1])


def disturb(start_child, game: Path, path: Path, number: int, mishap: Callable[[], None]):
    child = start_child(play_and_wait, game, path, number)
    child.hear()
    mishap()
    there = content(path.parent) if path.parent.is_dir() else {}
    child.tell()
    return child.result(), there


@pytest.mark.sampled(9)
@pytest.mark.parametrize("moment", ["in the middle", "at the end"])
@pytest.mark.parametrize("mishap", MISHAPS, ids=lambda mishap: mishap.__name__)
def test_a_file_that_is_lost(mishap, moment, game, whole, other, tmp_path, start_child):
    statements, expected = whole
    begins = [n for n, sql in enumerate(statements, 1) if sql == "BEGIN TRANSACTION"]
    number = begins[-3] if moment == "in the middle" else len(statements) - 2
    path = tmp_path / "room" / "simulation.db"
    path.parent.mkdir()
    outcome, there = disturb(start_child, game, path, number, lambda: mishap(path, other))
    assert outcome.code == 1, outcome.text
    assert "Traceback" not in outcome.text
    assert len(outcome.text.strip().splitlines()) == 1
    found = found_in(outcome.text)
    assert found.is_file()
    # What came in the file's place is as it was.
    now = content(path.parent) if path.parent.is_dir() else {}
    new = {name: value for name, value in there.items() if "old" not in name}
    if path.exists():
        assert now[path.name] == there[path.name]
        if "with_a_log" in mishap.__name__ or "log_overwritten" in mishap.__name__:
            assert now[path.name + ".wal"] == new[path.name + ".wal"]
    else:
        assert not log_path(path).exists()
    assert not sidecar_path(path).exists()
    assert not sidecar_path(found).exists()
    assert start_child(finish, game, found).result() == (
        "running" if "resume" in outcome.text else "completed"
    )
    assert tables(found) == expected
    if path.exists() and path.stat().st_size and mishap != cut:
        assert "another" in str(tables(path)["game_sessions"])  # and can be opened


def test_a_link_that_leads_elsewhere(game, whole, other, tmp_path, start_child):
    path, link = tmp_path / "target.db", tmp_path / "link.db"
    path.touch()
    link.symlink_to(path)

    def switch() -> None:
        (tmp_path / "new").symlink_to(other)
        (tmp_path / "new").rename(link)

    before = content(other.parent)
    outcome, _ = disturb(start_child, game, link, len(whole[0]) // 2, switch)
    assert outcome.code == 1
    assert found_in(outcome.text) == path
    assert start_child(finish, game, path).result() == "running"
    assert tables(path) == whole[1]
    assert content(other.parent) == before


def test_a_log_that_is_removed(game, whole, db_path, start_child):
    begins = [n for n, sql in enumerate(whole[0], 1) if sql == "BEGIN TRANSACTION"]
    child = start_child(play_and_wait, game, db_path, begins[-3], begins[-1])
    child.hear()
    log_path(db_path).unlink()
    child.tell()
    child.hear()
    child.kill()  # what was saved before and after is in the file
    assert start_child(finish, game, db_path).result() == "running"
    assert tables(db_path) == whole[1]
