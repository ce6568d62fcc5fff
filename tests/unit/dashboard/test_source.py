"""A record is shared by the requests of a moment, and let go so that others can write it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.builders import a_session
from tests.processes import HANGS_AFTER_SECONDS, WRITER, run, running

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.dashboard import source as module
from payment_simulator.dashboard.source import Source
from payment_simulator.errors import DatabaseError, NotADatabaseError
from payment_simulator.persistence.connection import DatabaseManager


@pytest.fixture
def source(repo: Any, manager: DatabaseManager, db_path: Path) -> Iterator[Source]:
    """Return the source of a record with one game."""
    repo.save_game_session(a_session())
    manager.close()
    made = Source(db_path)
    yield made
    made.close()


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Take down when the record is opened and closed."""
    found: list[str] = []
    opened = module.open_record

    @contextmanager
    def noted(path: Path) -> Iterator[GameRepository]:
        with opened(path) as repo:
            found.append("open")
            yield repo
        found.append("close")

    monkeypatch.setattr(module, "open_record", noted)
    return found


def until(condition: Any) -> None:
    give_up = time.monotonic() + HANGS_AFTER_SECONDS
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_requests_of_a_moment_share_what_is_open(source: Source, openings: list[str]):
    with source.reading() as first, source.reading() as second:
        assert first is second
    with source.reading() as third:
        assert third is first
        assert third.get_game_ids() == ["game-001"]
    assert openings == ["open"]


def test_what_nobody_asks_for_is_let_go(source: Source, openings: list[str]):
    with source.reading():
        pass
    until(lambda: openings == ["open", "close"])
    with source.reading() as again:
        assert again.get_game_ids() == ["game-001"]
    assert openings == ["open", "close", "open"]


def test_closing_lets_go_at_once(source: Source, openings: list[str]):
    before = threading.active_count()
    with source.reading():
        pass
    source.close()
    assert openings == ["open", "close"]
    assert threading.active_count() <= before  # threads of tests before may end meanwhile


def test_a_record_that_changed_is_opened_anew(source: Source, openings: list[str], db_path: Path):
    with source.reading():
        pass
    until(lambda: openings == ["open", "close"])
    run(WRITER.replace("sys.stdin.readline()", "manager.close()"), db_path)
    with source.reading() as repo:
        assert [s.status for s in repo.list_game_sessions()] == ["running"]
        assert len(repo.get_policy_iterations("game-001")) == 1


def test_what_is_open_is_not_shared_once_the_file_has_changed(
    source: Source, openings: list[str], monkeypatch: pytest.MonkeyPatch
):
    marks: list[Any] = [((1, 1), None, None)]
    monkeypatch.setattr(source, "marks", lambda: marks[-1])
    with source.reading():
        pass
    marks.append(((1, 2), None, None))
    with source.reading():
        pass
    assert openings == ["open", "close", "open"]


def test_a_writer_gets_in_however_often_pages_are_asked_for(source: Source, db_path: Path):
    is_over = threading.Event()
    faults: list[Exception] = []

    def ask() -> None:
        while not is_over.is_set():
            try:
                with source.reading() as repo:
                    repo.get_game_ids()
            except Exception as error:
                faults.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        # Waits two seconds at most; then it would be an error.
        with running(WRITER, db_path), source.reading() as repo:
            assert len(repo.get_policy_iterations("game-001")) == 1
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert faults == []


def test_what_cannot_be_opened_can_be_asked_for_again(tmp_path: Path):
    path = tmp_path / "record.db"
    source = Source(path)
    with pytest.raises(DatabaseError), source.reading():
        pass
    path.write_text("not a record\n" * 1000)
    with pytest.raises(NotADatabaseError), source.reading():
        pass
    path.unlink()
    with DatabaseManager(path) as manager:
        manager.setup()
    with source.reading() as repo:
        assert repo.get_game_ids() == []
    source.close()
    assert source.marks()[0] is not None


def test_an_error_of_a_request_leaves_the_record_to_others(source: Source, openings: list[str]):
    with pytest.raises(ValueError, match="of a page"), source.reading():
        raise ValueError("of a page")
    with source.reading() as repo:
        assert repo.get_game_ids() == ["game-001"]
    assert openings == ["open"]
