"""What many tests stand on."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from tests.effort import THOROUGH, spread, tries
from tests.planting import fill

# No deadlines: machines are shared, and a slow moment is no failure.
settings.register_profile(
    "default",
    deadline=None,
    max_examples=tries(50, 200),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("default")

# Jobs in the background ignore Ctrl-C, and those of nohup the end of the terminal. Programs that
# tests start would inherit that; what is handled here is as usual in them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out cases of tests that are marked ``sampled``, unless each is asked for."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if not THOROUGH and item.get_closest_marker("sampled"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    left_out = {
        item
        for some in cases.values()
        for item in set(some).difference(spread(some, _sample_size(some[0])))
    }
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def _sample_size(item: pytest.Item) -> int:
    """Return how many cases of a test a usual run takes."""
    mark = item.get_closest_marker("sampled")
    assert mark is not None
    [size] = mark.args
    return int(size)


@pytest.fixture
def db_path(tmp_path: Path) -> Path:
    """Return the path of a database that is not there yet."""
    return tmp_path / "simulation.db"


@pytest.fixture(scope="session")
def empty_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a record without rows, made once: copying it is faster than making it."""
    path = tmp_path_factory.mktemp("empty") / "record.db"
    with DatabaseManager(path) as made:
        made.setup()
    return path


@pytest.fixture(scope="session")
def full_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a record with rows in every table, made once."""
    path = tmp_path_factory.mktemp("full") / "record.db"
    with DatabaseManager(path) as made:
        repository = GameRepository(made.conn)
        repository.initialize_schema()
        fill(repository)
    return path


@pytest.fixture
def manager(db_path: Path, request: pytest.FixtureRequest) -> Iterator[DatabaseManager]:
    """Open a new database file; one with tables for a test that asks for its repository, too."""
    if "repo" in request.fixturenames:
        shutil.copyfile(request.getfixturevalue("empty_record"), db_path)
    with DatabaseManager(db_path) as opened:
        yield opened


@pytest.fixture
def repo(manager: DatabaseManager) -> GameRepository:
    """Return a repository with its tables made."""
    repository = GameRepository(manager.conn)
    repository.initialize_schema()
    return repository
