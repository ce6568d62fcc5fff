"""What an export is made of: its files, and the manifest that lists them."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, Record, SupersededRecord
from payment_simulator.errors import InputError

#: Every table of an export, those that others belong to first.
KINDS: tuple[type[Record], ...] = (*RECORDS, SupersededRecord)
FileFormat = Literal["parquet", "csv", "json"]
FORMATS = get_args(FileFormat)
MANIFEST = "manifest.json"
README = "README.md"
CRATE = "ro-crate-metadata.json"
FORMAT_VERSION = 1
_MARK = "payment-simulator export"
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_ENDINGS = {"parquet": "parquet", "csv": "csv", "json": "jsonl"}
_LARGEST_MANIFEST = 64 << 20
#: Folders within folders of an export: games, one game, policies, their kind.
_DEEPEST = 4
# A link in the place of a file is never followed; systems without the flag have no such links.
_OPENING = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class FileEntry(BaseModel):
    """One file of an export, as its manifest has it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rows: Annotated[int, Field(ge=0)] | None = None
    bytes: Annotated[int, Field(ge=0)]
    sha256: Sha256


class Manifest(BaseModel):
    """What an export holds."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["payment-simulator export"] = "payment-simulator export"
    format_version: int = FORMAT_VERSION
    package_version: str
    schema_version: Annotated[int, Field(ge=1)]
    file_format: FileFormat
    games: Annotated[list[str], Field(min_length=1)]
    digests: dict[str, Sha256]
    files: dict[str, FileEntry]

    def to_text(self) -> str:
        """Return the manifest as JSON of plain characters."""
        return json.dumps(self.model_dump(exclude_none=True), indent=2) + "\n"


def table_path(kind: type[Record], file_format: str) -> str:
    """Return where the rows of a table are in an export."""
    return f"tables/{kind.TABLE}.{_ENDINGS[file_format]}"


def open_plain(path: Path) -> int:
    """Open a file that somebody else made, if it is a plain file, and return its descriptor.

    Raises
    ------
    InputError
        It is a link, a device, or not there.
    """
    try:
        handle = os.open(path, _OPENING)
    except OSError as error:
        why = "a link" if path.is_symlink() else error.strerror
        raise InputError(f"{path} cannot be read ({why})") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InputError(f"{path} is not a plain file, as every file of an export is")
    return handle


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of an export.

    Raises
    ------
    InputError
        There is none, or it is not one that this version knows.
    """
    where = folder / MANIFEST
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "is not there"
        raise InputError(f"{folder} {what}; give the folder that payment-sim export made")
    if not where.exists() and not where.is_symlink():
        raise InputError(
            f"{folder} has no {MANIFEST}; give the folder that payment-sim export made"
        )
    with os.fdopen(open_plain(where), "rb") as file:
        data = file.read(_LARGEST_MANIFEST + 1)
    if len(data) > _LARGEST_MANIFEST:
        raise InputError(f"{where} is longer than {_LARGEST_MANIFEST:,} bytes, so it is none")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is no JSON text: {error}. Have it exported again") from error
    if not isinstance(found, dict) or found.get("format") != _MARK:
        raise InputError(f"{where} is not the manifest of an export by payment-simulator")
    return _checked(where, found)


def _checked(where: Path, found: Mapping[str, Any]) -> Manifest:
    version = found.get("format_version")
    if type(version) is int and version > FORMAT_VERSION:
        raise InputError(
            f"{where} has format version {version}, written by payment-simulator "
            f"{found.get('package_version')!r:.40}; this version knows formats up to "
            f"{FORMAT_VERSION}. Install a newer payment-simulator"
        )
    try:
        manifest = Manifest.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{where}: {place:.200} is {first['input']!r:.80}: {first['msg']}. "
            "Have it exported again"
        ) from error
    if version != FORMAT_VERSION:
        raise InputError(f"{where}: format_version is {version}, expected {FORMAT_VERSION}")
    return manifest


def files_in(folder: Path) -> Iterator[str]:
    """Yield the files of an export that are there, by their names within it, without a link.

    Raises
    ------
    InputError
        Something is neither a plain file nor a folder, or lies deeper than any file of an export.
    """
    yield from _files(folder, "", 0)


def _files(folder: Path, prefix: str, depth: int) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror})") from error
    for entry in entries:
        name = prefix + entry.name
        if entry.is_dir(follow_symlinks=False) and depth < _DEEPEST:
            yield from _files(folder / entry.name, f"{name}/", depth + 1)
        elif entry.is_file(follow_symlinks=False):
            yield name
        else:
            raise InputError(
                f"{folder / entry.name} is a link or no plain file, which no export holds; "
                "take it away, or have the games exported again"
            )


def check_names(folder: Path, manifest: Manifest) -> None:
    """Refuse an export in which a file is missing, or one that its manifest does not list.

    Raises
    ------
    InputError
        The message names the file.
    """
    listed = {MANIFEST, *manifest.files}
    found = set()
    for name in files_in(folder):
        if name not in listed:
            raise InputError(
                f"{folder / name} is not of this export, whose {MANIFEST} does not list it; "
                "take it away"
            )
        found.add(name)
    missing = sorted(listed - found)
    if missing:
        raise InputError(
            f"{folder}: {missing[0]!r:.200} is missing, which {MANIFEST} lists; "
            "have the games exported again"
        )
