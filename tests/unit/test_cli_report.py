"""``payment-sim report``: a game as one file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session
from tests.command_line import one_error, payment_sim, tree


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a database of one game."""
    monkeypatch.chdir(tmp_path)
    with DatabaseManager("simulation.db") as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session("../odd\x1b game"))
        repo.save_game_session(a_session())
    return tmp_path


def test_a_report_is_called_by_its_game(folder: Path):
    found = payment_sim("report", "game-001")
    assert (found.code, found.err) == (0, "")
    page = folder / "game-001-report.html"
    size = page.stat().st_size
    assert found.out == (
        f"game-001-report.html tells of game-001 ({size:,} bytes); open it in a browser.\n"
    )
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_an_odd_name_leads_nowhere_else(folder: Path):
    found = payment_sim("report", "../odd\x1b game")
    assert found.code == 0
    assert "\x1b" not in found.out
    assert [path.name[:9] for path in folder.glob("*-report.html")] == ["odd-game-"]


def test_json_says_where_it_is(folder: Path):
    found = payment_sim("report", "game-001", "-o", "x.html", "--json")
    size = (folder / "x.html").stat().st_size
    assert json.loads(found.out) == {"game_id": "game-001", "file": "x.html", "bytes": size}


def test_a_file_that_is_there_is_replaced_only_by_force(folder: Path):
    page = folder / "x.html"
    page.write_text("mine")
    told = one_error(payment_sim("report", "game-001", "-o", "x.html"))
    assert told == (
        "report: x.html is there already; give another path with -o, or --force to replace it"
    )
    assert page.read_text() == "mine"
    assert payment_sim("report", "game-001", "-o", "x.html", "--force").code == 0
    assert page.read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing"], "game 'nothing' is not in the record"),
        (["game-001", "-o", "none/x.html"], "the folder none is not there"),
        (["game-001", "-o", "."], "names no file"),
        (["game-001", "--db", "other.db"], "other.db"),
    ],
)
def test_what_cannot_be_leaves_nothing_behind(arguments: list[str], told: str, folder: Path):
    before = tree(folder)
    assert told in one_error(payment_sim("report", *arguments))
    assert tree(folder) == before
