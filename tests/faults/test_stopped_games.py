"""A game that is stopped by a signal at any moment: it goes on as if nothing had been."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.files import log_path
from payment_simulator.persistence.sidecar import sidecar_path
from tests.effort import tries
from tests.faults.children import Child
from tests.faults.stopped_games import (
    GAME,
    Outcome,
    finish,
    game_file,
    interrupt_and_go_on,
    play_and_be_stopped,
    play_until_signal,
)
from tests.games import tables

pytestmark = pytest.mark.slow
_NEVER = 1_000_000


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return game_file(tmp_path_factory.mktemp("game"))


@pytest.fixture(scope="module")
def whole(game: Path, tmp_path_factory: pytest.TempPathFactory):
    """Play a game that nothing stops; return its statements and its record."""
    path = tmp_path_factory.mktemp("whole") / "game.db"
    child = Child(play_and_be_stopped, game, path, _NEVER, (), None)
    outcome = child.result()
    child.end()
    assert outcome.code == 0, outcome.text
    return outcome.statements, tables(path)


def check(outcome: Outcome, number: int, game: Path, path: Path, expected, start_child) -> None:
    """Assert that a command was ended by a signal, closed its record, and that it can go on."""
    assert outcome.code == 128 + number, outcome
    assert "Traceback" not in outcome.text
    assert "Interrupted" in outcome.text
    assert not sidecar_path(path).exists()
    assert not log_path(path).exists()
    status = start_child(finish, game, path).result() if path.exists() else None
    assert status in (None, "running", "converged", "completed")
    assert (f"resume {GAME} --db {path}" in outcome.text) == (status == "running"), status
    if not path.exists():
        start_child(finish, game, path).result()
    assert tables(path) == expected


@pytest.mark.parametrize("part", range(8))
def test_ctrl_c_at_every_statement(part, game, whole, tmp_path, start_child):
    statements, expected = whole
    assert {"BEGIN TRANSACTION", "COMMIT", "CHECKPOINT"} <= set(statements)
    rng = random.Random(part)
    n_parts = 8
    for number in range(1 + part, len(statements) + 1, tries(12, 1) * n_parts):
        path = tmp_path / f"{number}.db"
        twice = (signal.SIGINT,) * rng.choice((1, 1, 2, 3))
        delay = rng.choice((None, 0.0, rng.uniform(0, 0.003)))
        outcome = start_child(play_and_be_stopped, game, path, number, twice, delay).result()
        if outcome.code == 0:  # it came when all was done
            assert delay is not None
            assert number > len(statements) - 3
            continue
        check(outcome, signal.SIGINT, game, path, expected, start_child)


@pytest.mark.parametrize("kind", ["COMMIT", "BEGIN TRANSACTION", "CHECKPOINT"])
def test_ctrl_c_during_statements_of_a_kind(kind, game, whole, tmp_path, start_child):
    statements, expected = whole
    numbers = [n for n, sql in enumerate(statements, 1) if sql.startswith(kind)]
    rng = random.Random(kind)
    for turn in range(tries(2, 40)):
        path = tmp_path / f"{turn}.db"
        number = rng.choice(numbers)
        delay = rng.uniform(0, 0.002)
        outcome = start_child(
            play_and_be_stopped, game, path, number, (signal.SIGINT,), delay
        ).result()
        if outcome.code == 0:
            assert number >= numbers[-1]
            continue
        check(outcome, signal.SIGINT, game, path, expected, start_child)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("seed", range(tries(2, 40)))
def test_a_signal_at_a_random_moment(seed, number, game, whole, db_path, start_child):
    rng = random.Random(seed)
    child = start_child(play_until_signal, game, db_path)
    child.hear()
    time.sleep(rng.uniform(0.02, 0.5))
    os.kill(child.pid, number)
    if not db_path.exists() and number != signal.SIGINT:
        return  # it may come before the record is opened, and then end the process at once
    outcome = child.result()
    if outcome.code == 0:
        assert tables(db_path) == whole[1]
    elif "Interrupted" in outcome.text:
        check(outcome, number, game, db_path, whole[1], start_child)
    else:
        assert outcome.code == 130
        assert not db_path.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_a_game_as_ctrl_c_does(number, game, whole, tmp_path, start_child):
    statements, expected = whole
    for at in (len(statements) // 3, len(statements) // 2, len(statements) - 2):
        path = tmp_path / f"{at}.db"
        for_it = (number, signal.SIGINT)
        outcome = start_child(play_and_be_stopped, game, path, at, for_it, None).result()
        check(outcome, number, game, path, expected, start_child)


@pytest.mark.parametrize("seed", range(tries(2, 20)))
def test_a_process_goes_on_after_an_interrupt(seed, game, whole, db_path, start_child):
    assert start_child(interrupt_and_go_on, game, db_path, seed).result() > 2
    assert tables(db_path) == whole[1]
    with DatabaseManager(db_path, read_only=True) as manager:
        found = manager.conn.execute("SELECT count(*) FROM game_failures").fetchall()
    assert found == [(0,)]
