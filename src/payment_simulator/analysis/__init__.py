"""Results: tables, figures, comparisons and reports, from the record alone.

Everything here works on a database that came from somebody else: nothing that it names is run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from payment_simulator.analysis.compare import compare_games
    from payment_simulator.analysis.dictionary import data_dictionary
    from payment_simulator.analysis.exchange import export_games, import_games
    from payment_simulator.analysis.frames import (
        bank_states,
        columns,
        daily_costs,
        events,
        iterations,
        model_calls,
        outcomes,
        payments,
        samples,
        sessions,
        simulation_runs,
        view,
    )
    from payment_simulator.analysis.listing import list_games
    from payment_simulator.analysis.opening import open_record
    from payment_simulator.analysis.overview import game_overview
    from payment_simulator.analysis.report import write_report

__all__ = [
    "bank_states",
    "columns",
    "compare_games",
    "daily_costs",
    "data_dictionary",
    "events",
    "export_games",
    "game_overview",
    "import_games",
    "iterations",
    "list_games",
    "model_calls",
    "open_record",
    "outcomes",
    "payments",
    "samples",
    "sessions",
    "simulation_runs",
    "view",
    "write_report",
]

# Looked up when asked for: a list of games needs no library of figures.
_HOMES = {
    "compare": ("compare_games",),
    "dictionary": ("data_dictionary",),
    "exchange": ("export_games", "import_games"),
    "frames": (
        *("bank_states", "columns", "daily_costs", "events", "iterations", "model_calls"),
        *("outcomes", "payments", "samples", "sessions", "simulation_runs", "view"),
    ),
    "listing": ("list_games",),
    "opening": ("open_record",),
    "overview": ("game_overview",),
    "report": ("write_report",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Return a public name from the module it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, those not loaded yet included."""
    return sorted(__all__)
