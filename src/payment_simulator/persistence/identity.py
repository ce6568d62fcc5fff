"""Tells whether a path still leads to the database file that this process has open.

DuckDB goes on writing to a file that was removed, moved or replaced, and finds the log by its path:
it would remove the log of another file. So the path is compared with the open file before anything
is written or removed; what is done where they differ, :mod:`~.rescue` says.
"""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from weakref import WeakSet

from payment_simulator.errors import DatabaseMovedError
from payment_simulator.persistence.files import log_path

#: Where the system lists the descriptors of a process: Linux, macOS.
_DESCRIPTORS = ("/proc/self/fd", "/dev/fd")
# How a DuckDB file begins: one page that never changes, and two with a header, of which the newer
# is in force.
_PAGE = 4096
_HEADERS = (_PAGE, 2 * _PAGE)
_FIRST_BLOCK = 3 * _PAGE
_ITERATION = struct.Struct("<8xQ")
_SETTLING_SECONDS = 0.05

Key = tuple[int, int]


def _key(found: os.stat_result) -> Key:
    return found.st_dev, found.st_ino


def _stat(path: Path) -> os.stat_result | None:
    """Return what is at a path; ``None`` where nothing is."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


class OpenFile:
    """A database file that this process has open for writing, and its log.

    Attributes
    ----------
    path : pathlib.Path
        Where it was opened.
    error : DatabaseMovedError or None
        What was found and done, once the path led to something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.error: DatabaseMovedError | None = None
        self._links: list[Path] = []
        found = _stat(path)
        self._key = (-1, -1) if found is None else _key(found)
        self._descriptor = self._find_descriptor()
        # Where descriptors can be seen and none is the file's, it was replaced just now.
        self._is_known = self._descriptor is not None or not any(_descriptors())
        self._seen = (0, 0) if found is None else (found.st_size, found.st_mtime_ns)
        start = self._read_start()
        self._start = None if start is None else start[:_PAGE]
        self._iteration = 0 if start is None else _in_force(start)
        self._log = _stat(log_path(path))
        self._logged_in = self._iteration

    def _find_descriptor(self) -> int | None:
        for number in _descriptors():
            with suppress(OSError):
                if _key(os.fstat(number)) == self._key:
                    return number
        return None

    def is_open(self) -> bool:
        """Tell whether the process still has the file open."""
        if self._descriptor is None:
            return False
        with suppress(OSError):
            return _key(os.fstat(self._descriptor)) == self._key
        return False

    def is_closed(self) -> bool:
        """Tell whether the process has closed the file; unknown where descriptors are not."""
        return self._descriptor is not None and not self.is_open()

    def also_known_as(self, name: Path) -> None:
        """Watch a link that leads to the file, too."""
        if name not in self._links:
            self._links.append(name)

    def wrong_name(self) -> Path | None:
        """Return a link that was to lead to the file and does not."""
        for name in self._links:
            found = _stat(name)
            if found is None or _key(found) != self._key:
                return name
        return None

    def is_in_place(self) -> bool:
        """Tell whether the path leads to the file, and to what this process has written there."""
        found = _stat(self.path)
        if found is None or not self._is_known:
            return False
        if _key(found) != self._key:
            # Some network file systems number their files anew.
            if self._descriptor is None or _key(os.fstat(self._descriptor)) != _key(found):
                return False
            self._key = _key(found)
        if (found.st_size, found.st_mtime_ns) == self._seen:
            return True
        if not self._is_ours():
            time.sleep(_SETTLING_SECONDS)  # a checkpoint of another thread may be under way
            return self._is_ours()
        return True

    def _read_start(self) -> bytes | None:
        # Through DuckDB's own descriptor: to close another one would drop DuckDB's lock.
        if not self.is_open() or self._descriptor is None or not hasattr(os, "pread"):
            return None
        with suppress(OSError):
            return os.pread(self._descriptor, _FIRST_BLOCK, 0)
        return None

    def _is_ours(self) -> bool:
        """Tell whether the file is what it was, or what DuckDB made of it since."""
        start = self._read_start()
        if start is None or self._start is None:
            found = _stat(self.path)  # this system does not let us look
            self._seen = (0, 0) if found is None else (found.st_size, found.st_mtime_ns)
            return True
        if len(start) < _FIRST_BLOCK or start[:_PAGE] != self._start:
            return False
        iteration, found = _in_force(start), _stat(self.path)
        # A checkpoint may make a file shorter; nothing else of DuckDB's does.
        if found is None or iteration < self._iteration:
            return False
        if iteration == self._iteration and found.st_size < self._seen[0]:
            return False
        self._iteration, self._seen = iteration, (found.st_size, found.st_mtime_ns)
        return True

    def is_log_in_place(self) -> bool:
        """Tell, after a save, whether the log is where it will be looked for.

        A log begins anew with a checkpoint; otherwise it only grows.
        """
        found, before = _stat(log_path(self.path)), self._log
        has_grown = (
            before is None
            if found is None
            else before is None or (_key(found) == _key(before) and found.st_size >= before.st_size)
        )
        if not has_grown:
            self._is_ours()  # reads the iteration, which every checkpoint raises
            if self._iteration == self._logged_in and self._start is not None:
                return False
        self._log, self._logged_in = found, self._iteration
        return True

    def has_log(self) -> bool:
        """Tell whether some of what was saved is in the log alone."""
        return self._log is not None

    def is_own_log(self, path: Path) -> bool:
        """Tell whether a path leads to the log as it was after the last save."""
        found, log = _stat(path), self._log
        if found is None or log is None or _key(found) != _key(log):
            return False
        return (found.st_size, found.st_mtime_ns) == (log.st_size, log.st_mtime_ns)

    def moved_to(self) -> Path | None:
        """Return where the file is now, where the system tells and it was not removed."""
        if not self.is_open():
            return None
        with suppress(OSError):
            path = Path(f"/proc/self/fd/{self._descriptor}").readlink()
            found = _stat(path)
            if found is not None and _key(found) == self._key:
                return path
        return None


def _descriptors() -> Iterator[int]:
    for folder in _DESCRIPTORS:
        try:
            names = os.listdir(folder)  # noqa: PTH208 - numbers, not paths
        except OSError:
            continue
        yield from (int(name) for name in names if name.isdecimal())
        return


def _in_force(start: bytes) -> int:
    """Return the iteration of the header in force."""
    if len(start) < _FIRST_BLOCK:
        return 0
    return max(int(_ITERATION.unpack_from(start, place)[0]) for place in _HEADERS)


class _User(Protocol):
    """Who works on an open file."""

    def is_open(self) -> bool: ...


_lock = threading.Lock()
_files: dict[str, tuple[OpenFile, WeakSet[_User]]] = {}


def open_file(path: str, user: _User) -> OpenFile:
    """Return the file at a path that DuckDB has opened, the same for all users of one opening."""
    with _lock:
        for name, (_, users) in list(_files.items()):
            if not any(other.is_open() for other in users):
                del _files[name]
        if path not in _files:
            _files[path] = OpenFile(Path(path)), WeakSet()
        file, users = _files[path]
        users.add(user)
        return file
