"""The small file beside a database that says which process writes it and how to ask it to read.

``NAME.writer`` holds process number, port and token in JSON. Only the owner may read it. It is
removed when the writer closes; after a kill it stays and is recognised as stale, because its
process does not hold the database, or nobody answers at its port.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from payment_simulator.persistence.files import partial_path
from payment_simulator.persistence.trust import holds, is_port_of, may_be_believed

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
    owner : int
        The user whose file it is.
    """

    pid: int
    port: int
    token: str
    since: str
    owner: int = 0


def sidecar_path(database: Path) -> Path:
    """Return where the file lies for a database."""
    return database.with_name(database.name + ".writer")


def write_sidecar(database: Path, port: int, token: str) -> Path:
    """Write the file, readable by its owner alone, replacing a stale one in one step."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    fields = {"pid": os.getpid(), "port": port, "token": token, "since": since}
    target = sidecar_path(database)
    partial = partial_path(database, target)
    # The mode is given at once, so that the token is never readable by others.
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(fields, file)
        partial.replace(target)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    return target


def read_sidecar(database: Path) -> Sidecar | None:
    """Return what the file says; ``None`` when there is none or it says nothing sensible.

    A file that others may write, or that is not the user's nor of the database's owner, says
    nothing; nor does a link, a pipe or a device.
    """
    try:
        content, owner = _content(database)
        entry = json.loads(content)
        pid, port = int(entry["pid"]), int(entry["port"])
        token, since = str(entry["token"]), str(entry["since"])
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    if pid <= 0 or not 0 < port < 2**16 or not token.isascii() or not token.isalnum():
        return None
    return Sidecar(pid, port, token, since, owner)


def _content(database: Path) -> tuple[str, int]:
    """Return the text of the file and its owner, without waiting for anybody."""
    safely = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(sidecar_path(database), os.O_RDONLY | safely | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not may_be_believed(found, database):
            raise PermissionError
        return file.read(_LARGEST).decode("utf-8"), found.st_uid


def find_writer(database: Path) -> Sidecar | None:
    """Return who writes a database and answers readers, if that can be believed.

    ``None`` when nobody does, or when the file was left behind by a killed writer.
    """
    writer = read_sidecar(database)
    if writer is None or not holds(writer.pid, database):
        return None
    return writer if is_port_of(writer.port, writer.owner) else None


def remove_sidecar(database: Path, token: str) -> None:
    """Remove the file if it is still the one with this token."""
    entry = read_sidecar(database)
    if entry is not None and entry.token == token:
        with suppress(OSError):
            sidecar_path(database).unlink()
