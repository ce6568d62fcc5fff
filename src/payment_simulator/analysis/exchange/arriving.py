"""Takes in the files of an export: each is copied while it is hashed, and only the copy is read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from payment_simulator.analysis.exchange.layout import FileEntry, open_plain
from payment_simulator.errors import DatabaseFullError, InputError

_CHUNK = 1 << 20
_QUOTE, _END = b'"', b"\n"


class Hashed:
    """What was read of a file.

    Attributes
    ----------
    bytes : int
    longest : int
        Bytes of its longest line; line ends between quotation marks do not end one.
    """

    def __init__(self) -> None:
        self.bytes = self.longest = 0
        self._hash = hashlib.sha256()
        self._current = 0
        self._is_quoted = False

    @property
    def sha256(self) -> str:
        """Return the hash of what was read."""
        return self._hash.hexdigest()

    def take(self, data: bytes) -> None:
        """Count a piece in."""
        self._hash.update(data)
        self.bytes += len(data)

    def measure(self, data: bytes, *, has_quotes: bool) -> None:
        """Find the longest line."""
        for number, part in enumerate(data.split(_END)):
            if number:
                self._current += 1
                if not self._is_quoted:
                    self._current = 0
            self._current += len(part)
            self.longest = max(self.longest, self._current)
            # A quotation mark within a text stands twice, so that the count stays even.
            if has_quotes and part.count(_QUOTE) % 2:
                self._is_quoted = not self._is_quoted


def check(path: Path, listed: FileEntry) -> None:
    """Refuse a file that is not what the manifest says.

    Raises
    ------
    InputError
        The message names the file.
    """
    _read(path, listed, None, has_quotes=None)


def copied(path: Path, listed: FileEntry, copy: Path, *, has_quotes: bool | None) -> int:
    """Copy a file if it is what the manifest says, and return the bytes of its longest line.

    Parameters
    ----------
    path : Path
        The file.
    listed : FileEntry
        What the manifest says of it.
    copy : Path
        Where to.
    has_quotes : bool or None
        Whether line ends between quotation marks are part of a line; None where there are no lines.
    """
    return _read(path, listed, copy, has_quotes=has_quotes).longest


def _read(path: Path, listed: FileEntry, copy: Path | None, *, has_quotes: bool | None) -> Hashed:
    found = Hashed()
    try:
        with os.fdopen(open_plain(path), "rb") as source:
            target = copy.open("wb") if copy else None
            try:
                while data := source.read(_CHUNK):
                    found.take(data)
                    if found.bytes > listed.bytes:
                        break
                    if target is not None:
                        target.write(data)
                    if has_quotes is not None:
                        found.measure(data, has_quotes=has_quotes)
            finally:
                if target is not None:
                    target.close()
    except OSError as error:
        raise DatabaseFullError(
            f"{path} cannot be taken in ({error.strerror}); free some space, or set TMPDIR to a "
            "larger folder"
        ) from error
    if (found.bytes, found.sha256) != (listed.bytes, listed.sha256):
        raise InputError(
            f"{path} was changed after the export: sha256 is {found.sha256[:12]}..., expected "
            f"{listed.sha256[:12]}.... Have the games exported again"
        )
    return found
