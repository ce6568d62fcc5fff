"""A database for rows on their way, in a folder outside of which it may touch nothing."""

from __future__ import annotations

from pathlib import Path

import duckdb

from payment_simulator.persistence.files import lock, open_config
from payment_simulator.persistence.store import Store

#: What its tables go by: ``scratch.NAME``.
SCRATCH = "scratch"
_ROWS = 2048


class ScratchStore(Store):
    """A new database, on disk, that reads and writes files of one folder alone.

    Parameters
    ----------
    room : Path
        An empty folder of this process; the caller's to remove.
    memory_bytes : int
        How much memory it may take.
    """

    def __init__(self, room: Path, memory_bytes: int) -> None:
        config = {
            **open_config(),
            "memory_limit": f"{memory_bytes}B",
            "temp_directory": str(room),  # the one folder that it may reach
            # More of them hold a row group each in memory, for the sake of the rows' order.
            "threads": "1",
        }
        self._connection = duckdb.connect(config=config)
        super().__init__(self._connection)
        place = str(room).replace("'", "''")
        # In row groups of the usual size, some hundred thousand long rows would be held at once.
        self.run_script(f"ATTACH '{place}/scratch.db' AS {SCRATCH} (ROW_GROUP_SIZE {_ROWS})")
        lock(self._connection)

    def set_memory(self, memory_bytes: int) -> None:
        """Set how much memory it may take."""
        self.run_script(f"SET memory_limit = '{memory_bytes:d}B'")

    def close(self) -> None:
        """Close the database."""
        self._connection.close()
