"""Comparisons for other programs: CSV for spreadsheets, LaTeX for papers."""

from __future__ import annotations

from collections.abc import Sequence

from payment_simulator.analysis.compare.comparison import Comparison
from payment_simulator.analysis.compare.table import Table
from payment_simulator.analysis.compare.tables import SIDE_BY_SIDE, tables_of
from payment_simulator.analysis.csv_tables import csv_table
from payment_simulator.wording import visible

#: What a table without a title shows.
_UNTITLED = "Games compared"
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": r"{[}",
    "]": r"{]}",
}


def to_csv(found: Comparison) -> str:
    """Return the rows of a comparison as CSV, costs in cents.

    A text that a spreadsheet would take for a formula has an apostrophe before it, and control
    characters are written out. Numbers stand as they are; what is not known is empty.
    """
    rows = found.rows()
    return csv_table(rows[0], (row.values() for row in rows))


def to_latex(found: Comparison) -> str:
    """Return the tables of a comparison for LaTeX with booktabs, and its notes as comments.

    Each table is a float with a caption, a label (``tab:compare-NAME``) and, below it, what has to
    be said of its numbers. Texts of the record stand as text: nothing in them is a command.
    """
    is_side_by_side = len(found.games) <= SIDE_BY_SIDE
    tables = tables_of(found, is_side_by_side=is_side_by_side, has_one_row=True)
    parts = ["% needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}"]
    parts += [_latex_table(table) for table in tables]
    parts += [f"% {visible(note)}" for note in found.notes]
    return "\n".join([*parts, "% Costs are in currency units (cents / 100)."]) + "\n"


def _latex_table(table: Table) -> str:
    kinds = "".join("r" if column in table.numbers else "l" for column in table.columns)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escaped(table.title.rstrip(':') or _UNTITLED)}}}",
        rf"\label{{tab:compare-{table.name}}}",
        rf"\begin{{tabular}}{{{kinds}}}",
        r"\toprule",
        _line(table.columns),
        r"\midrule",
        *map(_line, table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par{{\footnotesize {escaped(note)}\par}}" for note in table.notes),
        r"\end{table}",
    ]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return rf"{' & '.join(map(escaped, cells))} \\"


def escaped(text: str) -> str:
    """Return a text as LaTeX shows it."""
    return "".join(_LATEX.get(c, c) for c in visible(text))
