"""Writes the pages that are made from the code: ``python docs/generate.py``.

A test fails while a page differs from what this would write.
"""

from __future__ import annotations

import sys
from pathlib import Path

from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, Record, SupersededRecord

HERE = Path(__file__).parent
TABLES = HERE / "reference" / "tables.md"
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


def main() -> None:
    """Write every page."""
    TABLES.write_text(tables_page(), encoding="utf-8")
    sys.stdout.write(f"{TABLES}\n")


if __name__ == "__main__":
    main()
