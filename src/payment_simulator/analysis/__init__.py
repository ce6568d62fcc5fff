"""Results: tables, figures, comparisons and reports, from the record alone.

Everything here works on a database that came from somebody else: nothing that it names is run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from payment_simulator.analysis.dictionary import data_dictionary
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
    from payment_simulator.analysis.opening import open_record

__all__ = [
    "bank_states",
    "columns",
    "daily_costs",
    "data_dictionary",
    "events",
    "iterations",
    "model_calls",
    "open_record",
    "outcomes",
    "payments",
    "samples",
    "sessions",
    "simulation_runs",
    "view",
]

# Looked up when asked for: a list of games needs no library of figures.
_HOMES = {
    "dictionary": ("data_dictionary",),
    "frames": (
        *("bank_states", "columns", "daily_costs", "events", "iterations", "model_calls"),
        *("outcomes", "payments", "samples", "sessions", "simulation_runs", "view"),
    ),
    "opening": ("open_record",),
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
