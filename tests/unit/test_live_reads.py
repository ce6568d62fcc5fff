"""Reading through the process that writes: the same answers as from the file, and nothing else."""

from __future__ import annotations

import http.client
import json
from datetime import datetime
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.opening import open_record
from payment_simulator.errors import (
    DatabaseError,
    DatabaseFullError,
    InputError,
    NotADatabaseError,
    ReadOnlyDatabaseError,
    SchemaMissingError,
)
from payment_simulator.persistence.answering import LONGEST_QUESTION, ROWS, TABLE, refused
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.live import LiveStore
from payment_simulator.persistence.reading import open_store
from payment_simulator.persistence.sidecar import Sidecar, read_sidecar, sidecar_path
from payment_simulator.persistence.store import Store
from tests.builders import a_session, an_iteration

ODD = "ä\0\n\"'</script>\u202e\U0001f600"


@pytest.fixture
def writer(repo: GameRepository, db_path: Path) -> Sidecar:
    """Return who writes a database with one game and one step: this process."""
    repo.save_game_session(a_session(ODD))
    repo.save_policy_iteration(an_iteration(game_id=ODD, llm_latency_seconds=0.1 + 0.2))
    entry = read_sidecar(db_path)
    assert entry is not None
    return entry


def post(writer: Sidecar, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    """Return status and body of an answer to a question with the writer's token, or another."""
    connection = http.client.HTTPConnection("127.0.0.1", writer.port, timeout=60)
    given = {"Authorization": f"Bearer {writer.token}", **headers}
    try:
        connection.request("POST", path, body, given)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def asked(sql: str, *parameters: object) -> bytes:
    return json.dumps({"sql": sql, "parameters": parameters}).encode()


@pytest.mark.usefixtures("writer")
def test_records_are_those_of_the_writer(repo: GameRepository, db_path: Path):
    with open_record(db_path) as record:
        assert record.list_game_sessions() == repo.list_game_sessions() == [a_session(ODD)]
        assert record.get_policy_iterations(ODD) == repo.get_policy_iterations(ODD)
        repo.save_game_session(a_session("later", started_at=datetime(2027, 1, 1)))
        # No copy: what is saved meanwhile is seen.
        assert [game.game_id for game in record.list_game_sessions()] == ["later", ODD]


@pytest.mark.usefixtures("writer")
def test_values_come_to_the_bit(db_path: Path):
    sql = (
        "SELECT 9223372036854775807::BIGINT, -0.0::DOUBLE, 0.1::DOUBLE + 0.2::DOUBLE, "
        "5e-324::DOUBLE, NULL, true, ?, TIMESTAMP '2026-01-02 03:04:05.678901', "
        "sum(9223372036854775807::BIGINT), ['a', 'b']"
    )
    with open_store(db_path) as store, DatabaseManager(":memory:") as memory:
        assert isinstance(store, LiveStore)
        expected = Store(memory.conn).read(sql, (ODD,))
        assert repr(store.read(sql, (ODD,))) == repr(expected)


@pytest.mark.usefixtures("writer")
def test_tables_are_those_of_the_writer(repo: GameRepository, db_path: Path):
    sql = "SELECT * FROM policy_iterations WHERE game_id = ?"
    with open_record(db_path) as record:
        table, own = record.read_arrow(sql, (ODD,)), repo.read_arrow(sql, (ODD,))
    assert table.column_names == own.column_names
    assert table.num_rows == 1
    assert [table[c].to_pylist() for c in table.column_names] == [
        own[c].to_pylist() for c in own.column_names
    ]


def test_a_writer_that_ends_leaves_the_file(db_path: Path):
    manager = DatabaseManager(db_path)
    repo = GameRepository(manager.conn)
    repo.initialize_schema()
    repo.save_game_session(a_session())
    with open_store(db_path) as store:
        assert store.read("SELECT count(*) FROM game_sessions") == [(1,)]
        manager.close()
        assert store.read("SELECT count(*) FROM game_sessions") == [(1,)]
        assert store.read_arrow("SELECT game_id FROM game_sessions").num_rows == 1


def test_a_stale_sidecar_is_passed_over(db_path: Path):
    with DatabaseManager(db_path) as manager:
        GameRepository(manager.conn).initialize_schema()
        stale = sidecar_path(db_path).read_bytes()
    sidecar_path(db_path).write_bytes(stale)
    with open_store(db_path) as store:
        assert not isinstance(store, LiveStore)
        assert store.read("SELECT count(*) FROM game_sessions") == [(0,)]


def test_without_a_file_there_is_nothing(db_path: Path):
    with pytest.raises(NotADatabaseError, match=r"not there|does not exist|no such"):
        open_store(db_path).__enter__()
    assert not db_path.exists()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM game_sessions",
        "UPDATE game_sessions SET status = 'failed'",
        "SELECT 1; DELETE FROM game_sessions",
        "COPY game_sessions TO '{folder}/out.csv'",
        "EXPORT DATABASE '{folder}/out'",
        "ATTACH '{folder}/out.db'",
        "SET memory_limit = '1GB'",
        "CHECKPOINT",
        "COMMIT",
        "DROP TABLE game_sessions",
        "WITH gone AS (DELETE FROM game_sessions RETURNING 1) SELECT * FROM gone",
        "",
        "SELECT",
    ],
)
@pytest.mark.parametrize("path", [ROWS, TABLE])
def test_nothing_but_reading_is_answered(
    path: str, sql: str, writer: Sidecar, repo: GameRepository, tmp_path: Path
):
    before = sorted(tmp_path.iterdir())
    status, body = post(writer, path, asked(sql.format(folder=tmp_path)))
    assert status in {400, 500}
    assert set(json.loads(body)) == {"error", "message"}
    assert repo.list_game_sessions() == [a_session(ODD)]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b'"x"', b"null", b'{"sql": 1, "parameters": []}', b"[" * 100_000),
        *(b'{"sql": "SELECT 1"}', b'{"sql": "SELECT 1", "parameters": {}}'),
    ],
)
def test_what_is_no_question_is_refused(body: bytes, writer: Sidecar):
    status, answer = post(writer, ROWS, body)
    assert status == 400
    assert json.loads(answer)["error"] == "InputError"


