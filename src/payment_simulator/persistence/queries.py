"""Reads named queries out of the ``.sql`` files that hold them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_NAME = re.compile(r"^-- name: (?P<name>\w+)[ \t]*\n", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)


def identifier(name: str) -> str:
    """Return the name of a table or index as SQL, whatever characters are in it."""
    return '"' + name.replace('"', '""') + '"'


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
