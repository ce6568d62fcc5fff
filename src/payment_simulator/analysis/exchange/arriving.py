"""Takes in the files of an export: copied while they are hashed, and only copies are read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from payment_simulator.analysis.exchange.layout import FileEntry, open_plain
from payment_simulator.errors import DatabaseFullError, InputError

_CHUNK = 1 << 20
#: Bytes of a piece, where rows are not longer.
_PIECE = 16 << 20


@dataclass(frozen=True)
class Piece:
    """A copy of some lines of a file, or of the whole of it.

    Attributes
    ----------
    path : Path
        The copy; the next piece takes its place.
    longest : int
        Bytes of the longest line up to here.
    """

    path: Path
    longest: int


class Lines:
    """Finds where rows end in a file that is read bit by bit.

    Parameters
    ----------
    has_quotes : bool
        Whether line ends between quotation marks are part of a row.
    """

    def __init__(self, *, has_quotes: bool) -> None:
        self.longest = self._current = 0
        self._has_quotes, self._is_quoted = has_quotes, False

    def last_end(self, data: bytes) -> int:
        """Return where in the next bit the last row ends, 0 where none does."""
        end = place = 0
        for number, part in enumerate(data.split(b"\n")):
            if number:
                self._current += 1
                if not self._is_quoted:
                    self._current, end = 0, place
            place += len(part) + 1
            self._current += len(part)
            self.longest = max(self.longest, self._current)
            # A quotation mark within a text stands twice, so that the count stays even.
            if self._has_quotes and part.count(b'"') % 2:
                self._is_quoted = not self._is_quoted
        return end


def check(path: Path, listed: FileEntry) -> None:
    """Refuse a file that is not what the manifest says.

    Raises
    ------
    InputError
        The message names the file.
    """
    for _ in _read(path, listed):
        pass


def copied(path: Path, listed: FileEntry, copy: Path) -> Piece:
    """Copy a file if it is what the manifest says.

    Parameters
    ----------
    path : Path
        The file.
    listed : FileEntry
        What the manifest says of it.
    copy : Path
        Where to.
    """
    with _making(path), copy.open("wb") as target:
        for data in _read(path, listed):
            target.write(data)
    return Piece(copy, 0)


def pieces(
    path: Path, listed: FileEntry, copy: Path, *, has_quotes: bool, head: bytes = b""
) -> Iterator[Piece]:
    """Yield a file in pieces of whole rows, each small enough to be read at once.

    Parameters
    ----------
    path : Path
        The file.
    listed : FileEntry
        What the manifest says of it; where it is otherwise, the last piece does not come.
    copy : Path
        Where a piece is to be.
    has_quotes : bool
        Whether line ends between quotation marks are part of a row.
    head : bytes
        The first line of the file, with which each piece begins.
    """
    lines, pending = Lines(has_quotes=has_quotes), bytearray()
    target = copy.open("wb")
    try:
        with _making(path):
            for data in _read(path, listed):
                end = lines.last_end(data)
                if end:
                    target.write(pending)
                    target.write(data[:end])
                    pending = bytearray(data[end:])
                else:
                    pending += data
                if end and target.tell() >= _PIECE:
                    target.close()
                    yield Piece(copy, lines.longest)
                    target = copy.open("wb")
                    target.write(head)
            target.write(pending)
    finally:
        target.close()
    yield Piece(copy, lines.longest)


@contextmanager
def _making(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DatabaseFullError(
            f"{path} cannot be taken in ({error.strerror}); free some space, or set TMPDIR to a "
            "larger folder"
        ) from error


def _read(path: Path, listed: FileEntry) -> Iterator[bytes]:
    """Yield what is in a file, and refuse it in the end if it is not what the manifest says."""
    digest, size = hashlib.sha256(), 0
    with os.fdopen(open_plain(path), "rb") as source:
        while size <= listed.bytes and (data := source.read(_CHUNK)):
            digest.update(data)
            size += len(data)
            yield data
    found = digest.hexdigest()
    if (size, found) != (listed.bytes, listed.sha256):
        raise InputError(
            f"{path} was changed after the export: sha256 is {found[:12]}..., expected "
            f"{listed.sha256[:12]}.... Have the games exported again"
        )