def test_a_question_without_the_token_is_forbidden(writer: Sidecar):
    for token in ("Bearer wrong", ""):
        status, answer = post(writer, ROWS, asked("SELECT 1"), Authorization=token)
        assert status == 403
        assert writer.token.encode() not in answer


def test_a_question_under_another_host_is_forbidden(writer: Sidecar):
    host = f"evil.example:{writer.port}"
    assert post(writer, ROWS, asked("SELECT 1"), Host=host)[0] == 403


def test_a_question_that_is_too_long_is_refused(writer: Sidecar):
    # What is announced as too long is not read, so it need not be sent.
    assert post(writer, ROWS, b"", **{"Content-Length": str(LONGEST_QUESTION + 1)})[0] == 413


@pytest.mark.usefixtures("writer")
def test_errors_are_of_their_kind(db_path: Path):
    with open_store(db_path) as store:
        for read in (store.read, store.read_arrow):
            with pytest.raises(SchemaMissingError, match="nowhere"):
                read("SELECT * FROM nowhere")
            with pytest.raises(InputError, match="expected one statement that reads"):
                read("DELETE FROM game_sessions")
        for wrong in (datetime(2026, 1, 1), [datetime(2026, 1, 1)], b"bytes", {}):
            with pytest.raises(InputError, match="a parameter is a"):
                store.read("SELECT ?", (wrong,))
        assert store.read("SELECT list_contains(?, 2)", ([1, 2],)) == [(True,)]
        with pytest.raises(InputError, match="ask in parts"):
            store.read("SELECT ?", ("x" * LONGEST_QUESTION,))
        with pytest.raises(InputError, match="a column holds a UUID"):
            store.read("SELECT uuid()")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b'{"error": "DatabaseFullError", "message": "full"}', DatabaseFullError),
        (b'{"error": "Exception", "message": "odd"}', DatabaseError),
        (b'{"error": "RunNotFoundError", "message": "odd"}', InputError),
        (b'{"error": "annotations", "message": "odd"}', DatabaseError),
        (b"nonsense", DatabaseError),
        (b"[]", DatabaseError),
    ],
)
def test_an_answer_of_an_error(answer: bytes, kind: type[Exception]):
    assert isinstance(refused(answer), kind)


@pytest.mark.usefixtures("writer")
def test_nothing_is_written_through_it(db_path: Path):
    with open_record(db_path) as record:
        record.initialize_schema()  # nothing to do
        with pytest.raises(ReadOnlyDatabaseError, match="is being written by process"):
            record.save_game_session(a_session("other"))
        with pytest.raises(ReadOnlyDatabaseError), record.transaction():
            pass
    with open_store(db_path) as store:
        assert store.in_transaction is False
        for call in (store.cursor, store.alone):
            with pytest.raises(ReadOnlyDatabaseError):
                call()
        for change in (store.write, store.insert, store.run_script):
            with pytest.raises(ReadOnlyDatabaseError):
                change("DELETE FROM game_sessions")


def test_a_question_that_goes_away_harms_nothing(writer: Sidecar, repo: GameRepository):
    connection = http.client.HTTPConnection("127.0.0.1", writer.port, timeout=60)
    connection.request(
        "POST",
        ROWS,
        asked("SELECT * FROM range(1000000)"),
        {"Authorization": f"Bearer {writer.token}"},
    )
    connection.close()
    repo.save_game_session(a_session("later"))
    assert post(writer, ROWS, asked("SELECT 1"))[0] == 200
