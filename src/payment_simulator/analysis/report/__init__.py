"""Reports of games: one HTML file that opens anywhere, without a network, and prints well.

What is needed beside the core, Jinja2 and Matplotlib, comes with the extra ``report``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from payment_simulator.analysis.report.texts import file_name
    from payment_simulator.analysis.report.writing import (
        check_target,
        report_html,
        write_report,
    )

__all__ = ["check_target", "file_name", "report_html", "write_report"]


def __getattr__(name: str) -> Any:
    """Return a public name; Jinja2 and Matplotlib are loaded when the first is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    writing = import_module(f"{__name__}.writing")  # says what to install, where that is missing
    home = import_module(f"{__name__}.texts") if name == "file_name" else writing
    return getattr(home, name)
