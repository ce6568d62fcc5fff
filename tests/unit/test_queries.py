"""SQL files: read by name, each query used, and each one that DuckDB can plan."""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import PolicyIterationRecord
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, TABLES, Record
from payment_simulator.persistence.arrow import arrow_batch
from payment_simulator.persistence.queries import named_queries

FLOOR = "payment_simulator.persistence.sql"
GAMES = "payment_simulator.ai_cash_mgmt.persistence.sql"
SOURCE = "\n".join(
    Path(str(entry)).read_text(encoding="utf-8")
    for entry in Path(str(files("payment_simulator"))).rglob("*.py")
)
#: ATTACH, COPY and DETACH have no plan to explain; they are run instead, one after the other.
COPYING = ("attach_copy", "copy_into", "finish_copy", "detach_copy")


@pytest.fixture
def package(tmp_path: Path, monkeypatch, request) -> Callable[..., str]:
    """Return a maker of packages of ``.sql`` files that gives the package's name."""

    def make(**texts: str) -> str:
        # A name of its own for each test: what was read once is remembered.
        name = "sql_of_" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").touch()
        for path, text in texts.items():
            (folder / path).with_suffix(".sql").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        importlib.invalidate_caches()
        return name

    return make


class TestNamedQueries:
    def test_read_by_name(self, package):
        name = package(
            queries="-- A title.\n\n-- name: first\n-- Why so?\nSELECT 1,\n-- and\n  2\n\n"
            "-- name: second_2\nSELECT '-- name: third'\n"
        )
        queries = named_queries(name)
        assert dict(queries) == {
            "first": "SELECT 1,\n  2",
            "second_2": "SELECT '-- name: third'",
        }
        with pytest.raises(TypeError):
            queries["first"] = "SELECT 2"
        with pytest.raises(KeyError):
            queries["third"]

    def test_of_another_file(self, package):
        assert dict(named_queries(package(more="-- name: one\nSELECT 1"), "more.sql")) == {
            "one": "SELECT 1"
        }

    def test_a_file_of_none(self, package):
        assert dict(named_queries(package(queries="-- Nothing yet.\n"))) == {}

    def test_a_name_given_twice_is_refused(self, package):
        name = package(queries="-- name: same\nSELECT 1\n-- name: other\n\n-- name: same\nSELECT 2")
        with pytest.raises(ValueError, match=rf"{name}/queries\.sql: a query name is given twice"):
            named_queries(name)


@pytest.mark.parametrize(
    ("package_name", "query"), [(p, q) for p in (FLOOR, GAMES) for q in named_queries(p)]
)
def test_every_query_is_used(package_name: str, query: str):
    assert f'"{query}"' in SOURCE, f"{package_name}: nothing uses {query}; remove it"


@pytest.fixture(scope="module")
def fresh():
    """Return a connection to a database of the current schema."""
    with duckdb.connect(":memory:") as conn:
        conn.execute(files(FLOOR).joinpath("schema.sql").read_text(encoding="utf-8"))
        yield conn


def explain(conn: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return DuckDB's plan of a statement; as many values are bound as it has marks."""
    return conn.execute(f"EXPLAIN {sql}", [None] * sql.count("?")).fetchall()[0][0]


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        pytest.param(query, kind, id=f"{query}-{kind.TABLE}")
        for query, sql in named_queries(FLOOR).items()
        for kind in RECORDS
        if query not in COPYING and (kind.PARENT or "{parent}" not in sql)
    ],
)
def test_every_query_of_the_floor_has_a_plan(
    query: str, kind: type[Record], fresh: duckdb.DuckDBPyConnection
):
    table = kind.table()
    fresh.register("incoming", arrow_batch(table.columns, table.types, []))
    try:
        assert explain(fresh, table.sql(query)) == "physical_plan"
    finally:
        fresh.unregister("incoming")


@pytest.mark.parametrize("query", named_queries(GAMES))
def test_every_query_of_games_has_a_plan(query: str, fresh: duckdb.DuckDBPyConnection):
    sql = named_queries(GAMES)[query]
    kinds = {kind.TABLE: kind for kind in TABLES}
    table = re.search(r"\bFROM (\w+)", sql)
    columns = kinds[table[1]].table().columns if table else PolicyIterationRecord.table().columns
    words = {
        "columns": ", ".join(columns),
        "table": "policy_iterations",
        "column": "agent_id",
        "named": "SELECT agent_id FROM policy_iterations",
        "paths": "['$.agent_id']",
        "child": "policy_iterations",
        "parent": "game_sessions",
        "first": "game_id",
        "key": "child.game_id" if "child" in sql else "game_id",
        "match": "parent.game_id = child.game_id",
    }
    assert explain(fresh, sql.format(**words)) == "physical_plan"


def test_the_queries_of_copying_copy(tmp_path: Path):
    queries = named_queries(FLOOR)
    words = {
        "source": "memory",
        "alias": "other",
        "path": f"'{tmp_path / 'c.db'}'",
        "version": "'v1.5.0'",
    }
    with duckdb.connect(":memory:") as conn:
        conn.execute("CREATE TABLE t AS SELECT 42 AS answer")
        for name in COPYING:
            conn.execute(queries[name].format(**words))
    with duckdb.connect(str(tmp_path / "c.db")) as conn:
        assert conn.execute("FROM t").fetchall() == [(42,)]
