"""What payment-sim writes: plain text on a pipe, and no text that acts on a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameMode, GameRepository, GameStatus
from payment_simulator.cli import output, table
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.sidecar import sidecar_path
from payment_simulator.persistence.store import Store
from tests.builders import a_session, an_iteration
from tests.command_line import (
    PROGRAM,
    cells,
    one_error,
    payment_sim,
    payment_sim_process,
    variables,
)
from tests.games import GAMES
from tests.processes import HANGS_AFTER_SECONDS

#: A text that means to do harm, and how it is shown.
HOSTILE = {
    "terminal escape": ("esc\x1b[31m\x1b]0;title\x07", r"esc\x1b[31m\x1b]0;title\x07"),
    "C1 control": ("csi\x9b31m", r"csi\x9b31m"),
    "markup": ("[red]warm[/red][/][link=x]:smile:", "[red]warm[/red][/][link=x]:smile:"),
    "right to left": ("rtl\u202egnp.exe", r"rtl\u202egnp.exe"),
    "isolates": ("\u2066a\u2069", r"\u2066a\u2069"),
    "new lines": ("new\nline\r\ttab\u2028\u0085end", r"new\nline\r\ttab\u2028\x85end"),
    "zero": ("zero\x00", r"zero\x00"),
    "other scripts": ("größe-日本-🏦", "größe-日本-🏦"),
    "very long": ("x" * 10_000, "x" * 10_000),
}
GOOD = {
    "games": ["games", "--db"],
    "show": ["show", "game-001", "--db"],
    "status": ["db", "status"],
    "migrate": ["db", "migrate"],
    "check": ["db", "check"],
}


def save(path: Path, *texts: str) -> None:
    """Save games that carry a text wherever they can."""
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        for text in texts:
            repo.save_game_session(a_session(text, scenario_config=text))
            repo.save_policy_iteration(an_iteration(game_id=text, agent_id=text, llm_model=text))


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
class TestHostileTexts:
    def test_are_shown_as_text(self, text: str, shown: str, db_path: Path):
        save(db_path, text)
        for command in (["games"], ["show", text], ["show", text, "--steps", "--agent", text]):
            outcome = payment_sim(*command, "--db", db_path)
            assert (outcome.code, outcome.err) == (0, "")
            assert outcome.out.replace("\n", "").isprintable()
            assert any(shown in row for row in cells(outcome.out))

    def test_are_looked_up_by_queries_that_do_nothing_to_a_terminal(
        self, text: str, shown: str, db_path: Path
    ):
        del shown
        save(db_path, text)
        outcome = payment_sim("show", text, "--trace", "--db", db_path)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.replace("\n", "").isprintable()
        queries = [line for line in outcome.out.splitlines() if "  SELECT count(*) FROM" in line]
        assert queries
        with duckdb.connect(str(db_path), read_only=True) as conn:
            assert conn.execute(queries[0]).fetchall() == [(1,)]

    def test_are_whole_in_json_and_do_nothing_there(self, text: str, shown: str, db_path: Path):
        del shown
        save(db_path, text)
        games = payment_sim("games", "--db", db_path, "--json")
        show = payment_sim("show", text, "--db", db_path, "--json")
        for outcome in (games, show):
            assert (outcome.code, outcome.err) == (0, "")
            assert outcome.out.replace("\n", "").isprintable()
        assert [game["game_id"] for game in json.loads(games.out)] == [text]
        assert json.loads(show.out)["agents"][0]["proposers"] == [text]

    def test_in_errors_and_findings(self, text: str, shown: str, db_path: Path):
        save(db_path, text)
        said = one_error(payment_sim("show", f"{text}2", "--db", db_path))
        assert said.isprintable()
        assert f"nearest: {shown}" in said
        with duckdb.connect(str(db_path)) as conn:
            conn.execute("UPDATE game_sessions SET status = game_id")
            conn.execute("UPDATE policy_iterations SET old_policy_json = game_id")
        outcome = payment_sim("db", "check", db_path)
        assert outcome.code == 1
        assert outcome.out.replace("\n", "").isprintable()
        assert outcome.out.endswith("2 faults, 1 note\n")


def test_cost_that_is_no_number_is_shown_and_is_json(db_path: Path):
    save(db_path, "game-001")
    with duckdb.connect(str(db_path)) as conn:
        conn.execute("UPDATE policy_iterations SET new_cost = 'NaN', cost_improvement = '-inf'")
    assert payment_sim("show", "game-001", "--db", db_path).code == 0
    assert " nan  -inf" in payment_sim("show", "game-001", "--steps", "--db", db_path).out
    outcome = payment_sim("show", "game-001", "--db", db_path, "--json")
    assert outcome.code == 0
    json.loads(outcome.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.mark.parametrize("time", ["20000-01-01", "0044-03-15 (BC)"])
def test_time_that_python_does_not_know(time: str, db_path: Path):
    save(db_path, "game-001")
    with duckdb.connect(str(db_path)) as conn:
        conn.execute("UPDATE game_sessions SET started_at = ?::TIMESTAMP", [time])
    for command in (["games"], ["show", "game-001"]):
        said = one_error(payment_sim(*command, "--db", db_path))
        assert "started_at" in said
        assert "payment-sim db check" in said
    assert "started_at" in payment_sim("db", "check", db_path).out


@pytest.mark.parametrize("command", GOOD.values(), ids=GOOD)
def test_nothing_but_the_result_on_a_pipe(command: list[str], db_path: Path):
    save(db_path, "game-001")
    outcome = payment_sim_process(*command, db_path, env=variables(TERM="xterm-256color"))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out
    assert outcome.out.replace("\n", "").isprintable()


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_reader_of_a_pipe_that_leaves_early(options: list[str], db_path: Path):
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        with repo.transaction():
            for number in range(80):  # with the long names, more than a pipe holds
                repo.save_game_session(a_session(f"{'x' * 2000}-{number:02}"))
    process = subprocess.Popen(
        [*PROGRAM, "games", "--db", str(db_path), *options],
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().strip() in {b"", b"["}
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(HANGS_AFTER_SECONDS) == 1


def test_terminal_of_few_characters(db_path: Path):
    save(db_path, "größe-日本")
    outcome = payment_sim_process("games", "--db", db_path, env=variables(PYTHONIOENCODING="ascii"))
    assert (outcome.code, outcome.err) == (0, "")
    assert "gr\\xf6\\xdfe" in outcome.out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_disk_that_is_full(options: list[str], db_path: Path):
    save(db_path, "game-001")
    with Path("/dev/full").open("wb") as full:
        outcome = payment_sim_process("games", "--db", db_path, *options, stdout=full)
    assert "No space left" in one_error(outcome, code=1)


#: Stands still in the middle of a command, until it is interrupted.
WAITING = """
import sys, time
from payment_simulator.ai_cash_mgmt.proposers.search import SearchProposer
from payment_simulator.cli import main

