"""Plays, checks and moves a game in the environment of the lowest versions that are admitted.

``run.py lowest`` runs it with the Python of that environment, which has no pytest. The record is
then read by DuckDB 1.5, from the folder that the argument names.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import duckdb

ROOT = Path(__file__).parents[2]
GAME = ROOT / "examples" / "games" / "two_period.yaml"
PROGRAM = (sys.executable, "-c", "from payment_simulator.cli import main; main()")
_TABLES = "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()"
_OURS = f"{_TABLES} WHERE NOT internal ORDER BY 1"


def command(*words: str) -> str:
    """Run a command of payment-sim; end with what it said if it fails."""
    done = subprocess.run([*PROGRAM, *words], capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        sys.exit(f"payment-sim {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    print(f"payment-sim {' '.join(words)}", flush=True)
    return done.stdout


def fingerprint(record: str) -> dict[str, object]:
    """Return what a DuckDB reads in a record: of each table and view its rows and their hash."""
    with duckdb.connect(record, read_only=True) as conn:
        found: dict[str, object] = {}
        for (table,) in conn.execute(_OURS).fetchall():
            rows = sorted(map(repr, conn.execute(f"FROM {table}").fetchall()))
            found[table] = [len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()]
    return found


def frames(record: str) -> None:
    """Read the steps in every kind of frame."""
    from payment_simulator import analysis

    numbers = {
        kind: len(analysis.iterations(record, "two", to=kind))
        for kind in ("arrow", "polars", "pandas")
    }
    assert len(set(numbers.values())) == 1, numbers
    assert min(numbers.values()) > 0, numbers


def dashboard(record: str) -> None:
    """Fetch the first page of the dashboard."""
    words = [*PROGRAM, "dashboard", "--db", record, "--port", "0", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = "".join(iter(process.stdout.readline, "}\n")) + "}"
            address = json.loads(said)["url"]
            page = urllib.request.urlopen(address, timeout=60).read().decode()
        finally:
            process.terminate()
    assert "two" in page, page
    print("the dashboard answers", flush=True)


def main(reader: str) -> None:
    """Do all of it in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        command("play", str(GAME), "--id", "two", "--db", "played.db")
        command("verify", "two", "--db", "played.db")
        command("show", "two", "--db", "played.db")
        command("report", "two", "--db", "played.db", "--output", "report.html")
        command("export", "two", "--db", "played.db", "--to", "moved", "--format", "parquet")
        command("import", "moved", "--db", "moved.db")
        command("verify", "two", "--db", "moved.db")
        command("db", "check", "moved.db")
        frames("played.db")
        dashboard("played.db")
        ours = fingerprint("played.db")
        read = subprocess.run(
            [sys.executable, __file__, "--read", "played.db"],
            env={**os.environ, "PYTHONPATH": reader},
            capture_output=True,
            text=True,
            check=False,
        )
        if read.returncode:
            sys.exit(f"DuckDB of {reader} cannot read the record:\n{read.stderr}")
        version, theirs = json.loads(read.stdout)
        assert version.startswith("1.5."), version
        differ = [table for table in {*ours, *theirs} if theirs.get(table) != ours.get(table)]
        assert not differ, differ
        assert len(ours) > 20
        print(f"DuckDB {version} reads {len(ours)} tables and views as {duckdb.__version__} does")


if __name__ == "__main__":
    if sys.argv[1] == "--read":
        print(json.dumps([duckdb.__version__, fingerprint(sys.argv[2])]))
    else:
        main(sys.argv[1])
