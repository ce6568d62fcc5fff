"""DuckDB's errors, made for real where that can be done, and what they become."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.errors import (
    DamagedDatabaseError,
    DatabaseBusyError,
    DatabaseClosedError,
    DatabaseError,
    DatabaseFullError,
    InputError,
    PaymentSimulatorError,
    ReadOnlyDatabaseError,
    SchemaMissingError,
)
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.faults import is_held, lock_holder, translated, translating
from payment_simulator.persistence.store import Store
from tests.processes import WRITER, running

Conn = duckdb.DuckDBPyConnection


@pytest.fixture
def conn():
    """Return a database with one table of one row."""
    with duckdb.connect(":memory:") as opened:
        opened.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n DOUBLE NOT NULL CHECK (n >= 0))")
        opened.execute("INSERT INTO t VALUES (1, 1.0)")
        yield opened


def closed(conn: Conn) -> None:
    conn.close()
    conn.execute("SELECT 1")


def closed_before_cursor(conn: Conn) -> None:
    conn.close()
    conn.cursor()


def closed_parent(conn: Conn) -> None:
    cursor = conn.cursor()
    conn.close()
    cursor.execute("SELECT 1")


def conflict(conn: Conn) -> None:
    other = conn.cursor()
    for cursor in (conn, other):
        cursor.execute("BEGIN TRANSACTION")
    conn.execute("UPDATE t SET n = 2")
    other.execute("UPDATE t SET n = 3")


def out_of_memory(conn: Conn) -> None:
    conn.execute("SET temp_directory = ''")
    conn.execute("SET memory_limit = '5MB'")
    conn.execute("SELECT count(DISTINCT repeat('x', 100) || i) FROM range(1000000) AS r(i)")


def sql(text: str, *parameters: object) -> Callable[[Conn], object]:
    return lambda conn: conn.execute(text, parameters).fetchall()


OPEN_AGAIN = "Open it again with DatabaseManager(path)"
INITIALIZE = "Call repo.initialize_schema() once, or run: payment-sim db migrate FILE"
GIVE_VALUES = "Give values that the table's column types and rules allow"
REAL = {
    "closed": (closed, DatabaseClosedError, OPEN_AGAIN),
    "closed before a cursor": (closed_before_cursor, DatabaseClosedError, OPEN_AGAIN),
    "closed above a cursor": (closed_parent, DatabaseClosedError, OPEN_AGAIN),
    "no table": (sql("FROM game_sessions"), SchemaMissingError, INITIALIZE),
    "no table to fill": (sql("INSERT INTO nowhere VALUES (1)"), SchemaMissingError, INITIALIZE),
    "key": (sql("INSERT INTO t VALUES (1, 2.0)"), InputError, GIVE_VALUES),
    "null": (sql("INSERT INTO t VALUES (2, NULL)"), InputError, GIVE_VALUES),
    "rule": (sql("INSERT INTO t VALUES (2, -1.0)"), InputError, GIVE_VALUES),
    "conversion": (sql("SELECT 'many'::INTEGER"), InputError, GIVE_VALUES),
    "range": (sql("INSERT INTO t VALUES (?, 1.0)", 2**40), InputError, GIVE_VALUES),
    "far range": (sql("INSERT INTO t VALUES (?, 1.0)", 2**70), InputError, GIVE_VALUES),
    "conflict": (conflict, DatabaseBusyError, "Write through one repository"),
    "memory": (out_of_memory, DatabaseFullError, "PAYMENT_SIM_MEMORY=2GB"),
}


@pytest.mark.parametrize(("cause", "ours", "advice"), REAL.values(), ids=REAL)
def test_real_errors(cause: Callable[[Conn], object], ours: type, advice: str, conn: Conn):
    with pytest.raises(PaymentSimulatorError) as caught, translating():
        cause(conn)
    assert type(caught.value) is ours
    said = str(caught.value)
    assert advice in said
    assert "\n" not in said
    assert isinstance(caught.value.__cause__, duckdb.Error)
    first = str(caught.value.__cause__).split("\n", maxsplit=1)[0].rstrip(".!")
    assert said.startswith(first.partition("Error: ")[2]), "DuckDB's kind of error is left out"


def test_advice_about_memory_helps(manager: DatabaseManager):
    manager.conn.execute("SET memory_limit = '4GB'")
    (found,) = manager.conn.execute("SELECT current_setting('memory_limit')").fetchall()
    assert found == ("3.7 GiB",)


@pytest.mark.parametrize("word", ["corrupt", "no space left on device", "read only", "fatal error"])
def test_a_value_in_a_message_does_not_decide(word: str, conn: Conn):
    """A bank may be called anything; only DuckDB's own words tell what happened."""
    with pytest.raises(InputError, match=GIVE_VALUES), translating():
        conn.execute("SELECT ?::VARCHAR::INTEGER", [word]).fetchall()


def test_an_aborted_transaction_is_not_blamed_on_others(conn: Conn):
    conn.execute("BEGIN TRANSACTION")
    with pytest.raises(duckdb.Error):
        conn.execute("INSERT INTO t VALUES (1, 2.0)")
    with pytest.raises(DatabaseError) as caught, translating():
        conn.execute("INSERT INTO t VALUES (2, 2.0)")
    assert type(caught.value) is DatabaseError
    assert "Write through one repository" not in str(caught.value)


