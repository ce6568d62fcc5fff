"""A game is shown as running only while a living process plays it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.overview import game_overview
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session
from tests.command_line import PROGRAM, facts, payment_sim_process, variables
from tests.games import GAMES
from tests.processes import HANGS_AFTER_SECONDS, WRITER, running
from tests.unit.test_cli_dashboard import dashboard

#: Plays a game whose second step waits for ever.
WAITING = """
import sys, time
from payment_simulator.ai_cash_mgmt.proposers.search import SearchProposer
from payment_simulator.cli import main

propose = SearchProposer.propose

def waiting(proposer, situation):
    if situation.history:
        print("ready", flush=True)
        time.sleep(600)
    return propose(proposer, situation)

SearchProposer.propose = waiting
sys.argv = ["payment-sim", "play", sys.argv[2], "--id", "waiting", "--db", sys.argv[1]]
main()
"""


@contextmanager
def playing(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Play a game in a process of its own that goes no further than its first iteration."""
    process = subprocess.Popen(
        [*PROGRAM[:-1], WAITING, str(path), str(GAMES / "two_period.yaml")],
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()
        yield process
    finally:
        process.kill()
        process.communicate()


def asked(*command: object) -> str:
    outcome = payment_sim_process(*command)
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


def states(path: Path) -> tuple[str, bool, str | None]:
    """Return what ``games`` and ``show`` say of a game, after a look that they agree."""
    [row] = json.loads(asked("games", "--db", path, "--json"))
    found = json.loads(asked("show", "waiting", "--db", path, "--json"))
    assert row["status"] == found["session"]["status"] == "running"
    told = (row["state"], row["is_playing"], row["go_on"])
    assert told == (found["state"], found["is_playing"], found["go_on"])
    return told


@pytest.mark.parametrize("order", [signal.SIGKILL, signal.SIGINT])
def test_a_game_whose_process_was_ended(order: signal.Signals, db_path: Path, tmp_path: Path):
    way_on = f"payment-sim resume waiting --db {db_path}"
    with playing(db_path) as process, dashboard("--db", db_path) as pages:
        assert states(db_path) == ("running", True, None)
        assert pages.ask("/").status == pages.ask("/game?id=waiting").status == 200
        assert b'status-running">running' in pages.bodies["/"]
        assert b'status-running">running' in pages.bodies["/game?id=waiting"]
        with DatabaseManager(db_path, read_only=True) as manager:  # a copy tells it, too
            assert manager.is_snapshot
            assert game_overview(GameRepository(manager.conn), "waiting").state == "running"
        followed = pages.ask("/live/game?id=waiting")
        process.send_signal(order)
        process.communicate(timeout=HANGS_AFTER_SECONDS)
        assert states(db_path) == ("interrupted", False, way_on)
        assert facts(asked("show", "waiting", "--db", db_path))["to go on"] == [way_on]
        assert asked("games", "--db", db_path, "--status", "running").startswith("No game")
        for page in ("/", "/game?id=waiting"):
            assert pages.ask(page).status == 200
            assert b'status-interrupted">interrupted' in pages.bodies[page]
        assert way_on in pages.bodies["/game?id=waiting"].decode()
        # A page that is open hears of it, though no file tells of a kill.
        while b'"state":"interrupted"' not in (line := followed.readline()):
            assert line
    asked("report", "waiting", "--db", db_path, "-o", tmp_path / "r.html")
    report = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert 'status-interrupted">interrupted' in report
    assert "payment-sim resume waiting --db FILE" in report
    beside = asked("compare", "waiting", "waiting", "--db", db_path, "--baselines")
    assert "interrupted" in beside
    assert payment_sim_process("resume", "waiting", "--db", db_path).code == 0
    [row] = json.loads(asked("games", "--db", db_path, "--json"))
    assert (row["state"], row["go_on"]) == (row["status"], None)


def test_a_process_that_merely_writes_the_file_plays_nothing(db_path: Path):
    with running(WRITER, db_path):
        [row] = json.loads(asked("games", "--db", db_path, "--json"))
        assert (row["status"], row["state"], row["is_playing"]) == ("running", "interrupted", False)


def test_trust_is_part_of_the_way_on(repo: GameRepository, manager: DatabaseManager, db_path: Path):
    config = {
        "scenario_config": "s.yaml",
        "optimized_agents": {"BANK_A": {}},
        "proposer": {"kind": "python", "object": "mine:Proposer"},
    }
    repo.save_game_session(a_session(config_json=json.dumps(config), optimized_agents=["BANK_A"]))
    manager.close()
    [row] = json.loads(asked("games", "--db", db_path, "--json"))
    assert row["go_on"] == f"payment-sim resume game-001 --db {db_path} --trust"
    assert row["go_on"] in asked("games", "--db", db_path)
    assert row["go_on"] in asked("show", "game-001", "--db", db_path)
