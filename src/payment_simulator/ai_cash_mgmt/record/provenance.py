"""Which program played a game, on what machine, and from which texts."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import payment_simulator
from payment_simulator._version import __version__
from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.persistence.models import (
    FileRole,
    GameProvenanceRecord,
    ProvenanceFileRecord,
)
from payment_simulator.errors import InputError
from payment_simulator.policy import Policy, parse_policy, to_json
from payment_simulator.scenario import Scenario, payments_text, restore_scenario

#: Libraries on whose versions numbers may depend.
LIBRARIES = ("duckdb", "llvmlite", "numba", "numpy", "optuna", "pydantic", "pydantic-ai-slim")
#: Names of the text of a game file, and of what held instead of parts of it.
GAME, OPTIONS = "game", "options"
_SECONDS = 5


def provenance_of(game_id: str, now: datetime) -> GameProvenanceRecord:
    """Return which program, on what machine, plays a game now."""
    revision, is_clean = code_revision()
    return GameProvenanceRecord(
        game_id=game_id,
        package_version=__version__,
        code_revision=revision,
        code_is_clean=is_clean,
        python_version=platform.python_version(),
        platform=platform.platform(),
        libraries_json=json.dumps(library_versions()),
        created_at=now,
    )


@cache
def library_versions() -> Mapping[str, str]:
    """Return the versions of the libraries that are there."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def code_revision() -> tuple[str | None, bool | None]:
    """Return the revision of this source and whether it is unchanged; None where it is unknown.

    Known only where the package runs from its own repository, and git is there.
    """
    root = Path(payment_simulator.__file__).parents[2]
    git = shutil.which("git")
    if git is None or not (root / ".git").exists() or not (root / "pyproject.toml").is_file():
        return None, None
    try:
        revision = _git(git, root, "rev-parse", "HEAD")
        changes = _git(git, root, "status", "--porcelain", "--", "src", "pyproject.toml")
    except (OSError, subprocess.SubprocessError):
        return None, None
    return revision, not changes


def _git(git: str, root: Path, *arguments: str) -> str:
    command = [git, "-C", str(root), *arguments]
    done = subprocess.run(  # noqa: S603 - git itself, with arguments of our own
        command, capture_output=True, check=True, text=True, timeout=_SECONDS
    )
    return done.stdout.strip()


def files_of(
    game_id: str, config: GameConfig, scenario: Scenario, policies: Mapping[str, Policy]
) -> list[ProvenanceFileRecord]:
    """Return the texts that a game is made of: enough to play it again anywhere.

    Parameters
    ----------
    policies : mapping of bank to Policy
        Those at the start of the game, of all banks.
    """
    files = [
        (FileRole.GAME_FILE, GAME, config.source_text or config.to_json()),
        (FileRole.SCENARIO, scenario.name, scenario.text),
        *((FileRole.POLICY, bank, to_json(policy)) for bank, policy in policies.items()),
    ]
    payments, changes = payments_text(scenario), config.changes()
    if payments:
        files.append((FileRole.PAYMENTS, "payments", payments))
    if changes:
        files.append((FileRole.GAME_FILE, OPTIONS, changes))
    return [
        ProvenanceFileRecord(game_id=game_id, role=role, name=name, content=content)
        for role, name, content in files
    ]


def config_of(game_id: str, files: list[ProvenanceFileRecord]) -> GameConfig:
    """Make the configuration of a recorded game again, from the text of its game file.

    Raises
    ------
    InputError
        The record does not hold what is needed.
    """
    texts = {file.name: file.content for file in files if file.role == FileRole.GAME_FILE}
    if GAME not in texts:
        raise InputError(
            f"game {game_id!r}: the record does not hold the text of its game file, so it cannot "
            "be played from the record; expected a game that payment-sim play recorded"
        )
    config = GameConfig.from_text(texts[GAME], where=f"game {game_id!r}, its game file")
    return config.with_changes(texts[OPTIONS]) if OPTIONS in texts else config


def scenario_of(
    game_id: str, files: list[ProvenanceFileRecord]
) -> tuple[Scenario, dict[str, Policy]]:
    """Make the scenario of a recorded game again, and the policies it started with.

    Raises
    ------
    InputError
        The record does not hold what is needed.
    """
    by_role: dict[str, dict[str, str]] = {}
    for file in files:
        by_role.setdefault(file.role, {})[file.name] = file.content
    texts = by_role.get(FileRole.SCENARIO, {})
    if len(texts) != 1:
        raise InputError(
            f"game {game_id!r}: the record does not hold the text of its scenario, so it cannot "
            "be played from the record; expected a game that payment-sim play recorded"
        )
    where = f"game {game_id!r}"
    policies = {
        bank: parse_policy(text, where=f"{where}, policy of {bank}")
        for bank, text in by_role.get(FileRole.POLICY, {}).items()
    }
    [(name, text)] = texts.items()
    payments = by_role.get(FileRole.PAYMENTS, {}).get("payments", "")
    scenario = restore_scenario(
        text, policies, payments, where=f"{where}, scenario {name}", name=name
    )
    return scenario, policies
