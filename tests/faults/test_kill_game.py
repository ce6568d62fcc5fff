"""A game that is killed at any moment: its record becomes what it would have been."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from tests.effort import tries
from tests.faults.game_children import GAMES, go_on, play_game
from tests.games import tables

pytestmark = pytest.mark.slow
_STEPS = 10


@pytest.fixture(scope="module", params=sorted(GAMES))
def whole(request, tmp_path_factory):
    """Play a game that nobody kills; return its name and its record."""
    from tests.faults.children import Child

    path = tmp_path_factory.mktemp("whole") / "game.db"
    child = Child(play_game, path, request.param)
    child.result()
    child.end()
    return request.param, tables(path)


@pytest.mark.parametrize("seed", range(tries(2, 40)))
def test_a_killed_game_goes_on_as_if_nothing_had_been(seed, whole, db_path: Path, start_child):
    name, expected = whole
    rng = random.Random(seed)
    child = start_child(play_game, db_path, name)
    child.hear()
    for _ in range(rng.randrange(_STEPS)):
        child.hear()
    time.sleep(rng.uniform(0, 0.05))
    child.kill()
    acknowledged = [said for said in child.hear_all() if said[0]]
    if db_path.exists():
        with DatabaseManager(db_path) as manager:
            repository = GameRepository(manager.conn)
            repository.initialize_schema()
            found = repository.get_policy_iterations(name)
        made = {(step.iteration_number, step.agent_id) for step in found}
        assert set(acknowledged) <= made
    # Whoever goes on may be killed too.
    second = start_child(go_on, db_path, name)
    second.hear()
    time.sleep(rng.uniform(0, 0.1))
    second.kill()
    start_child(go_on, db_path, name).result()
    assert tables(db_path) == expected
