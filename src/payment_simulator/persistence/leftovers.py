"""Names of unfinished files, which tell who makes them and so whether anybody still does.

A folder may be shared by several machines, and by containers that number processes anew. So a name
tells the machine, its start with the space of process numbers, the process, and a number of its
own: ``.simulation.db.MACHINE-START-PROCESS-NUMBER.new``.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

#: What ``maker`` returns, as a part of a regular expression.
MAKER = r"(?P<machine>[0-9a-f]{8})-(?P<start>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{8}"
#: Two machines may pass for one that was started again; neither leaves a file alone for so long.
_ABANDONED_SECONDS = 3600


def maker() -> str:
    """Return a part of a file's name that tells who makes it, and that nobody else uses."""
    return f"{_machine()}-{_start()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def leftovers(folder: Path, pattern: str) -> Iterator[tuple[Path, re.Match[str]]]:
    """Give the entries of a folder that a process of this machine made and has not finished.

    Parameters
    ----------
    folder : pathlib.Path
        Where to look; a folder that cannot be read has none.
    pattern : str
        A regular expression for the whole name, in which ``MAKER`` stands.
    """
    names = re.compile(pattern)
    with suppress(OSError):
        for entry in sorted(folder.iterdir()):
            found = names.fullmatch(entry.name)
            if found and _is_abandoned(entry, found):
                yield entry, found


def _is_abandoned(entry: Path, found: re.Match[str]) -> bool:
    if found["machine"] != _machine():
        return False
    if found["start"] == _start():
        return not is_alive(int(found["process"]))
    return time.time() - entry.lstat().st_mtime > _ABANDONED_SECONDS


def is_alive(pid: int) -> bool:
    """Tell whether a process of this number runs, as far as this user can tell."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


@cache
def _machine() -> str:
    return _short(_text("/etc/machine-id"), socket.gethostname())


@cache
def _start() -> str:
    return _short(_text("/proc/sys/kernel/random/boot_id"), _link("/proc/self/ns/pid"))


def _short(*facts: str) -> str:
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:8]


def _text(path: str) -> str:
    with suppress(OSError):
        return Path(path).read_text(encoding="utf-8", errors="replace")
    return ""


def _link(path: str) -> str:
    with suppress(OSError):
        return str(Path(path).readlink())
    return ""
