"""The small file beside a database that says which process writes it and how to ask it to read.

``NAME.writer`` holds process number, port and token in JSON. Only the owner may read it. It is
removed when the writer closes; after a kill it stays and is recognised as stale, because nobody
answers at its port with its token.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from payment_simulator.persistence.files import partial_path

_LARGEST = 4096


@dataclass(frozen=True)
class Sidecar:
    """Who writes a database.

    Attributes
    ----------
    pid : int
        The writing process.
    port : int
        Where it answers readers on 127.0.0.1.
    token : str
        What a reader must show.
    since : str
        When it opened the database (UTC, ISO 8601).
    """

    pid: int
    port: int
    token: str
    since: str


def sidecar_path(database: Path) -> Path:
    """Return where the file lies for a database."""
    return database.with_name(database.name + ".writer")


def write_sidecar(database: Path, port: int, token: str) -> Path:
    """Write the file, readable by its owner alone, replacing a stale one in one step."""
    entry = Sidecar(os.getpid(), port, token, datetime.now(UTC).isoformat(timespec="seconds"))
    target = sidecar_path(database)
    partial = partial_path(database, target)
    # The mode is given at once, so that the token is never readable by others.
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(entry), file)
        partial.replace(target)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    return target


def read_sidecar(database: Path) -> Sidecar | None:
    """Return what the file says; ``None`` when there is none or it says nothing sensible."""
    try:
        with sidecar_path(database).open(encoding="utf-8") as file:
            entry = json.loads(file.read(_LARGEST))
        pid, port = int(entry["pid"]), int(entry["port"])
        token, since = str(entry["token"]), str(entry["since"])
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    if not 0 < port < 2**16 or not token.isascii() or not token.isalnum():
        return None
    return Sidecar(pid, port, token, since)


def remove_sidecar(database: Path, token: str) -> None:
    """Remove the file if it is still the one with this token."""
    entry = read_sidecar(database)
    if entry is not None and entry.token == token:
        with suppress(OSError):
            sidecar_path(database).unlink()
