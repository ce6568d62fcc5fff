"""``payment-sim db``: look at a database file, bring it up to date, check it."""

from __future__ import annotations

import typer

from payment_simulator.cli.options import FileArgument, JsonOption

app = typer.Typer(
    help="Look at a database file, bring it up to date, check it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def status(file: FileArgument, json: JsonOption = False) -> None:
    """Show version, rows and writer of a database; nothing is changed."""
    from payment_simulator.cli.output import print_facts, print_json, print_table
    from payment_simulator.persistence.status import database_status

    found = database_status(file)
    if json:
        print_json(found.as_dict())
        return
    writer = found.writer
    print_facts(
        [
            ("file", found.file),
            ("size", f"{found.bytes:,} bytes, log {found.log_bytes:,} bytes"),
            ("schema version", f"{found.schema_version} of {found.current_version}"),
            ("origin", found.origin),
            ("written by", f"payment-simulator {found.written_by}" if found.written_by else "-"),
            (
                "open for writing",
                f"PID {writer['pid']} since {writer['since']}" if writer else "no",
            ),
            *(("note", note) for note in found.notes),
        ]
    )
    print_table(["table", "rows"], [(t, f"{n:,}") for t, n in found.rows.items()], numbers=["rows"])


@app.command()
def migrate(file: FileArgument, json: JsonOption = False) -> None:
    """Bring an older database to this version, keeping a copy of the file as it was."""
    from payment_simulator.cli.output import print_json, visible
    from payment_simulator.persistence.connection import DatabaseManager
    from payment_simulator.persistence.files import look_for_content, real_path
    from payment_simulator.persistence.migrations import current_version, schema_state
    from payment_simulator.persistence.migrations import migrate as bring_up
    from payment_simulator.persistence.store import Store

    look_for_content(real_path(file))
    with DatabaseManager(file) as manager:
        store = Store(manager.conn)
        before = schema_state(store).version
        copy = bring_up(store)
    after = current_version()
    if json:
        print_json(
            {"file": str(file), "from": before, "to": after, "copy": str(copy) if copy else None}
        )
    elif before == after:
        typer.echo(f"{visible(file)} has schema version {after} already.")
    else:
        kept = f"; the file as it was: {visible(copy)}" if copy else ""
        typer.echo(f"{visible(file)}: schema version {before} -> {after}{kept}")


@app.command()
def check(file: FileArgument, json: JsonOption = False) -> None:
    """Verify schema, keys, orphaned rows, JSON, hashes and sums; name each fault.

    Exit code 1 when there is a fault. Notes are odd, but may be meant.
    """
    from payment_simulator.ai_cash_mgmt.persistence.checking import check_record
    from payment_simulator.cli.output import print_json, print_table, visible
    from payment_simulator.persistence.connection import DatabaseManager

    with DatabaseManager(file, read_only=True) as manager:
        findings = list(check_record(manager.conn))
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
        typer.echo(f"{visible(file)}: {faults} faults, {len(findings) - faults} notes")
    if faults:
        raise typer.Exit(1)
