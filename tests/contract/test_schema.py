"""The two tables are those of the specification, nothing more; records are rows of tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository, GameSessionRecord
from payment_simulator.ai_cash_mgmt.persistence.models import (
    RECORDS,
    TABLES,
    Record,
    SupersededRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models.base import kept_apart
from payment_simulator.analysis.views import VIEWS
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_record, a_session, an_iteration
from tests.saving import bits
from tests.wrong_values import is_optional

#: As the specification writes them: column, type and constraints, in its order.
SPECIFIED = {
    "game_sessions": """
        game_id VARCHAR PRIMARY KEY
        scenario_config VARCHAR NOT NULL
        master_seed BIGINT NOT NULL
        game_mode VARCHAR NOT NULL
        config_json VARCHAR NOT NULL
        started_at TIMESTAMP NOT NULL
        completed_at TIMESTAMP
        status VARCHAR NOT NULL
        optimized_agents VARCHAR NOT NULL
        total_iterations INTEGER DEFAULT 0
        converged BOOLEAN DEFAULT FALSE
        final_cost DOUBLE
    """,
    "policy_iterations": """
        game_id VARCHAR NOT NULL
        agent_id VARCHAR NOT NULL
        iteration_number INTEGER NOT NULL
        trigger_tick INTEGER NOT NULL
        old_policy_json VARCHAR NOT NULL
        new_policy_json VARCHAR NOT NULL
        old_cost DOUBLE NOT NULL
        new_cost DOUBLE NOT NULL
        cost_improvement DOUBLE NOT NULL
        was_accepted BOOLEAN NOT NULL
        validation_errors VARCHAR NOT NULL
        llm_model VARCHAR NOT NULL
        llm_latency_seconds DOUBLE NOT NULL
        tokens_used INTEGER NOT NULL
        created_at TIMESTAMP NOT NULL
    """,
}
KEYS = {
    "game_sessions": ["game_id"],
    "policy_iterations": ["game_id", "agent_id", "iteration_number"],
}
INDEXES = {
    "idx_game_status": ("game_sessions", "[status]"),
    "idx_game_started_at": ("game_sessions", "[started_at]"),
    "idx_iter_game": ("policy_iterations", "[game_id]"),
    "idx_iter_agent": ("policy_iterations", "[game_id, agent_id]"),
}


def rows(conn: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return conn.execute(sql, list(values)).fetchall()


WAYS = ["new file", "called again", "set up by the manager"]


def make(manager: DatabaseManager, way: str) -> duckdb.DuckDBPyConnection:
    """Make the tables in one of the ways in which that is done."""
    if way == "set up by the manager":
        manager.setup()
    else:
        GameRepository(manager.conn).initialize_schema()
    if way == "called again":
        GameRepository(manager.conn).initialize_schema()
    return manager.conn


@pytest.fixture(params=WAYS)
def conn(request: Any, manager: DatabaseManager) -> duckdb.DuckDBPyConnection:
    return make(manager, request.param)


@pytest.fixture(scope="module", params=WAYS)
def catalog(request: Any, tmp_path_factory: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a database that is looked at, and not written to."""
    with DatabaseManager(tmp_path_factory.mktemp("schema") / "simulation.db") as manager:
        yield make(manager, request.param)


@pytest.mark.parametrize("table", SPECIFIED)
def test_the_columns_are_those_of_the_specification(table: str, catalog: Any):
    found = rows(
        catalog,
        "SELECT column_name, data_type, is_nullable, column_default IS NOT NULL "
        "FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index",
        table,
    )
    expected = []
    for line in SPECIFIED[table].strip().splitlines():
        name, kind, *more = line.split()
        is_nullable = more not in (["NOT", "NULL"], ["PRIMARY", "KEY"])
        expected.append((name, kind, is_nullable, "DEFAULT" in more))
    assert found == expected


@pytest.mark.parametrize("table", SPECIFIED)
def test_the_tables_have_their_keys_and_no_other_constraint(table: str, catalog: Any):
    found = rows(
        catalog,
        "SELECT constraint_type, constraint_column_names FROM duckdb_constraints() "
        "WHERE table_name = ? AND constraint_type <> 'NOT NULL'",
        table,
    )
    assert found == [("PRIMARY KEY", KEYS[table])]


def test_the_tables_have_the_four_indexes_and_no_other(catalog: Any):
    found = rows(
        catalog,
        "SELECT index_name, table_name, expressions, is_unique FROM duckdb_indexes() "
        "WHERE table_name IN ('game_sessions', 'policy_iterations')",
    )
    assert {name: place for name, *place, _ in found} == {n: list(p) for n, p in INDEXES.items()}
    assert [is_unique for *_, is_unique in found] == [False] * 4


