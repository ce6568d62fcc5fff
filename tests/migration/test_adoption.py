"""Files of the first tool with all its tables: kept under another name, and taken over."""

from __future__ import annotations

import json
import logging
import re
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.checking import check_record
from payment_simulator.errors import NotADatabaseError, SchemaVersionError
from payment_simulator.persistence.adoption import Adoption, KeptTable
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.migrations import migrate
from tests.command_line import payment_sim
from tests.fingerprints import rows_of, schema_of
from tests.migration.first_tool import GAME, START
from tests.migration.first_tool_tables import (
    HOLD,
    RELEASE,
    a_call,
    a_context,
    a_diff,
    insert,
    write_whole_file,
)

#: Rows, and how many of them mean the same.
KEPT = {
    "iteration_context": (1, 1),
    "llm_interaction_log": (3, 3),
    "policy_diffs": (1, 1),
    "simulation_events": (5000, 0),
    "simulation_runs": (1, 0),
    "transactions": (3000, 0),
}
EXPECTED = tuple(KeptTable(name, f"{name}_of_first_tool", *n) for name, n in KEPT.items())


@pytest.fixture
def whole(db_path: Path) -> Path:
    write_whole_file(db_path)
    return db_path


def adopt(path: Path) -> Adoption:
    with DatabaseManager(path) as manager:
        adoption = migrate(manager.store)
    assert adoption is not None
    return adoption


def taken_over(path: Path, table: str) -> int:
    return {kept.name: kept.taken_over for kept in adopt(path).kept}[table]


def look(path: Path) -> tuple[dict, dict]:
    with duckdb.connect(str(path), read_only=True) as conn:
        return schema_of(conn), rows_of(conn)


def named(schema: dict, names: dict[str, str]) -> dict:
    """Return the part of a schema that is about some tables, under other names."""
    return {
        kind: sorted((names[row[0]], *row[1:]) for row in rows if row[0] in names)
        for kind, rows in schema.items()
    }


def test_every_table_is_kept_with_rows_keys_and_indexes(whole: Path):
    schema, rows = look(whole)
    adoption = adopt(whole)
    assert adoption.kept == EXPECTED
    assert adoption.copy is not None
    assert look(adoption.copy) == (schema, rows)
    new_schema, new_rows = look(whole)
    names = {kept.name: kept.kept_as for kept in EXPECTED}
    assert named(new_schema, dict.fromkeys(names.values()) | {n: n for n in names.values()}) == (
        named(schema, names)
    )
    assert {name: new_rows[names.get(name, name)] for name in rows} == rows
    with DatabaseManager(":memory:") as manager:
        manager.setup()
        ours = {row[0] for row in schema_of(manager.conn)["columns"]}
        expected = named(schema_of(manager.conn), {name: name for name in ours})
    assert named(new_schema, {name: name for name in ours}) == expected


