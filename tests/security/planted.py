"""Single values changed in recorded games, and who finds them: ``verify`` or ``db check``.

The page ``docs/reference/guards.md`` is made of what this finds:
``python -m tests.security.planted`` writes it.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.checking import (
    check_links,
    check_table,
    check_texts,
)
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, Record, SupersededRecord
from payment_simulator.ai_cash_mgmt.persistence.models.base import kept_apart
from payment_simulator.ai_cash_mgmt.persistence.models.runs import RunRow
from payment_simulator.ai_cash_mgmt.persistence.seals import CLOCK
from payment_simulator.ai_cash_mgmt.persistence.vocabulary import (
    CostKind,
    FileRole,
    GameMode,
    GameStatus,
    PaymentStatus,
)
from payment_simulator.ai_cash_mgmt.record.game_check import check_games
from payment_simulator.ai_cash_mgmt.record.verification import verify_game
from payment_simulator.errors import DatabaseError, InputError
from tests.effort import THOROUGH
from tests.security.recorded import GAMES, Recorded

KINDS: tuple[type[Record], ...] = (*RECORDS, SupersededRecord)
#: Columns that name a version; that of a run is of the day on which it was played.
VERSIONS = {("simulation_runs", "package_version")}
#: In which games the columns of a table are changed; the first is that of the page.
WHERE = {
    "game_sessions": ("mixed", "stopped", "cut", "sampled"),
    "policy_iterations": ("mixed", "stopped", "running"),
    "llm_interaction_log": ("mixed", "cut"),
    "iteration_context": ("mixed", "stopped"),
    "policy_diffs": ("mixed",),
    "evaluation_samples": ("sampled", "mixed"),
    "game_provenance": ("cut",),
    "provenance_files": ("cut", "mixed"),
    "equilibrium_certificates": ("search",),
    "game_outcomes": ("search", "sampled", "running"),
    "game_failures": ("mixed", "stopped"),
    "superseded_records": ("mixed",),
}
OF_RUNS = ("search", "running")
WORDS = {
    "status": [*GameStatus, *PaymentStatus],
    "game_mode": list(GameMode),
    "role": list(FileRole),
    "cost_kind": list(CostKind),
    "purpose": ["start", "final"],
}


@dataclass(frozen=True)
class Change:
    """One value that was changed, and who found it.

    Attributes
    ----------
    table, column, game, how : str
    verify, check : bool or None
        Whether it was found; None where it was not asked.
    """

    table: str
    column: str
    game: str
    how: str
    verify: bool | None
    check: bool

    @property
    def is_found(self) -> bool:
        return bool(self.verify) or self.check

    @property
    def is_clock(self) -> bool:
        return self.column in CLOCK or (self.table, self.column) in VERSIONS


def new_values(column: str, kind: str, value: Any, is_optional: bool) -> Iterator[tuple[str, Any]]:
    """Go through other values of a column, the likeliest forgery first."""
    if value is None:
        yield "a value", {"VARCHAR": "x", "TIMESTAMP": datetime(2026, 1, 2)}.get(kind, 1)
        return
    if column in WORDS:
        yield from (("another word", str(w)) for w in WORDS[column] if w != value)
    elif kind == "VARCHAR":
        yield "an edit", _edited(value)
        yield "a letter more", value + "x"
        yield "a space more", value + " "
        yield "nothing", ""
    elif kind == "BOOLEAN":
        yield "the contrary", not value
    elif kind == "TIMESTAMP":
        yield "an hour later", value + timedelta(hours=1)
    else:
        yield "one more", value + 1
        if value:
            yield "the other sign", -value
        if kind == "DOUBLE" and value:
            yield "a digit of it", value * (1 + 1e-9)
        yield "a large number", 9_000_000
    if is_optional:
        yield "none", None


def _edited(text: str) -> str:
    """Return a text with another last digit, or another last letter, of the same length."""
    found = list(re.finditer(r"\d", text)) or list(re.finditer(r"[a-z]", text))
    if not found:
        return f"{text}x"
    at = found[-1].start()
    other = str((int(text[at]) + 1) % 10) if text[at].isdigit() else "q" if text[at] != "q" else "z"
    return text[:at] + other + text[at + 1 :]


@contextmanager
def changed(
    repo: GameRepository, kind: type[Record], column: str, row: int, new: Any
) -> Iterator[None]:
    """Change one value of a row within the block; the row is as it was afterwards."""
    all_rows = f"SELECT rowid FROM {kind.TABLE}"
    before = set(repo.read(all_rows))
    [old] = repo.read(f"SELECT * FROM {kind.TABLE} WHERE rowid = ?", (row,))
    repo.store.write(f"UPDATE {kind.TABLE} SET {column} = ? WHERE rowid = ?", (new, row))
    # Where the column is of an index, DuckDB puts the changed row elsewhere.
    [(place,)] = (set(repo.read(all_rows)) - before) or {(row,)}
    try:
        yield
    finally:
        repo.store.write(f"DELETE FROM {kind.TABLE} WHERE rowid = ?", (place,))
        marks = ", ".join("?" * len(old))
        repo.store.write(f"INSERT INTO {kind.TABLE} VALUES ({marks})", old)


def plant(record: Recorded, repo: GameRepository, kind: type[Record]) -> Iterator[Change]:
    """Change every column of a table of a game, one value at a time, and undo it."""
    if not repo.read(f"SELECT 1 FROM {kind.TABLE} LIMIT 1"):
        return
    is_first = WHERE.get(kind.TABLE, OF_RUNS)[0] == record.game_id
    apart = kept_apart(kind)
    fields = {apart.get(name, name): field for name, field in kind.model_fields.items()}
    for column, type_ in zip(kind.table().columns, kind.table().types, strict=True):
        _, value = _row_to_change(repo, kind, column)
        is_optional = not fields[column].is_required() and column != "sha256"
        # All values of a run are compared alike.
        limit = 2 if THOROUGH and not issubclass(kind, RunRow) else 1
        n_changed = 0
        for how, new in new_values(column, type_, value, is_optional):
            row, _ = _row_to_change(repo, kind, column)
            both = is_first and n_changed == 0
            found = _try(record, repo, kind, column, row, new, ask_both=both)
            if found is None:
                continue
            yield Change(kind.TABLE, column, record.game_id, how, *found)
            n_changed += 1
            if n_changed >= limit and not THOROUGH:
                break
        if not n_changed:  # a key that is there already, or a rule of the table, as the check has
            yield Change(kind.TABLE, column, record.game_id, "refused", verify=False, check=True)


def _row_to_change(repo: GameRepository, kind: type[Record], column: str) -> tuple[int, Any]:
    """Return a row in the middle, one with a value if there is one."""
    key = ", ".join(kind.KEY)
    rows = repo.read(f"SELECT rowid, {column} FROM {kind.TABLE} ORDER BY {column} IS NULL, {key}")
    n_filled = sum(value is not None for _, value in rows)
    return rows[n_filled // 2 if n_filled else 0]


def _try(
    record: Recorded,
    repo: GameRepository,
    kind: type[Record],
    column: str,
    row: int,
    new: Any,
    *,
    ask_both: bool,
) -> tuple[bool | None, bool] | None:
    """Change one value; return whether ``verify`` and ``db check`` find it, None if refused."""
    try:
        with changed(repo, kind, column, row, new):
            check = _check_finds(repo, kind)
            verify = _verify_finds(record, repo) if ask_both or not check else None
            return verify, check
    except (InputError, DatabaseError):
        return None  # the table itself refuses it


def _check_finds(repo: GameRepository, kind: type[Record]) -> bool:
    tables = {other.TABLE for other in KINDS}
    for findings in (
        check_table(repo.store, kind),
        check_texts(repo.store) if kept_apart(kind) else (),
        check_links(repo.store, tables),
        check_games(repo),
    ):
        if any(finding.is_fault for finding in findings):
            return True
    return False


def _verify_finds(record: Recorded, repo: GameRepository) -> bool:
    try:
        return not verify_game(repo, record.game_id, threads=1).is_identical
    except (InputError, DatabaseError):
        return True  # it says what is wrong, and where


def planted(folder: Path) -> list[Change]:
    """Change every column of every table; return what became of each change."""
    changes: list[Change] = []
    for name, play in GAMES.items():
        record = play(folder)
        with record.open() as repo:
            untouched = verify_game(repo, name, threads=1).first_difference
            if untouched is not None or any(check_games(repo)):
                raise AssertionError(f"{name}, not touched: {untouched}")
            for kind in KINDS:
                if name in WHERE.get(kind.TABLE, OF_RUNS) and (THOROUGH or _is_usual(name, kind)):
                    changes += plant(record, repo, kind)
    return changes


def _is_usual(name: str, kind: type[Record]) -> bool:
    """Tell whether a table is changed in a game whenever tests run."""
    places = WHERE.get(kind.TABLE, OF_RUNS)
    return name == places[0] or (kind.TABLE == "game_sessions" and name in places[:3])


HEAD = """# Which column is guarded by what

