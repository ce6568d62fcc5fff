"""Exports games: rows as Parquet, CSV or JSON, texts as files, and a page that explains them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from payment_simulator._version import __version__
from payment_simulator.ai_cash_mgmt import GameRepository, game_digests
from payment_simulator.analysis.exchange.crate import Credits, crate
from payment_simulator.analysis.exchange.folders import publishing, telling
from payment_simulator.analysis.exchange.layout import (
    CRATE,
    FORMATS,
    KINDS,
    MANIFEST,
    README,
    FileEntry,
    FileFormat,
    Manifest,
    table_path,
)
from payment_simulator.analysis.exchange.naming import Names
from payment_simulator.analysis.exchange.readable import readable_files
from payment_simulator.analysis.exchange.readme import readme
from payment_simulator.analysis.exchange.staging import Progress
from payment_simulator.analysis.exchange.tables_out import write_table
from payment_simulator.errors import GameNotFoundError, InputError, SchemaVersionError
from payment_simulator.persistence.live import LiveStore
from payment_simulator.persistence.migrations import SCHEMA_VERSION, schema_state


@dataclass(frozen=True)
class Export:
    """What was exported.

    Attributes
    ----------
    folder : Path
    format : str
    games : tuple of str
    digests : dict of str to str
        By game.
    rows : dict of str to int
        By table.
    bytes : int
        All files together.
    """

    folder: Path
    format: str
    games: tuple[str, ...]
    digests: dict[str, str]
    rows: dict[str, int]
    bytes: int

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "folder": str(self.folder),
            "format": self.format,
            "games": list(self.games),
            "digests": self.digests,
            "rows": self.rows,
            "bytes": self.bytes,
        }


def export_games(
    repo: GameRepository,
    game_ids: Iterable[str],
    folder: str | Path,
    *,
    format: str = "parquet",  # noqa: A002 - as the command's option is called
    force: bool = False,
    author: str | None = None,
    license: str | None = None,  # noqa: A002 - as the command's option is called
    progress: Progress | None = None,
) -> Export:
    """Write games, complete, into a folder that appears when it is whole.

    Parameters
    ----------
    repo : GameRepository
        The record; what other threads write meanwhile waits, so that the export is of one moment.
    game_ids : iterable of str
        Which games.
    folder : path or str
        A new or an empty folder.
    format : str
        ``parquet``, ``csv`` or ``json``; all three are exact.
    force : bool
        Replace an export that is there; never anything else.
    author : str, optional
        Who played the games and publishes them, for the RO-Crate. Nothing is taken from the system.
    license : str, optional
        SPDX identifier or URL of what others may do with it; without one nothing is granted.
    progress : callable, optional
        Called with what is done, and the whole of it.

    Returns
    -------
    Export

    Raises
    ------
    GameNotFoundError
        The record does not hold a game.
    InputError
        The folder cannot be used, or author or license are not what they should be.
    """
    credits_ = Credits(author, license)
    games = tuple(dict.fromkeys(game_ids))
    _check(repo, games, format)
    with publishing(Path(folder), force=force) as made, telling(Path(folder)), repo.transaction():
        rows = _write_tables(repo, games, made, format, progress)
        folders = _write_texts(repo, games, made)
        page = readme(format, rows, list(folders.items()))
        _write(made / README, page)
        files = {
            path.relative_to(made).as_posix(): entry(path)
            for path in sorted(made.rglob("*"))
            if path.is_file()
        }
        for kind in KINDS:
            files[table_path(kind, format)].rows = rows[kind.TABLE]
        digests = game_digests(repo, games)
        _write(made / CRATE, crate(repo, folders, files, digests, credits_))
        files[CRATE] = entry(made / CRATE)
        manifest = Manifest(
            package_version=__version__,
            schema_version=SCHEMA_VERSION,
            file_format=cast("FileFormat", format),
            games=list(games),
            digests={game: found.sha256 for game, found in digests.items()},
            files=files,
        )
        _write(made / MANIFEST, manifest.to_text())
        size = sum(e.bytes for e in files.values()) + (made / MANIFEST).stat().st_size
    return Export(Path(folder), format, games, manifest.digests, rows, size)


def _check(repo: GameRepository, games: tuple[str, ...], file_format: str) -> None:
    """Refuse what cannot be exported before anything is written."""
    if file_format not in FORMATS:
        raise InputError(f"format is {file_format!r}, expected one of: {', '.join(FORMATS)}")
    if not games:
        raise InputError("no game is named; give one at least")
    if isinstance(repo.store, LiveStore):
        raise InputError(
            f"{repo.location} is being written, and an export needs all of it at one moment; "
            "open it with DatabaseManager(path, read_only=True)"
        )
    known = repo.get_game_ids()
    for game in games:
        if game not in known:
            raise GameNotFoundError(game, known)
    if not schema_state(repo.store).is_current:
        raise SchemaVersionError(
            f"{repo.location} lacks the tables of schema version {SCHEMA_VERSION}, which exports "
            "are of. Run: payment-sim db migrate FILE"
        )


def _write_tables(
    repo: GameRepository,
    games: tuple[str, ...],
    made: Path,
    file_format: str,
    progress: Progress | None,
) -> dict[str, int]:
    (made / "tables").mkdir()
    rows = {}
    for number, kind in enumerate(KINDS, 1):
        path = made / table_path(kind, file_format)
        rows[kind.TABLE] = write_table(repo.store, kind, games, path, file_format)
        if progress is not None:
            progress(number, len(KINDS))
    return rows


def _write_texts(repo: GameRepository, games: tuple[str, ...], made: Path) -> dict[str, str]:
    """Write the readable files of each game, and return the folder of each."""
    names, folders = Names(), {}
    for game in games:
        folders[game] = f"games/{names.name(game)}"
        for name, text in readable_files(repo, game):
            path = made / folders[game] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, text)
    return folders


def _write(path: Path, text: str) -> None:
    with path.open("xb") as file:  # bytes: no line end is changed; x: nothing is written twice
        file.write(text.encode())


def entry(path: Path) -> FileEntry:
    """Return size and hash of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(bytes=path.stat().st_size, sha256=digest)
