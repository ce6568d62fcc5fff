"""Tables of a report: as HTML, as CSV for spreadsheets, and as LaTeX for papers."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from payment_simulator.analysis.compare.files import escaped
from payment_simulator.analysis.csv_tables import csv_table
from payment_simulator.wording import visible

#: ``money`` is in cents and shown in currency units; a ``share`` is shown in percent.
Kind: TypeAlias = Literal["text", "count", "number", "money", "share"]
Value: TypeAlias = str | int | float | None
_MONEY_CENTS: Final = 100
_NONE: Final = "\N{EN DASH}"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    label : str
        Its head.
    kind : str
        What its values are.
    """

    label: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """A table of a report, which holds the values of the record and shows them rounded.

    Attributes
    ----------
    slug : str
        Names its file: letters and hyphens.
    caption : str
    columns : tuple of Column
    rows : list of tuple
        Values as the record has them; None is what is not known.
    note : str
        What is said below it.
    has_total : bool
        Whether the last row is the sum of the others.
    """

    slug: str
    caption: str
    columns: tuple[Column, ...]
    rows: list[tuple[Value, ...]] = field(default_factory=list)
    note: str = ""
    has_total: bool = False

    def shown(self) -> list[list[str]]:
        """Return the cells as texts for people."""
        return [
            [shown(value, column.kind) for value, column in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]

    def csv(self) -> str:
        """Return the table as CSV: money in cents and shares as they are, to the last digit.

        A text that a spreadsheet would take for a formula has an apostrophe before it, and control
        characters are written out. What is not known is empty.
        """
        units = {"money": " (cents)", "share": " (share)"}
        head = [column.label + units.get(column.kind, "") for column in self.columns]
        return csv_table(head, self.rows)

    def csv_link(self) -> str:
        """Return the CSV as a ``data:`` address, which a link can offer to save."""
        text = base64.b64encode(self.csv().encode("utf-8")).decode("ascii")
        return f"data:text/csv;charset=utf-8;base64,{text}"

    def latex(self) -> str:
        """Return the table as LaTeX with booktabs; texts of the record stand as text."""
        kinds = "".join("l" if column.kind == "text" else "r" for column in self.columns)
        rows = [_latex_row(row) for row in self.shown()]
        if self.has_total and len(rows) > 1:
            rows.insert(-1, r"\midrule")
        return "\n".join(
            [
                "% needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}",
                r"\begin{table}",
                r"  \centering",
                rf"  \caption{{{escaped(self.caption)}}}",
                rf"  \begin{{tabular}}{{{kinds}}}",
                r"    \toprule",
                f"    {_latex_row([column.label for column in self.columns])}",
                r"    \midrule",
                *(f"    {row}" for row in rows),
                r"    \bottomrule",
                r"  \end{tabular}",
                r"\end{table}",
            ]
        )


def shown(value: Value, kind: Kind) -> str:  # noqa: PLR0911 - a case each
    """Return a value as a table shows it."""
    if value is None:
        return _NONE
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if kind == "money":
        return minus(f"{value / _MONEY_CENTS:,.2f}")
    if kind == "share":
        return minus(f"{value:.1%}").replace("%", " %")
    if kind == "count":
        return minus(f"{value:,.0f}")
    return minus(f"{value:,.6g}")


def minus(text: str) -> str:
    """Return a number with a minus sign in place of a hyphen."""
    return text.replace("-", "\N{MINUS SIGN}")


def _latex_row(cells: Sequence[str]) -> str:
    plain = (
        cell.replace("\N{MINUS SIGN}", "-")
        .replace("\N{EN DASH}", "--")
        .replace("\N{RIGHTWARDS ARROW}", "->")
        for cell in cells
    )
    return rf"{' & '.join(escaped(cell) for cell in plain)} \\"
