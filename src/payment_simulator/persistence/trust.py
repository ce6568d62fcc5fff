"""Whether the process that a sidecar names is the one that writes the database.

Others may write into the folder, or take the port that a killed writer left behind. What they would
answer would be shown as the record. So the sidecar has to be the user's own, or of whoever owns the
database; and, where the system tells it (Linux), its process has to hold the database open, and the
port has to be the owner's.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from payment_simulator.persistence.leftovers import is_alive

_TCP = Path("/proc/net/tcp")
_LISTENING = "0A"


def may_be_believed(entry: os.stat_result, database: Path) -> bool:
    """Tell whether a sidecar is of somebody whose record would be read anyway.

    Parameters
    ----------
    entry : os.stat_result
        What the system says of the opened sidecar.
    database : pathlib.Path
        The database beside it.
    """
    if not stat.S_ISREG(entry.st_mode) or entry.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return False
    if not hasattr(os, "geteuid"):  # Windows, where access is not told by owner and mode
        return True
    owners = {os.geteuid()}
    with suppress(OSError):
        owners.add(database.stat().st_uid)
    return entry.st_uid in owners


def holds(pid: int, database: Path) -> bool:
    """Tell whether a process has a file open, as far as this user can tell.

    The file itself is not opened: closing it again would drop the locks of this process.
    """
    if not is_alive(pid):
        return False
    if not sys.platform.startswith("linux"):
        return True
    try:
        sought = database.stat()
        handles = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # another user's, or hidden: the port's owner decides
        return True
    for handle in handles:
        try:
            found = handle.stat()
        except OSError:
            continue
        if (found.st_dev, found.st_ino) == (sought.st_dev, sought.st_ino):
            return True
    return False


def is_port_of(port: int, owner: int) -> bool:
    """Tell whether a user listens at a port of 127.0.0.1, as far as the system tells."""
    try:
        lines = _TCP.read_text(encoding="ascii").splitlines()[1:]
    except (OSError, ValueError):
        return True
    end = f":{port:04X}"
    for line in lines:
        fields = line.split()
        if fields[1].endswith(end) and fields[3] == _LISTENING:
            return int(fields[7]) == owner
    return False
