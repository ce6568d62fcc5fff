"""Comparisons as tables, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from tests.builders import a_session, an_iteration

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.compare import compare_games
from payment_simulator.analysis.compare.files import escaped, to_csv, to_latex
from payment_simulator.analysis.compare.game_tables import one_below_the_other, side_by_side
from payment_simulator.analysis.compare.summary_tables import group_tables
from payment_simulator.analysis.compare.table import distinct
from payment_simulator.analysis.compare.texts import share, some
from payment_simulator.wording import money

HOSTILE = "=1+1\x1b[31m\u202e\n{\\input{x}}"


@pytest.fixture
def hostile(repo: GameRepository) -> Any:
    """Return a comparison of two games with names that would like to be more."""
    for name in (HOSTILE, "plain"):
        repo.save_game_session(a_session(name, final_cost=-5.0))
        repo.save_policy_iteration(
            an_iteration(game_id=name, agent_id="@bank&co", llm_model="-cmd|x")
        )
    return compare_games(repo, [HOSTILE, "plain"])


def test_games_stand_side_by_side(hostile: Any):
    table = side_by_side(hostile)
    assert table.columns == ("figure", "bank", "=1+1\\x1b[31m\\u202e\\n{\\input{x}}", "plain")
    cells = {row[0]: row[1:] for row in table.rows if row[0]}
    assert cells["status"] == ("", "interrupted", "interrupted")
    assert cells["final cost"] == ("@bank&co", "12.00", "12.00")
    assert cells["accepted steps"] == ("", "1 of 1", "1 of 1")
    # What no game has is no line.
    assert not {"  at least", "model calls", "settled, end", "regret"} & set(cells)


def test_games_stand_one_below_the_other(hostile: Any):
    games, banks = one_below_the_other(hostile)
    assert [row[0] for row in games.rows] == ["=1+1\\x1b[31m\\u202e\\n{\\input{x}}", "plain"]
    assert [row[1] for row in banks.rows] == ["@bank&co", "@bank&co"]
    assert "interval" not in banks.columns
    assert {"price (USD)", "calls"}.isdisjoint(games.columns)
    assert "tokens" in games.columns


def test_csv_holds_texts_no_spreadsheet_takes_for_a_formula(hostile: Any):
    text = to_csv(hostile)
    assert all(c.isprintable() or c == "\n" for c in text)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["game_id"] == "'=1+1\\x1b[31m\\u202e\\n{\\input{x}}"
    assert rows[0]["bank"] == "'@bank&co"
    assert rows[0]["proposers"] == "'-cmd|x"
    # A number below zero is a number.
    assert rows[0]["game_final_cost"] == "-5.0"
    assert rows[0]["game_start_cost"] == ""
    assert rows[1]["game_id"] == "plain"


def test_csv_is_the_rows(hostile: Any):
    rows = list(csv.DictReader(io.StringIO(to_csv(hostile))))
    assert [list(row) for row in rows] == [list(row) for row in hostile.rows()]
    assert [row["final_cost"] for row in rows] == ["1200.0", "1200.0"]


def test_latex_holds_texts_and_no_commands_of_others(hostile: Any):
    text = to_latex(hostile)
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    assert "\\input" not in "\n".join(lines)
    assert r"@bank\&co" in text
    assert lines[:5] == [
        r"\begin{table}", r"\centering", r"\caption{Games compared}", r"\label{tab:compare-games}",
        r"\begin{tabular}{llrr}",
    ]  # fmt: skip
    for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\end{tabular}", r"\end{table}"):
        assert lines.count(rule) == 1
    body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    for line in body:
        assert line.endswith(r" \\")
        assert line.replace(r"\&", "").count("&") == 3


def test_every_special_character_of_latex_is_escaped():
    assert escaped("a_b%{}#&$") == r"a\_b\%\{\}\#\&\$"
    assert escaped('\\~^<>|"[') == (
        r"\textbackslash{}\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}"
        r"\textbar{}\textquotedbl{}{[}"
    )
    assert escaped("größe\n") == r"größe\textbackslash{}n"


def test_columns_that_would_look_the_same_are_told_apart():
    assert distinct(["a", "\x1b", "\\x1b", "bank"], ["bank"]) == (
        "a",
        "\\x1b",
        "\\x1b (2)",
        "bank (2)",
    )


def test_a_game_of_no_group_has_no_table_of_means(hostile: Any):
    assert group_tables(hostile) == []


def test_numbers_in_words():
    assert (money(None), money(-123456.0), money(0.0)) == ("-", "-1,234.56", "0.00")
    assert [share(v) for v in (None, 1.0, 0.99999, 0.5)] == ["-", "100.0 %", "99.9 %", "50.0 %"]
    assert some(["a", "b", "c"], 2) == "a, b and 1 more"
