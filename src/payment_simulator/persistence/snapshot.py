"""The reader's side: fetch a consistent copy of a database from the process that writes it."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path

from payment_simulator.errors import DatabaseError, DatabaseFullError
from payment_simulator.persistence import activity
from payment_simulator.persistence.asking import TooSlowError, WriterIsGoneError, ask, is_there
from payment_simulator.persistence.serving import SNAPSHOT
from payment_simulator.persistence.sidecar import Sidecar
from payment_simulator.persistence.watching import COPY_SECONDS


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
    try:
        if not is_there(writer):
            return False
        answer = ask(writer, "GET", SNAPSHOT, seconds=COPY_SECONDS, target=target)
    except (WriterIsGoneError, TooSlowError):
        return False
    if answer.status != HTTPStatus.OK:
        is_full = answer.status == HTTPStatus.INSUFFICIENT_STORAGE
        raise (DatabaseFullError if is_full else DatabaseError)(
            f"the writing process (PID {writer.pid}) could not copy the database: "
            f"{answer.body.decode(errors='replace')}"
        )
    activity.tell_of_copy(str(target), _names(answer.at_work))
    return True


def _names(text: str | None) -> frozenset[str]:
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return frozenset()
    names = found if isinstance(found, list) else []
    return frozenset(name for name in names if isinstance(name, str))
