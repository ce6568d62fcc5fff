"""Files of the first tool, each test its own copy."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.migration.first_tool import write_first_tool_file


@pytest.fixture
def old_file(db_path: Path) -> Path:
    """Return a copy of the frozen file."""
    write_first_tool_file(db_path)
    return db_path


def content_of(folder: Path) -> dict[str, str]:
    """Return the hash of every file of a folder; never while a database in it is open."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}
