"""Writes the pages that are made from the code: ``python docs/generate.py``.

A test fails while a page differs from what this would write.
"""

from __future__ import annotations

import ast
import inspect
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, cast

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, Record, SupersededRecord
from payment_simulator.analysis.dictionary import (
    TableEntry,
    comments_sql,
    described_tables,
)
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.policy import ACTIONS, FIELDS, builtin, builtin_names, check_policy, to_json
from payment_simulator.policy.actions import ActionInfo, ParameterInfo
from payment_simulator.policy.fields import GROUPS, MAX_REGISTERS, REGISTER_GROUP
from payment_simulator.policy.grammar import (
    FRACTION,
    MAX_DEPTH,
    MAX_EXPRESSION,
    MAX_PARTS,
    OPERATIONS,
)

HERE = Path(__file__).parent
HEAD = """# Every table and column

Made from the records by `docs/generate.py`. Keys are in bold. Ticks and days count from 0,
iterations, attempts and samples from 1. Money is in cents, times are UTC without a zone. The same
words stand in a database as comments (`SELECT column_name, comment FROM duckdb_columns()`), and
`payment_simulator.analysis.columns()` gives them as a table.
"""


def tables_page() -> str:
    """Return the page of all tables and views."""
    records = {kind.TABLE: kind for kind in (*RECORDS, SupersededRecord)}
    found = described_tables()
    parts = [_table(entry, records.get(entry.name)) for entry in found if not entry.is_view]
    views = [_table(entry, None) for entry in found if entry.is_view]
    return "\n".join([HEAD, *parts, VIEWS_HEAD, *views])


