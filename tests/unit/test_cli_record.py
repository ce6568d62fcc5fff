"""payment-sim demo, games and show: what a record holds, for people and for programs."""

from __future__ import annotations

import gzip
import json
import shlex
from datetime import timedelta
from pathlib import Path

import pytest

from payment_simulator import __version__
from payment_simulator.ai_cash_mgmt import (
    GameRepository,
    GameSessionRecord,
    PolicyIterationRecord,
)
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import STARTED, a_record, a_session
from tests.command_line import as_record, cells, one_error, payment_sim, tree
from tests.migration.make_assets import asset

DEMO = "exp1-run-001"


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


class TestDemo:
    def test_records_a_whole_game_and_shows_it(self, db_path: Path):
        outcome = payment_sim("demo", "--db", db_path)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.startswith(payment_sim("show", DEMO, "--db", db_path).out)
        with DatabaseManager(db_path, read_only=True) as manager:
            repo = GameRepository(manager.conn)
            assert [s.status for s in repo.list_game_sessions()] == ["converged"]
            steps = repo.get_policy_iterations(DEMO)
        assert [(s.iteration_number, s.agent_id) for s in steps] == [
            (n, agent) for n in range(1, 26) for agent in ("BANK_A", "BANK_B")
        ]
        assert payment_sim("db", "check", db_path).out.endswith(": 0 faults, 0 notes\n")

    def test_twice_replaces_and_keeps_what_was_replaced(self, db_path: Path):
        steps, sessions, n_superseded = [], [], []
        for _ in range(2):
            assert payment_sim("demo", "--db", db_path).code == 0
            with DatabaseManager(db_path, read_only=True) as manager:
                repo = GameRepository(manager.conn)
                steps.append(repo.get_policy_iterations(DEMO))
                sessions.append(repo.get_game_session(DEMO))
                kept = repo.get_superseded_records("policy_iterations")
                kept_sessions = repo.get_superseded_records("game_sessions")
            n_superseded.append((len(kept), len(kept_sessions)))
        # A session is replaced when its game ends, when it begins anew and when it ends again.
        assert n_superseded == [(0, 1), (50, 3)]
        assert all(old != new for old, new in zip(*steps, strict=True))
        old = [as_record(PolicyIterationRecord, json.loads(row.record_json)) for row in kept]
        assert sorted(old, key=lambda step: step.created_at) == sorted(
            steps[0], key=lambda step: step.created_at
        )
        old_ends = [as_record(GameSessionRecord, json.loads(r.record_json)) for r in kept_sessions]
        assert [end.status for end in old_ends] == ["running", "converged", "running"]
        assert old_ends[1] == sessions[0]
        assert payment_sim("db", "check", db_path).out.endswith(": 0 faults, 0 notes\n")

    @pytest.mark.usefixtures("games")
    def test_refuses_a_file_that_holds_other_games(self, db_path: Path):
        before = tree(db_path.parent)
        said = one_error(payment_sim("demo", "--db", db_path))
        assert said.startswith(f"{db_path} holds other games (campaign, ended, oldest, ...)")
        assert tree(db_path.parent) == before

    def test_refuses_a_game_of_another_by_its_own_name(self, db_path: Path):
        with DatabaseManager(db_path) as manager:
            repo = GameRepository(manager.conn)
            repo.initialize_schema()
            repo.save_game_session(a_session(DEMO, master_seed=43))
        before = tree(db_path.parent)
        said = one_error(payment_sim("demo", "--db", db_path))
        assert f"holds other games ({DEMO})" in said
        assert tree(db_path.parent) == before

    def test_refuses_an_older_file_with_other_games_before_it_changes_it(self, db_path: Path):
        db_path.write_bytes(gzip.decompress(asset(1).read_bytes()))
        before = tree(db_path.parent)
        assert "holds other games" in one_error(payment_sim("demo", "--db", db_path))
        assert tree(db_path.parent) == before

    def test_does_not_take_the_database_of_the_environment(self, tmp_path: Path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert payment_sim("demo", PAYMENT_SIM_DB=str(tmp_path / "real.db")).code == 0
        assert [path.name for path in tmp_path.iterdir()] == ["optimization.db"]

    def test_says_last_that_the_numbers_are_made_up(self, db_path: Path):
        last = payment_sim("demo", "--db", db_path).out.splitlines()[-1]
        assert last.startswith("The numbers are made up")

    @pytest.mark.parametrize("folder", ["plain", "with a blank", "it's"])
    def test_names_a_next_command_that_works(self, folder: str, tmp_path: Path):
        (tmp_path / folder).mkdir()
        outcome = payment_sim("demo", "--db", tmp_path / folder / "demo.db")
        command = outcome.out.splitlines()[-2].partition("Next: ")[2]
        name, *arguments = shlex.split(command)
        assert name == "payment-sim"
        assert DEMO in payment_sim(*arguments).out

    def test_of_a_file_that_another_process_writes(self, held):
        pid, path = held
        assert f"process {pid}" in one_error(payment_sim("demo", "--db", path), code=1)


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
            (["--status", "running", "--mode", "rl_optimization"], ["twin-a", "twin-b", "oldest"]),
            (["--limit", "1"], ["twin-a"]),
            (["--limit", "5"], NEWEST_FIRST),
            (["--limit", "2147483647"], NEWEST_FIRST),
            (["--status", "running", "--limit", "3"], ["twin-a", "twin-b", "campaign"]),
        ],
        ids=" ".join,
    )
    @pytest.mark.usefixtures("games")
    def test_filters(self, options: list[str], expected: list[str], db_path: Path):
        found = json.loads(payment_sim("games", "--db", db_path, "--json", *options).out)
        assert [game["game_id"] for game in found] == expected
        listed = payment_sim("games", "--db", db_path, *options).out
        if expected:
            assert [row[0] for row in cells(listed)[1:]] == expected
        else:
            assert listed == f"No games in {db_path}.\n"

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
        assert payment_sim("demo", "--db", other).code == 0
        expected = payment_sim("games", "--db", other).out
        assert DEMO in expected
        assert payment_sim("games", PAYMENT_SIM_DB=str(other)).out == expected
        named = payment_sim("games", "--db", db_path, PAYMENT_SIM_DB=str(other))
        assert "oldest" in named.out
        assert payment_sim("games").out == named.out
        assert payment_sim("games", PAYMENT_SIM_DB="").out == named.out

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
