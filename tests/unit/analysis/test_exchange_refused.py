"""What an import refuses: the folder may come from anybody, and nothing in it is trusted."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.builders import a_record, a_session, an_iteration
from tests.fingerprints import rows_of
from tests.saving import save

from payment_simulator.ai_cash_mgmt import (
    EvaluationSampleRecord,
    GameRepository,
    ProvenanceFileRecord,
    SimulationEventRecord,
    SimulationRunRecord,
    TransactionRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS
from payment_simulator.analysis.exchange import FORMATS, export_games, import_file, import_games
from payment_simulator.errors import DatabaseError, InputError, SchemaVersionError
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.migrations import SCHEMA_VERSION

ENDINGS = {"parquet": "parquet", "csv": "csv", "json": "jsonl"}
formats = pytest.mark.parametrize("file_format", FORMATS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an export of one game, one row in every table, in each format."""
    folder = tmp_path_factory.mktemp("whole")
    with DatabaseManager(folder / "games.db") as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        for kind in RECORDS:
            save(repo, a_record(kind))
        repo.save_policy_iteration(an_iteration(tokens_used=1))
        for file_format in FORMATS:
            export_games(repo, ["game-001"], folder / file_format, format=file_format)
    return folder


@pytest.fixture
def out(whole: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that gives an export to spoil."""

    def give(file_format: str) -> Path:
        return shutil.copytree(whole / file_format, tmp_path / "out")

    return give


def refused(folder: Path, error: type[Exception] = InputError) -> str:
    """Return why an export is refused, after looking that nothing of it was kept."""
    before = sorted(path.name for path in folder.parent.iterdir())
    with pytest.raises(error) as caught:
        import_file(folder, folder.parent / "simulation.db")
    assert sorted(path.name for path in folder.parent.iterdir()) == before
    message = str(caught.value)
    assert "\n" not in message
    return message


def change(folder: Path, **changes: Any) -> None:
    """Change entries of a manifest."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def relist(folder: Path, name: str, rows: int | None = None) -> None:
    """Have the manifest say of a file what it is, as whoever changed it on purpose would."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    data = (folder / name).read_bytes()
    entry = manifest["files"].setdefault(name, {})
    entry |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    if rows is not None:
        entry["rows"] = rows
    path.write_text(json.dumps(manifest))


def rewrite(folder: Path, table: str, sql: str, rows: int | None = None) -> str:
    """Put the result of a query over a Parquet file in its place."""
    name = f"tables/{table}.parquet"
    with duckdb.connect() as conn:
        conn.execute(f"CREATE TABLE it AS FROM '{folder / name}'")
        conn.execute(f"COPY ({sql}) TO '{folder / name}' (FORMAT parquet)")
    relist(folder, name, rows)
    return name


@formats
def test_what_is_unspoilt_is_taken(file_format: str, out: Callable[[str], Path]) -> None:
    folder = out(file_format)
    done = import_file(folder, folder.parent / "simulation.db")
    # A row of each kind, a superseded one, and each long text with its one piece.
    with duckdb.connect(str(folder.parent / "simulation.db"), read_only=True) as conn:
        ((texts,),) = conn.execute("SELECT count(*) FROM texts").fetchall()
    assert done.rows == len(RECORDS) + 1 + 2 * texts


def test_a_record_that_is_there_stays_as_it_was(
    out: Callable[[str], Path], repo: GameRepository
) -> None:
    repo.save_game_session(a_session("before"))
    before = rows_of(repo.store.cursor())
    folder = out("parquet")
    rewrite(folder, "daily_costs", "SELECT * REPLACE ('tax' AS cost_kind) FROM it")
    with pytest.raises(InputError, match="cost_kind"):
        import_games(folder, repo)
    assert rows_of(repo.store.cursor()) == before


@pytest.mark.sampled(7)
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "something else"}, "is not the manifest of an export"),
        ({"format_version": 2, "package_version": "9.9"}, "format version 2.*'9.9'.*Install"),
        ({"format_version": 0}, "format_version is 0, expected 1"),
        ({"format_version": True}, "format_version is True"),
        ({"schema_version": 0}, "schema_version is 0"),
        ({"file_format": "pickle"}, "file_format is 'pickle'"),
        ({"games": []}, "games is"),
        ({"games": "game-001"}, "games is 'game-001'"),
        ({"games": ["game-001", "x"]}, "do not name the same games; 'x'"),
        ({"games": ["x"]}, "do not name the same games"),
        ({"unknown": 1}, "unknown is 1"),
        ({"files": {}}, "does not list tables/texts.csv"),
        ({"files": {"tables/game_sessions.csv": {"bytes": -1, "sha256": "0" * 64}}}, "bytes is -1"),
        ({"files": {"tables/game_sessions.csv": {"bytes": 1, "sha256": "x"}}}, "sha256 is 'x'"),
    ],
)
def test_a_manifest(changes: dict[str, Any], said: str, out: Callable[[str], Path]) -> None:
    folder = out("csv")
    change(folder, **changes)
    message = refused(folder)
    assert re.search(said, message), message


def test_a_newer_schema(out: Callable[[str], Path]) -> None:
    folder = out("csv")
    change(folder, schema_version=SCHEMA_VERSION + 1, package_version="9.9")
    message = refused(folder, SchemaVersionError)
    assert "payment-simulator 9.9" in message
    assert f"knows schema version {SCHEMA_VERSION}" in message


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"format": NaN', "[" * 100_000, "\0", '"' + "x" * (64 << 20) + '"'],
    ids=range(8),
)
def test_a_manifest_that_is_none(text: str, out: Callable[[str], Path]) -> None:
    folder = out("csv")
    (folder / "manifest.json").write_text(text)
    assert "manifest.json" in refused(folder)


@pytest.mark.sampled(6)
@formats
@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data + b" ",
        lambda data: data[:-1],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda _: b"",
    ],
)
def test_a_file_that_was_changed(
    spoil: Callable[[bytes], bytes], file_format: str, out: Callable[[str], Path]
) -> None:
    folder = out(file_format)
    path = folder / f"tables/policy_iterations.{ENDINGS[file_format]}"
    path.write_bytes(spoil(path.read_bytes()))
    message = refused(folder)
    assert str(path) in message
    assert "sha256" in message


def test_a_text_that_was_changed(out: Callable[[str], Path]) -> None:
    folder = out("csv")
    (config,) = folder.glob("games/*/config.json")
    config.write_text("{}")
    assert str(config) in refused(folder)


def test_a_file_that_is_missing(out: Callable[[str], Path]) -> None:
    folder = out("csv")
    (folder / "tables/game_outcomes.csv").unlink()
    assert "'tables/game_outcomes.csv' is missing" in refused(folder)


@pytest.mark.parametrize("name", ["more.csv", "tables/.hidden", "games/x/deep/er/still/file"])
def test_a_file_that_was_added(name: str, out: Callable[[str], Path]) -> None:
    folder = out("csv")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("")
    message = refused(folder)
    assert str(folder / name).startswith(message.split(" is ")[0])


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "tables/../../secret"])
def test_a_file_that_the_manifest_names_elsewhere(name: str, out: Callable[[str], Path]) -> None:
    folder = out("csv")
    secret = folder.parent / "secret"
    secret.write_text("1")
    manifest = json.loads((folder / "manifest.json").read_text())
    digest = hashlib.sha256(b"1").hexdigest()
    change(folder, files={**manifest["files"], name: {"bytes": 1, "sha256": digest}})
    assert "is missing, which manifest.json lists" in refused(folder)


@pytest.mark.parametrize("name", ["manifest.json", "tables/game_sessions.csv", "README.md"])
def test_a_link_in_the_place_of_a_file(name: str, out: Callable[[str], Path]) -> None:
    folder = out("csv")
    moved = folder.parent / "moved"
    (folder / name).rename(moved)
    (folder / name).symlink_to(moved)
    message = refused(folder)
    assert str(folder / name) in message
    assert "link" in message


def test_a_link_in_the_place_of_a_folder(out: Callable[[str], Path]) -> None:
    folder = out("csv")
    (folder / "tables").rename(folder.parent / "moved")
    (folder / "tables").symlink_to(folder.parent / "moved")
    assert "is a link" in refused(folder)


def test_a_pipe_in_the_place_of_a_file(out: Callable[[str], Path]) -> None:
    folder = out("csv")
    (folder / "README.md").unlink()
    os.mkfifo(folder / "README.md")
    assert "no plain file" in refused(folder)


def csv_line(folder: Path, table: str, old: str, new: str) -> None:
    path = folder / f"tables/{table}.csv"
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new).encode())
    relist(folder, f"tables/{table}.csv")


@pytest.mark.sampled(6)
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",1500.0,", ",1500.5e,", "old_cost is '1500.5e', expected DOUBLE"),
        (",1500.0,", ",1e999,", "old_cost is '1e999'"),
        (",1500.0,", ",nan,", "old_cost is 'nan'"),
        (",1500.0,", ",infinity,", "old_cost is 'infinity'"),
        (",99,", ",99.5,", "sample_seed is '99.5', expected BIGINT"),
        (",99,", ", 99,", "sample_seed is ' 99'"),
        (",99,", ",0x10,", "sample_seed is '0x10'"),
        (",99,", ",9223372036854775808,", "sample_seed is '9223372036854775808'"),
        (",99,", ",,", "sample_seed"),
        (",1,99,", ",0,99,", "sample_number"),
        (",300.0,", ",299.0,", "cost_improvement is 299.0, expected old_cost - new_cost"),
        ('"BANK_A"', '""', "agent_id"),
        ('"BANK_A"', "", "agent_id"),
        (",0.95,", ",1.95,", "old_settlement_rate"),
        ("game_id,", "game,", "has not the columns of its table"),
        ("game_id,agent_id", "agent_id,game_id", "has not the columns of its table"),
        ('"game-001"', '"game-002"', "'game-002', which the export does not hold"),
        ("\n", "\r\n", "has not the columns"),
        ('"BANK_A"', '"BANK_A', "rows"),
    ],
)
def test_a_value_in_csv(old: str, new: str, said: str, out: Callable[[str], Path]) -> None:
    folder = out("csv")
    csv_line(folder, "evaluation_samples", old, new)
    message = refused(folder)
    assert said in message
    assert str(folder / "tables/evaluation_samples.csv") in message


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("change_row", "said"),
    [
        (lambda row: row.pop("new_settlement_rate"), "has not the columns"),
        (lambda row: row.update(extra=1), "has not the columns"),
        (lambda row: row.update(sample_seed=99.5), "sample_seed is '99.5'"),
        (lambda row: row.update(sample_seed="ninety"), "sample_seed is 'ninety'"),
        (lambda row: row.update(sample_seed=[99]), "sample_seed is '[99]'"),
        (lambda row: row.update(old_cost="NaN"), "old_cost is 'NaN'"),
        (lambda row: row.update(old_cost=None), "old_cost"),
        (lambda row: row.update(cost_improvement=0.0), "cost_improvement is 0.0"),
        (lambda row: row.update(sample_number=0), "sample_number"),
    ],
)
def test_a_value_in_json(
    change_row: Callable[[dict[str, Any]], None], said: str, out: Callable[[str], Path]
) -> None:
    folder = out("json")
    name = "tables/evaluation_samples.jsonl"
    row = json.loads((folder / name).read_text())
    change_row(row)
    (folder / name).write_text(json.dumps(row) + "\n")
    relist(folder, name)
    message = refused(folder)
    assert said in message
    assert str(folder / name) in message


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b"null", b'{"game_id": "\xff"}', b'{"game_id": 1, "game_id": 2}', b"\0"]
)
def test_json_that_is_none(text: bytes, out: Callable[[str], Path]) -> None:
    folder = out("json")
    name = "tables/evaluation_samples.jsonl"
    (folder / name).write_bytes(text)
    relist(folder, name)
    assert str(folder / name) in refused(folder, (InputError, DatabaseError))


@pytest.mark.parametrize("text", [b"", b"PAR1", b"PAR1" * 9, b"a,b\n1,2\n", b"\0" * 99])
def test_parquet_that_is_none(text: bytes, out: Callable[[str], Path]) -> None:
    folder = out("parquet")
    name = "tables/evaluation_samples.parquet"
    (folder / name).write_bytes(text)
    relist(folder, name)
    message = refused(folder)
    assert str(folder / name) in message
    assert "payment-sim-" not in message


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * REPLACE (old_cost::FLOAT AS old_cost) FROM it", "has not the columns"),
        ("SELECT * EXCLUDE old_cost FROM it", "has not the columns"),
        ("SELECT *, 1 AS more FROM it", "has not the columns"),
        ("SELECT * REPLACE ('NaN'::DOUBLE AS old_cost) FROM it", "old_cost is nan"),
        ("SELECT * REPLACE (NULL::DOUBLE AS old_cost) FROM it", "old_cost"),
        ("SELECT * REPLACE (-0.5::DOUBLE AS old_settlement_rate) FROM it", "old_settlement_rate"),
        ("SELECT * REPLACE ('other' AS game_id) FROM it", "'other', which the export does not"),
    ],
)
def test_a_value_in_parquet(sql: str, said: str, out: Callable[[str], Path]) -> None:
    folder = out("parquet")
    name = rewrite(folder, "evaluation_samples", sql)
    message = refused(folder)
    assert said in message
    assert str(folder / name) in message


@pytest.mark.sampled(9)
@pytest.mark.parametrize(
    ("table", "sql", "said"),
    [
        ("game_sessions", "SELECT * REPLACE ('over' AS status) FROM it", "status is 'over'"),
        ("game_sessions", "SELECT * REPLACE ('{' AS optimized_agents) FROM it", "optimized_agents"),
        ("game_sessions", "SELECT * REPLACE ('[1]' AS optimized_agents) FROM it", "optimized_a"),
        (
            "game_sessions",
            "SELECT * REPLACE ('infinity'::TIMESTAMP AS started_at) FROM it",
            "started_at",
        ),
        (
            "game_sessions",
            "SELECT * REPLACE ('294000-01-01'::TIMESTAMP AS completed_at) FROM it",
            "completed_at",
        ),
        ("policy_iterations", "SELECT * REPLACE (-1 AS tokens_used) FROM it", "tokens_used is -1"),
        (
            "policy_iterations",
            "SELECT * REPLACE (1::DOUBLE AS cost_improvement) FROM it",
            "row (game_id='game-001', agent_id='BANK_A', iteration_number=1): cost_improvement",
        ),
        (
            "llm_interaction_log",
            f"SELECT * REPLACE ('{'0' * 64}' AS parsed_policy_json_sha256) FROM it",
            "parsed_policy_json",
        ),
        ("provenance_files", "SELECT * REPLACE ('' AS sha256) FROM it", "sha256 should be"),
        ("provenance_files", "SELECT * REPLACE ('code' AS role) FROM it", "role is 'code'"),
        ("transactions", "SELECT * REPLACE (-5::BIGINT AS amount_cents) FROM it", "amount_cents"),
        ("transactions", "SELECT * REPLACE ('' AS sender_id) FROM it", "sender_id"),
        ("simulation_events", "SELECT * REPLACE ('{' AS details_json) FROM it", "JSON"),
        ("bank_states", "SELECT * REPLACE ('run-002' AS run_id) FROM it", "'run-002', which the"),
        ("daily_costs", "SELECT * REPLACE ('tax' AS cost_kind) FROM it", "cost_kind"),
        ("game_outcomes", "SELECT * REPLACE (2.0::DOUBLE AS confidence) FROM it", "confidence"),
        ("superseded_records", "SELECT * REPLACE (0 AS revision) FROM it", "revision"),
        ("superseded_records", "SELECT * REPLACE ('{' AS record_key) FROM it", "record_key"),
    ],
)
def test_a_row_that_its_record_refuses(
    table: str, sql: str, said: str, out: Callable[[str], Path]
) -> None:
    folder = out("parquet")
    name = rewrite(folder, table, sql)
    message = refused(folder)
    assert said in message
    assert str(folder / name) in message


@pytest.mark.sampled(5)
@pytest.mark.parametrize("kind", RECORDS)
def test_two_rows_of_one_key(kind: type, out: Callable[[str], Path]) -> None:
    folder = out("parquet")
    name = rewrite(folder, kind.TABLE, "FROM it UNION ALL FROM it", rows=2)
    message = refused(folder)
    assert str(folder / name) in message
    assert "key" in message


@pytest.mark.parametrize("kind", [EvaluationSampleRecord, TransactionRecord, ProvenanceFileRecord])
def test_two_rows_of_one_key_far_apart(
    kind: type, out: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payment_simulator.analysis.exchange.tables_in._MOST_ROWS", 1)
    folder = out("parquet")
    rewrite(folder, kind.TABLE, "FROM it UNION ALL FROM it", rows=2)
    assert "uplicate key" in refused(folder)


def test_more_rows_than_are_listed(out: Callable[[str], Path]) -> None:
    folder = out("parquet")
    rewrite(folder, "evaluation_samples", "FROM it WHERE false")
    assert "has 0 rows, expected 1 as listed" in refused(folder)


@pytest.mark.parametrize(
    ("table", "sql"),
    [
        ("simulation_runs", "SELECT * REPLACE (NULL::VARCHAR AS game_id) FROM it"),
        ("superseded_records", "SELECT * REPLACE ('[\"other\"]' AS record_key) FROM it"),
        ("superseded_records", "SELECT * REPLACE ('schema_ledger' AS table_name) FROM it"),
        ("superseded_records", "SELECT * REPLACE ('{\"a\":1}' AS record_key) FROM it"),
    ],
)
def test_rows_that_belong_to_no_game(table: str, sql: str, out: Callable[[str], Path]) -> None:
    folder = out("parquet")
    rewrite(folder, table, sql)
    assert "belong to none of the games" in refused(folder)


def test_what_is_no_export(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for name, said in (("empty", "has no manifest"), ("file", "not a folder"), ("x", "not there")):
        with pytest.raises(InputError, match=said):
            import_file(tmp_path / name, tmp_path / "simulation.db")
    assert not (tmp_path / "simulation.db").exists()


@formats
def test_odd_texts_of_a_stranger_are_texts(
    file_format: str, repo: GameRepository, tmp_path: Path
) -> None:
    odd = "x'); DROP TABLE game_sessions; --\0\u202e{columns} $1 ? %s"
    repo.save_game_session(a_session(odd))
    run = a_record(SimulationRunRecord, run_id=odd, game_id=odd)
    repo.save_simulation_run(run)
    event = a_record(SimulationEventRecord, run_id=odd, event_type=odd)
    repo.save_simulation_events(odd, [event])
    export_games(repo, [odd], tmp_path / "it's $1 [a]*", format=file_format)
    import_file(tmp_path / "it's $1 [a]*", tmp_path / "it's new.db")
    with DatabaseManager(tmp_path / "it's new.db", read_only=True) as manager:
        other = GameRepository(manager.conn)
        assert other.get_simulation_run(odd) == run
        assert other.get_simulation_events(odd) == [event]
