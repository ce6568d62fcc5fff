"""``payment-sim db``: look at a database file, bring it up to date, check it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payment_simulator.cli.options import FileArgument, JsonOption, database_path
from payment_simulator.wording import counted, visible

if TYPE_CHECKING:
    from payment_simulator.persistence.status import DatabaseStatus

app = typer.Typer(
    help="Look at, adopt, check or copy a database file.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def status(file: FileArgument, json: JsonOption = False) -> None:
    """Show version, rows and writer of a database; nothing is changed."""
    from payment_simulator.cli.output import print_facts, print_json, print_text
    from payment_simulator.cli.table import print_table
    from payment_simulator.persistence.status import database_status

    found = database_status(file)
    if json:
        print_json(found.as_dict())
        return
    print_facts(
        [
            ("file", found.file),
            ("size", _size(found)),
            ("schema version", _version(found)),
            ("tables made by", _maker(found)),
            ("open for writing", _writer(found)),
            *(("note", note) for note in found.notes),
        ]
    )
    filled = {table: n for table, n in found.rows.items() if n}
    if filled:
        print_table(["table", "rows"], [(t, f"{n:,}") for t, n in filled.items()], numbers=["rows"])
    empty = [table for table in found.rows if table not in filled]
    if empty:
        print_text(f"Without rows: {', '.join(empty)}.")


def _size(found: DatabaseStatus) -> str:
    log = f", and {found.log_bytes:,} bytes in its log beside it" if found.log_bytes else ""
    return f"{found.bytes:,} bytes{log}"


def _version(found: DatabaseStatus) -> str:
    if found.schema_version:
        return f"{found.schema_version} (the newest)"
    return f"none ({found.current_version} is the newest)"


def _maker(found: DatabaseStatus) -> str:
    if found.written_by:
        return f"payment-simulator {found.written_by}"
    return "nobody yet" if found.origin == "empty" else "the first tool of this kind"


def _writer(found: DatabaseStatus) -> str:
    from payment_simulator.cli.output import moment

    if found.writer is None:
        return "no"
    since = found.writer["since"]
    with suppress(ValueError):  # whatever else it is, it is shown
        since = moment(datetime.fromisoformat(since))
    return f"by process {found.writer['pid']} since {since} (UTC)"


@app.command()
def migrate(file: FileArgument, json: JsonOption = False) -> None:
    """Adopt a database of the first tool of this kind, keeping a copy.

    The copy is the file as it was, and lies beside it. Tables of that tool under names that are
    needed here are kept under another name; rows that mean the same are taken over.
    """
    from payment_simulator.cli.output import print_json
    from payment_simulator.cli.table import print_table
    from payment_simulator.persistence.connection import DatabaseManager
    from payment_simulator.persistence.files import look_for_content, real_path
    from payment_simulator.persistence.migrations import SCHEMA_VERSION, schema_state
    from payment_simulator.persistence.migrations import migrate as bring_up
    from payment_simulator.persistence.store import Store

    look_for_content(real_path(file))
    with DatabaseManager(file) as manager:
        store = Store(manager.conn)
        before = schema_state(store).version
        adoption = bring_up(store)
    after = SCHEMA_VERSION
    copy, kept = (adoption.copy, adoption.kept) if adoption else (None, ())
    if json:
        print_json(
            {
                "file": str(file),
                "from": before,
                "to": after,
                "copy": str(copy) if copy else None,
                "kept": [asdict(table) for table in kept],
            }
        )
    elif before == after:
        typer.echo(f"{visible(file)} has schema version {after} already.")
    else:
        as_it_was = f"; the file as it was: {visible(copy)}" if copy else ""
        typer.echo(f"{visible(file)}: schema version {before} -> {after}{as_it_was}")
        if kept:
            print_table(
                ["table of the first tool", "kept as", "rows", "taken over"],
                [(t.name, t.kept_as, f"{t.rows:,}", f"{t.taken_over:,}") for t in kept],
                numbers=["rows", "taken over"],
            )


@app.command()
def check(file: FileArgument, json: JsonOption = False) -> None:
    """Verify every table and row; name each fault.

    Tables, keys, orphaned rows, JSON, hashes, seals and sums. Exit code 1 when there is a fault.
    Notes are odd, but may be meant.
    """
    from payment_simulator.ai_cash_mgmt import GameRepository
    from payment_simulator.ai_cash_mgmt.persistence.checking import check_record
    from payment_simulator.ai_cash_mgmt.record.game_check import check_games
    from payment_simulator.cli.output import print_json
    from payment_simulator.cli.table import print_table
    from payment_simulator.persistence.reading import open_store

    with open_store(file) as store:
        findings = list(check_record(store))
        # What is wrong with tables is said; games can be read only where nothing is.
        if not any(finding.is_fault and not finding.row for finding in findings):
            findings += check_games(GameRepository.of_store(store))
    faults = sum(finding.is_fault for finding in findings)
    if json:
        print_json(
            {
                "file": str(file),
                "faults": faults,
                "findings": [finding.as_dict() for finding in findings],
            }
        )
    else:
        if findings:
            print_table(
                ["", "table", "row", "problem"],
                [("fault" if f.is_fault else "note", f.table, f.row, f.problem) for f in findings],
                yielding=["row", "problem"],
            )
        notes = len(findings) - faults
        typer.echo(f"{visible(file)}: {counted(faults, 'fault')}, {counted(notes, 'note')}")
    if faults:
        raise typer.Exit(1)


@app.command()
def copy(
    file: FileArgument,
    to: Annotated[
        Path, typer.Argument(metavar="TO", parser=database_path, help="The file to make.")
    ],
    json: JsonOption = False,
) -> None:
    """Copy a database to a new file, even while it is written.

    The copy is one consistent state and appears when it is whole. A file that is there already
    is never replaced.
    """
    from payment_simulator.cli.output import print_json
    from payment_simulator.persistence.connection import DatabaseManager
    from payment_simulator.persistence.copying import copy_database
    from payment_simulator.persistence.files import real_path
    from payment_simulator.persistence.store import Store

    target = real_path(to)
    with DatabaseManager(file, read_only=True) as manager:
        copy_database(Store(manager.conn), target)
    size = target.stat().st_size
    if json:
        print_json({"file": str(file), "copy": str(to), "bytes": size})
    else:
        typer.echo(f"{visible(file)} is copied to {visible(to)} ({size:,} bytes).")
