"""The reader's side: fetch a consistent copy of a database from the process that writes it."""

from __future__ import annotations

import http.client
import json
import shutil
from http import HTTPStatus
from pathlib import Path

from payment_simulator.errors import DatabaseError, DatabaseFullError
from payment_simulator.persistence import activity
from payment_simulator.persistence.serving import AT_WORK, CONTENT_TYPE, LOOPBACK, SNAPSHOT
from payment_simulator.persistence.sidecar import Sidecar

_CONNECT_SECONDS = 600.0  # a copy of some gigabytes takes its time


def fetch_snapshot(writer: Sidecar, target: Path) -> bool:
    """Write the writer's copy to ``target``, and keep what it worked on then.

    Returns
    -------
    bool
        False when nobody answers with this token: the sidecar is stale.

    Raises
    ------
    DatabaseFullError
        No room for the copy, there or here.
    DatabaseError
        The writer answered that it could not make the copy, or the copy broke off.
    """
    connection = http.client.HTTPConnection(LOOPBACK, writer.port, timeout=_CONNECT_SECONDS)
    try:
        try:
            connection.request("GET", SNAPSHOT, headers={"Authorization": f"Bearer {writer.token}"})
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException):
            return False
        length = answer.headers["Content-Length"] or ""
        if answer.headers["Content-Type"] != CONTENT_TYPE or not length.isdecimal():
            return False
        if answer.status != HTTPStatus.OK:
            is_full = answer.status == HTTPStatus.INSUFFICIENT_STORAGE
            raise (DatabaseFullError if is_full else DatabaseError)(
                f"the writing process (PID {writer.pid}) could not copy the database: "
                f"{answer.read().decode(errors='replace')}"
            )
        size = int(length)
        try:
            with target.open("wb") as file:
                shutil.copyfileobj(answer, file, 1 << 20)
        except OSError as error:
            raise DatabaseFullError(
                f"no room for a copy of {size:,} bytes in {target.parent} ({error.strerror}); "
                "free some space, or set TMPDIR to a larger folder"
            ) from error
        if target.stat().st_size != size:
            raise DatabaseError(
                f"the copy from the writing process (PID {writer.pid}) broke off after "
                f"{target.stat().st_size} of {size} bytes; try again"
            )
        activity.tell_of_copy(str(target), _names(answer.headers[AT_WORK]))
    finally:
        connection.close()
    return True


def _names(text: str | None) -> frozenset[str]:
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return frozenset()
    names = found if isinstance(found, list) else []
    return frozenset(name for name in names if isinstance(name, str))
