"""Makes room for this schema in a file of the first tool, and takes over what means the same.

That tool keeps more than the two first tables in the same file, under names of this schema but
with other columns. Such a table is kept as ``NAME_of_first_tool``, with its rows, keys and
indexes. Rows that mean the same here are copied into the table of this schema.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from payment_simulator.errors import DatabaseError, SchemaVersionError
from payment_simulator.persistence.queries import identifier, named_queries
from payment_simulator.persistence.store import Store

SQL = "payment_simulator.persistence.sql"
FILE = "adoption.sql"
SUFFIX = "_of_first_tool"
#: The statement that made an index, as DuckDB tells it; a name may be in quotes.
_NAMED = r'(?:"(?:[^"]|"")*"|[^\s("]+)'
_INDEX = re.compile(rf"CREATE (UNIQUE )?INDEX {_NAMED} ON {_NAMED}\s*(\(.*\));?", re.DOTALL)
_STEP = ("game_id", "agent_id", "iteration_number")
#: The tables whose rows can mean the same, and the columns that the first tool gives them. Its
#: simulation runs, transactions and events lack what this schema requires (the policies, where an
#: unsettled payment waits, penalties), so they are kept only.
# fmt: off
TAKEN_OVER = {
    "llm_interaction_log": (
        *_STEP, "system_prompt", "user_prompt", "raw_response", "parsed_policy_json",
        "parsing_error", "llm_reasoning", "request_timestamp", "response_timestamp",
    ),
    "iteration_context": (
        *_STEP, "num_samples", "cost_mean", "cost_std", "settlement_rate_mean", "best_seed",
        "best_seed_cost", "best_seed_verbose_output", "worst_seed", "worst_seed_cost",
        "worst_seed_verbose_output",
    ),
    "policy_diffs": (
        *_STEP, "diff_summary", "parameter_changes_json", "payment_tree_changed",
        "collateral_tree_changed",
    ),
}
# fmt: on


@dataclass(frozen=True)
class KeptTable:
    """A table or view of the first tool that stood under a name of this schema.

    Attributes
    ----------
    name, kept_as : str
        What it was called, and what it is called now.
    rows : int
        How many rows it holds.
    taken_over : int
        How many of them are in the table of this schema too.
    """

    name: str
    kept_as: str
    rows: int
    taken_over: int


@dataclass(frozen=True)
class Adoption:
    """What became of a file of the first tool.

    Attributes
    ----------
    copy : pathlib.Path or None
        The file as it was; none of a database in memory.
    kept : tuple of KeptTable
        What was renamed.
    """

    copy: Path | None
    kept: tuple[KeptTable, ...]

    def in_words(self) -> str:
        """Return one line for a log."""
        said = [
            f"{t.name} is kept as {t.kept_as} ({t.taken_over} of {t.rows} rows taken over)"
            for t in self.kept
        ]
        return "; ".join([f"a file of the first tool was adopted (as it was: {self.copy})", *said])


def make_room(store: Store, names: Collection[str], indexes: Mapping[str, str]) -> dict[str, str]:
    """Rename what stands under names that the schema needs; return the new name of each.

    Called within a transaction, before the schema's tables are made.

    Parameters
    ----------
    store : Store
        The database.
    names : collection of str
        Tables and views of the schema, but for the two first tables.
    indexes : mapping
        Indexes of the schema, with the table of each.

    Raises
    ------
    SchemaVersionError
        DuckDB refuses to rename one, such as a table that a foreign key refers to.
    """
    queries = named_queries(SQL, FILE)
    there: dict[str, str] = dict(store.read(queries["things"]))
    kept = {name: _free_name(name, there) for name in sorted(set(names) & there.keys())}
    found = store.read(queries["indexes"])
    moved = [row for row in found if row[1] in kept or indexes.get(row[0], row[1]) != row[1]]
    for name in kept:
        if there[name] == "TABLE":
            store.read(queries["load_indexes"].format(name=identifier(name)))
    for name, *_ in moved:  # DuckDB renames no table that has indexes
        store.run_script(queries["drop_index"].format(name=identifier(name)))
    for name, kept_as in kept.items():
        try:
            store.run_script(
                queries["rename"].format(
                    kind=there[name], name=identifier(name), kept=identifier(kept_as)
                )
            )
        except DatabaseError as error:
            raise SchemaVersionError(
                f"{store.path or 'the database'} has a {there[name].lower()} of its own under the "
                f"name {name}, which is needed here, and it cannot be renamed ({error}). Nothing "
                "was changed; rename it (ALTER TABLE ... RENAME TO ...) and try again"
            ) from error
    taken = {*indexes, *(row[0] for row in found)}
    for name, table, sql in moved:
        is_unique, columns = _parts(sql)
        store.run_script(
            queries["create_index"].format(
                kind=f"{is_unique}INDEX",
                name=identifier(_free_name(name, taken) if name in indexes else name),
                table=identifier(kept.get(table, table)),
                columns=columns,
            )
        )
    return kept


def _parts(sql: str) -> tuple[str, str]:
    """Return what is between the words of a statement that made an index, but for its names."""
    found = _INDEX.fullmatch(sql)
    if found is None:
        raise SchemaVersionError(f"an index cannot be made again: {sql}. Drop it and try again")
    return found[1] or "", found[2]


def _free_name(name: str, taken: Collection[str]) -> str:
    free, number = f"{name}{SUFFIX}", 1
    while free in taken:
        number += 1
        free = f"{name}{SUFFIX}_{number}"
    return free


def take_over(store: Store, kept: Mapping[str, str]) -> tuple[KeptTable, ...]:
    """Copy the rows that mean the same into the tables of the schema, within the transaction."""
    return tuple(_take_over(store, name, kept_as) for name, kept_as in kept.items())


def _take_over(store: Store, name: str, kept_as: str) -> KeptTable:
    queries, table = named_queries(SQL, FILE), identifier(kept_as)
    columns = {row[0] for row in store.read(queries["columns"], (kept_as,))}
    rows = store.read(queries["row_count"].format(kept=table))[0][0]
    taken_over = 0
    if name in TAKEN_OVER and columns.issuperset(TAKEN_OVER[name]):
        taken_over = store.write(queries[f"take_over_{name}"].format(kept=table, **_conditions()))
    return KeptTable(name, kept_as, rows, taken_over)


def _conditions() -> dict[str, str]:
    """Return the conditions that stand in several queries, by the name that they have there."""
    queries = named_queries(SQL, FILE)
    texts = {
        "parsed_policy_json": "call.parsed_policy_json",
        "parameter_changes_json": "diff.parameter_changes_json",
        "old_policy_json": "step.old_policy_json",
        "new_policy_json": "step.new_policy_json",
    }
    times = ("request_timestamp", "response_timestamp")
    return {
        **{f"{n}_is_json": queries["is_json"].format(text=t) for n, t in texts.items()},
        **{f"{n}_is_moment": queries["is_moment"].format(time=f"numbered.{n}") for n in times},
    }
