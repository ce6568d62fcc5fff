"""What a reader asks of the writer reads tables: no file, no setting, no lock, no endless work."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path

import pytest

from payment_simulator.persistence import answering, watching
from payment_simulator.persistence.answering import ROWS, TABLE
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.reading import open_store
from payment_simulator.persistence.sidecar import Sidecar, read_sidecar
from tests.processes import run

REFUSED = (
    "SELECT * FROM read_text('{file}')",
    "SELECT * FROM read_blob('{file}')",
    "SELECT * FROM '{file}'",
    'SELECT * FROM "{file}"',
    "SELECT (SELECT content FROM read_text('{file}'))",
    "WITH a AS (SELECT * FROM read_csv('{file}')) SELECT * FROM a",
    "SELECT * FROM game_sessions WHERE game_id IN (SELECT content FROM read_text('{file}'))",
    "SELECT * FROM parquet_metadata('{file}')",
    "SELECT * FROM sniff_csv('{file}')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM read_duckdb('{file}')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_variables()",
    "SELECT * FROM duckdb_logs()",
    "SELECT * FROM duckdb_temporary_files()",
    "SELECT * FROM which_secret('s3://a', 's3')",
    "SELECT current_setting('temp_directory')",
    "SELECT getenv('HOME')",
    "SELECT getvariable('a')",
    "SELECT nextval('a')",
    "SELECT sleep_ms(1000000)",
    "SELECT write_log('a')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('game_sessions')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT * FROM checkpoint()",
    "SELECT * FROM pandas_scan(1)",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT system.main.current_setting('temp_directory')",
    "SELECT CURRENT_SETTING('temp_directory')",
    "SELECT DISTINCT ON (current_setting('temp_directory')) 1",
    "SELECT 1 ORDER BY current_setting('temp_directory')",
    "SELECT 1 LIMIT (SELECT length(content) FROM read_text('{file}'))",
    "FROM game_sessions SELECT list_transform([1], lambda x: getvariable('a'))",
    "PRAGMA database_list",
    "CALL checkpoint()",
    "EXPLAIN ANALYZE SELECT 1",
    "COPY (SELECT 1) TO '{folder}/out'",
    "PREPARE a AS SELECT 1",
    "USE system",
    "SET search_path = 'temp.main'",
    "LOAD json",
    "EXECUTE a",
    "BEGIN",
    "VACUUM",
    "SELECT 1; SELECT 2",
)

#: Whether another process holds a database.
IS_HELD = """
import duckdb, sys
try:
    duckdb.connect(sys.argv[1]).close()
except duckdb.IOException as error:
    print("Could not set lock" in str(error))
"""


@pytest.fixture
def writer(record: Path):
    """Return who writes the record: this process."""
    with DatabaseManager(record):
        entry = read_sidecar(record)
        assert entry is not None
        yield entry


def post(writer: Sidecar, path: str, sql: str) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", writer.port, timeout=120)
    try:
        body = json.dumps({"sql": sql, "parameters": []})
        connection.request("POST", path, body, {"Authorization": f"Bearer {writer.token}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize("path", [ROWS, TABLE])
def test_nothing_but_tables_is_read(path: str, writer: Sidecar, record: Path, tmp_path: Path):
    secret = tmp_path / "secret.csv"
    secret.write_text("sk-0123\n")
    # The record itself as a file, too: to close it again would drop the writer's lock.
    for file in (secret, record):
        for sql in REFUSED:
            asked = sql.format(file=file, folder=tmp_path)
            status, said = post(writer, path, asked)
            assert status in {400, 500}, asked
            assert set(said) == {"error", "message"}, asked
            assert "sk-0123" not in said["message"], asked
    assert sorted(tmp_path.iterdir()) == [record.parent, secret]
    assert run(IS_HELD, record) == "True"


def test_a_query_that_takes_too_long_is_interrupted(writer: Sidecar, monkeypatch):
    monkeypatch.setattr("payment_simulator.persistence.serving.QUERY_SECONDS", 0.5)
    endless = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range <> b.range"
    for path in (ROWS, TABLE):
        status, said = post(writer, path, endless)
        assert status in {400, 500}
        assert "longer than it may" in said["message"]
    assert post(writer, ROWS, "SELECT 1")[0] == 200


def test_a_result_that_is_too_large_is_refused(writer: Sidecar, monkeypatch):
    monkeypatch.setattr(answering, "LARGEST_ANSWER", 1 << 20)
    status, said = post(writer, ROWS, "SELECT repeat('x', 1000) FROM range(1000000000)")
    assert (status, "ask in parts" in said["message"]) == (400, True)


def test_a_table_that_is_too_large_is_refused(writer: Sidecar, monkeypatch):
    monkeypatch.setattr(watching, "LARGEST_TABLE", 1 << 20)
    sql = "SELECT hash(range)::VARCHAR || hash(range + 1)::VARCHAR AS t FROM range(10000000000)"
    status, said = post(writer, TABLE, sql)
    assert (status, "ask in parts" in said["message"]) == (500, True)


def test_what_a_reader_asks_is_answered(record: Path):
    with DatabaseManager(record), open_store(record) as store:
        assert store.is_elsewhere
        assert store.read("SELECT count(*) > 0 FROM game_sessions") == [(True,)]
        assert store.read("SELECT k.key FROM json_each('{\"a\": 1}') AS k") == [("a",)]
        assert store.read("SELECT table_name FROM duckdb_tables() LIMIT 0") == []
        assert store.read("WITH a AS (SELECT 1 AS n) SELECT max(n) FROM a, range(3)") == [(1,)]
        started = time.monotonic()
        assert store.read_arrow("SELECT * FROM policy_iterations").num_rows > 0
        assert time.monotonic() - started < 60
