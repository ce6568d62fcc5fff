"""No text of a record begins as a formula in a CSV file, and every text comes back as it was."""

from __future__ import annotations

import csv
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.csv_tables import csv_table
from payment_simulator.analysis.exchange import export_games
from payment_simulator.analysis.exchange.tables_out import of_formulas
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.wording import spreadsheet_text, text_of_spreadsheet
from tests.builders import a_session, an_iteration
from tests.property.strategies import texts

#: What spreadsheets act on, as OWASP lists it, with the forms of double width.
ACTIVE = "=+-@\t\r\n\uff0b\uff0d\uff1d\uff20"
#: Texts that begin with apostrophes, with what is active, or both.
HOSTILE = st.builds(
    "".join,
    st.tuples(st.text("'", max_size=3), st.sampled_from(["", *ACTIVE]), texts()),
)


@given(HOSTILE)
def test_a_text_comes_back_as_it_was(text: str):
    cell = spreadsheet_text(text)
    assert text_of_spreadsheet(cell) == text
    assert not cell.startswith(tuple(ACTIVE))


@given(st.lists(HOSTILE, min_size=2, max_size=2, unique=True))
def test_no_two_texts_become_the_same(two: list[str]):
    assert len({spreadsheet_text(text) for text in two}) == 2


@given(st.lists(HOSTILE, min_size=1, max_size=30))
def test_the_database_has_the_same_rule(drawn: list[str]):
    guarded, plain = of_formulas("guarded", "t"), of_formulas("unguarded", "t")
    with DatabaseManager(":memory:") as manager:
        for expression, rule in ((guarded, spreadsheet_text), (plain, text_of_spreadsheet)):
            sql = f"SELECT t, {expression} FROM (SELECT unnest(?::VARCHAR[]) AS t)"
            for text, found in manager.store.read(sql, (drawn,)):
                assert found == rule(text)


def test_a_table_keeps_its_numbers():
    text = csv_table(["=head"], [["=1+1", -1.5, -2, None], ["-2", 0, 1e-7, True]])
    assert text == "'=head\n'=1+1,-1.5,-2,\n'-2,0,1e-07,True\n"


def test_an_export_holds_no_formula(repo: GameRepository, tmp_path: Path):
    hostile = "=HYPERLINK(1)"
    repo.save_game_session(
        a_session(hostile, scenario_config="@x", optimized_agents=[hostile], config_json="-1")
    )
    repo.save_policy_iteration(
        an_iteration(
            game_id=hostile,
            agent_id="+A",
            old_cost=-3.0,
            new_cost=-5.0,
            cost_improvement=2.0,
            llm_model="\t=x",
            new_policy_json="'=already",
        )
    )
    export_games(repo, [hostile], tmp_path / "out", format="csv")
    found = []
    for path in (tmp_path / "out" / "tables").iterdir():
        with path.open(encoding="utf-8", newline="") as file:
            found += [cell for row in csv.reader(file) for cell in row]
    assert {f"'{hostile}", "'@x", "'-1", "'+A", "'\t=x", "''=already"} <= set(found)
    assert {"-3.0", "-5.0"} <= set(found)
    texts_that_act = [c for c in found if c.startswith(tuple(ACTIVE)) and c not in {"-3.0", "-5.0"}]
    assert texts_that_act == []
