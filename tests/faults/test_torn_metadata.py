"""A block of metadata that a killed checkpoint tore is mended; other damage is refused."""

from __future__ import annotations

import logging
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.errors import DamagedDatabaseError, DatabaseError, NotADatabaseError
from payment_simulator.persistence import mending
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.files import log_path
from payment_simulator.persistence.mending import mend
from payment_simulator.persistence.sidecar import sidecar_path
from tests.builders import a_session
from tests.faults.children import Child, hold, write_and_die
from tests.faults.folder import content
from tests.faults.history import count_saves, perform_range
from tests.migration.first_tool import write_first_tool_file

pytestmark = pytest.mark.slow
PAGE, HEADERS, BLOCK = 4096, 3 * 4096, 2**18
PAGES = BLOCK // PAGE
IN_FILE, ALL = 30, 40


@dataclass(frozen=True)
class Before:
    """A file before a checkpoint, its log, and the file after it."""

    file: bytes
    log: bytes
    after: bytes

    def torn(self, n_pages: int) -> bytes:
        """Return the file as a kill leaves it that lets so many pages of metadata be written."""
        metadata = HEADERS + n_pages * PAGE
        return b"".join(
            (
                self.file[:HEADERS],  # whose header comes last of all
                self.after[HEADERS:metadata],
                self.file[metadata : HEADERS + BLOCK],
                self.after[HEADERS + BLOCK :],
            )
        )


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Before:
    path = tmp_path_factory.mktemp("before") / "simulation.db"
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        perform_range(repo, 0, IN_FILE)
    child = Child(write_and_die, path, IN_FILE, ALL)
    child.hear()
    child.end()
    file, log = path.read_bytes(), log_path(path).read_bytes()
    DatabaseManager(path).close()
    return Before(file, log, path.read_bytes())


def lay(path: Path, file: bytes, log: bytes | None) -> None:
    """Put a file where a writer was killed, with its log or, if there is none, its sidecar."""
    path.write_bytes(file)
    if log is None:
        sidecar_path(path).write_text("{}")
    else:
        log_path(path).write_bytes(log)


def metadata_of(path: Path) -> set[int]:
    with path.open("rb") as file:
        return mending._metadata_blocks(file, mending._header_in_force(file))


def block_size(path: Path) -> int:
    with path.open("rb") as file:
        return mending._header_in_force(file).block_size


def refusal(location: int) -> duckdb.Error:
    """Return what DuckDB says of a block that it finds wrong."""
    said = f"computed checksum 1 does not match stored checksum 2 in block at location {location}"
    return duckdb.IOException(f"IO Error: Corrupt database file: {said}")


@pytest.mark.sampled(10)
@pytest.mark.parametrize("n_pages", [0, *range(1, PAGES, 6), PAGES - 1, PAGES])
@pytest.mark.parametrize("has_log", [True, False])
def test_a_block_torn_at_any_page_is_mended(has_log, n_pages, before, db_path, caplog):
    lay(db_path, before.torn(n_pages), before.log if has_log else None)
    n_expected = ALL if has_log else IN_FILE
    is_whole = before.torn(n_pages)[HEADERS : HEADERS + BLOCK] in (
        before.file[HEADERS : HEADERS + BLOCK],
        before.after[HEADERS : HEADERS + BLOCK],
    )
    if not is_whole:
        with pytest.raises(duckdb.Error, match="does not match stored checksum"):
            duckdb.connect(str(db_path))
    with caplog.at_level(logging.WARNING), DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        assert count_saves(repo) == n_expected
        perform_range(repo, n_expected, n_expected + 8)
    assert [r.levelname for r in caplog.records] == ([] if is_whole else ["WARNING"])
    assert is_whole or f"block at byte {HEADERS}" in caplog.text
    with DatabaseManager(db_path, read_only=True) as manager:
        assert count_saves(GameRepository(manager.conn)) == n_expected + 8


def test_the_cases_are_torn(before):
    blocks = {before.torn(n)[HEADERS : HEADERS + BLOCK] for n in range(PAGES + 1)}
    assert len(blocks) > 4
    assert before.file[HEADERS : HEADERS + 8] != before.after[HEADERS : HEADERS + 8]


