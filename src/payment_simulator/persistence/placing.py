"""Gives a finished file its name, whole or not at all, and never in place of another file."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def place(made: Path, target: Path) -> bool:
    """Give a file its name, unless something has that name by now.

    Parameters
    ----------
    made : pathlib.Path
        The file under its working name, in the same folder.
    target : pathlib.Path
        The name it gets.

    Returns
    -------
    bool
        Whether it has the name now. Otherwise the file is where it was.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    try:
        os.link(made, target)  # unlike rename, never replaces a file
    except FileExistsError:
        return False
    except OSError:  # vfat, exfat and many network file systems have no hard links
        return _place_without_links(made, target)
    made.unlink()
    return True


def _place_without_links(made: Path, target: Path) -> bool:
    """Reserve the name with an empty file of our own, and replace that one.

    Its lock keeps other processes from taking it for one that a killed process left.
    """
    try:
        import fcntl  # noqa: PLC0415 - not on Windows, where renaming never replaces a file
    except ImportError:
        try:
            made.rename(target)
        except FileExistsError:
            return False
        return True
    try:
        reserved = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    is_ours = False
    try:
        fcntl.lockf(reserved, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = _is_at(target, reserved)
        if not is_ours:
            return False
        made.replace(target)
    except BlockingIOError:
        return False
    except OSError:
        if is_ours:
            with suppress(OSError):
                target.unlink()
        raise
    finally:
        os.close(reserved)
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    """Tell whether a path leads to an open file, in which nothing has been written."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return found.st_size == 0 and os.path.samestat(found, os.fstat(descriptor))
