"""The line that shows how far a game is, on a terminal alone."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest

from payment_simulator.cli.progress import GameProgress, game_progress
from tests.games import castro, play


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal of 120 columns in the place of standard error."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return terminal


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_the_line_says_iteration_work_and_costs(db_path: Path, monkeypatch: pytest.MonkeyPatch):
    terminal = a_terminal(monkeypatch)
    config = castro(convergence={"stability_window": 2, "max_iterations": 1})
    with game_progress(1, shown=True) as progress:
        play(db_path, config, on_step=progress.on_step, on_work=progress.on_work)
    said = plain(terminal.getvalue())
    assert "iteration 1 of at most 1" in said
    assert "measuring distance from equilibrium  BANK_A 0.00  BANK_B 20.00" in said


def test_names_act_on_no_terminal(monkeypatch: pytest.MonkeyPatch):
    terminal = a_terminal(monkeypatch)
    with game_progress(1, shown=True) as progress:
        assert progress.on_work is not None
        progress.on_work("[red]\x1b]0;title\x07 proposes")
    assert r"[red]\x1b]0;title\x07 proposes" in plain(terminal.getvalue())
    assert "\x1b]0" not in terminal.getvalue()


def test_nothing_is_shown_where_nobody_wants_it(monkeypatch: pytest.MonkeyPatch):
    a_terminal(monkeypatch)
    with game_progress(1, shown=False) as progress:
        assert progress == GameProgress(None, None)


def test_nothing_is_shown_on_a_pipe(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with game_progress(1, shown=True) as progress:
        assert progress == GameProgress(None, None)
    assert sys.stderr.getvalue() == ""
