"""Tables as CSV, in which no text of a record is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from payment_simulator.wording import spreadsheet_text, visible


def csv_table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return a table as CSV.

    Numbers stand as they are, and what is not known is empty. Texts are guarded as
    :func:`~payment_simulator.wording.spreadsheet_text` does it, their control characters written
    out.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([_cell(column) for column in head])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def _cell(value: Any) -> Any:
    return visible(spreadsheet_text(value)) if isinstance(value, str) else value