@pytest.mark.parametrize("statement", ["INSERT INTO t VALUES (1)", "CREATE TABLE u (i INTEGER)"])
def test_read_only(statement: str, db_path: Path):
    with duckdb.connect(str(db_path)) as conn:
        conn.execute("CREATE TABLE t (i INTEGER)")
    with (
        duckdb.connect(str(db_path), read_only=True) as conn,
        pytest.raises(ReadOnlyDatabaseError, match=r"Open it for writing: DatabaseManager\(path\)"),
        translating(),
    ):
        conn.execute(statement)


@pytest.mark.parametrize("place", [100, 4200, 12300])
def test_a_damaged_file(place: int, db_path: Path):
    with duckdb.connect(str(db_path)) as conn:
        conn.execute("CREATE TABLE t AS FROM range(1000)")
    content = bytearray(db_path.read_bytes())
    content[place] ^= 0xFF
    db_path.write_bytes(content)
    with pytest.raises(DamagedDatabaseError, match="Put back a copy of the file"), translating():
        duckdb.connect(str(db_path)).execute("FROM t")
    with pytest.raises(DamagedDatabaseError, match="Put back a copy of the file") as caught:
        DatabaseManager(db_path)
    assert str(db_path) in str(caught.value)


def test_a_file_cut_short(db_path: Path):
    with duckdb.connect(str(db_path)) as conn:
        conn.execute("CREATE TABLE t AS FROM range(100000)")
    db_path.write_bytes(db_path.read_bytes()[:10_000])
    with pytest.raises(DamagedDatabaseError, match="Put back a copy of the file") as caught:
        DatabaseManager(db_path)
    assert str(db_path) in str(caught.value)


class TestHeld:
    def test_by_another_process(self, db_path: Path):
        with (
            running(WRITER, db_path) as writer,
            pytest.raises(duckdb.IOException) as caught,
        ):
            duckdb.connect(str(db_path))
        assert is_held(caught.value)
        found = lock_holder(str(caught.value))
        assert found is not None
        assert found[0] == writer.pid
        assert "python" in found[1]

    def test_by_this_process(self, db_path: Path):
        with (
            duckdb.connect(str(db_path)),
            pytest.raises(duckdb.ConnectionException) as caught,
        ):
            duckdb.connect(str(db_path), read_only=True)
        assert is_held(caught.value)
        assert lock_holder(str(caught.value)) is None

    def test_not_at_all(self, conn: Conn):
        with pytest.raises(duckdb.Error) as caught:
            conn.execute("FROM nowhere")
        assert not is_held(caught.value)
        assert lock_holder(str(caught.value)) is None


#: What a test cannot bring about in a moment, in DuckDB's words.
TOLD = {
    "disk": (
        duckdb.TransactionException(
            'TransactionContext Error: Failed to commit: Could not write file "a.db.wal": '
            "No space left on device"
        ),
        DatabaseFullError,
        "Every save that returned is safe; free some space",
    ),
    "quota": (
        duckdb.IOException('IO Error: Could not write file "a.db": Disk quota exceeded'),
        DatabaseFullError,
        "free some space",
    ),
    "stopped": (
        duckdb.FatalException(
            "FATAL Error: Failed: database has been invalidated because of a previous fatal error."
            " The database must be restarted prior to being used again."
        ),
        DatabaseError,
        "Every save that returned is safe; open the database again",
    ),
    "newer storage": (
        duckdb.IOException(
            "IO Error: Trying to read a database file with version number 69, but we can only "
            "read versions between 64 and 68.\nThe database file was created with a newer version "
            "of DuckDB."
        ),
        DatabaseError,
        "pip install --upgrade duckdb",
    ),
    "anything else": (duckdb.Error("Some Error: of a kind to come."), DatabaseError, "to come"),
}


@pytest.mark.parametrize(("theirs", "ours", "advice"), TOLD.values(), ids=TOLD)
def test_errors_by_their_words(theirs: duckdb.Error, ours: type[DatabaseError], advice: str):
    found = translated(theirs)
    assert isinstance(found, ours)
    assert advice in str(found)
    assert "\n" not in str(found)


def test_other_errors_pass_unchanged():
    given = LookupError("not DuckDB's")
    with pytest.raises(LookupError) as caught, translating():
        raise given
    assert caught.value is given


class TestStore:
    def test_every_way_in_translates(self, conn: Conn):
        store = Store(conn)
        for call in (store.read, store.read_arrow, store.write, store.insert, store.run_script):
            with pytest.raises(SchemaMissingError):
                call("INSERT INTO nowhere VALUES (1)")

    def test_every_way_in_says_that_it_is_closed(self, conn: Conn):
        store = Store(conn)
        conn.close()
        for call in (store.read, store.read_arrow, store.write, store.insert, store.run_script):
            with pytest.raises(DatabaseClosedError):
                call("SELECT 1")
        for enter in (store.transaction, lambda: store.transaction(view=[])):
            with pytest.raises(DatabaseClosedError):
                enter().__enter__()
        with pytest.raises(DatabaseClosedError):
            store.cursor()

    def test_after_a_refused_row_the_store_goes_on(self, conn: Conn):
        store = Store(conn)
        assert store.insert("INSERT INTO t VALUES (1, 2.0)") is None
        with pytest.raises(InputError):
            store.insert("INSERT INTO t VALUES (2, -1.0)")
        with pytest.raises(InputError), store.transaction():
            store.write("INSERT INTO t VALUES (3, NULL)")
        assert not store.in_transaction
        assert store.insert("INSERT INTO t VALUES (2, 2.0)") == 1
        assert store.read("FROM t ORDER BY id") == [(1, 1.0), (2, 2.0)]

    def test_a_text_that_is_no_unicode_is_refused_as_ours(self, repo: GameRepository):
        with pytest.raises(PaymentSimulatorError):
            repo.get_game_session("half a pair: \ud800")
