"""The command line, run in this process or in one of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from payment_simulator.ai_cash_mgmt.persistence.models import Record
from payment_simulator.cli import main
from tests.builders import VALUES
from tests.processes import HANGS_AFTER_SECONDS, _environment

R = TypeVar("R", bound=Record)
#: What the console script does; a warning anywhere on the way is an error.
PROGRAM = [sys.executable, "-W", "error", "-c", "from payment_simulator.cli import main; main()"]
_OUR_VARIABLES = ("PAYMENT_SIM_DB", "PAYMENT_SIM_DEBUG")


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def payment_sim(*arguments: object, **variables: str) -> Outcome:
    """Run a command in this process, from its arguments to its exit code."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["payment-sim", *map(str, arguments)]),
        mock.patch.dict(os.environ),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        for name in _OUR_VARIABLES:
            os.environ.pop(name, None)
        os.environ.update(variables)
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        else:
            raise AssertionError("the command line returned without an exit code")
    return Outcome(code, out.getvalue(), err.getvalue())


def variables(**more: str) -> dict[str, str]:
    """Return the variables for a process of its own."""
    plain = {name: v for name, v in _environment().items() if name not in _OUR_VARIABLES}
    # Unbuffered, Python itself drops what a pipe does not take at once.
    plain.pop("PYTHONUNBUFFERED", None)
    return {**plain, "PYTHONIOENCODING": "utf-8", **more}


def payment_sim_process(*arguments: object, **options: Any) -> Outcome:
    """Run a command in a process of its own, its output caught in pipes unless told otherwise."""
    settings: dict[str, Any] = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "env": variables(),
        "timeout": HANGS_AFTER_SECONDS,
        "encoding": "utf-8",
        **options,
    }
    done = subprocess.run([*PROGRAM, *map(str, arguments)], check=False, **settings)
    return Outcome(done.returncode, done.stdout or "", done.stderr or "")


def without_ways_on(text: str) -> str:
    """Return a list of games without the commands that go on with those that were interrupted."""
    lines, kept = text.splitlines(keepends=True), []
    is_hint = False
    for line in lines:
        is_hint = line.startswith("Interrupted, ") or (is_hint and line.startswith("  "))
        kept += [] if is_hint else [line]
    return "".join(kept)


def cells(text: str) -> list[list[str]]:
    """Return the words of each line that is more than a rule or blank, but for ways on."""
    return [line.split() for line in without_ways_on(text).splitlines() if line.strip(" ─")]


def facts(text: str) -> dict[str, list[str]]:
    """Return what stands behind each name in the left column of a two-column table."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, value = line.partition("  ")
        if name and value.strip():
            found.setdefault(name, []).append(value.strip())
    return found


def as_record(kind: type[R], found: dict[str, Any]) -> R:
    """Return the record that a JSON object tells of."""
    values = {name: value for name, value in found.items() if name in kind.model_fields}
    for name, value in VALUES[kind].items():
        if isinstance(value, datetime) and found[name]:
            values[name] = datetime.fromisoformat(found[name])
        # In what was superseded, a list is the text that was stored.
        if isinstance(value, list) and isinstance(found[name], str):
            values[name] = json.loads(found[name])
    return kind(**values)


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return every file and folder with its bytes; never while a database in it is open."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def one_error(outcome: Outcome, code: int = 2) -> str:
    """Return the message of a command that failed as it should: one line, and nothing else."""
    assert outcome.code == code, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("Error: "), outcome.err
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.endswith("\n")
    return outcome.err[len("Error: ") : -1]
