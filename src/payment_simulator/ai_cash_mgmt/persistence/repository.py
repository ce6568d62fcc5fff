"""The repository of the specification, whole."""

from __future__ import annotations

from payment_simulator.ai_cash_mgmt.persistence.game_records import GameRecords
from payment_simulator.ai_cash_mgmt.persistence.run_records import RunRecords
from payment_simulator.ai_cash_mgmt.persistence.step_records import StepRecords


class GameRepository(GameRecords, StepRecords, RunRecords):
    """Repository for AI Cash Management database operations.

    Safe to use from several threads: writes wait for each other, reads run side by side. A save
    that has returned is durable.

    Parameters
    ----------
    conn : duckdb.DuckDBPyConnection
        DuckDB connection from DatabaseManager.

    Raises
    ------
    NotADatabaseError, SchemaVersionError
        The tables are another program's, or of a newer version.

    Examples
    --------
    >>> from payment_simulator.persistence.connection import DatabaseManager
    >>> with DatabaseManager(":memory:") as manager:
    ...     repo = GameRepository(manager.conn)
    ...     repo.initialize_schema()
    ...     repo.list_game_sessions(status="completed")
    []
    """


__all__ = ["GameRepository"]
