"""The notebooks run from their first cell to their last, and their figures show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from tests.processes import HANGS_AFTER_SECONDS

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
#: Cells that end in a figure, and cells that end in a table.
SHOWN = {"analyse_a_game": (5, 4), "write_a_proposer": (2, 1)}


def read(path: Path) -> Any:
    """Return a notebook."""
    return nbformat.read(path, as_version=4)


def outputs(book: Any, kind: str) -> list[Any]:
    """Return what cells show in a format."""
    shown = (output for cell in book.cells for output in cell.get("outputs", ()))
    return [output.data[kind] for output in shown if kind in output.get("data", {})]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    book = read(path)
    NotebookClient(
        book,
        timeout=HANGS_AFTER_SECONDS,
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    n_figures, n_tables = SHOWN[path.stem]
    assert len(outputs(book, "image/png")) == n_figures
    assert all(text.startswith("<?xml") for text in outputs(book, "image/svg+xml"))
    assert len(outputs(book, "text/html")) == n_tables
    said = [o for cell in book.cells for o in cell.get("outputs", ()) if o.output_type == "stream"]
    assert [o.text for o in said if o.name == "stderr"] == []


def test_every_notebook_is_known():
    assert {path.stem for path in NOTEBOOKS} == set(SHOWN)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_what_it_shows(path: Path):
    book = read(path)
    nbformat.validate(book)
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in cells] == [[]] * len(cells)
    assert {cell.execution_count for cell in cells} == {None}