def _table(entry: TableEntry, kind: type[Record] | None) -> str:
    rows = []
    for column in entry.columns:
        shown = f"**`{column.column}`**" if column.is_key else f"`{column.column}`"
        optional = " or NULL" if column.is_optional else ""
        rows.append(f"| {shown} | {column.type}{optional} | {column.unit} | {column.meaning} |")
    record = f" Record: `{kind.__name__}`." if kind else ""
    parent = f" Belongs to `{kind.PARENT[0]}`." if kind and kind.PARENT else ""
    return (
        f"## `{entry.name}`\n\n{entry.summary}{record}{parent}\n\n"
        "| column | type | unit | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


VIEWS_HEAD = """# Views

For the common questions; any program that speaks DuckDB can ask them.
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


def _method(function: Callable[..., object] | property) -> str:
    mark = ""
    if isinstance(function, property):
        mark, function = "@property\n", cast("Callable[..., object]", function.fget)
    plain = inspect.unwrap(function)
    node: Any = ast.parse(dedent(inspect.getsource(plain))).body[0]
    # Named constants say nothing on a page: their values do.
    node.args.kw_defaults = [
        ast.Constant(plain.__globals__[d.id]) if isinstance(d, ast.Name) else d
        for d in node.args.kw_defaults
    ]
    head = f"def {node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}:"
    return f"### `{node.name}`\n\n{_stub(mark + head, function)}"


def _stub(head: str, documented: Callable[..., object]) -> str:
    text = inspect.cleandoc(documented.__doc__ or "")
    body = f'"""{text}"""' if "\n" not in text else f'"""{text}\n"""'
    return f"```python\n{head}\n{indent(body, '    ') if text else '    ...'}\n```\n"


POLICY_HEAD = f"""# The policy language

Made from the tables of fields and actions by `docs/generate.py`. What every field and action does,
to the cent, is told in [the rules](rules.md).

A policy is a JSON file of at most 4 MiB with `policy_id`, and, where wanted, `version` (`"1.0"`),
`description`, `parameters` (numbers by name) and up to four trees: `strategic_collateral_tree`,
`bank_tree`, `payment_tree`, `end_of_tick_collateral_tree`. Without a payment tree every payment is
released; another tree that is missing does nothing. A tree is a node, or `{{"root": node}}`:

```json
{to_json(builtin("deadline"))}```

A **node** is a fork (`condition`, `on_true`, `on_false`) or an action (`action`, `parameters`).
`type` and `node_id` may be left out: `{{"action": "Release"}}` is a whole tree. A `node_id` is
unique in its tree. A tree has at most {MAX_DEPTH} nodes from its root to a leaf, a policy at most
{MAX_PARTS:,} nodes, conditions and values.

A **condition** compares (`==`, `!=`, `<`, `<=`, `>`, `>=` with `left` and `right`), or joins
others: `and` and `or` with the list `conditions`, `not` with `condition`. Conditions and values may
be nested {MAX_EXPRESSION} deep.

A **value** is `{{"field": name}}`, `{{"param": name}}`, `{{"value": number}}` or
`{{"compute": {{"op": ...}}}}`.

**Parameters** are finite numbers. `{FRACTION}`, from 0 to 1, is also the share of the
liquidity pool that the bank funds at the open.

Nothing is silently ignored: a key that is not known is an error. `payment-sim policy check FILE`
names every problem with its place, `payment-sim policy show FILE` draws a policy and tells it in
words.

```console
$ payment-sim policy check deadline
deadline: valid, 3 nodes
$ payment-sim policy show deadline
...
  If at most urgency_threshold (5) ticks are left to its deadline: release it.
  Otherwise: hold it.
```
"""
_OPERATION_MEANINGS = {
    "+": "sum",
    "-": "left less right",
    "*": "product",
    "/": "left over right; dividing by 0 stops the run",
    "max": "the largest of a list",
    "min": "the smallest of a list",
    "ceil": "rounded up",
    "floor": "rounded down",
    "round": "rounded, a half upwards",
    "abs": "without its sign",
    "clamp": "kept between `min` and `max`",
    "div0": "numerator over denominator; `default` where that is 0",
}
#: Mistakes of which the page shows what is said.
_MISTAKES: tuple[dict[str, Any], ...] = (
    {"payment_tree": {"node_id": "A2", "action": "Relase"}},
    {"payment_tree": {"action": "Split", "parameters": {"num_splits": {"value": 1}}}},
    {"payment_tree": {"action": "Split", "parameters": {"num_splits": {"param": "parts"}}}},
    {"bank_tree": {"action": "Hold"}},
    {
        "bank_tree": {
            "condition": {"op": "<", "left": {"field": "priority"}, "right": {"value": 5}},
            "on_true": {"action": "NoAction"},
            "on_false": {"action": "NoAction"},
        }
    },
    {"parameters": {FRACTION: 1.5}},
    {"payment_trees": {"action": "Release"}},
)


_REGISTERS = f"""`bank_state_*` stands for the policy's own registers: at most {MAX_REGISTERS}, with
names of 1 to 64 letters, digits and underscores behind `bank_state_`. They are 0 at the open of a
day; `SetState` and `AddState` change them."""


def policy_page() -> str:
    """Return the page of the policy language."""
    operations = [
        f"| `{op}` | {', '.join(f'`{key}`' for key in keys)} | {_OPERATION_MEANINGS[op]} |"
        for op, keys in OPERATIONS.items()
    ]
    mistakes = [f"- {check_policy({'policy_id': 'x', **data})[0]}" for data in _MISTAKES]
    return "\n".join(
        [
            POLICY_HEAD,
            "## Operations\n\n| op | takes | gives |\n|---|---|---|",
            *operations,
            "\n## Actions\n",
            *(_action(info) for info in ACTIONS.values()),
            "## Fields\n",
            _REGISTERS,
            *(_fields(group) for group in GROUPS if group != REGISTER_GROUP),
            "\n## What errors look like\n",
            *mistakes,
            "\n## Policies that come with the package\n",
            *(_built_in(name) for name in builtin_names()),
            "",
        ]
    )


def _action(info: ActionInfo) -> str:
    rows = [_parameter(parameter) for parameter in info.parameters]
    table = ["", "| parameter | takes | meaning |", "|---|---|---|", *rows] if rows else []
    trees = ", ".join(f"`{tree}`" for tree in info.trees)
    return "\n".join([f"### `{info.name}`\n", f"{info.meaning} In {trees}.", *table, ""])


def _parameter(info: ParameterInfo) -> str:
    takes = {"value": "a value", "word": "a text", "names": "a list of banks"}[info.kind]
    if info.choices:
        takes = ", ".join(f"`{choice}`" for choice in info.choices)
    bounds = [f"at least {info.low:g}"] if info.low is not None else []
    bounds += [f"at most {info.high:g}"] if info.high is not None else []
    needed = [] if info.required else ["may be left out"]
    return f"| `{info.name}` | {', '.join([takes, *bounds, *needed])} | {info.meaning} |"


def _fields(group: str) -> str:
    rows = [
        f"| `{info.name}` | {info.unit} | {'payment trees' if info.payment_only else 'all trees'} "
        f"| {info.meaning} |"
        for info in FIELDS.values()
        if info.group == group
    ]
    return "\n".join(
        [
            f"\n### {group.capitalize()}\n",
            "| field | unit | seen in | meaning |",
            "|---|---|---|---|",
            *rows,
        ]
    )


def _built_in(name: str) -> str:
    policy = builtin(name)
    given = [f"`{key}` {value:,.12g}" for key, value in policy.parameters.items()]
    parameters = f" Parameters: {', '.join(given)}." if given else ""
    return f"- **`{name}`**: {policy.description}{parameters}"


def scenario_page() -> str:
    """Return the page of the scenario file."""
    page: str = runpy.run_path(str(HERE / "scenario_page.py"))["scenario_page"]()
    return page


def game_page() -> str:
    """Return the page of the game file."""
    page: str = runpy.run_path(str(HERE / "game_page.py"))["game_page"]()
    return page


SQL = HERE.parent / "src" / "payment_simulator" / "persistence" / "sql"
#: Every file that is made from the code.
PAGES: dict[Path, Callable[[], str]] = {
    SQL / "comments.sql": comments_sql,
    HERE / "reference" / "tables.md": tables_page,
    HERE / "reference" / "repository.md": repository_page,
    HERE / "reference" / "policy-language.md": policy_page,
    HERE / "reference" / "scenario.md": scenario_page,
    HERE / "reference" / "game-file.md": game_page,
}


def main() -> None:
    """Write every page."""
    for path, page in PAGES.items():
        path.write_text(page(), encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
