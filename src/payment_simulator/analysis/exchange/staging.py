"""Reads a whole export into a database of its own, where every row passes the record's checks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt import GameRepository, game_digests
from payment_simulator.ai_cash_mgmt.persistence.models import Record
from payment_simulator.analysis.exchange.arriving import check
from payment_simulator.analysis.exchange.layout import (
    KINDS,
    Manifest,
    check_names,
    read_manifest,
    table_path,
)
from payment_simulator.analysis.exchange.tables_in import Reader
from payment_simulator.analysis.exchange.tables_out import query
from payment_simulator.errors import (
    DamagedDatabaseError,
    GameNotFoundError,
    InputError,
    RunNotFoundError,
    SchemaVersionError,
)
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.migrations import SCHEMA_VERSION

#: Told what is done, and the whole of it.
Progress = Callable[[int, int], None]


@contextmanager
def private_folder() -> Iterator[Path]:
    """Give a folder of this process alone, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="payment-sim-") as folder:
        yield Path(folder)


def stage(folder: Path, staged: Path, progress: Progress | None) -> Manifest:
    """Read an export, with every check, into a new database of its own.

    Parameters
    ----------
    folder : Path
        The export.
    staged : Path
        The database to make.
    progress : callable, optional
        Called with what is done, and the whole of it.

    Returns
    -------
    Manifest
        What the export holds.

    Raises
    ------
    InputError
        The export is not as it was written, or holds what no record may hold.
    """
    manifest = _known_manifest(folder)
    check_names(folder, manifest)
    tables = {table_path(kind, manifest.file_format): kind for kind in KINDS}
    for name in sorted(manifest.files.keys() - tables.keys()):
        check(folder / name, manifest.files[name])
    with ExitStack() as stack:
        reader = Reader(folder, manifest, stack.enter_context(private_folder()))
        stack.callback(reader.close)
        manager = stack.enter_context(DatabaseManager(staged, serve=False))
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        for number, (name, kind) in enumerate(tables.items(), 1):
            for rows in reader.rows(kind):
                with _naming(folder / name, kind):
                    repo.save_new_rows(kind, rows)
            if progress is not None:
                progress(number, len(tables))
        _check_belonging(repo, folder, manifest)
        _check_digests(repo, folder, manifest)
        repo.store.run_script("CHECKPOINT")
    return manifest


def _known_manifest(folder: Path) -> Manifest:
    manifest = read_manifest(folder)
    if manifest.schema_version != SCHEMA_VERSION:
        raise SchemaVersionError(
            f"{folder} has schema version {manifest.schema_version}, written by "
            f"payment-simulator {manifest.package_version:.40}; this version knows schema "
            f"version {SCHEMA_VERSION}. Import it with the version that wrote it"
        )
    for kind in KINDS:
        name = table_path(kind, manifest.file_format)
        if name not in manifest.files or manifest.files[name].rows is None:
            raise InputError(
                f"{folder}: the manifest does not list {name} with its rows; "
                "have the games exported again"
            )
    return manifest


@contextmanager
def _naming(where: Path, kind: type[Record]) -> Iterator[None]:
    """Name the file whose rows are refused."""
    try:
        yield
    except ValidationError as error:
        raise InputError(f"{where}: {_first_of(error, kind)}") from error
    except (GameNotFoundError, RunNotFoundError) as error:
        missing = error.game_id if isinstance(error, GameNotFoundError) else error.run_id
        raise InputError(
            f"{where}: rows belong to {missing!r:.80}, which the export does not hold"
        ) from error
    except (InputError, DamagedDatabaseError) as error:
        said = str(error).partition(". Run:")[0].removeprefix(f"{kind.TABLE}: ")
        raise InputError(f"{where}: {said}") from error


def _first_of(error: ValidationError, kind: type[Record]) -> str:
    """Return what is wrong with a row, in words."""
    first = error.errors()[0]
    said, given = first["msg"].removeprefix("Value error, "), first["input"]
    if first["loc"]:
        return f"{'.'.join(str(part) for part in first['loc'])} is {given!r:.80}: {said}"
    where = ", ".join(f"{c}={given[c]!r:.80}" for c in kind.KEY if c in given)
    return f"row ({where}): {said}"


def _check_belonging(repo: GameRepository, folder: Path, manifest: Manifest) -> None:
    """Refuse rows that belong to none of the games that the manifest names."""
    games = list(manifest.games)
    found = repo.get_game_ids()
    if sorted(set(games)) != found:
        odd = min(set(games) ^ set(found))
        raise InputError(
            f"{folder}: the manifest and the table game_sessions do not name the same games; "
            f"{odd!r:.80} is in one of them only"
        )
    for kind in KINDS:
        count = repo.read(query("where_it_lies", kind), (games,))[0][2]
        whole = repo.read(query("count_all", kind))[0][0]
        if count != whole:
            raise InputError(
                f"{folder / table_path(kind, manifest.file_format)}: {whole - count:,} rows belong "
                "to none of the games"
            )


def _check_digests(repo: GameRepository, folder: Path, manifest: Manifest) -> None:
    """Refuse games that are not those whose digests the manifest lists."""
    for game, found in game_digests(repo, manifest.games).items():
        listed = manifest.digests.get(game)
        if found.sha256 != listed:
            raise InputError(
                f"{folder}: the digest of game {game!r:.80} is {found.sha256}, expected {listed} "
                "as the manifest lists it; have the games exported again"
            )
