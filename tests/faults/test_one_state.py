"""Answers of a record that is being written: each is of one state, whatever the writer does."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.opening import open_record
from payment_simulator.analysis.overview import game_overview
from payment_simulator.analysis.report import report_html
from payment_simulator.errors import SnapshotLostError
from payment_simulator.persistence import held_snapshots
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.held_snapshots import MOST_HELD, HeldSnapshots
from payment_simulator.persistence.live import LiveStore
from payment_simulator.persistence.reading import open_store
from tests.builders import a_session
from tests.command_line import payment_sim_process
from tests.effort import tries
from tests.processes import HANGS_AFTER_SECONDS, run, running
from tests.unit.test_cli_dashboard import dashboard

#: Saves steps as fast as it can, of three verdicts in turn, until its input ends.
BUSY_WRITER = """
import sys, threading
from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session, an_iteration

manager = DatabaseManager(sys.argv[1])
repo = GameRepository(manager.conn)
repo.initialize_schema()
repo.save_game_session(a_session())
told = threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), told.set()), daemon=True).start()
for number in range(1, 20_000):
    verdict = number % 3
    repo.save_policy_iteration(
        an_iteration(
            number, was_accepted=verdict == 0, validation_errors=["no"] if verdict == 1 else []
        )
    )
    if number == 3:
        print("ready", flush=True)
    if told.is_set():
        break
manager.close()
"""
ROUNDS = tries(4, 8)


def _agrees(found: dict[str, object]) -> int:
    """Check that the totals of an answer of ``show`` agree, and return its steps."""
    agents: list[dict[str, int]] = found["agents"]  # type: ignore[assignment]
    steps: list[dict[str, str]] = found["steps"]  # type: ignore[assignment]
    summary: dict[str, float] = found["summary"]  # type: ignore[assignment]
    total = sum(agent["steps"] for agent in agents)
    assert summary["total_iterations"] == total == len(steps)
    for verdict in ("accepted", "rejected", "refused"):
        counted = sum(agent[verdict] for agent in agents)
        assert counted == sum(step["verdict"] == verdict for step in steps)
    assert summary["accepted_iterations"] == sum(agent["accepted"] for agent in agents)
    assert summary["total_tokens_used"] == sum(agent["tokens_used"] for agent in agents)
    sentences = [words["text"] for words in found["in_words"]]  # type: ignore[attr-defined]
    [told] = [text for text in sentences if " steps: " in text]
    assert f"{total:,} steps".replace(",", "") in told.replace(",", "")
    return total


def test_what_show_tells_agrees(db_path: Path):
    seen = []
    with running(BUSY_WRITER, db_path):
        for _ in range(ROUNDS):
            outcome = payment_sim_process("show", "game-001", "--db", db_path, "--json")
            assert (outcome.code, outcome.err) == (0, "")
            seen.append(_agrees(json.loads(outcome.out)))
    assert seen == sorted(seen)
    assert seen[0] < seen[-1]


def test_what_a_page_shows_agrees(db_path: Path):
    pattern = re.compile(
        r"<dt>Steps</dt><dd>([\d,]+) <span class=\"note\">([\d,]+) accepted, ([\d,]+) rejected, "
        r"([\d,]+) refused"
    )
    with running(BUSY_WRITER, db_path), dashboard("--db", db_path) as page:
        for _ in range(ROUNDS):
            assert page.ask("/game?id=game-001").status == 200
            found = pattern.search(page.bodies["/game?id=game-001"].decode())
            assert found is not None
            steps, *parts = [int(number.replace(",", "")) for number in found.groups()]
            assert steps == sum(parts) > 0
            body = page.bodies["/game?id=game-001"].decode()
            assert f"of {steps:,}</span>" in body  # the list of steps, below


def test_games_reports_and_overviews_agree(db_path: Path):
    with running(BUSY_WRITER, db_path), open_record(db_path) as repo:
        for _ in range(ROUNDS):
            overview = game_overview(repo, "game-001")
            assert overview.summary["total_iterations"] == sum(a.steps for a in overview.agents)
            assert overview.last_step is not None
            assert overview.iterations == overview.summary["total_iterations"]
        assert "game-001" in report_html(repo, "game-001")


def test_a_snapshot_stays_as_it_was_and_others_see_the_news(db_path: Path):
    sql = "SELECT count(*) FROM policy_iterations"
    with running(BUSY_WRITER, db_path), open_store(db_path) as store:
        assert isinstance(store, LiveStore)
        with store.one_snapshot():
            before = store.read(sql)
            give_up = time.monotonic() + HANGS_AFTER_SECONDS
            with open_store(db_path) as other:
                while other.read(sql) == before:
                    assert time.monotonic() < give_up
            with store.one_snapshot():  # within it, it is the same
                assert store.read(sql) == before
            assert store.read_arrow(sql)["count_star()"].to_pylist() == [before[0][0]]
        assert store.read(sql) > before


def test_a_snapshot_in_the_process_that_writes(repo: GameRepository):
    repo.save_game_session(a_session())
    with repo.one_snapshot():
        assert repo.get_game_ids() == ["game-001"]
        run_in_thread(lambda: repo.save_game_session(a_session("later")))
        assert repo.get_game_ids() == ["game-001"]
    assert repo.get_game_ids() == ["game-001", "later"]


def run_in_thread(work: object) -> None:
    import threading

    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    thread.join(HANGS_AFTER_SECONDS)
    assert not thread.is_alive()


def test_a_writer_that_is_killed_ends_the_answer_with_one_line(db_path: Path):
    with running(BUSY_WRITER, db_path) as writer, open_record(db_path) as repo:
        with repo.one_snapshot():
            assert repo.get_game_ids() == ["game-001"]
            writer.kill()
            writer.wait(HANGS_AFTER_SECONDS)
            with pytest.raises(SnapshotLostError, match="try again"):
                repo.get_game_ids()
        # Outside of it the file is read, in which all is.
        assert repo.get_game_ids() == ["game-001"]
        with repo.one_snapshot():
            assert repo.get_game_session("game-001") == a_session()


def test_a_reader_that_goes_keeps_no_writer_from_closing(db_path: Path):
    abandoning = (
        "import os, sys\n"
        "from payment_simulator.persistence.reading import open_store\n"
        "store = open_store(sys.argv[1]).__enter__()\n"
        "store.one_snapshot().__enter__()\n"
        "print(store.read('SELECT count(*) FROM game_sessions'), flush=True)\n"
        "os._exit(0)\n"
    )
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        assert run(abandoning, db_path) == "[(0,)]"
        repo.save_game_session(a_session())
        manager.conn.execute("CHECKPOINT")
        started = time.monotonic()
    assert time.monotonic() - started < HANGS_AFTER_SECONDS
    assert not db_path.with_name(f"{db_path.name}.writer").exists()


def test_what_is_held_ends_by_itself_and_is_bounded(manager: DatabaseManager, repo: GameRepository):
    repo.save_game_session(a_session())
    held = HeldSnapshots(manager.store, seconds=5)
    names = [held_snapshots.begun(held.begin())[0] for _ in range(MOST_HELD)]
    with pytest.raises(SnapshotLostError, match="try again"):
        held.begin()
    give_up = time.monotonic() + HANGS_AFTER_SECONDS
    while held._held:
        assert time.monotonic() < give_up
        time.sleep(0.01)
    with pytest.raises(SnapshotLostError, match="held no longer"), held.reading(names[0]):
        pass
    held.begin()
    held.close()
    with pytest.raises(SnapshotLostError, match="closing"):
        held.begin()
