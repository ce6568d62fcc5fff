"""What several unit tests stand on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import WRITER, running


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """Return process and file of a writer that does not answer readers."""
    path = tmp_path_factory.mktemp("held") / "simulation.db"
    with running(WRITER, path, "serve=False") as process:
        yield process.pid, path
