"""Small games of every kind, each in a database of its own, to be forged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.orchestrator import GameOrchestrator, resume_game
from payment_simulator.ai_cash_mgmt.proposers.base import Proposal, ProposerError, Situation
from payment_simulator.errors import GameFailedError
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.policy import to_dict
from tests.games import FRACTION, Told, castro, ten_days, twelve
from tests.model_server import ModelServer, Reply, Request

SPACE = {
    "constraints": {
        "allowed_parameters": [{"name": FRACTION, "min_value": 0, "max_value": 1, "step": 0.25}]
    },
    "equilibrium": {"grid_points": 3},
    "convergence": {"stability_window": 9, "max_iterations": 2},
}
ONCE = {"stability_window": 9, "max_iterations": 1}


@dataclass(frozen=True)
class Recorded:
    """A record with one game."""

    game_id: str
    path: Path

    @contextmanager
    def open(self) -> Iterator[GameRepository]:
        """Open the record for writing."""
        with DatabaseManager(self.path) as manager:
            yield GameRepository(manager.conn)


def search(folder: Path) -> Recorded:
    """Two periods, where a search proposes, and options hold instead of parts of the file."""
    config = castro(
        **{
            **SPACE,
            "game_id": "search",
            "proposer": {"kind": "search", "candidates": 2},
            "convergence": ONCE,
        }
    )
    return _played(folder, config.model_copy(update={"master_seed": 7}))


def sampled(folder: Path) -> Recorded:
    """Twelve periods with random payments, judged on samples."""
    return _played(
        folder,
        twelve(
            **{**SPACE, "game_id": "sampled", "bootstrap": {"num_samples": 3}, "convergence": ONCE}
        ),
    )


def running(folder: Path) -> Recorded:
    """A game inside one running simulation."""
    rule = {"convergence": {"stability_window": 9, "max_iterations": 2}}
    return _played(folder, ten_days(game_id="running", bootstrap={"num_samples": 2}, **rule))


def _played(folder: Path, config: GameConfig) -> Recorded:
    record = Recorded(str(config.game_id), folder / f"{config.game_id}.db")
    with record.open() as repo:
        GameOrchestrator(config, repo).play()
    return record


def mixed(folder: Path) -> Recorded:
    """A model against a user's own code; both failed once, and the game went on to its end."""
    record, failed = Recorded("mixed", folder / "mixed.db"), set()

    def own(situation: Situation) -> Proposal:
        if situation.iteration == 2 and "own" not in failed:
            failed.add("own")
            raise ProposerError("out for lunch")
        value = 7.0 if not situation.refused else 0.25 * situation.iteration
        policy = {**to_dict(situation.policy), "parameters": {FRACTION: value}}
        return Proposal(policy, reasoning=f"because of {value}", tokens_used=11)

    def treasurer(_: int, request: Request) -> Reply:
        user = _said(request)
        if "Iteration 2." in user and "model" not in failed:
            return Reply("out of order", status=400)
        if "Iteration 1." in user and "refused" not in user.lower():
            return Reply("I would rather not say.")
        return _policy(user, 0.25)

    with ModelServer(treasurer) as server:
        told = {"BANK_B": Told(own, "python/own")}
        with record.open() as repo:
            _failing(repo, _model_game("mixed", server), told)
            failed.add("model")
            for _ in range(9):
                try:
                    resume_game(repo, "mixed", proposers=told, is_trusted=True)
                    break
                except GameFailedError:
                    continue
    return record


def stopped(folder: Path) -> Recorded:
    """A game that failed at a step of a model, and stands still."""
    record = Recorded("stopped", folder / "stopped.db")

    def treasurer(_: int, request: Request) -> Reply:
        user = _said(request)
        return Reply("no", status=400) if "Iteration 2." in user else _policy(user, 0.25)

    with ModelServer(treasurer) as server, record.open() as repo:
        config = _model_game("stopped", server, BANK_B={"proposer": {"kind": "grid"}})
        _failing(repo, config, {})
    return record


def cut(folder: Path) -> Recorded:
    """A game that was interrupted while a model was asked for the second time in a step."""
    record = Recorded("cut", folder / "cut.db")

    def treasurer(_: int, request: Request) -> Reply:
        user = _said(request)
        return Reply("Not now.") if "Iteration 2." in user else _policy(user, 0.25)

    def interrupt(work: str) -> None:
        if "once more" in work:
            raise KeyboardInterrupt

    with ModelServer(treasurer) as server, record.open() as repo:
        config = _model_game("cut", server, BANK_B={"proposer": {"kind": "grid"}})
        try:
            GameOrchestrator(config, repo, on_work=interrupt).play()
        except KeyboardInterrupt:
            return record
    raise AssertionError("the game was not interrupted")


#: Every kind of game, by name.
GAMES = {found.__name__: found for found in (search, sampled, running, mixed, stopped, cut)}


def _model_game(name: str, server: ModelServer, **agents: Any) -> GameConfig:
    model = {
        "kind": "llm",
        "model": "openai-chat:treasurer",
        "base_url": server.url,
        "temperature": 0.5,
        "max_tokens": 900,
    }
    banks = {"BANK_A": {"proposer": model}, "BANK_B": {}, **agents}
    return castro(**{**SPACE, "game_id": name, "optimized_agents": banks})


def _failing(repo: GameRepository, config: GameConfig, told: Any) -> None:
    try:
        GameOrchestrator(config, repo, proposers=told).play()
    except GameFailedError:
        return
    raise AssertionError("the game did not fail")


def _said(request: Request) -> str:
    return "\n".join(message["content"] for message in request.body["messages"][1:])


def _policy(user: str, value: float) -> Reply:
    start = user.index("```json\n") + len("```json\n")
    policy = json.loads(user[start : user.index("\n```", start)])
    policy["parameters"][FRACTION] = value
    return Reply(text=json.dumps({"reasoning": "a quarter", "policy": policy}))
