"""Figures of games and runs, for papers, reports and notebooks.

Each function reads what it needs from the record and returns a Matplotlib figure, which shows
itself at the end of a notebook's cell, and is saved by its ``savefig`` as PDF, SVG or PNG.
Matplotlib comes with the extra ``report``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from payment_simulator.analysis.figures.canvas import ResultFigure
    from payment_simulator.analysis.figures.costs import cost_figure
    from payment_simulator.analysis.figures.outcomes import comparison_figure, cost_split_figure
    from payment_simulator.analysis.figures.parameters import parameter_figure
    from payment_simulator.analysis.figures.runs import (
        balance_figure,
        queue_figure,
        throughput_figure,
    )
    from payment_simulator.analysis.figures.steps import sample_figure

__all__ = [
    "ResultFigure",
    "balance_figure",
    "comparison_figure",
    "cost_figure",
    "cost_split_figure",
    "parameter_figure",
    "queue_figure",
    "sample_figure",
    "throughput_figure",
]
# Matplotlib takes its time: it is imported when a figure is asked for.
_HOMES = {
    "canvas": ("ResultFigure",),
    "costs": ("cost_figure",),
    "outcomes": ("comparison_figure", "cost_split_figure"),
    "parameters": ("parameter_figure",),
    "runs": ("balance_figure", "queue_figure", "throughput_figure"),
    "steps": ("sample_figure",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Return a figure's function from the module it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_module(f"{__name__}.canvas")  # says what to install, where Matplotlib is missing
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, those not loaded yet included."""
    return sorted(__all__)