def propose(proposer, situation):
    print("ready", flush=True)
    time.sleep(600)

SearchProposer.propose = propose
sys.argv = ["payment-sim", "play", sys.argv[2], "--id", "waiting", "--db", sys.argv[1]]
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is no signal there")
def test_interrupted_by_a_person(db_path: Path):
    process = subprocess.Popen(
        [*PROGRAM[:-1], WAITING, str(db_path), str(GAMES / "two_period.yaml")],
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert sidecar_path(db_path).exists()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=HANGS_AFTER_SECONDS)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert f"payment-sim resume waiting --db {db_path}" in err
    assert out == ""
    assert not sidecar_path(db_path).exists()
    assert payment_sim("db", "check", db_path).code == 0
    assert payment_sim("resume", "waiting", "--db", db_path).code == 0


class _Interrupted:
    """What DuckDB does when a person interrupts one of its queries."""

    def execute(self, *_: object) -> None:
        raise RuntimeError("Query interrupted")

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_interrupted_within_a_query(db_path: Path, monkeypatch):
    save(db_path, "game-001")
    monkeypatch.setattr(Store, "cursor", lambda _: _Interrupted())
    assert payment_sim("games", "--db", db_path).code == 130


def table_at(width: int, monkeypatch, capsys) -> list[str]:
    """Return the lines of a table of one row on a terminal of some width."""
    monkeypatch.setattr(output, "_columns_of_terminal", lambda: width)
    table.print_table(
        ["game", "final cost", "mode", "proposer"],
        [("game-001", "1,234.50", "rl_optimization", "anthropic/claude-sonnet")],
        numbers=["final cost"],
        yielding=["proposer"],
        optional=["mode"],
    )
    lines: list[str] = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if not line.startswith("Left out")) <= width
    return lines


class TestNarrowTables:
    """No header is folded, no number is cut, and what is left out is named."""

    def test_wide_enough(self, monkeypatch, capsys):
        lines = table_at(80, monkeypatch, capsys)
        assert lines[1].split() == ["game", "final", "cost", "mode", "proposer"]
        row = ["game-001", "1,234.50", "rl_optimization", "anthropic/claude-sonnet"]
        assert lines[3].split() == row
        assert "Left out" not in lines[-1]

    def test_leaves_out_before_it_folds(self, monkeypatch, capsys):
        lines = table_at(60, monkeypatch, capsys)
        assert lines[3].split() == ["game-001", "1,234.50", "anthropic/claude-sonnet"]
        assert lines[-1] == "Left out for want of width: mode."

    def test_folds_at_the_slash(self, monkeypatch, capsys):
        lines = table_at(40, monkeypatch, capsys)
        assert lines[1].split() == ["game", "final", "cost", "proposer"]
        assert lines[3].split() == ["game-001", "1,234.50", "anthropic/"]
        assert lines[4].split() == ["claude-sonnet"]

    def test_folds_after_a_hyphen(self):
        assert table._folded("two_period-42-20260102-030405", 22) == (
            ["two_period-42-", "20260102-030405"]
        )
        assert table._folded("from -42 to 7", 8) == ["from -42", "to 7"]

    def test_folds_where_nothing_parts_words(self):
        assert table._folded("日本" * 4, 6) == ["日本日", "本日本", "日本"]

    def test_a_number_cut_short_shows_that_it_is(self, monkeypatch, capsys):
        lines = table_at(20, monkeypatch, capsys)
        assert lines[3] == " game-001    1,23..."


@pytest.mark.parametrize("word", ["-h", "--help"])
@pytest.mark.parametrize("command", [[], ["games"], ["show"], ["db"], ["db", "status"]], ids=str)
def test_help_fits_and_names_the_choices(command: list[str], word: str):
    outcome = payment_sim(*command, word)
    assert (outcome.code, outcome.err) == (0, "")
    assert "..." not in outcome.out.replace("[ARGS]...", "")
    if command == ["games"]:
        for choice in (*GameStatus, *GameMode):
            assert choice.value in outcome.out
