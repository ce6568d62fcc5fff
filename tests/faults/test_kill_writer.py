"""A writer that is killed at any moment: every acknowledged save is there."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.files import log_path
from tests.effort import tries
from tests.faults.children import Child, write, write_and_die
from tests.faults.history import count_saves, perform_range

pytestmark = pytest.mark.slow
BEGUN = 30
ENOUGH = 100_000


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a database that holds the first saves."""
    path = tmp_path_factory.mktemp("begun") / "simulation.db"
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        perform_range(repo, 0, BEGUN)
    return path


def check_survivors(path: Path, child: Child) -> None:
    """Assert that the file holds what the child acknowledged, and at most one save more."""
    n_acknowledged = max([BEGUN, *(number + 1 for number in child.hear_all())])
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        n_saves = count_saves(repo)
        assert n_acknowledged <= n_saves <= n_acknowledged + 1
        perform_range(repo, n_saves, n_saves + 8)
        assert count_saves(repo) == n_saves + 8


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@pytest.mark.parametrize("seed", range(tries(6, 38)))
def test_kill_at_a_random_moment(seed, begun, db_path, start_child):
    rng = random.Random(seed)
    # With 16KB every save ends in a checkpoint, with 512KB about every fiftieth, with 16MB none.
    threshold = rng.choice(["16KB", "512KB", "16MB"])
    shutil.copy(begun, db_path)
    child = start_child(write, db_path, BEGUN, ENOUGH, threshold)
    for _ in range(rng.randrange(120)):
        child.hear()
    time.sleep(rng.uniform(0, 0.008))
    child.kill()
    check_survivors(db_path, child)


def test_kill_while_a_checkpoint_writes(begun, db_path, start_child):
    rng = random.Random(99)
    n_torn = 0
    for _ in range(tries(5, 12)):
        shutil.copy(begun, db_path)
        child = start_child(write, db_path, BEGUN, ENOUGH, "512KB")
        child.hear()
        # The log takes the saves; the database file changes when a checkpoint begins to write it.
        before = db_path.stat().st_mtime_ns
        log_size = 0
        while db_path.stat().st_mtime_ns == before:
            log_size = size(log_path(db_path))
        time.sleep(rng.uniform(0, 0.01))
        child.kill()
        # A checkpoint that came to its end has emptied or removed the log.
        n_torn += size(log_path(db_path)) >= log_size > 0
        check_survivors(db_path, child)
        db_path.unlink()
    assert n_torn > 0


def test_closing_after_a_kill_empties_the_log(db_path, start_child):
    child = start_child(write_and_die, db_path, 0, BEGUN)
    child.hear()
    child.kill()
    DatabaseManager(db_path).close()
    # So that a copy of the file alone is whole.
    assert not log_path(db_path).exists()


def test_closing_right_after_a_kill_keeps_the_indexes(db_path, start_child):
    child = start_child(write_and_die, db_path, 0, BEGUN)
    child.hear()
    child.kill()
    DatabaseManager(db_path).close()
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        # An update of the game's status goes through two indexes.
        perform_range(repo, BEGUN, BEGUN + 8)
        assert count_saves(repo) == BEGUN + 8