def test_without_a_sign_of_a_kill_it_is_damage(before, db_path):
    db_path.write_bytes(before.torn(1))
    with pytest.raises(DamagedDatabaseError, match="Put back a copy"):
        DatabaseManager(db_path)
    assert content(db_path.parent) == {db_path.name: before.torn(1)}


def test_a_reader_says_what_to_do_and_changes_nothing(before, db_path):
    lay(db_path, before.torn(1), before.log)
    as_it_was = content(db_path.parent)
    with pytest.raises(DamagedDatabaseError, match="first try to open it for writing"):
        DatabaseManager(db_path, read_only=True)
    assert content(db_path.parent) == as_it_was


@pytest.mark.parametrize("length", [1, 8])
def test_flipped_bits_are_damage_and_not_a_tear(length, before, db_path):
    rng = random.Random(length)
    places = [*range(8), *rng.sample(range(8, BLOCK), 30)]
    for place in places:
        file = bytearray(before.file)
        bits = 1 << rng.randrange(8) if length == 1 else rng.randrange(1, 256)
        file[HEADERS + place] ^= bits
        lay(db_path, bytes(file), before.log)
        as_it_was = content(db_path.parent)
        with pytest.raises(DamagedDatabaseError):
            DatabaseManager(db_path)
        assert content(db_path.parent) == as_it_was


@pytest.mark.parametrize("filling", [b"\0", b"\xff"])
def test_metadata_that_cannot_be_read_afterwards_is_left_as_it_was(filling, before, db_path):
    file = bytearray(before.torn(1))
    file[HEADERS + PAGE : HEADERS + BLOCK] = filling * (BLOCK - PAGE)
    lay(db_path, bytes(file), before.log)
    as_it_was = content(db_path.parent)
    with pytest.raises(DatabaseError):
        DatabaseManager(db_path)
    assert content(db_path.parent) == as_it_was


def test_another_programs_file_is_left_as_it_was(db_path):
    with duckdb.connect(str(db_path)) as conn:
        conn.execute("CREATE TABLE other AS SELECT 42 AS answer")
    file = bytearray(db_path.read_bytes())
    file[HEADERS : HEADERS + 8] = random.Random(5).randbytes(8)
    lay(db_path, bytes(file), None)
    as_it_was = content(db_path.parent)
    with pytest.raises(NotADatabaseError, match="another program"):
        DatabaseManager(db_path)
    assert content(db_path.parent) == as_it_was


def test_only_blocks_of_metadata_are_mended(before, db_path):
    torn = before.torn(1)
    db_path.write_bytes(torn)
    n_blocks = (len(torn) - HEADERS) // BLOCK
    starts = [HEADERS + number * BLOCK for number in range(n_blocks)]
    others = [0, PAGE, 2 * PAGE, HEADERS + 1, HEADERS - BLOCK, *starts[1:], len(torn), 2**62]
    for location in others:
        assert mend(db_path, refusal(location)) is None
    assert mend(db_path, duckdb.IOException("IO Error: Corrupt database file")) is None
    assert db_path.read_bytes() == torn
    assert n_blocks > 5
    done = mend(db_path, refusal(HEADERS))
    assert done is not None
    assert db_path.read_bytes() != torn
    done.undo()
    assert db_path.read_bytes() == torn


def test_a_file_that_a_process_holds_is_not_touched(before, db_path, start_child):
    db_path.write_bytes(before.file)
    child = start_child(hold, db_path)
    child.hear()
    assert mend(db_path, refusal(HEADERS)) is None
    assert db_path.read_bytes() == before.file
    child.kill()
    # In a file that nobody holds, a block that is whole is no case either.
    assert mend(db_path, refusal(HEADERS)) is None
    assert db_path.read_bytes() == before.file


