"""A laboratory for AI cash management in large-value payment systems.

The powers of the command line under the same names: ``simulate``, ``simulate_batch``,
``load_scenario``, ``load_policy``. Games and their record: :mod:`payment_simulator.ai_cash_mgmt`;
results: :mod:`payment_simulator.analysis`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from payment_simulator._version import __version__

if TYPE_CHECKING:
    from payment_simulator.policy import Policy, builtin, load_policy, parse_policy
    from payment_simulator.scenario import Scenario, load_scenario, parse_scenario
    from payment_simulator.simulation import (
        Batch,
        Run,
        Simulation,
        Snapshot,
        simulate,
        simulate_batch,
    )

__all__ = [
    "Batch",
    "Policy",
    "Run",
    "Scenario",
    "Simulation",
    "Snapshot",
    "__version__",
    "builtin",
    "load_policy",
    "load_scenario",
    "parse_policy",
    "parse_scenario",
    "simulate",
    "simulate_batch",
]

# Looked up when asked for: the record alone needs no compiler, and --help none of it.
_HOMES = {
    "policy": ("Policy", "builtin", "load_policy", "parse_policy"),
    "scenario": ("Scenario", "load_scenario", "parse_scenario"),
    "simulation": ("Batch", "Run", "Simulation", "Snapshot", "simulate", "simulate_batch"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Return a public name from the floor it lives on."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, those not loaded yet included."""
    return sorted(__all__)
