"""The page that comes with an export: what every file, table and column is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from payment_simulator._version import __version__
from payment_simulator.analysis.dictionary import TableEntry, described_tables
from payment_simulator.analysis.exchange.layout import KINDS, table_path
from payment_simulator.analysis.exchange.naming import plain

_READING = {
    "parquet": """\
```python
import polars

steps = polars.read_parquet("tables/policy_iterations.parquet")
```

```python
import pandas

steps = pandas.read_parquet("tables/policy_iterations.parquet")
```

```sql
-- DuckDB
SELECT agent_id, min(new_cost) / 100 AS best FROM 'tables/policy_iterations.parquet'
WHERE was_accepted GROUP BY agent_id;
```
""",
    "csv": """\
Texts are in quotation marks, and an empty field without them is NULL: no value. A text that a
spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a line end, after
any apostrophes) has one apostrophe more before it, which the import takes away again. Numbers stand
as they are.

```python
import polars

steps = polars.read_csv("tables/policy_iterations.csv", try_parse_dates=True)
```

```python
import pandas

steps = pandas.read_csv(
    "tables/policy_iterations.csv",
    keep_default_na=False,
    na_values=[""],
    parse_dates=["created_at"],
)
```

```sql
-- DuckDB
SELECT agent_id, min(new_cost) / 100 AS best FROM 'tables/policy_iterations.csv'
WHERE was_accepted GROUP BY agent_id;
```
""",
    "json": """\
Each line is one row, a JSON object.

```python
import polars

steps = polars.read_ndjson("tables/policy_iterations.jsonl", infer_schema_length=None)
```

```python
import pandas

steps = pandas.read_json("tables/policy_iterations.jsonl", lines=True)
```

```sql
-- DuckDB
SELECT agent_id, min(new_cost) / 100 AS best FROM 'tables/policy_iterations.jsonl'
WHERE was_accepted GROUP BY agent_id;
```
""",
}
_HEAD = """\
# Games of payment-simulator

Written by payment-simulator {version}. This folder holds {n_games}, complete: every table of the
record, exactly as it was, and the texts that the games are made of.

| game | its files |
|---|---|
{games}

## Import

```console
$ payment-sim import FOLDER --db games.db
$ payment-sim verify GAME --db games.db
```

`FOLDER` is this one. The import adds the games to a database, new or old; `verify` plays a game
again from its record and compares every value. The import checks each file against its hash in
`manifest.json`, so a file that was changed, added or taken away is refused, and each game against
its digest there, which `payment-sim digest` prints. `ro-crate-metadata.json` describes the folder
for programs, as an RO-Crate.

## Read

`tables/` has one file for each table, columns and their types as below. Money is in cents, divide
by 100; times are UTC; ticks and days count from 0, iterations from 1.

Long texts, such as prompts, are in the table `text_pieces`, each once: a column called
`..._sha256` names its text, whose pieces are put together in the order of `piece_number`.

{reading}
## Texts of each game

| file | |
|---|---|
| `config.json` | the whole configuration of the game |
| `provenance.json` | program, machine and libraries that played it |
| `game_file/` | the game file, as it was read |
| `scenario/` | the scenario, as it was read |
| `policies/start/` | each bank's policy at the start |
| `policies/final/` | each bank's policy at the end |
| `policies/best/` | each bank's accepted policy of least cost |

Observed payments, where the scenario of a game has any, are in the folder `payments/` beside
`games/`, under their SHA-256, which `tables/provenance_files` tells: many games may have the same.
What a game does not have is left out. A name of a file begins as the text that it stands for and
ends in a part of its hash; a policy that is no JSON ends in `.txt`.

## Tables

"""


def readme(file_format: str, rows: Mapping[str, int], games: Sequence[tuple[str, str]]) -> str:
    """Return the page of an export.

    Parameters
    ----------
    file_format : str
        Of its tables.
    rows : mapping of str to int
        How many rows each table has.
    games : sequence of (str, str)
        Each game with its folder.
    """
    paths = {kind.TABLE: table_path(kind, file_format) for kind in KINDS}
    head = _HEAD.format(
        version=__version__,
        n_games="one game" if len(games) == 1 else f"{len(games):,} games",
        games="\n".join(f"| {plain(game)} | `{folder}/` |" for game, folder in games),
        reading=_READING[file_format],
    )
    tables = (table for table in described_tables() if table.name in paths)
    return head + "\n".join(_table(t, paths[t.name], rows[t.name]) for t in tables)


def _table(table: TableEntry, path: str, n_rows: int) -> str:
    lines = [
        f"### {table.name}\n",
        f"`{path}`, {n_rows:,} {'row' if n_rows == 1 else 'rows'}. {table.summary}\n",
        "| column | type | unit | meaning |",
        "|---|---|---|---|",
    ]
    for entry in table.columns:
        notes = " Part of the key." * entry.is_key + " May be NULL." * entry.is_optional
        name = f"`{entry.column}`"
        lines.append(f"| {name} | {entry.type} | {entry.unit} | {entry.meaning}{notes} |")
    return "\n".join([*lines, ""])
