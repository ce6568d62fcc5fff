"""Games in processes that are killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.orchestrator import GameOrchestrator, resume_game
from payment_simulator.ai_cash_mgmt.step import Step
from payment_simulator.persistence.connection import DatabaseManager
from tests.faults.children import Said
from tests.games import ten_days, twelve

#: Games by name: between simulations with random days, and inside a running one.
GAMES = {
    "twelve": {
        "proposer": {"kind": "search", "candidates": 16},
        "convergence": {"stability_window": 5, "max_iterations": 5},
    },
    "ten_days": {
        "proposer": {"kind": "search", "candidates": 8},
        "update": "simultaneous",
        "convergence": {"stability_window": 5, "max_iterations": 5},
    },
}


def _config(name: str) -> Any:
    return {"twelve": twelve, "ten_days": ten_days}[name](**GAMES[name])


def play_game(parent: Said, path: Path, name: str) -> None:
    """Play a game, and say so before it begins and after every step."""

    def on_step(step: Step) -> None:
        parent.say((step.iteration, step.bank))

    with DatabaseManager(path) as manager:
        game = GameOrchestrator(_config(name), GameRepository(manager.conn), on_step=on_step)
        parent.say((0, ""))
        game.play()


def go_on(parent: Said, path: Path, name: str) -> None:
    """Go on with a game, or play it where nothing of it is there; say how often there was one."""
    with DatabaseManager(path) as manager:
        repository = GameRepository(manager.conn)
        repository.initialize_schema()
        session = repository.get_game_session(name)
        parent.say(None if session is None else session.status)
        if session is None:
            GameOrchestrator(_config(name), repository).play()
        elif session.status == "running":
            resume_game(repository, name)