Made by `python -m tests.security.planted`, which changes one value of every column in the records
of small games and asks who finds it. A test fails while this page says something else.

- **verify**: `payment-sim verify` finds a changed value, because it plays the game again, or
  because a seal does not fit.
- **db check**: `payment-sim db check` finds it without playing: a rule of the row, a hash, a seal,
  a sum or a gap. So does a table that refuses every change that was tried of a column.
- **digest only**: neither does. These are the columns of the clock, and the version that a run was
  played with. Only a digest that was kept outside the file (`payment-sim digest`) shows that they
  were changed.

A seal or a hash is found out by one changed value; who changes all that belongs together, and
computes the seals anew, is found out by the digest or a signature alone.
"""


def page(changes: list[Change]) -> str:
    """Return the page that says which column is guarded by what."""
    by_column: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        if change.verify is not None and change.game == WHERE.get(change.table, OF_RUNS)[0]:
            by_column.setdefault((change.table, change.column), []).append(change)
    parts = [HEAD]
    for kind in KINDS:
        rows = []
        for column in kind.table().columns:
            found = by_column.get((kind.TABLE, column), [])[:1]
            marks = [bool(found and found[0].verify), bool(found and found[0].check)]
            marks.append(not any(marks))
            rows.append(f"| `{column}` | {' | '.join('yes' if m else '' for m in marks)} |")
        head = "| column | verify | db check | digest only |\n|---|---|---|---|"
        parts.append("\n".join([f"## `{kind.TABLE}`\n", head, *rows, ""]))
    return "\n".join(parts)


PAGE = Path(__file__).parents[2] / "docs" / "reference" / "guards.md"

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as room:
        PAGE.write_text(page(planted(Path(room))), encoding="utf-8")
