"""The digest of a game: one SHA-256 over all of its rows, the same wherever they are stored.

``docs/reference/digest.md`` defines it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, Record, SupersededRecord
from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
from payment_simulator.errors import GameNotFoundError
from payment_simulator.persistence.queries import named_queries

VERSION = 1
HEADING = f"payment-simulator game digest, version {VERSION}"


@dataclass(frozen=True)
class TableDigest:
    """What the digest of a game says of one table.

    Attributes
    ----------
    rows : int
        How many of its rows belong to the game.
    sha256 : str
        SHA-256 over the hashes of these rows.
    """

    rows: int
    sha256: str


@dataclass(frozen=True)
class GameDigest:
    """The digest of a game.

    Attributes
    ----------
    game_id : str
    tables : Mapping of str to TableDigest
        Every table that has rows of the game, by name.
    """

    game_id: str
    tables: Mapping[str, TableDigest]

    @property
    def text(self) -> str:
        """What is hashed: the heading, and a line for each table."""
        lines = (f"{name} {t.rows} {t.sha256}" for name, t in self.tables.items())
        return "".join(f"{line}\n" for line in (HEADING, *lines))

    @property
    def sha256(self) -> str:
        """The digest, 64 lower-case hexadecimal digits."""
        return hashlib.sha256(self.text.encode("ascii")).hexdigest()

    @property
    def line(self) -> str:
        """What a signature signs: one line of plain characters that names game and digest."""
        return f"{HEADING}: sha256 {self.sha256} of game {json.dumps(self.game_id)}\n"

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        return {
            "game_id": self.game_id,
            "digest": self.sha256,
            "version": VERSION,
            "rows": sum(table.rows for table in self.tables.values()),
            "tables": {n: {"rows": t.rows, "sha256": t.sha256} for n, t in self.tables.items()},
        }


def game_digest(repository: GameRepository, game_id: str) -> GameDigest:
    """Return the digest of a game, computed from all rows that belong to it.

    Parameters
    ----------
    repository : GameRepository
        The record.
    game_id : str
        The game. While it is played, its digest changes with every step.

    Returns
    -------
    GameDigest
        Its ``sha256`` is the digest; its ``tables`` show where two records differ.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    """
    return game_digests(repository, [game_id])[game_id]


def game_digests(repository: GameRepository, game_ids: Iterable[str]) -> dict[str, GameDigest]:
    """Return the digests of several games, all of one moment; see ``game_digest``."""
    games = list(dict.fromkeys(game_ids))
    hashes: dict[str, dict[str, Any]] = {game: {} for game in games}
    counts: dict[tuple[str, str], int] = {}
    for part in repository.store.read_in_parts(_sql("rows"), (games,)):
        for game, table, row in part:
            if table not in hashes[game]:
                hashes[game][table] = hashlib.sha256()
            hashes[game][table].update(row.encode("ascii") + b"\n")
            counts[game, table] = counts.get((game, table), 0) + 1
    for game in games:
        if "game_sessions" not in hashes[game]:
            raise GameNotFoundError(game, repository.get_game_ids())
    return {
        game: GameDigest(
            game,
            MappingProxyType(
                {t: TableDigest(counts[game, t], found[t].hexdigest()) for t in sorted(found)}
            ),
        )
        for game, found in hashes.items()
    }


def n_rows_of(repository: GameRepository, game_id: str) -> int:
    """Return how many rows a digest of a game is computed from."""
    return int(repository.store.read(_sql("size"), ([game_id],))[0][0])


def kinds_in_digest() -> tuple[type[Record], ...]:
    """Return the records whose tables hold what a game is."""
    return tuple(kind for kind in (*RECORDS, SupersededRecord) if kind.IS_OF_THE_GAME)


@cache
def _sql(what: str) -> str:
    """Return the query over all tables that gives the ``rows`` of games, or their ``size``."""
    parts = (_query(f"{what}_of_table", **_words(kind)) for kind in kinds_in_digest())
    return _query(f"{what}_of_games", tables="\nUNION ALL\n".join(parts))


def _words(kind: type[Record]) -> dict[str, str]:
    table = kind.table()
    pairs = zip(table.columns, table.types, strict=True)
    # By name: the order of the columns is no part of what a row says.
    return {"table": table.name, "owners": _owners(kind), "fields": ", ".join(_fields(pairs))}


def _fields(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [
        _query("field", column=column, value=_query(f"value_of_{type_}", column=column))
        for column, type_ in sorted(pairs)
    ]


def _owners(kind: type[Record]) -> str:
    if kind is not SupersededRecord:
        return _query("owners_by_game" if "game_id" in kind.model_fields else "owners_by_run")
    names: dict[bool, list[str]] = {True: [], False: []}
    for other in kinds_in_digest():
        names[other.KEY[0] == "run_id"].append(f"'{other.TABLE}'")
    return _query(
        "owners_of_superseded",
        game_tables=", ".join(names[False]),
        run_tables=", ".join(names[True]),
    )


def _query(name: str, **words: str) -> str:
    queries = named_queries("payment_simulator.ai_cash_mgmt.persistence.sql", "digest.sql")
    return queries[name].format(**words)
