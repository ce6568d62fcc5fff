"""payment-sim games: found by what they are called, sorted, and counted where there are more."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.listing import SORTS
from payment_simulator.cli import output
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import STARTED, a_session, an_iteration
from tests.command_line import Outcome, cells, one_error, payment_sim, tree, without_ways_on

USUAL = "two_period-42-20260102-030405-678"


@pytest.fixture
def games(db_path: Path) -> Path:
    """Save three games."""
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(
            a_session(USUAL, scenario_config="../a/two_period.yaml", master_seed=7)
        )
        repo.save_game_session(
            a_session("100%", started_at=STARTED + timedelta(days=1), final_cost=1.0, master_seed=1)
        )
        repo.save_game_session(
            a_session("b_c", started_at=STARTED + timedelta(days=2), final_cost=2.0, master_seed=2)
        )
        repo.save_policy_iteration(an_iteration(1234, game_id=USUAL, llm_model="Search/TPE"))
    return db_path


def found(outcome: Outcome) -> list[str]:
    assert (outcome.code, outcome.err) == (0, "")
    return [row[0] for row in cells(outcome.out)[1:]]


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["b_c", "100%", USUAL]),
        (["--reverse"], [USUAL, "100%", "b_c"]),
        (["--sort", "cost"], ["b_c", "100%", USUAL]),
        (["--sort", "cost", "--reverse"], ["100%", "b_c", USUAL]),
        (["--sort", "game"], ["100%", "b_c", USUAL]),
        (["--sort", "seed"], ["100%", "b_c", USUAL]),
        (["--sort", "seed", "--reverse"], [USUAL, "b_c", "100%"]),
        (["--sort", "iterations"], [USUAL, "b_c", "100%"]),
        (["--scenario", "PERIOD"], [USUAL]),
        (["--text", "%"], ["100%"]),
        (["--text", "_c"], ["b_c"]),
        (["--text", "tpe"], [USUAL]),
        (["--text", "bank_b", "--limit", "5", "--sort", "game"], ["100%", "b_c", USUAL]),
    ],
    ids=" ".join,
)
def test_filtered_and_sorted(options: list[str], expected: list[str], games: Path):
    assert found(payment_sim("games", "--db", games, *options)) == expected
    listed = json.loads(payment_sim("games", "--db", games, "--json", *options).out)
    assert [game["game_id"] for game in listed] == expected


def test_a_running_game_shows_its_last_iteration(games: Path):
    [line] = [row for row in cells(payment_sim("games", "--db", games).out) if row[0] == USUAL]
    assert "1,234" in line
    listed = json.loads(payment_sim("games", "--db", games, "--json").out)
    assert {game["game_id"]: game["total_iterations"] for game in listed}[USUAL] == 1234


def test_says_that_there_are_more(games: Path):
    said = payment_sim("games", "--db", games, "--limit", "2").out
    assert said.endswith("\n2 of 3 games; --limit N shows more.\n")
    for enough in ("3", "4"):
        assert "--limit" not in payment_sim("games", "--db", games, "--limit", enough).out


def test_none_that_match_and_none_at_all(games: Path, tmp_path: Path):
    said = payment_sim("games", "--db", games, "--text", "nobody").out
    assert said == f"No game in {games} matches.\n"
    assert payment_sim("games", "--db", games, "--text", "nobody", "--json").out == "[]\n"
    empty = tmp_path / "empty.db"
    with DatabaseManager(empty) as manager:
        GameRepository(manager.conn).initialize_schema()
    assert payment_sim("games", "--db", empty).out == f"No games in {empty}.\n"


def test_an_unknown_order(games: Path):
    said = one_error(payment_sim("games", "--db", games, "--sort", "size"))
    assert f"'--sort': 'size' is not one of: {', '.join(SORTS)}" in said


@pytest.mark.parametrize(
    ("width", "head"),
    [
        (79, ["game", "status", "iterations", "final", "cost"]),
        (100, ["game", "status", "started", "(UTC)", "iterations", "final", "cost"]),
    ],
)
@pytest.mark.usefixtures("games")
def test_the_usual_name_is_whole_on_the_usual_terminal(
    width: int, head: list[str], games: Path, monkeypatch, capsys
):
    monkeypatch.setattr(output, "_columns_of_terminal", lambda: width)
    assert payment_sim("games", "--db", games).code == 0
    outcome = payment_sim("games", "--db", games)
    assert cells(outcome.out)[0][: len(head)] == head
    assert USUAL in found(outcome)
    assert max(map(len, without_ways_on(outcome.out).splitlines())) <= width
    capsys.readouterr()


class TestFilesThatAreNoRecord:
    """One line, exit code 2, nothing written, whatever the options."""

    OPTIONS = (
        ["games", "--text", "x", "--sort", "cost"],
        ["show", "x", "--steps", "--agent", "A"],
        ["show", "x", "--trace"],
    )

    @pytest.mark.parametrize("command", OPTIONS, ids=" ".join)
    @pytest.mark.parametrize("kind", ["missing", "empty", "folder", "text", "other", "newer"])
    def test_refused(self, kind: str, command: list[str], tmp_path: Path):
        path = tmp_path / "simulation.db"
        if kind == "empty":
            path.touch()
        elif kind == "folder":
            path.mkdir()
        elif kind == "text":
            path.write_text("hello " * 9_999)
        elif kind == "other":
            with duckdb.connect(str(path)) as conn:
                conn.execute("CREATE TABLE game_sessions (game_id INTEGER)")
        elif kind == "newer":
            with DatabaseManager(path) as manager:
                GameRepository(manager.conn).initialize_schema()
                manager.conn.execute("UPDATE schema_ledger SET version = version + 100")
        before = tree(tmp_path)
        said = one_error(payment_sim(*command, "--db", path))
        assert "simulation.db" in said or "game_sessions" in said
        assert tree(tmp_path) == before

    def test_damaged(self, games: Path, tmp_path: Path):
        content = games.read_bytes()
        games.write_bytes(content[:12_288] + bytes(len(content) - 12_288))
        before = tree(tmp_path)
        outcome = payment_sim("games", "--db", games, "--text", "x")
        assert outcome.code in {1, 2}
        assert outcome.err.count("\n") == 1
        assert tree(tmp_path) == before


def test_filters_of_another_meaning_are_text(games: Path):
    for text in (
        "'; DROP TABLE game_sessions; --",
        "\x1b[31m",
        "[red]",
        "\\",
        "(?i).*",
        "x" * 9999,
    ):
        assert payment_sim("games", "--db", games, "--text", text, "--scenario", text).code == 0
    assert len(found(payment_sim("games", "--db", games))) == 3
