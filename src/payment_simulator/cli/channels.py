"""What a process is connected to: made fit for use before anything else is done.

A standard channel that was closed leaves its number to the next file that is opened, which may be
the database; whatever a library then writes to the channel goes into that file. So closed channels
are opened. What was to be printed and cannot be is an error; an error message that cannot be
printed is none, for the exit code tells, too.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import IO

_UTF8 = "PYTHONUTF8"


def prepare_channels() -> None:
    """Make arguments, names of files and the three standard channels usable."""
    _read_names_as_utf8()
    if sys.stdin is None:
        os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is None:
        # Writing to it fails, as it does on a channel that is closed.
        sys.stdout = _text(io.FileIO(os.open(os.devnull, os.O_RDONLY), "w", closefd=False), "utf-8")
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal of few characters
    if sys.stderr is None:
        sys.stderr = _text(
            _Forgiving(os.open(os.devnull, os.O_WRONLY), "w", closefd=False), "utf-8"
        )
    elif isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _text(_Forgiving(sys.stderr.fileno(), "w", closefd=False), sys.stderr.encoding)


class _Forgiving(io.FileIO):
    """A channel that drops what it cannot take."""

    def write(self, data: object) -> int:
        """Write, or do as if."""
        try:
            return super().write(data) or 0  # type: ignore[arg-type]
        except OSError:
            return memoryview(data).nbytes  # type: ignore[arg-type]


def _text(raw: io.FileIO, encoding: str) -> IO[str]:
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding, errors="backslashreplace", line_buffering=True
    )


def _read_names_as_utf8() -> None:
    """Start again in Python's UTF-8 mode where names of files could be of ASCII alone.

    Identifiers in the record are Unicode; given in UTF-8, as files have their names, they would
    not be found.
    """
    is_ascii = codecs.lookup(sys.getfilesystemencoding()).name == "ascii"
    if not is_ascii or os.name != "posix" or not sys.executable or os.environ.get(_UTF8) == "1":
        return
    changed = {**os.environ, _UTF8: "1"}
    if sys.stdout is not None:
        changed.setdefault("PYTHONIOENCODING", sys.stdout.encoding)
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], changed)  # noqa: S606 - itself
