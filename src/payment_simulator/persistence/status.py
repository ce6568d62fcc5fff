"""Where a database file stands: version, rows, size, and who writes it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from payment_simulator.persistence.files import log_path, real_path
from payment_simulator.persistence.leftovers import is_alive
from payment_simulator.persistence.migrations import (
    SCHEMA_VERSION,
    SQL,
    Origin,
    schema_state,
    table_columns,
)
from payment_simulator.persistence.queries import identifier, named_queries
from payment_simulator.persistence.reading import open_store
from payment_simulator.persistence.sidecar import read_sidecar


@dataclass(frozen=True)
class DatabaseStatus:
    """Facts about a database file.

    Attributes
    ----------
    file : str
        Its path.
    bytes, log_bytes : int
        Size of the file and of the log beside it.
    origin : str
        ``ours``, ``first tool`` or ``empty``.
    schema_version, current_version : int
        The file's version (0 without a ledger), and the one that this package writes.
    written_by : str or None
        The package version that made the tables.
    rows : dict
        Number of rows by table.
    writer : dict or None
        Process number and opening time of the process that writes it now.
    notes : list of str
        What a person should know.
    """

    file: str
    bytes: int
    log_bytes: int
    origin: str
    schema_version: int
    current_version: int
    written_by: str | None
    rows: dict[str, int]
    writer: dict[str, Any] | None
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return the facts for JSON."""
        return asdict(self)


def database_status(path: Path) -> DatabaseStatus:
    """Return where a database file stands; nothing is changed.

    Raises
    ------
    DatabaseError
        As ``open_store`` does.
    """
    file = real_path(path)
    log = log_path(file)
    log_bytes = log.stat().st_size if log.exists() else 0
    with open_store(path) as store:
        state = schema_state(store)
        count = named_queries(SQL)["row_count"]
        rows = {
            table: store.read(count.format(table=identifier(table)))[0][0]
            for table in table_columns(store)
        }
        written_now = store.is_elsewhere
    entry = read_sidecar(file)
    notes = []
    if state.origin is Origin.FIRST_TOOL:
        notes.append("without this package's tables: payment-sim db migrate FILE adds them")
    if entry is not None and not written_now:
        ended = "writes it no longer" if is_alive(entry.pid) else "has ended"
        notes.append(f"its last writer, process {entry.pid}, {ended} and did not close it")
        if not log_bytes:
            notes.append(
                f"there is no {log.name}: if it was removed, what was saved since the last "
                "checkpoint is gone"
            )
    return DatabaseStatus(
        str(path),
        path.stat().st_size,
        log_bytes,
        state.origin.value,
        state.version,
        SCHEMA_VERSION,
        state.written_by,
        rows,
        {"pid": entry.pid, "since": entry.since} if entry and written_now else None,
        notes,
    )
