"""Reads observed payments from the file that a scenario names.

What its columns mean: with ``day`` (from 0), ``tick`` is that of the day, else that of the run.
``time`` stands instead of ``tick``: the day from 00:00 to 24:00 is spread evenly over its ticks, so
that the tick of the day is ``floor(seconds since midnight * ticks_per_day / 86400)``; without
``day``, it needs a run of one day. ``sender`` and ``receiver`` are ids of banks, ``amount`` whole
cents. ``priority`` (5), ``deadline`` (ticks after arrival; the last tick of the day) and
``divisible`` (false) may be missing or empty. Other columns are not read.
"""

from __future__ import annotations

from pathlib import Path

from payment_simulator.errors import ScenarioError
from payment_simulator.scenario.model import ObservedPayment, Scenario
from payment_simulator.scenario.payment_cells import BadCellError, LineReader, near_misses
from payment_simulator.scenario.payment_rows import BadFileError, Rows, open_rows
from payment_simulator.scenario.places import Misplaced, nearest
from payment_simulator.scenario.switches import PAYMENT_COLUMNS, PaymentsFile
from payment_simulator.scenario.values import quoted
from payment_simulator.wording import spreadsheet_text, visible

MAX_PAYMENTS = 10_000_000

_HERE = ("payments_file",)
_NEEDED = ("sender", "receiver", "amount")


def read_payments(
    scenario: Scenario, folder: Path | None
) -> tuple[tuple[ObservedPayment, ...], int]:
    """Read the payments file of a scenario, if it has one.

    Parameters
    ----------
    scenario : Scenario
        Checked in itself.
    folder : pathlib.Path, optional
        Where the scenario file is; the path is relative to it.

    Returns
    -------
    tuple
        The payments by tick, in the order of the file within a tick; and how many lines were
        skipped.

    Raises
    ------
    Misplaced
        The file is not there, or does not have the columns.
    ScenarioError
        A line is bad, where the scenario does not say to skip such.
    """
    config = scenario.payments_file
    if config is None:
        return (), 0
    path = (folder or Path()) / config.path
    _check_file(path)
    wanted = frozenset(config.columns.get(name, name) or "" for name in PAYMENT_COLUMNS)
    try:
        rows = open_rows(path, wanted)
        places = _find_columns(config, rows, scenario)
        reader = LineReader(
            places=places,
            n_columns=len(rows.header),
            # A payments file may be one that an export has written.
            banks={
                written: number
                for number, name in enumerate(scenario.bank_ids)
                for written in (spreadsheet_text(name), name)
            },
            ticks_per_day=scenario.simulation.ticks_per_day,
            num_days=scenario.simulation.num_days,
        )
        return _read_rows(path, rows, reader, is_skipping=config.on_error == "skip")
    except BadFileError as error:
        raise ScenarioError(visible(f"{path}: {error}")) from None


def _check_file(path: Path) -> None:
    try:
        if path.is_file():
            return
        problem = "a folder" if path.is_dir() else "no file" if path.exists() else "not there"
    except (OSError, ValueError) as error:
        problem = f"no path ({error})"
    raise Misplaced((*_HERE, "path"), f"{path} is {problem}; expected a CSV or Parquet file")


def _find_columns(config: PaymentsFile, rows: Rows, scenario: Scenario) -> dict[str, int]:
    """Return where the columns are that the file has."""
    places = {}
    for name in PAYMENT_COLUMNS:
        column = config.columns.get(name, name)
        if column in rows.header:
            places[name] = rows.header.index(column)
        elif name in config.columns and column is not None:
            raise Misplaced(
                (*_HERE, "columns", name),
                f"the file has no column {quoted(column)}; {nearest(column, rows.header)}",
            )
    mapped = {*places, *config.columns}
    absent = [name for name in PAYMENT_COLUMNS if name not in mapped]
    free = [column for number, column in enumerate(rows.header) if number not in places.values()]
    for column, name in near_misses(free, absent):
        raise Misplaced(
            _HERE,
            f"column {quoted(column)} of the file is not known; nearest: {name}; map it in "
            f"columns ({name}: {quoted(column)}), or say {name}: null if it is something else",
        )
    _check_needed(places, rows, scenario)
    return places


def _check_needed(places: dict[str, int], rows: Rows, scenario: Scenario) -> None:
    listed = ", ".join(quoted(column) for column in rows.header[:12])
    for name in _NEEDED:
        if name not in places:
            raise Misplaced(
                _HERE,
                f"the file has no column {name}; expected it, or its name in columns; "
                f"the file has {listed}",
            )
    if ("tick" in places) == ("time" in places):
        problem = "both tick and time" if "tick" in places else "neither tick nor time"
        raise Misplaced(
            _HERE, f"the file has {problem}; expected one of them (columns can say tick: null)"
        )
    if "time" in places and "day" not in places and scenario.simulation.num_days > 1:
        raise Misplaced(
            _HERE,
            f"the file has time but no day, and the run has {scenario.simulation.num_days} days; "
            "expected a column day",
        )


def _read_rows(
    path: Path, rows: Rows, reader: LineReader, *, is_skipping: bool
) -> tuple[tuple[ObservedPayment, ...], int]:
    payments = []
    n_skipped = 0
    for number, row in rows.rows:
        try:
            payments.append(reader.read(row))
        except BadCellError as error:
            if is_skipping:
                n_skipped += 1
                continue
            raise _refusal(path, rows, number, reader, error) from None
        if len(payments) > MAX_PAYMENTS:
            raise BadFileError(f"more than {MAX_PAYMENTS} payments")
    payments.sort(key=lambda payment: payment.tick)
    return tuple(payments), n_skipped


def _refusal(
    path: Path, rows: Rows, number: int, reader: LineReader, error: BadCellError
) -> ScenarioError:
    place = f"{path}, {rows.unit} {number}"
    if error.column:
        place += f", column {quoted(rows.header[reader.places[error.column]])}"
    hint = f"; {nearest(error.unknown_bank, reader.banks)}" if error.unknown_bank else ""
    return ScenarioError(visible(f"{place}: {error}{hint}"))
