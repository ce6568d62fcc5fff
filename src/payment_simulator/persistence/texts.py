"""Long texts, kept apart from the rows that they belong to.

A row holds the SHA-256 of such a text; the text itself is stored once, in pieces. DuckDB handles
2,048 rows of a table at once, and reads them again for every row that is added to them: with texts
of 200 KB in the row, that is 400 MB for each save.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from payment_simulator.errors import DamagedDatabaseError
from payment_simulator.persistence.queries import named_queries
from payment_simulator.persistence.store import Row, Store

T = TypeVar("T")
#: Characters of a piece. DuckDB stores texts of up to 4,096 bytes together with others.
PIECE = 4_000
#: Bytes of texts to hold at once, where no text alone is longer.
AT_ONCE = 8 << 20
#: Hashes in one query, pieces in one statement.
_MANY = 500
_SQL = named_queries("payment_simulator.persistence.sql", "texts.sql")


def text_sha256(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8 bytes, in lower-case hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def save_texts(store: Store, texts: Mapping[str, str]) -> None:
    """Store texts that are not stored yet.

    Parameters
    ----------
    store : Store
        In the transaction in which the rows are saved that name the texts.
    texts : mapping of str to str
        Texts by their SHA-256.
    """
    if not texts:
        return
    sizes = [len(text.encode()) for text in texts.values()]
    added = store.read(_SQL["add_texts"], (list(texts), sizes))
    pieces = [
        (digest, number, piece)
        for (digest,) in added
        for number, piece in enumerate(_pieces(texts[digest]), 1)
    ]
    for some in _many(pieces):
        store.write(_SQL["add_pieces"], [list(column) for column in zip(*some, strict=True)])


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text) or 1, PIECE):
        yield text[start : start + PIECE]


def read_texts(store: Store, digests: Iterable[str]) -> dict[str, str]:
    """Return stored texts by their SHA-256; those that are not there are left out.

    Raises
    ------
    DamagedDatabaseError
        A text is not the one that its hash was made of.
    """
    found = {}
    for digest, text in stored_texts(store, digests):
        if text_sha256(text) != digest:
            raise DamagedDatabaseError(
                f"texts (sha256={digest!r}): the text was changed, its SHA-256 is "
                f"{text_sha256(text)!r}. Run: payment-sim db check FILE"
            )
        found[digest] = text
    return found


def read_beginning(store: Store, digest: str, n_characters: int) -> str:
    """Return the beginning of a stored text."""
    rows = store.read(_SQL["first_pieces"], (digest, n_characters // PIECE + 1))
    return "".join(row[2] for row in sorted(rows, key=lambda row: row[1]))[:n_characters]


def stored_texts(store: Store, digests: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield stored texts with their hashes, as they are; those that are not there are left out."""
    for some in _many(list(dict.fromkeys(digests))):
        pieces: dict[str, list[Row]] = {}
        for row in store.read(_with_marks("pieces", some), some):
            pieces.setdefault(row[0], []).append(row)
        for digest, rows in pieces.items():
            rows.sort(key=lambda row: row[1])
            yield digest, "".join(row[2] for row in rows)


def _many(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _MANY):
        yield items[start : start + _MANY]


def _with_marks(name: str, values: Sequence[str]) -> str:
    return _SQL[name].format(marks=", ".join("?" * len(values)))


def sizes_of(store: Store, digests: Iterable[str]) -> dict[str, int]:
    """Return how many bytes each text has; those that are not there are left out."""
    sizes: dict[str, int] = {}
    for some in _many(list(dict.fromkeys(digests))):
        sizes.update((row[0], row[1]) for row in store.read(_with_marks("sizes", some), some))
    return sizes


def bounded(rows: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """Group rows so that the texts of a group can be held at once.

    Parameters
    ----------
    rows : iterable
    size_of : callable
        Bytes of the texts of a row.
    """
    group: list[T] = []
    total = 0
    for row in rows:
        size = size_of(row)
        if group and (total + size > AT_ONCE or len(group) >= _MANY):
            yield group
            group, total = [], 0
        group.append(row)
        total += size
    if group:
        yield group


def faulty_texts(store: Store) -> Iterator[tuple[str, str]]:
    """Find texts that are not what their hashes were made of.

    Yields
    ------
    tuple of (str, str)
        The hash, and what is wrong.
    """
    last = store.read(_SQL["last_text"])[0][0]
    for start in range(0, (-1 if last is None else last) + 1, _MANY):
        rows = store.read(_SQL["texts_between"], (start, start + _MANY))
        sizes: dict[str, int] = {row[0]: row[1] for row in rows}
        for some in bounded(list(sizes), sizes.__getitem__):
            texts = dict(stored_texts(store, some))
            for digest in some:
                problem = _problem(digest, sizes[digest], texts.get(digest))
                if problem:
                    yield digest, problem


def _problem(digest: str, size: int, text: str | None) -> str:
    if text is None:
        return "the text has no pieces"
    if text_sha256(text) != digest:
        return f"the text was changed, its SHA-256 is {text_sha256(text)!r}"
    if len(text.encode()) != size:
        return f"num_bytes is {size}, expected {len(text.encode())}"
    return ""