def test_the_defaults_are_those_of_the_specification(conn: Any):
    conn.execute(
        "INSERT INTO game_sessions (game_id, scenario_config, master_seed, game_mode, "
        "config_json, started_at, status, optimized_agents) "
        "VALUES ('g', 's', 1, 'rl_optimization', '{}', '2026-01-01', 'running', '[]')"
    )
    found = rows(
        conn, "SELECT total_iterations, converged, final_cost, completed_at FROM game_sessions"
    )
    assert repr(found) == repr([(0, False, None, None)])


def test_nothing_but_tables_and_views_is_made(catalog: Any):
    tables = {name for (name,) in rows(catalog, "SELECT table_name FROM duckdb_tables()")}
    assert tables == {kind.TABLE for kind in TABLES} | {"schema_ledger"}
    views = {
        name for (name,) in rows(catalog, "SELECT view_name FROM duckdb_views() WHERE NOT internal")
    }
    assert views == {view.name for view in VIEWS}
    assert rows(catalog, "SELECT sequence_name FROM duckdb_sequences()") == []


@pytest.mark.parametrize("kind", [*RECORDS, SupersededRecord])
def test_a_record_is_a_row_of_its_table(kind: type[Record], catalog: Any):
    found = rows(
        catalog,
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? "
        "ORDER BY column_index",
        kind.TABLE,
    )
    table = kind.table()
    assert found == list(zip(table.columns, table.types, strict=True))
    apart = {column for column in table.columns if column not in kind.model_fields}
    assert apart == {c for c in kept_apart(kind).values() if c not in kind.model_fields}
    keys = rows(
        catalog,
        "SELECT constraint_column_names FROM duckdb_constraints() "
        "WHERE table_name = ? AND constraint_type = 'PRIMARY KEY'",
        kind.TABLE,
    )
    assert keys == [(list(kind.KEY),)] == [(list(table.key),)]


@pytest.mark.parametrize("kind", [*RECORDS[1:], SupersededRecord])
def test_a_field_may_be_none_where_its_column_may_be_null(kind: type[Record], catalog: Any):
    nullable = rows(
        catalog, "SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND is_nullable",
        kind.TABLE,
    )  # fmt: skip
    apart = kept_apart(kind)
    expected = {apart.get(n, n) for n in kind.model_fields if is_optional(kind, n)}
    assert {name for (name,) in nullable} == expected


def test_records_are_stored_as_the_specification_stores_them(conn: Any):
    repo = GameRepository(conn)
    session = a_record(GameSessionRecord, optimized_agents=["BANK_A", 'B"\u00e9'])
    repo.save_game_session(session)
    repo.save_policy_iteration(an_iteration(validation_errors=["late"]))
    (found,) = rows(conn, "SELECT * FROM game_sessions")
    assert repr(found) == repr(
        (
            *("game-001", "scenario.yaml", 42, "rl_optimization", '{"max_iterations": 25}'),
            *(datetime(2026, 1, 2, 3, 4, 5, 678901), datetime(2026, 1, 2, 4, 5, 6, 789012)),
            *("converged", '["BANK_A", "B\\"\u00e9"]', 15, True, 2500.0),
        )
    )
    assert rows(conn, "SELECT validation_errors FROM policy_iterations") == [('["late"]',)]


def test_rows_written_by_hand_are_records(conn: Any):
    repo = GameRepository(conn)
    conn.execute(
        "INSERT INTO game_sessions VALUES ('game-001', 'scenario.yaml', 42, 'rl_optimization', "
        "'{\"max_iterations\": 25}', '2026-01-02 03:04:05.678901', NULL, 'running', "
        '\'["BANK_A","BANK_B"]\', 0, FALSE, NULL)'
    )
    assert bits(repo.get_game_session("game-001")) == bits(a_session())
    conn.execute(
        "INSERT INTO policy_iterations VALUES ('game-001', 'BANK_A', 1, 100, "
        '\'{"payment_tree": {"root": {"action": "Hold"}}}\', '
        '\'{"payment_tree": {"root": {"action": "Release"}}}\', '
        "1500, 1200, 300, TRUE, '[ ]', 'anthropic/claude-sonnet', 2.5, 1500, "
        "'2026-01-02 03:04:05.678901')"
    )
    assert [bits(r) for r in repo.get_policy_iterations("game-001")] == [bits(an_iteration())]
