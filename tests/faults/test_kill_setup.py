"""A process that is killed while it makes a database, or adopts one of the first tool."""

from __future__ import annotations

import random
import shutil
import time
from functools import cache
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.migrations import SCHEMA_VERSION, migrate, schema_state
from payment_simulator.persistence.store import Store
from tests.effort import tries
from tests.faults.children import set_up, set_up_until
from tests.faults.folder import names
from tests.faults.history import GAME, count_saves, old_iterations, perform_range
from tests.migration import first_tool, first_tool_tables

pytestmark = pytest.mark.slow


def leftovers(path: Path) -> list[str]:
    """Use a path at which a process was killed making a database; return what lies beside it."""
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        perform_range(repo, 0, 3)
        assert count_saves(repo) == 3
    return [name for name in names(path.parent) if name != path.name]


@pytest.mark.parametrize("seed", range(tries(2, 10)))
def test_kill_at_a_random_moment_of_creation(seed, tmp_path, start_child):
    rng = random.Random(seed)
    for number in range(tries(6, 15)):
        path = tmp_path / str(number) / "simulation.db"
        path.parent.mkdir()
        child = start_child(set_up, path)
        child.hear()
        time.sleep(rng.uniform(0, 0.12))
        child.kill()
        assert leftovers(path) == []


def test_kill_at_steps_of_creation(tmp_path, start_child):
    kinds = ("open", "os.", "tempfile.", "socket.", "store.")
    found, every = {}, tries(5, 1)
    for number in range(1, 1000, every):
        path = tmp_path / str(number) / "simulation.db"
        path.parent.mkdir()
        if start_child(set_up_until, path, number, kinds).exit_code == 0:
            break
        found[number] = leftovers(path)
    assert len(found) > 20 // every
    assert not {number: beside for number, beside in found.items() if beside}


def columns(conn: duckdb.DuckDBPyConnection) -> list[tuple]:
    return conn.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE NOT internal ORDER BY ALL"
    ).fetchall()


@cache
def columns_of_version(version: int) -> list[tuple]:
    with duckdb.connect(":memory:") as conn:
        conn.execute(first_tool.SCHEMA + first_tool_tables.SCHEMA)
        if version:
            migrate(Store(conn))
        return columns(conn)


def check_version(path: Path) -> int:
    """Assert that a file is as it was or adopted and holds every row; return its version."""
    with DatabaseManager(path, serve=False) as manager:
        version = schema_state(Store(manager.conn)).version
        assert columns(manager.conn) == columns_of_version(version)
        assert GameRepository(manager.conn).get_policy_iterations(GAME) == old_iterations()
        calls = f"llm_interaction_log{'_of_first_tool' if version else ''}"
        for table in {calls, "llm_interaction_log"}:
            count = manager.conn.execute(f"SELECT count(*) FROM {table}").fetchall()
            assert count == [(len(old_iterations()),)]
    return version


def finish_migration(path: Path) -> int:
    """Adopt what a killed process has left of it; return the version that it had reached."""
    reached = check_version(path)
    with DatabaseManager(path) as manager:
        manager.setup()
    assert check_version(path) == SCHEMA_VERSION
    copies = list(path.parent.glob("*.bak"))
    assert copies
    for copy in copies:
        assert check_version(copy) < SCHEMA_VERSION
    assert [name for name in names(path.parent) if name.startswith(".")] == []
    return reached


@pytest.mark.parametrize("seed", range(tries(1, 10)))
def test_kill_at_a_random_moment_of_adoption(seed, tmp_path, old_file, start_child):
    rng = random.Random(seed)
    for number in range(6):
        path = tmp_path / str(number) / "simulation.db"
        shutil.copytree(old_file.parent, path.parent)
        child = start_child(set_up, path)
        child.hear()
        time.sleep(rng.uniform(0, 0.25))
        child.kill()
        finish_migration(path)


def test_kill_at_steps_of_adoption(tmp_path, old_file, start_child):
    kinds = ("os.rename", "store.write", "store.run_script", "store.transaction", "store.cursor")
    reached = []
    for number in range(1, 1000, tries(12, 1)):
        path = tmp_path / str(number) / "simulation.db"
        shutil.copytree(old_file.parent, path.parent)
        if start_child(set_up_until, path, number, kinds).exit_code == 0:
            break
        reached.append(finish_migration(path))
        shutil.rmtree(path.parent)
    assert reached == sorted(reached)
    assert reached.count(0) > tries(0, 3)
