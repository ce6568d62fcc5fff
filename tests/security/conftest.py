"""What the tests of security share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import WRITER, running

# Users, signals and pipes: what these tests do exists on POSIX systems alone.
collect_ignore_glob = ["test_*.py"] if os.name == "nt" else []


@pytest.fixture
def record(full_record: Path, tmp_path: Path) -> Path:
    """Return a record with rows in every table, for one test alone."""
    folder = tmp_path / "record"
    folder.mkdir()
    return Path(shutil.copyfile(full_record, folder / "record.db"))


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """Return process and file of a writer that does not answer readers."""
    path = tmp_path_factory.mktemp("held") / "held.db"
    with running(WRITER, path, "serve=False") as process:
        yield process.pid, path
