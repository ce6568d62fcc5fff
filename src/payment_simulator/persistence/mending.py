"""Mends the one thing in a database file that a killed process can tear.

A checkpoint of DuckDB writes what is new to blocks that nobody needs yet, and last of all one page
with the header that makes them count. One kind of block is written in place: those of metadata,
each of which is a shelf of 64 small parts. New parts go into free places of a block whose other
parts the header in force still needs. These stay as they are, but the checksum at the head of the
block is of the whole. So where the process is killed in the middle of that write, or the power
fails, the block holds some of the old and some of the new; every part that counts is the same in
both, and only the checksum is wrong. DuckDB refuses to open such a file.

Mending it is to write the checksum of what is there. That is done only to a block that the header
in force counts among its metadata, by whoever has a reason to believe that a writer was killed;
and not where a few neighbouring bits explain the difference as well, for that would be damage.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb

from payment_simulator.persistence.queries import named_queries

#: What DuckDB says of a block that is not what its checksum says.
_TORN = re.compile(r"computed checksum \d+ does not match stored checksum \d+ .* location (\d+)")
# How DuckDB lays out its files, since 2023. Tests hold it against what DuckDB itself tells.
_HEADERS = (4096, 8192)
_HEADER_SIZE = 4096
_FIRST_BLOCK = 12288
_LARGEST_BLOCK = 2**18
_PARTS = 64
_WORD = struct.Struct("<Q")
_ALL_BITS = 2**64 - 1
_NOWHERE = _ALL_BITS
_PART_SHIFT = 56
_SEED = 5381
_FACTOR = 0xBF58476D1CE4E5B9
_FACTOR_INVERSE = pow(_FACTOR, -1, 2**64)


@dataclass(frozen=True)
class Mend:
    """A checksum that was put right.

    Attributes
    ----------
    database : pathlib.Path
        The file.
    location : int
        Where the block begins in it, in bytes.
    before, after : int
        The checksum that stood there, and the one that stands there now.
    """

    database: Path
    location: int
    before: int
    after: int

    def undo(self) -> None:
        """Put the file back as it was, unless another process has taken it over since."""
        with suppress(OSError), _alone(self.database) as file:
            _write_word(file, self.location, self.before)


@dataclass(frozen=True)
class _Header:
    """The header in force: the newer of the two that are whole."""

    iteration: int
    first_part: int
    free_list: int
    n_blocks: int
    block_size: int

    @property
    def part_size(self) -> int:
        return (self.block_size - _WORD.size) // _PARTS // _WORD.size * _WORD.size


def read_all_metadata(conn: duckdb.DuckDBPyConnection) -> None:
    """Make DuckDB read all metadata of a database; some of it, it would read only when needed.

    Raises
    ------
    duckdb.Error
        A block of it is not what its checksum says.
    """
    queries = named_queries("payment_simulator.persistence.sql")
    for names in conn.execute(queries["all_tables"]).fetchall():
        quoted = ".".join('"' + name.replace('"', '""') + '"' for name in names)
        conn.execute(queries["storage_of_table"].format(table=quoted.replace("'", "''")))


def mend(database: Path, error: duckdb.Error) -> Mend | None:
    """Mend the block that DuckDB complained of, if a killed write can have torn it.

    The caller knows that no connection of this process holds the file.

    Parameters
    ----------
    database : pathlib.Path
        The file.
    error : duckdb.Error
        What DuckDB said when it read the file.

    Returns
    -------
    Mend or None
        What was changed; ``None`` when the error is another one, the block is no metadata, it
        looks damaged and not torn, or another process holds the file.
    """
    found = _TORN.search(str(error))
    if found is None:
        return None
    try:
        with _alone(database) as file:
            return _mend_block(database, file, int(found[1]))
    except (OSError, ValueError, struct.error):  # cannot be written, or is laid out otherwise
        return None


def _mend_block(database: Path, file: BinaryIO, location: int) -> Mend | None:
    header = _header_in_force(file)
    number, rest = divmod(location - _FIRST_BLOCK, header.block_size)
    if rest or number not in _metadata_blocks(file, header):
        return None
    block = _read(file, location, header.block_size)
    (stored,) = _WORD.unpack_from(block)
    right = _checksum(block[_WORD.size :])
    if stored == right or _is_damage(block[_WORD.size :], stored ^ right):
        return None
    _write_word(file, location, right)
    return Mend(database, location, stored, right)


@contextmanager
def _alone(database: Path) -> Iterator[BinaryIO]:
    """Open the file under the lock that DuckDB takes to write it."""
    with database.open("r+b", buffering=0) as file:
        try:
            import fcntl  # noqa: PLC0415 - not on Windows, where an open file is locked by itself
        except ImportError:
            pass
        else:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file


def _read(file: BinaryIO, location: int, size: int) -> bytes:
    file.seek(location)
    found = file.read(size)
    if len(found) != size:
        raise ValueError("the file ends too early")
    return found


def _write_word(file: BinaryIO, location: int, word: int) -> None:
    file.seek(location)
    file.write(_WORD.pack(word))
    os.fsync(file.fileno())


def _checksum(data: bytes) -> int:
    """Return DuckDB's checksum of a block without its first eight bytes."""
    total = _SEED
    for (word,) in _WORD.iter_unpack(data):
        total ^= word * _FACTOR & _ALL_BITS
    return total


