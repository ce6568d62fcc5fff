"""Reads named queries and numbered migrations out of the ``.sql`` files that hold them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_NAME = re.compile(r"^-- name: (?P<name>\w+)[ \t]*\n", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)
_MIGRATION = re.compile(r"^(?P<version>\d{4})_(?P<name>\w+)\.sql$")


@dataclass(frozen=True)
class Migration:
    """One numbered step of a schema.

    Attributes
    ----------
    version : int
        The version that a file has after this step, counted from 1.
    name : str
        What the step does, from the file's name.
    sql : str
        Its statements.
    """

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Return the hash of the statements, as the ledger keeps it."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@cache
def named_queries(package: str, filename: str = "queries.sql") -> Mapping[str, str]:
    """Return the queries of a ``.sql`` file by the name given in ``-- name: ...`` above each.

    Parameters
    ----------
    package : str
        Dotted name of the package that holds the file.
    filename : str
        The file's name within it.
    """
    text = files(package).joinpath(filename).read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    names, bodies = parts[::2], parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{package}/{filename}: a query name is given twice")
    return MappingProxyType(
        {n: _COMMENT.sub("", b).strip() for n, b in zip(names, bodies, strict=True)}
    )


@cache
def numbered_migrations(package: str) -> tuple[Migration, ...]:
    """Return the migrations of a package's ``migrations`` folder, in order and without gaps."""
    found = []
    for entry in files(package).joinpath("migrations").iterdir():
        match = _MIGRATION.match(entry.name)
        if match:
            sql = entry.read_text(encoding="utf-8")
            found.append(Migration(int(match["version"]), match["name"], sql))
    found.sort(key=lambda migration: migration.version)
    if [m.version for m in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"{package}/migrations: numbers must run 0001, 0002, ... without a gap")
    return tuple(found)
