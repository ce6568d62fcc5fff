"""The digest of a game: as its page defines it, wherever rows lie, and changed by any change."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.builders import a_session, an_iteration
from tests.effort import tries
from tests.games import play, twelve
from tests.planting import rebuild

from payment_simulator.ai_cash_mgmt import GameRepository, game_digest, game_digests
from payment_simulator.ai_cash_mgmt.persistence.models import TextPieceRecord, TextRecord
from payment_simulator.ai_cash_mgmt.record import digest
from payment_simulator.ai_cash_mgmt.record.digest import kinds_in_digest, n_rows_of
from payment_simulator.analysis.exchange import FORMATS, export_games, import_file
from payment_simulator.errors import GameNotFoundError
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.copying import copy_database
from payment_simulator.persistence.store import Store

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "digest.md"
GAME = "game-001"
KINDS = kinds_in_digest()
#: A value for each type that no row of the full record has.
OTHER = {
    "VARCHAR": "'other'",
    "INTEGER": "77",
    "BIGINT": "77",
    "DOUBLE": "0.4375",
    "TIMESTAMP": "'2001-01-01 00:00:00.000001'",
}
Stranger = Callable[[duckdb.DuckDBPyConnection, str], str]


@pytest.fixture(scope="module")
def stranger() -> Stranger:
    """Return the program on the page of the definition, which knows nothing of this package."""
    program = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    assert "payment_simulator" not in program
    names: dict[str, Any] = {}
    exec(compile(program, str(PAGE), "exec"), names)
    return names["digest"]


def digest_of(path: Path, game: str = GAME) -> str:
    with DatabaseManager(path, read_only=True) as manager:
        return game_digest(GameRepository(manager.conn), game).sha256


@pytest.fixture
def full(full_record: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a copy of a record with rows in every table."""
    copy = shutil.copyfile(full_record, tmp_path / "full.db")
    with DatabaseManager(copy) as manager:
        yield manager.conn


def now(conn: duckdb.DuckDBPyConnection) -> str:
    return game_digest(GameRepository(conn), GAME).sha256


def test_it_is_what_its_page_defines(full: duckdb.DuckDBPyConnection, stranger: Stranger) -> None:
    found = game_digest(GameRepository(full), GAME)
    assert found.sha256 == stranger(full, GAME)
    assert list(found.tables) == sorted(kind.TABLE for kind in KINDS)
    rows = sum(table.rows for table in found.tables.values())
    assert rows == n_rows_of(GameRepository(full), GAME) >= len(KINDS)


def test_it_is_what_its_page_defines_for_a_game_that_was_played(
    db_path: Path, stranger: Stranger
) -> None:
    play(db_path, twelve(convergence={"stability_window": 2, "max_iterations": 2}))
    with DatabaseManager(db_path, read_only=True) as manager:
        assert stranger(manager.conn, "twelve") == digest_of(db_path, "twelve")


def test_it_is_the_same_for_every_version_of_everything(repo: GameRepository) -> None:
    repo.save_game_session(a_session(final_cost=-0.0))
    repo.save_policy_iteration(an_iteration(new_policy_json="{}" + " " * 63))
    found = game_digest(repo, GAME)
    assert found.text.startswith("payment-simulator game digest, version 1\ngame_sessions 1 ")
    assert found.sha256 == "529e6667c251263c700a26303ef85a5053bc984d81926fe053e77f896b6186a5"


def rows(conn: duckdb.DuckDBPyConnection, kind: Any) -> list[Any]:
    """Return what the digest is made of, of one table: of all of them it would take minutes."""
    asked = "WITH asked AS (SELECT unnest($1::VARCHAR[]) AS game_id)"
    sql = digest._query("rows_of_table", **digest._words(kind))
    return sorted(conn.execute(f"{asked} {sql}", [[GAME]]).fetchall())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.TABLE)
def test_any_change_of_any_column_changes_it(kind: Any, full: duckdb.DuckDBPyConnection) -> None:
    table = kind.table()
    rebuild(full, table.name)  # no constraint is in the way
    before = rows(full, kind)
    for column, type_ in zip(table.columns, table.types, strict=True):
        # The last row with a value; where no row has one, it is NULL that is changed.
        last = f"SELECT rowid FROM {table.name} ORDER BY {column} IS NULL, rowid DESC LIMIT 1"
        where = f"rowid = ({last})"
        is_given = full.execute(f"SELECT count({column}) > 0 FROM {table.name}").fetchall()[0][0]
        other = f"NOT {column}" if type_ == "BOOLEAN" else OTHER[type_]
        for value in (other, "NULL") if is_given else (other,):
            full.execute("BEGIN")
            full.execute(f"UPDATE {table.name} SET {column} = {value} WHERE {where}")
            assert rows(full, kind) != before, f"{column} = {value}"
            full.execute("ROLLBACK")
    assert rows(full, kind) == before


