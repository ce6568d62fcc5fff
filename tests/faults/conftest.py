"""What the fault tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from payment_simulator.persistence.files import log_path

# Signals, tmpfs and fork: what these tests do to a process exists on POSIX systems alone.
collect_ignore_glob = ["test_*.py"] if os.name == "nt" else []


@pytest.fixture
def start_child() -> Iterator[Callable[..., Any]]:
    """Start child processes, ``start_child(work, *args)``, that end with the test at the latest."""
    from tests.faults.children import Child

    children: list[Child] = []

    def start(work: Callable[..., Any], *args: Any) -> Child:
        children.append(Child(work, *args))
        return children[-1]

    yield start
    for child in children:
        child.end()


@pytest.fixture(scope="session")
def old_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a file of the first tool, a part of it in its log, as a killed process leaves it."""
    from tests.faults.children import Child, make_old_file

    path = tmp_path_factory.mktemp("old") / "simulation.db"
    child = Child(make_old_file, path)
    child.hear()
    child.end()
    assert log_path(path).stat().st_size > 0
    return path