def test_what_is_taken_over_means_the_same(whole: Path):
    adopt(whole)
    with DatabaseManager(whole, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        calls = repo.get_llm_interactions(GAME)
        first, second, third = sorted(calls, key=lambda c: (c.agent_id, c.attempt_number))
        (diff,) = repo.get_policy_diffs(GAME)
        (context,) = repo.get_iteration_contexts(GAME)
        faults = [f for f in check_record(manager.conn) if f.is_fault]
    # The first tool's own faults are in the two first tables; nothing was added to them.
    assert {fault.table for fault in faults} <= {"game_sessions", "policy_iterations"}
    assert [(c.agent_id, c.iteration_number, c.attempt_number) for c in (first, second, third)] == [
        ("BANK_A", 2, 1),
        ("BANK_A", 2, 2),
        ("BANK_B", 1, 1),
    ]
    assert (first.user_prompt, first.parsing_error) == ("größer 🏦, call 1", "no JSON")
    assert first.parsed_policy_json is None
    assert (second.user_prompt, second.llm_reasoning) == ("größer 🏦, call 2", "less delay")
    assert second.parsed_policy_json == second.raw_response == json.dumps(RELEASE)
    assert second.llm_model == "anthropic/claude-sonnet"
    assert second.llm_latency_seconds == 2.5
    assert (second.input_tokens, second.output_tokens, second.cost_usd) == (None, None, None)
    assert second.request_timestamp == START.replace(minute=START.minute + 2)
    assert (context.best_seed, context.worst_seed, context.num_samples) == (7, -8, 2)
    assert (context.worst_seed_cost, repr(context.cost_mean)) == (0.1 + 0.2, "-0.0")
    assert (context.best_seed_verbose_output, context.worst_seed_verbose_output) == (
        "tick 1 ...",
        None,
    )
    assert (context.context_json, context.cost_breakdown_json) == ("{}", "{}")
    assert diff.diff_summary == "Changed 'x': 1.0 → 0.5 (↓0.50)"
    assert json.loads(diff.parameter_changes_json) == {"x": {"old": 1.0, "new": 0.5}}
    trees = ("payment_tree", "strategic_collateral_tree")
    assert json.loads(diff.tree_changes_json) == {
        tree: {"old": HOLD.get(tree), "new": RELEASE[tree]} for tree in trees
    }
    assert (diff.payment_tree_changed, diff.bank_tree_changed) == (True, False)
    assert diff.strategic_collateral_tree_changed
    assert not diff.end_of_tick_collateral_tree_changed


OTHER_STEP = (GAME, "BANK_A", 1)
#: Rows that a record refuses, or that belong to nothing.
REFUSED_CALLS = {
    "no step": a_call("9", (GAME, "BANK_A", 77)),
    "no game": a_call("9", ("no such game", "BANK_A", 0)),
    "no policy": a_call("9", parsed_policy_json="{...}"),
    "not a number": a_call("9", parsed_policy_json='{"x": NaN}'),
    "a comma too many": a_call("9", parsed_policy_json='{"x": [1, 2 ,] }'),
    "an answer before the question": a_call("9", response_timestamp=START),
    "a time without end": a_call("9", response_timestamp=datetime.max),
}
ACCEPTED_CALLS = {
    "words that look like numbers": a_call("9", parsed_policy_json='{"why": "NaN, inf,]\\" ,}"}'),
    "no time between": a_call("9", response_timestamp=a_call("9")["request_timestamp"]),
    "empty texts": a_call("9", system_prompt="", user_prompt="", raw_response=""),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("call", REFUSED_CALLS.values(), ids=REFUSED_CALLS)
def test_a_call_that_is_no_record_stays(call: dict, whole: Path):
    with duckdb.connect(str(whole)) as conn:
        insert(conn, "llm_interaction_log", call)
        if call["response_timestamp"] == datetime.max:
            conn.execute(
                "UPDATE llm_interaction_log SET response_timestamp = 'infinity' "
                "WHERE interaction_id = 'call-9'"
            )
    assert taken_over(whole, "llm_interaction_log") == 3
    check_rows(whole)


@pytest.mark.parametrize("call", ACCEPTED_CALLS.values(), ids=ACCEPTED_CALLS)
def test_a_call_that_is_a_record_is_taken_over(call: dict, whole: Path):
    with duckdb.connect(str(whole)) as conn:
        insert(conn, "llm_interaction_log", call)
    assert taken_over(whole, "llm_interaction_log") == 4
    check_rows(whole)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "changes",
    [
        {"cost_mean": float("nan")},
        {"best_seed_cost": float("inf")},
        {"cost_std": -1.0},
        {"settlement_rate_mean": 1.5},
        {"num_samples": 0},
        {"iteration_number": 77},
    ],
    ids=str,
)
def test_a_context_that_is_no_record_stays(changes: dict, whole: Path):
    with duckdb.connect(str(whole)) as conn:
        insert(conn, "iteration_context", a_context(**{"agent_id": "BANK_B", **changes}))
    assert taken_over(whole, "iteration_context") == 1
    check_rows(whole)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "changes",
    [
        {"payment_tree_changed": False},
        {"collateral_tree_changed": False},
        {"parameter_changes_json": "{...}"},
        {"parameter_changes_json": '{"x": 1}'},
        {"parameter_changes_json": "[NaN]"},
    ],
    ids=str,
)
def test_a_diff_that_says_otherwise_than_the_policies_stays(changes: dict, whole: Path):
    with duckdb.connect(str(whole)) as conn:
        conn.execute("DELETE FROM policy_diffs")
        insert(conn, "policy_diffs", a_diff(**changes))
        # That of a step whose policies are no JSON, too.
        insert(conn, "policy_diffs", a_diff(OTHER_STEP))
    assert taken_over(whole, "policy_diffs") == 0
    check_rows(whole)


