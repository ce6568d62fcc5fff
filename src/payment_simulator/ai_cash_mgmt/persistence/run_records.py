"""Simulation runs and their rows, which come and go as Arrow tables."""

from __future__ import annotations

from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import (
    BankStateRecord,
    DailyCostRecord,
    Record,
    SimulationEventRecord,
    SimulationRunRecord,
    TransactionRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.records import RecordStore, checked_limit
from payment_simulator.errors import InputError

_RUN_TABLES: dict[str, tuple[str, type[Record]]] = {
    kind.TABLE: (f"get_{kind.TABLE}", kind)
    for kind in (TransactionRecord, SimulationEventRecord, BankStateRecord, DailyCostRecord)
}


class RunRecords(RecordStore):
    """Saves and reads simulation runs.

    The rows of a run are given as an Arrow table (anything with ``__arrow_c_stream__``: arro3,
    pyarrow, polars) whose columns are the record's fields, ``run_id`` left out or the same
    throughout; or as records. Each call is one transaction and durable when it returns; rows
    replace what differs under the same key and the replaced rows are kept. A run that is not
    there is a ``RunNotFoundError``.
    """

    def save_simulation_run(self, run: SimulationRunRecord) -> None:
        """Save or update a simulation run."""
        self._save(self._of_kind(SimulationRunRecord, run))

    def get_simulation_run(self, run_id: str) -> SimulationRunRecord | None:
        """Return a simulation run, or ``None`` when there is no such run."""
        return self._read_one("get_simulation_run", SimulationRunRecord, (run_id,))

    def list_simulation_runs(
        self, game_id: str | None = None, limit: int = 100
    ) -> list[SimulationRunRecord]:
        """List simulation runs, of one game if it is given, newest first."""
        parameters = (game_id, game_id, checked_limit(limit))
        return self._read("list_simulation_runs", SimulationRunRecord, parameters)

    def get_run_ids(self, game_id: str) -> list[str]:
        """Return the identifiers of all runs of a game, in order."""
        return [row[0] for row in self._rows("runs_of_game", (game_id,))]

    def save_transactions(self, run_id: str, transactions: Any) -> None:
        """Save the lives of a run's payments."""
        self._save_of_run(TransactionRecord, run_id, transactions)

    def get_transactions(self, run_id: str) -> list[TransactionRecord]:
        """Return a run's payments in order of arrival."""
        return self._read("get_transactions", TransactionRecord, (run_id,))

    def save_simulation_events(self, run_id: str, events: Any) -> None:
        """Save the event log of a run."""
        self._save_of_run(SimulationEventRecord, run_id, events)

    def get_simulation_events(self, run_id: str) -> list[SimulationEventRecord]:
        """Return a run's events in order."""
        return self._read("get_simulation_events", SimulationEventRecord, (run_id,))

    def save_bank_states(self, run_id: str, states: Any) -> None:
        """Save the state of every bank at every tick of a run."""
        self._save_of_run(BankStateRecord, run_id, states)

    def get_bank_states(self, run_id: str) -> list[BankStateRecord]:
        """Return a run's bank states by tick and bank."""
        return self._read("get_bank_states", BankStateRecord, (run_id,))

    def save_daily_costs(self, run_id: str, costs: Any) -> None:
        """Save a run's costs by day, bank and kind."""
        self._save_of_run(DailyCostRecord, run_id, costs)

    def get_daily_costs(self, run_id: str) -> list[DailyCostRecord]:
        """Return a run's costs by day, bank and kind."""
        return self._read("get_daily_costs", DailyCostRecord, (run_id,))

    def get_run_table(self, run_id: str, table: str) -> Any:
        """Return rows of a run as an ``arro3.core.Table``, in the order of the ``get_*`` methods.

        Parameters
        ----------
        run_id : str
            The run.
        table : str
            ``transactions``, ``simulation_events``, ``bank_states`` or ``daily_costs``.

        Returns
        -------
        arro3.core.Table
            Goes into ``polars.DataFrame(...)``, ``pyarrow.table(...)`` or DuckDB as it is.
        """
        if table not in _RUN_TABLES:
            raise InputError(f"table is {table!r}, expected one of: {', '.join(_RUN_TABLES)}")
        query, kind = _RUN_TABLES[table]
        return self._read_arrow(query, kind, (run_id,))
