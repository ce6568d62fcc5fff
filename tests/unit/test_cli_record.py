"""payment-sim games and show: what a record holds, for people and for programs."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from payment_simulator import __version__
from payment_simulator.ai_cash_mgmt import (
    GameRepository,
    GameSessionRecord,
)
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import STARTED, a_record, a_session
from tests.command_line import as_record, cells, one_error, payment_sim, without_ways_on


@pytest.fixture
def games(db_path: Path) -> dict[str, GameSessionRecord]:
    """Save five games, two of them started in the same microsecond."""
    sessions = [
        a_session("oldest", started_at=STARTED),
        a_session("twin-b", started_at=STARTED + timedelta(days=2)),
        a_session("twin-a", started_at=STARTED + timedelta(days=2)),
        a_record(
            GameSessionRecord, game_id="ended", started_at=STARTED + timedelta(microseconds=1)
        ),
        a_session(
            "campaign", started_at=STARTED + timedelta(days=1), game_mode="campaign_learning"
        ),
    ]
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        for session in sessions:
            repo.save_game_session(session)
    return {session.game_id: session for session in sessions}


NEWEST_FIRST = ["twin-a", "twin-b", "campaign", "ended", "oldest"]


def test_version_of_the_program():
    outcome = payment_sim("--version")
    assert outcome.out == f"payment-simulator {__version__}\n"
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize("command", [[], ["db"]], ids=["payment-sim", "db"])
def test_no_command_shows_the_help_and_fails(command: list[str]):
    bare, asked = payment_sim(*command), payment_sim(*command, "--help")
    assert bare.code == 2
    assert asked.code == 0
    assert "Usage:" in bare.err
    assert asked.out.split() == bare.err.split()


class TestGames:
    @pytest.mark.usefixtures("games")
    def test_newest_first_and_by_id_where_they_started_together(self, db_path: Path):
        outcome = payment_sim("games", "--db", db_path)
        assert (outcome.code, outcome.err) == (0, "")
        header, *rows = cells(outcome.out)
        assert header[:2] == ["game", "status"]
        assert [row[0] for row in rows] == NEWEST_FIRST
        ended = next(line for line in outcome.out.splitlines() if " ended " in line)
        for text in ("converged", "2026-01-02 03:04", " 15 ", " 25.00 ", "rl_optimization"):
            assert text in ended

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (["--status", "converged"], ["ended"]),
            (["--status", "failed"], []),
            (["--mode", "campaign_learning"], ["campaign"]),
            (
                ["--status", "interrupted", "--mode", "rl_optimization"],
                ["twin-a", "twin-b", "oldest"],
            ),
            (["--limit", "1"], ["twin-a"]),
            (["--limit", "5"], NEWEST_FIRST),
            (["--limit", "2147483647"], NEWEST_FIRST),
            (["--status", "interrupted", "--limit", "3"], ["twin-a", "twin-b", "campaign"]),
        ],
        ids=" ".join,
    )
    @pytest.mark.usefixtures("games")
    def test_filters(self, options: list[str], expected: list[str], db_path: Path):
        found = json.loads(payment_sim("games", "--db", db_path, "--json", *options).out)
        assert [game["game_id"] for game in found] == expected
        listed = payment_sim("games", "--db", db_path, *options).out
        if expected:
            rows = [row[0] for row in cells(listed)[1:] if "--limit" not in row]
            assert rows == expected
        else:
            assert listed == f"No game in {db_path} matches.\n"

    def test_json_is_the_records(self, games, db_path: Path):
        outcome = payment_sim("games", "--db", db_path, "--json")
        assert (outcome.code, outcome.err) == (0, "")
        found = [as_record(GameSessionRecord, game) for game in json.loads(outcome.out)]
        assert found == [games[name] for name in NEWEST_FIRST]

    @pytest.mark.usefixtures("repo")
    def test_of_an_empty_database(self, manager, db_path: Path):
        manager.close()
        assert payment_sim("games", "--db", db_path).out == f"No games in {db_path}.\n"
        assert json.loads(payment_sim("games", "--db", db_path, "--json").out) == []

    @pytest.mark.parametrize("command", [["games"], ["show", "game-001"]], ids=lambda c: c[0])
    def test_of_a_database_without_tables(self, command: list[str], db_path: Path):
        DatabaseManager(db_path).close()
        said = one_error(payment_sim(*command, "--db", db_path))
        assert "game_sessions does not exist" in said

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--status", "paused"], "'--status': 'paused' is not one of: running, completed"),
            (["--mode", "chess"], "'--mode': 'chess' is not one of: rl_optimization"),
            (["--limit", "0"], "'--limit': 0 is not a whole number from 1"),
            (["--limit", "-1"], "'--limit': -1 is"),
            (["--limit", str(2**63)], f"'--limit': {2**63} is"),
            (["--limit", "many"], "--limit"),
            (["--unknown"], "--unknown"),
            (["surplus"], "(surplus). Try: "),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    @pytest.mark.usefixtures("games")
    def test_refuses(self, options: list[str], said: str, db_path: Path):
        assert said in one_error(payment_sim("games", "--db", db_path, *options))

    @pytest.mark.usefixtures("games")
    def test_database_from_the_environment_the_option_and_the_folder(
        self, db_path: Path, tmp_path: Path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        other = tmp_path / "other.db"
        with DatabaseManager(other) as manager:
            repo = GameRepository(manager.conn)
            repo.initialize_schema()
            repo.save_game_session(a_session("elsewhere"))
        expected = payment_sim("games", "--db", other).out
        assert "elsewhere" in expected
        assert payment_sim("games", PAYMENT_SIM_DB=str(other)).out == expected
        named = payment_sim("games", "--db", db_path, PAYMENT_SIM_DB=str(other))
        assert "oldest" in named.out
        # A command that is shown names the database only where it is not the usual one.
        for again in (payment_sim("games"), payment_sim("games", PAYMENT_SIM_DB="")):
            assert without_ways_on(again.out) == without_ways_on(named.out)

    @pytest.mark.parametrize("command", [["games"], ["show", "game-001"]], ids=lambda c: c[0])
    def test_without_a_database_names_those_that_are_there(
        self, command: list[str], tmp_path: Path, monkeypatch
    ):
        monkeypatch.chdir(tmp_path)
        said = one_error(payment_sim(*command))
        assert said.startswith("no --db was given, and there is no simulation.db in this folder. ")
        for name in "gfedcba":
            (tmp_path / f"{name}.db").touch()
        said = one_error(payment_sim(*command))
        assert "; databases here: a.db, b.db, c.db, d.db, e.db and 2 more. " in said
        assert f"payment-sim {command[0]}" in said