def test_a_diff_without_changes_is_taken_over(whole: Path):
    with duckdb.connect(str(whole)) as conn:
        conn.execute("DELETE FROM policy_diffs")
        conn.execute("UPDATE policy_iterations SET new_policy_json = old_policy_json")
        insert(
            conn,
            "policy_diffs",
            a_diff(
                parameter_changes_json=None,
                payment_tree_changed=False,
                collateral_tree_changed=False,
            ),
        )
    assert taken_over(whole, "policy_diffs") == 1
    with DatabaseManager(whole, read_only=True) as manager:
        (diff,) = GameRepository(manager.conn).get_policy_diffs(GAME)
    assert (diff.parameter_changes_json, diff.tree_changes_json) == ("{}", "{}")


def check_rows(path: Path) -> None:
    """Assert that all rows taken over are records."""
    with DatabaseManager(path, read_only=True) as manager:
        faults = [f for f in check_record(manager.conn) if f.is_fault]
    assert {fault.table for fault in faults} <= {"game_sessions", "policy_iterations"}


def test_a_table_with_columns_of_another_kind_is_kept_only(whole: Path):
    with duckdb.connect(str(whole)) as conn:
        for index in ("idx_llm_log_game", "idx_llm_log_agent"):
            conn.execute(f"DROP INDEX {index}")
        conn.execute("ALTER TABLE llm_interaction_log RENAME raw_response TO answer")
    assert taken_over(whole, "llm_interaction_log") == 0


def test_columns_of_another_type_are_converted(whole: Path):
    with duckdb.connect(str(whole)) as conn:
        conn.execute(
            "CREATE TABLE again AS SELECT * REPLACE (best_seed::VARCHAR AS best_seed, "
            "cost_mean::DECIMAL(9, 2) AS cost_mean) FROM iteration_context"
        )
        conn.execute(
            "INSERT INTO again SELECT * REPLACE ('BANK_B' AS agent_id, "
            "'seven' AS best_seed) FROM again"
        )
        conn.execute("DROP TABLE iteration_context")
        conn.execute("ALTER TABLE again RENAME TO iteration_context")
    assert taken_over(whole, "iteration_context") == 1
    check_rows(whole)


