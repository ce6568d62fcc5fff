"""A record names the source that played it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt.record import provenance

ROOT = Path(__file__).parents[4]


def git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_revision_is_that_of_this_source():
    if not (ROOT / ".git").exists():  # a package of sources: nothing is known, and nothing is said
        assert provenance.code_revision.__wrapped__() == (None, None)
        return
    revision, is_clean = provenance.code_revision.__wrapped__()
    assert revision == git("rev-parse", "HEAD")
    assert is_clean == (not git("status", "--porcelain", "--", "src", "pyproject.toml"))


def test_without_git_nothing_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(provenance.shutil, "which", lambda _: None)
    assert provenance.code_revision.__wrapped__() == (None, None)
