"""Faults planted in a record, past every door that would keep them out."""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.checking import Finding, check_record
from payment_simulator.persistence.store import Store
from payment_simulator.persistence.texts import read_texts, save_texts, text_sha256
from tests.builders import VALUES, a_record, a_session
from tests.saving import save


def fill(repo: GameRepository) -> None:
    """Save one record of each kind, so that there are rows in every table."""
    repo.save_game_session(a_session())
    for kind in VALUES:
        # Its one step is also its last iteration. The running game is superseded.
        changes = {"total_iterations": 1} if kind.TABLE == "game_sessions" else {}
        save(repo, a_record(kind, **changes))


def rebuild(conn: duckdb.DuckDBPyConnection, table: str, columns: str = "*") -> None:
    """Make a table anew from what is selected of it, without its constraints and indexes."""
    conn.execute(f"CREATE TABLE rebuilt AS SELECT {columns} FROM {table}")
    conn.execute(f"DROP TABLE {table}")
    conn.execute(f"ALTER TABLE rebuilt RENAME TO {table}")


def change_texts(
    conn: duckdb.DuckDBPyConnection,
    table: str,
    part: str,
    change: Callable[[str], str],
    where: str = "true",
) -> int:
    """Have rows name other long texts, stored as they should be; return how many rows do."""
    store, column, count = Store(conn), f"{part}_sha256", 0
    for (old,) in store.read(f"SELECT DISTINCT {column} FROM {table} WHERE {where}"):
        text = change(read_texts(store, [old])[old])
        new = text_sha256(text)
        save_texts(store, {new: text})
        sql = f"UPDATE {table} SET {column} = ? WHERE {column} = ? AND ({where})"
        count += conn.execute(sql, [new, old]).fetchall()[0][0] if new != old else 0
    return count


def findings(conn: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Return all that a check finds."""
    return list(check_record(conn))


def about_rows(conn: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Return what a check finds of rows, whatever it finds of the schema."""
    return [finding for finding in findings(conn) if finding.row]