def test_names_that_are_taken(whole: Path):
    with duckdb.connect(str(whole)) as conn:
        conn.execute("CREATE TABLE transactions_of_first_tool (i INTEGER)")
        conn.execute("CREATE TABLE transactions_of_first_tool_2 AS SELECT 1 AS one")
        conn.execute("CREATE TABLE best_policies AS SELECT 7 AS seven")  # a view of the schema
        conn.execute("CREATE INDEX idx_run_game ON simulations (config_file)")
        conn.execute(
            "CREATE UNIQUE INDEX idx_run_game_of_first_tool ON simulations (simulation_id)"
        )
        conn.execute("DROP INDEX idx_game_status")
        conn.execute(
            'CREATE UNIQUE INDEX idx_game_status ON transactions (tx_id, "status", amount)'
        )
    names = {kept.name: kept.kept_as for kept in adopt(whole).kept}
    assert names["transactions"] == "transactions_of_first_tool_3"
    assert names["best_policies"] == "best_policies_of_first_tool"
    with duckdb.connect(str(whole), read_only=True) as conn:
        assert conn.execute("FROM best_policies_of_first_tool").fetchall() == [(7,)]
        indexes = dict(
            conn.execute("SELECT index_name, [table_name, sql] FROM duckdb_indexes()").fetchall()
        )
    assert indexes["idx_game_status"][0] == "game_sessions"
    assert indexes["idx_run_game"][0] == "simulation_runs"
    assert indexes["idx_run_game_of_first_tool_2"][0] == "simulations"
    table, sql = indexes["idx_game_status_of_first_tool"]
    assert table == "transactions_of_first_tool_3"
    assert sql.startswith("CREATE UNIQUE INDEX")
    assert re.search(r'\(tx_id, "?status"?, amount\)', sql)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE VIEW best_policies AS SELECT 7 AS seven", "the view 'best_policies'"),
        ("CREATE INDEX lower_id ON transactions (lower(tx_id))", "the index 'lower_id'"),
    ],
    ids=["view", "index"],
)
def test_what_is_more_than_data_is_not_adopted(statement: str, said: str, whole: Path):
    with duckdb.connect(str(whole)) as conn:
        conn.execute(statement)
    before = look(whole)
    with pytest.raises(NotADatabaseError) as caught:
        adopt(whole)
    assert said in str(caught.value)
    assert look(whole) == before


def test_a_table_that_cannot_be_renamed_stops_it(whole: Path):
    with duckdb.connect(str(whole)) as conn:
        conn.execute("CREATE TABLE mine (sim VARCHAR REFERENCES simulation_runs (simulation_id))")
    before = look(whole)
    with DatabaseManager(whole) as manager, pytest.raises(SchemaVersionError) as caught:
        manager.setup()
    said = str(caught.value)
    assert f"{whole} has a table of its own under the name simulation_runs" in said
    assert "Nothing was changed; rename it (ALTER TABLE ... RENAME TO ...)" in said
    assert look(whole) == before


def test_a_record_that_lost_its_ledger_is_not_adopted(db_path: Path):
    with DatabaseManager(db_path) as manager:
        manager.setup()
        manager.conn.execute("DROP TABLE schema_ledger")
    before = look(db_path)
    with (
        DatabaseManager(db_path) as manager,
        pytest.raises(NotADatabaseError, match=r"no table schema_ledger.*Put back a copy"),
    ):
        manager.setup()
    assert look(db_path) == before


def test_it_is_logged(whole: Path, caplog):
    with DatabaseManager(whole) as manager, caplog.at_level(logging.WARNING):
        manager.setup()
        manager.setup()
    (record,) = caplog.records
    said = record.getMessage()
    assert str(whole) in said
    assert "a file of the first tool was adopted" in said
    assert ".bak" in said
    assert "llm_interaction_log is kept as llm_interaction_log_of_first_tool (3 of 3 rows" in said
    assert "transactions is kept as transactions_of_first_tool (0 of 3000 rows" in said


def test_the_command_says_what_became_of_each_table(whole: Path):
    outcome = payment_sim("db", "migrate", whole)
    assert (outcome.code, outcome.err) == (0, "")
    lines = [line.split() for line in outcome.out.splitlines()]
    for kept in EXPECTED:
        assert [kept.name, kept.kept_as, f"{kept.rows:,}", f"{kept.taken_over:,}"] in lines
    assert payment_sim("show", GAME, "--db", whole).code == 0


def test_the_command_says_it_as_json(whole: Path):
    found = json.loads(payment_sim("db", "migrate", whole, "--json").out)
    assert found["kept"][0] == {
        "name": "iteration_context",
        "kept_as": "iteration_context_of_first_tool",
        "rows": 1,
        "taken_over": 1,
    }
    assert len(found["kept"]) == len(EXPECTED)