@pytest.mark.parametrize("cut", [0, 11, PAGE, 2 * PAGE, HEADERS, HEADERS + BLOCK - 1])
def test_a_file_cut_short_is_not_mended(cut, before, db_path):
    db_path.write_bytes(before.torn(1)[:cut])
    assert mend(db_path, refusal(HEADERS)) is None
    assert db_path.stat().st_size == cut


def small_blocks(path: Path) -> None:
    """Make a record with a game, in the smallest blocks that DuckDB knows."""
    with duckdb.connect(":memory:") as conn:
        conn.execute(f"ATTACH '{path}' AS made (BLOCK_SIZE 16384, STORAGE_VERSION 'v1.5.0')")
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session())


class TestFilesOfManyMetadataBlocks:
    """Small blocks hold little metadata each; DuckDB reads some of them only when it must."""

    @pytest.fixture
    def record(self, db_path: Path) -> Path:
        small_blocks(db_path)
        with duckdb.connect(str(db_path)) as conn:
            conn.execute(
                "INSERT INTO bank_states SELECT 'run-2', n, 'BANK_' || n % 7, n // 100, "
                "hash(n) % 100000, 0, 0, 0, 0, 0, 0, hash(n + 1) % 1000, 0, hash(n + 2) / 7 "
                "FROM range(400000) AS r(n)"
            )
        return db_path

    def spoil(self, path: Path, numbers: set[int]) -> None:
        """Write wrong checksums, as tears do."""
        rng, size = random.Random(7), block_size(path)
        file = bytearray(path.read_bytes())
        for number in numbers:
            start = HEADERS + number * size
            file[start : start + 8] = rng.randbytes(8)
        lay(path, bytes(file), None)

    def test_a_block_that_is_read_late_is_mended_before_it_is_needed(self, record, tmp_path):
        path = tmp_path / "copy.db"
        n_read_late = 0
        for number in metadata_of(record):
            shutil.copy(record, path)
            self.spoil(path, {number})
            try:
                duckdb.connect(str(path), read_only=True).close()
            except duckdb.Error:
                continue
            n_read_late += 1
            with DatabaseManager(path) as manager:
                sums = "SELECT count(*), sum(balance_cents), sum(sent_cents) FROM bank_states"
                found = manager.conn.execute(sums).fetchall()
            assert path.read_bytes() == record.read_bytes()
            with duckdb.connect(str(record), read_only=True) as conn:
                assert conn.execute(sums).fetchall() == found
        assert n_read_late > 0

    def test_all_of_them_together_are_mended(self, record, caplog):
        whole, numbers = record.read_bytes(), metadata_of(record)
        self.spoil(record, numbers)
        with caplog.at_level(logging.WARNING), DatabaseManager(record) as manager:
            assert len(GameRepository(manager.conn).list_game_sessions()) == 1
        assert len(caplog.records) == len(numbers) > 2
        assert record.read_bytes() == whole


@pytest.mark.parametrize("make", ["first tool", "small blocks", "large"])
def test_metadata_is_where_duckdb_has_it(make: str, db_path: Path, before: Before):
    made: dict[str, Callable[[Path], object]] = {
        "first tool": write_first_tool_file,
        "small blocks": small_blocks,
        "large": lambda path: path.write_bytes(before.after),
    }
    made[make](db_path)
    if make == "large":
        with duckdb.connect(str(db_path)) as conn:
            for number in range(60):
                columns = ", ".join(f"i + {n} AS c{n}" for n in range(40))
                conn.execute(f"CREATE TABLE t{number} AS SELECT {columns} FROM range(9) AS r(i)")
            conn.execute("DROP TABLE t7")
            conn.execute("CHECKPOINT")
    with duckdb.connect(str(db_path), read_only=True) as conn:
        expected = {
            n for (n,) in conn.execute("SELECT block_id FROM pragma_metadata_info()").fetchall()
        }
    assert metadata_of(db_path) == expected
    assert make != "large" or len(expected) > 1
    size = block_size(db_path)
    with db_path.open("rb") as file:
        for number in expected:
            block = mending._read(file, HEADERS + number * size, size)
            assert mending._checksum(block[8:]) == int.from_bytes(block[:8], "little")
