"""Writes the pages that are made from the code: ``python docs/generate.py``.

A test fails while a page differs from what this would write.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, Record, SupersededRecord
from payment_simulator.persistence.connection import DatabaseManager

HERE = Path(__file__).parent
HEAD = """# Every table and column

Made from the records by `docs/generate.py`. Keys are in bold. Ticks and days count from 0,
iterations, attempts and samples from 1. Money is in cents, times are UTC without a zone.
"""


def tables_page() -> str:
    """Return the page of all tables."""
    return "\n".join([HEAD, *(_table(kind) for kind in (*RECORDS, SupersededRecord)), _LEDGER])


def _table(kind: type[Record]) -> str:
    rows = []
    for (name, field), type_ in zip(kind.model_fields.items(), kind.table().types, strict=True):
        shown = f"**`{name}`**" if name in kind.KEY else f"`{name}`"
        optional = "" if field.is_required() or field.default is not None else " or NULL"
        rows.append(f"| {shown} | {type_}{optional} | {field.description} |")
    summary = (kind.__doc__ or "").strip().split("\n\n", 1)[0]
    parent = f" Belongs to `{kind.PARENT[0]}`." if kind.PARENT else ""
    return (
        f"## `{kind.TABLE}`\n\n{summary} Record: `{kind.__name__}`.{parent}\n\n"
        "| column | type | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )


_LEDGER = """## `schema_ledger`

The versions that the file went through.

| column | type | meaning |
|---|---|---|
| **`version`** | INTEGER | Version after the migration, counted from 1. |
| `name` | VARCHAR | What the migration does. |
| `sha256` | VARCHAR | Hash of its statements. |
| `applied_at` | TIMESTAMP | When it ran (UTC). |
| `package_version` | VARCHAR | Version of payment-simulator that ran it. |
"""


REPOSITORY_HEAD = """# Every call of the repository

Made from the source by `docs/generate.py`. How the calls go together is told in
[the record](record.md), and what the records hold in [every table and column](tables.md).
"""


def repository_page() -> str:
    """Return the page of signatures and docstrings of manager and repository."""
    parts = [REPOSITORY_HEAD]
    for kind, home in (
        (DatabaseManager, "payment_simulator.persistence.connection"),
        (GameRepository, "payment_simulator.ai_cash_mgmt"),
    ):
        parts.append(f"## `{kind.__name__}`\n\n`from {home} import {kind.__name__}`\n")
        parts.append(_stub(f"class {kind.__name__}:", kind))
        # What all parts of the repository share comes first.
        for base in (kind, *reversed(kind.__mro__[1:-1])):
            parts += [_method(member) for name, member in vars(base).items() if _is_call(name)]
    return "\n".join(parts)


def _is_call(name: str) -> bool:
    return name == "__init__" or not name.startswith("_")


def _method(function: Callable[..., object]) -> str:
    plain = inspect.unwrap(function)
    node: Any = ast.parse(dedent(inspect.getsource(plain))).body[0]
    # Named constants say nothing on a page: their values do.
    node.args.kw_defaults = [
        ast.Constant(plain.__globals__[d.id]) if isinstance(d, ast.Name) else d
        for d in node.args.kw_defaults
    ]
    head = f"def {node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}:"
    return f"### `{node.name}`\n\n{_stub(head, function)}"


def _stub(head: str, documented: Callable[..., object]) -> str:
    text = inspect.cleandoc(documented.__doc__ or "")
    body = f'"""{text}"""' if "\n" not in text else f'"""{text}\n"""'
    return f"```python\n{head}\n{indent(body, '    ') if text else '    ...'}\n```\n"


#: Every page that is made from the code.
PAGES: dict[Path, Callable[[], str]] = {
    HERE / "reference" / "tables.md": tables_page,
    HERE / "reference" / "repository.md": repository_page,
}


def main() -> None:
    """Write every page."""
    for path, page in PAGES.items():
        path.write_text(page(), encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
