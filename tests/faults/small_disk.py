"""Scenarios on a disk of a few megabytes, each in a process with a mount table of its own.

``python -m tests.faults.small_disk '["SCENARIO", "FOLDER", ...]'`` mounts a tmpfs on the
folder, where no other process sees it and from where it vanishes with this one, and prints what
happened as JSON.
"""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.errors import PaymentSimulatorError
from payment_simulator.persistence import migrations
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.store import Store
from tests.faults.children import Child, hold, write_and_die
from tests.faults.folder import names
from tests.faults.history import GAME, count_saves, old_iterations, perform, perform_range

SIZE = 32 << 20
SPARE = "ballast"


def fill(folder: Path, leaving: int = 0) -> None:
    """Fill the disk up to some bytes."""
    with (folder / SPARE).open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        file.truncate(max(file.tell() - leaving, 0))


def _said(error: PaymentSimulatorError) -> dict[str, str]:
    return {"error": type(error).__name__, "message": str(error)}


def _tried(path: Path) -> dict[str, Any]:
    try:
        with DatabaseManager(path) as manager:
            manager.setup()
    except PaymentSimulatorError as error:
        return _said(error)
    return {"error": None, "message": ""}


def save(folder: Path, room: int, threshold: str) -> dict[str, Any]:
    """Save until the disk is full, make room, and go on."""
    path, n_saves = folder / "simulation.db", 0
    fill(folder, leaving=room)
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        manager.conn.execute(f"SET checkpoint_threshold = '{threshold}'")
        try:
            while True:
                perform(repo, n_saves)
                n_saves += 1
        except PaymentSimulatorError as error:
            report = _said(error)
    (folder / SPARE).unlink()
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        n_found = count_saves(repo)
        perform_range(repo, n_found, n_found + 9)
    with DatabaseManager(path) as manager:
        n_at_last = count_saves(GameRepository(manager.conn))
    return {**report, "n_saves": n_saves, "n_found": n_found, "n_at_last": n_at_last}


def reopen(folder: Path) -> dict[str, Any]:
    """Open a file whose log a kill has left, on a full disk; make room while it is open."""
    path = folder / "simulation.db"
    child = Child(write_and_die, path, 0, 30)
    child.hear()
    child.end()
    fill(folder)
    report: dict[str, Any] = {"error": None, "message": ""}
    try:
        with DatabaseManager(path):
            (folder / SPARE).unlink()
    except PaymentSimulatorError as error:
        report = _said(error)
        (folder / SPARE).unlink()
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        # An update of the game's status goes through two indexes.
        perform_range(repo, 30, 38)
        n_found = count_saves(repo)
    return {**report, "n_found": n_found}


def create(folder: Path) -> dict[str, Any]:
    """Make a database where there is no room for one, make room, and try again."""
    path = folder / "simulation.db"
    fill(folder)
    report = _tried(path)
    (folder / SPARE).unlink()
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        perform_range(repo, 0, 9)
        n_found = count_saves(repo)
    return {**report, "n_found": n_found, "files": names(folder)}


def migrate(folder: Path, old_file: str, before: int, after: int) -> dict[str, Any]:
    """Bring an old file to this version with little room, make room, and try again.

    ``before`` and ``after`` are the bytes left before the file is copied and after that.
    """
    path, back_up = folder / "simulation.db", migrations.back_up

    def back_up_and_fill(*args: Any) -> Path:
        copy = back_up(*args)
        fill(folder, leaving=after)
        return copy

    migrations.back_up = back_up_and_fill
    shutil.copytree(Path(old_file).parent, folder, dirs_exist_ok=True)
    fill(folder, leaving=before)
    report = _tried(path)
    report["files"] = names(folder)
    (folder / SPARE).unlink()
    report["found"] = []
    migrations.back_up = back_up
    for _ in range(2):
        with DatabaseManager(path, serve=False) as manager:
            version = migrations.schema_state(Store(manager.conn)).version
            is_whole = GameRepository(manager.conn).get_policy_iterations(GAME) == old_iterations()
            manager.setup()
        report["found"].append([version, is_whole])
    return report


def read(folder: Path, whose: str) -> dict[str, Any]:
    """Ask for a copy of a database when the writer, or the reader, has no room for it."""
    with tempfile.TemporaryDirectory() as elsewhere:
        small, roomy = str(folder), elsewhere
        # A writer makes the copy beside its database.
        path = Path(small if whose == "writer" else roomy) / "simulation.db"
        writer = Child(hold, path, 100, roomy)
        writer.hear()
        fill(folder, leaving=100_000)
        tempfile.tempdir = roomy if whose == "writer" else small
        try:
            with DatabaseManager(path, read_only=True):
                report = {"error": None}
        except PaymentSimulatorError as error:
            report = _said(error)
        tempfile.tempdir = None
        writer.tell()
        writer.result()
        pid = writer.pid
        report["files"] = [name for name in names(folder) if "simulation.db" not in name]
        (folder / "ballast").unlink()  # a writer needs room to close
        writer.end()
        with DatabaseManager(path, read_only=True) as manager:
            n_found = count_saves(GameRepository(manager.conn))
    return {**report, "pid": pid, "n_found": n_found}


SCENARIOS = {scenario.__name__: scenario for scenario in (save, reopen, create, migrate, read)}


def main() -> None:
    scenario, folder, *args = json.loads(sys.argv[1])
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder]
    subprocess.run(mount, check=True)
    print(json.dumps(SCENARIOS[scenario](Path(folder), *args)))


if __name__ == "__main__":
    main()
