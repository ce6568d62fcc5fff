"""A folder that appears under its name when it is whole, or not at all."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from payment_simulator.analysis.exchange.layout import MANIFEST, files_in, read_manifest
from payment_simulator.errors import DatabaseFullError, InputError
from payment_simulator.persistence.leftovers import MAKER, leftovers, maker

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def telling(folder: Path) -> Iterator[None]:
    """Raise what the system says of files in one line that names the folder."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DatabaseFullError(
                f"{folder}: no room for the export ({error.strerror}); free some space, or give "
                "another folder"
            ) from error
        raise InputError(
            f"{folder} cannot be written ({error.strerror}); give another folder"
        ) from error


@contextmanager
def publishing(folder: Path, *, force: bool) -> Iterator[Path]:
    """Give a new folder to write into; it takes the name when the block ends without an error.

    Parameters
    ----------
    folder : Path
        The name. Nothing is there, or an empty folder; or, with ``force``, another export.
    force : bool
        Whether an export that is there is replaced.

    Raises
    ------
    InputError
        Something else is there, or the folder cannot be made.
    """
    with telling(folder):
        target = folder.resolve()
        _check_place(folder, target)
        _remove_leftovers(target)
        _check_target(folder, target, force=force)
        unique = maker()
        made = target.with_name(f".{target.name}.{unique}.new")
        made.mkdir()
    try:
        yield made
        with telling(folder):
            _check_target(folder, target, force=force)
            _put(made, target, target.with_name(f".{target.name}.{unique}.old"))
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _check_place(folder: Path, target: Path) -> None:
    here = Path.cwd()
    if target == here or target in here.parents:
        raise InputError(
            f"{folder} is the folder where you are, or one around it; give one of its own, "
            "such as ./export"
        )
    if not target.parent.is_dir():
        raise InputError(f"{folder}: there is no folder {target.parent}; make it, or give another")


def _check_target(folder: Path, target: Path, *, force: bool) -> None:
    """Refuse what must not be replaced."""
    if not target.exists():
        return
    if not target.is_dir():
        raise InputError(f"{folder} is a file, expected a new or an empty folder")
    if not any(target.iterdir()):
        return
    if not force:
        raise InputError(
            f"{folder} is a folder that is not empty; give another, or replace an export there "
            "with --force (force=True)"
        )
    try:
        manifest = read_manifest(target)
        strange = next((n for n in files_in(target) if n not in {MANIFEST, *manifest.files}), None)
    except InputError as error:
        raise InputError(f"{folder} is not replaced, for it is no export: {error}") from error
    if strange is not None:
        raise InputError(
            f"{folder} is not replaced, for it holds {strange!r:.200}, which is not of the export; "
            "move that away"
        )


def _put(made: Path, target: Path, old: Path) -> None:
    """Put a whole folder in its place; what was there is removed when the new one stands."""
    if not target.exists():
        made.rename(target)
        return
    if not any(target.iterdir()):
        target.rmdir()
        made.rename(target)
        return
    target.rename(old)
    try:
        made.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _remove_leftovers(target: Path) -> None:
    """Remove what killed exports have left; an export that was moved aside is put back."""
    pattern = rf"\.{re.escape(target.name)}\.{MAKER}\.(?P<kind>new|old)"
    for entry, found in leftovers(target.parent, pattern):
        if entry.is_symlink():
            continue
        if found["kind"] == "old" and not target.exists():
            with suppress(OSError):
                entry.rename(target)
        else:
            shutil.rmtree(entry, ignore_errors=True)