def test_a_row_too_many_or_too_few_changes_it(full: duckdb.DuckDBPyConnection) -> None:
    # Texts belong to a game while rows of others name them.
    texts = [kind for kind in KINDS if kind in (TextRecord, TextPieceRecord)]
    assert len(texts) == 2
    kinds = [*texts, *reversed([kind for kind in KINDS if kind not in texts])]
    found = [now(full)]
    for number, kind in enumerate(kinds):
        rebuild(full, kind.TABLE)
        before = rows(full, kind)
        changes = [f"INSERT INTO {kind.TABLE} FROM {kind.TABLE} LIMIT 1"]
        if kind.TABLE != "game_sessions":
            changes.append(f"DELETE FROM {kind.TABLE}")
        for change in changes:
            full.execute(change)
            assert rows(full, kind) != before, change
            if number < tries(3, len(kinds)):
                found.append(now(full))
    assert len(set(found)) == len(found)


def test_where_rows_lie_does_not_matter(full: duckdb.DuckDBPyConnection) -> None:
    repo = GameRepository(full)
    for number in range(2, 30):
        repo.save_policy_iteration(an_iteration(number))
    before = now(full)
    for kind in KINDS:
        columns = ", ".join(sorted(kind.table().columns))
        rebuild(full, f"{kind.TABLE}", columns)
        full.execute(f"CREATE TABLE turned AS FROM {kind.TABLE} ORDER BY rowid DESC")
        full.execute(f"DROP TABLE {kind.TABLE}")
        full.execute(f"ALTER TABLE turned RENAME TO {kind.TABLE}")
    assert now(full) == before


def test_other_games_do_not_matter(full: duckdb.DuckDBPyConnection) -> None:
    before = now(full)
    repo = GameRepository(full)
    for name in ("game-002", "game-00", '["game-001"', "run-001"):
        repo.save_game_session(a_session(name))
        repo.save_game_session(a_session(name, master_seed=1))
        repo.save_policy_iteration(an_iteration(game_id=name))
    assert now(full) == before
    both = game_digests(repo, ["game-002", GAME, "game-002"])
    assert list(both) == ["game-002", GAME]
    assert both[GAME].sha256 == before != both["game-002"].sha256


@pytest.mark.sampled(2)
@pytest.mark.parametrize("file_format", FORMATS)
def test_export_and_import_keep_it(
    file_format: str, full: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    repo = GameRepository(full)
    odd = "a\"b\\\n\r\t\x00 \u00e9 e\u0301 \u2028 \U0001f3e6,;'\ufeff"
    repo.save_policy_iteration(an_iteration(2, llm_model=odd, validation_errors=["", odd]))
    repo.save_policy_iteration(an_iteration(3, llm_model="", llm_latency_seconds=5e-324))
    export_games(repo, [GAME], tmp_path / "out", format=file_format)
    import_file(tmp_path / "out", tmp_path / "in.db")
    assert digest_of(tmp_path / "in.db") == now(full)


def test_a_copy_keeps_it(full: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    copy_database(Store(full), tmp_path / "copy.db")
    assert digest_of(tmp_path / "copy.db") == now(full)


#: Pairs of values of a text that are easily taken for each other.
PAIRS = [
    ("", " "),
    ("\u00e9", "e\u0301"),
    ("a", "a\x00"),
    ("x" * 64, "x" * 65),
    ("\u00e9" * 32, "\u00e9" * 32 + "x"),
    ("m\ntokens_used i1", "m"),
    ("s0:", ""),
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_no_two_texts_are_taken_for_each_other(
    one: str, other: str, repo: GameRepository, manager: DatabaseManager, stranger: Stranger
) -> None:
    repo.save_game_session(a_session())
    found = set()
    for text in (one, other):
        repo.save_policy_iteration(an_iteration(llm_model=text))
        manager.conn.execute("DELETE FROM superseded_records")
        found.add(game_digest(repo, GAME).sha256)
        assert stranger(manager.conn, GAME) in found
    assert len(found) == 2


def test_zeros_are_told_apart_and_nothing_from_naught(
    repo: GameRepository, manager: DatabaseManager
) -> None:
    found = set()
    for cost in (0.0, -0.0, None, 5e-324):
        repo.save_game_session(a_session(final_cost=cost))
        manager.conn.execute("DELETE FROM superseded_records")
        found.add(game_digest(repo, GAME).sha256)
    assert len(found) == 4


def test_a_game_that_is_not_there(repo: GameRepository) -> None:
    repo.save_game_session(a_session())
    with pytest.raises(GameNotFoundError, match="game-001"):
        game_digest(repo, "game-01")


def test_signed_lines_hold_the_name_as_json(repo: GameRepository) -> None:
    name = 'two"\n\u00e9'
    repo.save_game_session(a_session(name))
    found = game_digest(repo, name)
    assert found.line == (
        "payment-simulator game digest, version 1: sha256 "
        f'{found.sha256} of game "two\\"\\n\\u00e9"\n'
    )
