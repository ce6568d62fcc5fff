"""A log or a database file that is not what was written: exact rows or a clear error."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.errors import DamagedDatabaseError
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.files import log_path
from tests.effort import tries
from tests.faults.children import Child, count, write_and_die
from tests.faults.folder import content
from tests.faults.history import perform_range

pytestmark = pytest.mark.slow
N_TRIES = tries(8, 200)
N_SAVES = 100
MAGIC = range(8, 12)  # what makes it a DuckDB file at all


@pytest.fixture(scope="module", params=[60, 0], ids=["some in the file", "all in the log"])
def n_in_file(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(scope="module")
def written(n_in_file: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a database whose first saves are in its file and all others in its log."""
    path = tmp_path_factory.mktemp("written") / "simulation.db"
    if n_in_file:
        with DatabaseManager(path) as manager:
            repo = GameRepository(manager.conn)
            repo.initialize_schema()
            perform_range(repo, 0, n_in_file)
    child = Child(write_and_die, path, n_in_file, N_SAVES)
    child.hear()
    child.end()
    return path


@pytest.fixture(params=[True, False], ids=["reading", "writing"])
def outcomes(request, n_in_file, tmp_path, start_child) -> Callable[..., list[int | str]]:
    """Open copies, each with other contents, and return the saves each holds or its error.

    It happens in a child, since a crash would be a failure of the test and not of the run.
    """

    def opened(files: list[bytes], logs: list[bytes | None]) -> list[int | str]:
        paths = [tmp_path / str(number) / "simulation.db" for number in range(len(files))]
        for path, file, log in zip(paths, files, logs, strict=True):
            path.parent.mkdir()
            path.write_bytes(file)
            if log is not None:
                log_path(path).write_bytes(log)
        found = start_child(count, paths, request.param).result()
        for path, file, log, outcome in zip(paths, files, logs, found, strict=True):
            if outcome not in range(N_SAVES + 1):  # refused, so everything must lie as it was
                assert path.read_bytes() == file
                assert log is None or log_path(path).read_bytes() == log
            shutil.rmtree(path.parent)
        # Where nothing is left in the log, not even the tables, there is nothing to read.
        is_empty = n_in_file == 0 and request.param
        return [0 if is_empty and o == "SchemaMissingError" else o for o in found]

    return opened


def flips(original: bytes, rng: random.Random, places: list[int]) -> list[bytes]:
    """Return copies, each with one bit changed."""
    copies = []
    for place in places:
        copy = bytearray(original)
        copy[place] ^= 1 << rng.randrange(8)
        copies.append(bytes(copy))
    return copies


def test_torn_log(written, n_in_file, outcomes):
    rng = random.Random(1)
    file, log = written.read_bytes(), log_path(written).read_bytes()
    lengths = sorted([0, 1, len(log) - 1, *rng.sample(range(len(log)), N_TRIES)])
    found = outcomes([file] * len(lengths), [log[:length] for length in lengths])
    assert found == sorted(found)  # a prefix, and never fewer saves from a longer log
    assert found[0] == n_in_file
    assert found[-1] == N_SAVES - 1
    assert len(set(found)) > N_TRIES // 4
    assert outcomes([file], [log]) == [N_SAVES]


def test_flipped_byte_in_the_log(written, n_in_file, outcomes):
    rng = random.Random(2)
    file, log = written.read_bytes(), log_path(written).read_bytes()
    logs = flips(log, rng, rng.sample(range(len(log)), N_TRIES))
    for outcome in outcomes([file] * N_TRIES, logs):
        assert outcome == "DamagedDatabaseError" or n_in_file <= outcome < N_SAVES


def test_missing_log(written, n_in_file, outcomes):
    assert outcomes([written.read_bytes()], [None]) == [n_in_file]


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("is_empty", [True, False])
def test_missing_database(is_empty, read_only, written, db_path):
    shutil.copy(log_path(written), log_path(db_path))
    if is_empty:
        db_path.touch()
    before = content(db_path.parent)
    with pytest.raises(DamagedDatabaseError, match=r"simulation\.db is missing or empty"):
        DatabaseManager(db_path, read_only=read_only)
    assert content(db_path.parent) == before


def test_flipped_byte_in_the_file(written, n_in_file, outcomes):
    rng = random.Random(3)
    file = written.read_bytes()
    headers = rng.sample(range(3 * 4096), N_TRIES // 2)
    places = [*MAGIC, *headers, *rng.sample(range(len(file)), N_TRIES)]
    found = outcomes(flips(file, rng, places), [None] * len(places))
    for place, outcome in zip(places, found, strict=True):
        if place in MAGIC:
            assert outcome == "NotADatabaseError"
        else:
            assert outcome in {"DamagedDatabaseError", n_in_file}


def test_truncated_file(written, n_in_file, outcomes):
    rng = random.Random(4)
    file = written.read_bytes()
    lengths = [1, 11, 12, 4095, 4096, 8192, *rng.sample(range(len(file)), N_TRIES)]
    found = outcomes([file[:length] for length in lengths], [None] * len(lengths))
    for length, outcome in zip(lengths, found, strict=True):
        if length < MAGIC.stop:
            assert outcome == "NotADatabaseError"
        else:
            assert outcome in {"DamagedDatabaseError", n_in_file}
    assert "DamagedDatabaseError" in found
