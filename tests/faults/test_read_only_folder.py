"""A folder and a file that may be read but not written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.files import log_path
from tests.faults.children import open_as_nobody, write_and_die
from tests.faults.folder import content
from tests.faults.history import perform_range


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that anybody can reach, as those of pytest cannot be."""
    path = Path(tempfile.mkdtemp(prefix="payment-sim-test-"))
    yield path
    path.chmod(0o755)
    shutil.rmtree(path)


@pytest.fixture(params=[9, 0], ids=["closed", "with a log"])
def path(request, folder, start_child) -> Path:
    """Make a database of nine saves that nobody may change; return its path."""
    path = folder / "simulation.db"
    if request.param:
        with DatabaseManager(path) as manager:
            repo = GameRepository(manager.conn)
            repo.initialize_schema()
            perform_range(repo, 0, 9)
    else:
        child = start_child(write_and_die, path, 0, 9)
        child.hear()
        child.kill()
        assert log_path(path).stat().st_size > 0
    for entry in folder.iterdir():
        entry.chmod(0o444)
    folder.chmod(0o555)
    return path


def test_reading(path, start_child):
    before = content(path.parent)
    assert start_child(open_as_nobody, path, True, 0).result() == 9
    assert content(path.parent) == before


def test_writing(path, start_child):
    before = content(path.parent)
    error, message = start_child(open_as_nobody, path, False, 1).result()
    assert error == "ReadOnlyDatabaseError"
    assert str(path) in message
    assert "read_only=True" in message
    assert content(path.parent) == before


def test_writing_a_file_in_a_folder_that_takes_no_log(path, start_child):
    path.chmod(0o666)
    before = content(path.parent)
    error, message = start_child(open_as_nobody, path, False, 1).result()
    assert error == "ReadOnlyDatabaseError"
    assert str(path.parent) in message
    assert content(path.parent) == before


def test_making_a_file(folder, start_child):
    folder.chmod(0o555)
    path = folder / "simulation.db"
    error, message = start_child(open_as_nobody, path, False, 1).result()
    assert error == "ReadOnlyDatabaseError"
    assert str(path) in message
    assert "ermission" in message
    assert content(folder) == {}
