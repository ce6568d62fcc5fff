"""Other processes for tests: scripts that end by themselves, and scripts that wait."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Long enough for any machine; a child that takes longer hangs.
HANGS_AFTER_SECONDS = 120

#: Opens the database of the first argument for writing, saves one game with one step, says so,
#: and goes on holding the file. More arguments are keywords of DatabaseManager, as name=value.
WRITER = """
import ast, sys
from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session, an_iteration

options = dict(option.split("=") for option in sys.argv[2:])
manager = DatabaseManager(sys.argv[1], **{k: ast.literal_eval(v) for k, v in options.items()})
repo = GameRepository(manager.conn)
repo.initialize_schema()
repo.save_game_session(a_session())
repo.save_policy_iteration(an_iteration())
print("ready", flush=True)
sys.stdin.readline()
"""

#: Executes a statement and dies, so that what it did stands in the log alone.
EXECUTE_AND_DIE = """
import duckdb, os, sys
if os.fork() == 0:
    conn = duckdb.connect(sys.argv[1])
    conn.execute(sys.argv[2])
    os.kill(os.getpid(), 9)
os.wait()
"""


def _environment() -> dict[str, str]:
    """Return variables under which a child imports what this process imports."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(p) for p in sys.path if p])}


def run(code: str, *arguments: object) -> str:
    """Run a script to its end and return what it printed; fail if it fails."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=HANGS_AFTER_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def running(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run a script that prints ``ready`` and then waits on its input, for as long as the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield process
        process.communicate("end\n", timeout=HANGS_AFTER_SECONDS)
    finally:
        process.kill()
        process.communicate()
