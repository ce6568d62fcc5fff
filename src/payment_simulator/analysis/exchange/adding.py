"""Imports games: every row is checked as its record is, then all games are added, or none."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.exchange.layout import KINDS
from payment_simulator.analysis.exchange.staging import Progress, stage
from payment_simulator.analysis.exchange.tables_out import query
from payment_simulator.errors import DatabaseError, InputError
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.files import (
    log_path,
    look,
    make_empty,
    partial_path,
    real_path,
    remove_leftovers,
)
from payment_simulator.persistence.placing import place
from payment_simulator.persistence.store import Store


@dataclass(frozen=True)
class Import:
    """What an import did.

    Attributes
    ----------
    added : tuple of str
        Games that are in the record now.
    already_there : tuple of str
        Games that were there before, the same to the bit, and were left alone.
    rows : int
        Rows that were added, in all tables.
    """

    added: tuple[str, ...]
    already_there: tuple[str, ...]
    rows: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "added": list(self.added),
            "already_there": list(self.already_there),
            "rows": self.rows,
        }


def import_games(
    folder: str | Path, repo: GameRepository, *, progress: Progress | None = None
) -> Import:
    """Add the games of an export to a record, all of them or none.

    The export may come from anybody: nothing in it is trusted, and nothing that it names is run or
    opened. A game that is there already, the same in every value, is left alone.

    Parameters
    ----------
    folder : path or str
        The export.
    repo : GameRepository
        The record, open for writing.
    progress : callable, optional
        Called with what is done, and the whole of it.

    Returns
    -------
    Import

    Raises
    ------
    InputError
        The export was changed, holds what no record may hold, or a game of it is in the record
        with other content. The message names it; nothing was added.
    """
    with repo.store.room() as room:
        staged = room / "staged.db"
        manifest = stage(Path(folder), staged, progress)
        repo.initialize_schema()
        return _add(repo.store, staged, manifest.games)


def import_file(
    folder: str | Path, path: str | Path, *, progress: Progress | None = None
) -> Import:
    """Add the games of an export to a database file, which is made if it is not there.

    As :func:`import_games` does; of a new file nothing remains if the import fails.

    Parameters
    ----------
    folder : path or str
        The export.
    path : path or str
        The database file.
    progress : callable, optional
        Called with what is done, and the whole of it.
    """
    file = real_path(Path(path))
    if look(file):
        with DatabaseManager(path) as manager:
            return import_games(folder, GameRepository(manager.conn), progress=progress)
    remove_leftovers(file)
    made = partial_path(file, file)
    try:
        # Opened as a file that is there, it is not made under yet another name.
        make_empty(made)
        manifest = stage(Path(folder), made, progress)
        with DatabaseManager(made, read_only=True) as manager:
            store = Store(manager.conn)
            rows = sum(store.read(query("count_all", kind))[0][0] for kind in KINDS)
        _put(made, file)
    finally:
        for leftover in (made, log_path(made)):
            with suppress(OSError):
                leftover.unlink()
    return Import(tuple(manifest.games), (), rows)


def _put(made: Path, file: Path) -> None:
    """Give a whole database its name, unless another has taken it meanwhile."""
    try:
        if file.exists() and file.stat().st_size == 0:
            made.replace(file)  # as if it were not there
        elif not place(made, file):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    except OSError as error:
        raise DatabaseError(
            f"{file} cannot be created ({error.strerror}); give another path"
        ) from error


def _add(store: Store, staged: Path, games: Sequence[str]) -> Import:
    """Add what is new of a checked database to a record, in one transaction."""
    alias = f"import_{uuid.uuid4().hex}"
    path = "'" + str(staged).replace("'", "''") + "'"
    store.run_script(query("attach", path=path, alias=alias))
    try:
        with store.transaction():
            there = {row[0] for row in store.read(query("game_ids"))}
            known = [game for game in games if game in there]
            for game in known:
                _check_same(store, alias, game)
            new = [game for game in games if game not in there]
            rows = _add_new(store, alias, new) if new else 0
    finally:
        store.run_script(query("detach", alias=alias))
    return Import(tuple(new), tuple(known), rows)


def _check_same(store: Store, alias: str, game: str) -> None:
    for kind in KINDS:
        sql = query(
            "first_difference",
            kind,
            ours=query("selected", kind),
            theirs=query("selected", kind, source=f"{alias}."),
        )
        for key in store.read(sql, ([game],)):
            where = ", ".join(f"{c}={v!r:.80}" for c, v in zip(kind.KEY, key, strict=True))
            raise InputError(
                f"game {game!r} is in the record already, with other content: {kind.TABLE} "
                f"({where}) differs. Nothing was imported; give another database"
            )


def _add_new(store: Store, alias: str, games: list[str]) -> int:
    source = f"{alias}."
    taken = store.read(query("taken_run", source=source), (games,))
    if taken:
        raise InputError(
            f"simulation run {taken[0][0]!r:.80} is in the record already, of another game. "
            "Nothing was imported; give another database"
        )
    rows = 0
    for kind in KINDS:
        chosen = query("selected", kind, source=source)
        rows += store.write(query("add_rows", kind, query=chosen), (games,))
    return rows
