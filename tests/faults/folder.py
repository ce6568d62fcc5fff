"""What lies in a folder."""

from __future__ import annotations

from pathlib import Path


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def content(folder: Path) -> dict[str, bytes | int]:
    """Return everything in a folder and below it: the bytes of files, the kind of all else."""
    return {
        str(entry.relative_to(folder)): (
            entry.read_bytes() if entry.is_file() else entry.lstat().st_mode
        )
        for entry in folder.rglob("*")
    }