def _is_damage(data: bytes, difference: int) -> bool:
    """Tell whether other bits in up to a byte's length would give the checksum that was stored."""
    if _is_short(difference):
        return True  # it may be the checksum that was hit
    for (word,) in _WORD.iter_unpack(data):
        other = ((word * _FACTOR & _ALL_BITS) ^ difference) * _FACTOR_INVERSE & _ALL_BITS
        if _is_short(word ^ other):
            return True
    return False


def _is_short(bits: int) -> bool:
    lowest = bits & -bits
    return bits < lowest << 8


def _header_in_force(file: BinaryIO) -> _Header:
    whole = []
    for location in _HEADERS:
        page = _read(file, location, _HEADER_SIZE)
        if _WORD.unpack_from(page)[0] == _checksum(page[_WORD.size :]):
            whole.append(_Header(*struct.unpack_from("<5Q", page, _WORD.size)))
    header = max(whole, key=lambda h: h.iteration)
    if not 0 < header.block_size <= _LARGEST_BLOCK:
        raise ValueError("a block of this size is none of DuckDB's")
    return header


def _metadata_blocks(file: BinaryIO, header: _Header) -> set[int]:
    """Return the numbers of the blocks that the header in force counts among its metadata."""
    words = _chain(file, header, header.free_list)
    at = 0
    # Blocks that are free, by number; those with several users, by number and count; metadata, by
    # number and what is free in them.
    for entry_size in (8, 12, 16):
        (n_entries,) = _WORD.unpack_from(words, at)
        if n_entries > header.n_blocks:
            raise ValueError("a list is longer than the file")
        start = at + _WORD.size
        at = start + n_entries * entry_size
    blocks = {number for number, _ in struct.iter_unpack("<2Q", words[start:at])}
    # The list itself lies in metadata; if it does not say so, it was not understood.
    if header.free_list & ~(0xFF << _PART_SHIFT) not in blocks or max(blocks) >= header.n_blocks:
        raise ValueError("the list of blocks is laid out otherwise")
    return blocks


def _chain(file: BinaryIO, header: _Header, pointer: int) -> bytes:
    """Return what stands in a chain of parts, each of which begins with a pointer to the next."""
    found = b""
    seen = set()
    while pointer != _NOWHERE:
        part, block = pointer >> _PART_SHIFT, pointer & ~(0xFF << _PART_SHIFT)
        if pointer in seen or part >= _PARTS or block >= header.n_blocks:
            raise ValueError("a pointer leads nowhere")
        seen.add(pointer)
        start = _FIRST_BLOCK + block * header.block_size + _WORD.size + part * header.part_size
        text = _read(file, start, header.part_size)
        (pointer,) = _WORD.unpack_from(text)
        found += text[_WORD.size :]
    return found
