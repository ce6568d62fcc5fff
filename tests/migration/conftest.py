"""Old files to migrate, each test its own copy."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.migration.make_assets import asset

#: Gives a copy of the frozen database of a schema version.
OldFile = Callable[[int], Path]


@pytest.fixture
def old_file(db_path: Path) -> OldFile:
    """Return a maker of copies of the frozen databases."""

    def copy(version: int) -> Path:
        db_path.write_bytes(gzip.decompress(asset(version).read_bytes()))
        return db_path

    return copy


def content_of(folder: Path) -> dict[str, str]:
    """Return the hash of every file of a folder; never while a database in it is open."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}
