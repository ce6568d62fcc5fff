"""``payment-sim play`` and ``payment-sim resume``: play a game, or go on with one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payment_simulator.cli.options import (
    DatabaseOption,
    JsonOption,
    database_to_read,
)
from payment_simulator.cli.progress import game_progress
from payment_simulator.cli.stopping import ending, watched

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt.config import GameConfig
    from payment_simulator.ai_cash_mgmt.record.result import GameResult
    from payment_simulator.scenario import Scenario

GameArgument = Annotated[str, typer.Argument(metavar="GAME", help="The game's identifier.")]
ThreadsOption = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Threads for simulations; results do not depend on it."),
]


def play(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A game file, or a scenario file (YAML).")
    ],
    db: DatabaseOption = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="Master seed of the game, instead of that of the file."
        ),
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Iterations at most.")
    ] = None,
    game_id: Annotated[
        str | None,
        typer.Option("--id", metavar="NAME", help="Name of the game, instead of that of the file."),
    ] = None,
    threads: ThreadsOption = None,
    json: JsonOption = False,
) -> None:
    """Play a game and record every step.

    Agents improve the policies of their banks; each step is durable before the next begins.
    """
    from payment_simulator.ai_cash_mgmt import GameRepository, game_digest
    from payment_simulator.ai_cash_mgmt.game_setup import make_ready, set_up
    from payment_simulator.ai_cash_mgmt.orchestrator import GameOrchestrator, needs_trust
    from payment_simulator.persistence.connection import DatabaseManager

    config, scenario = _read(file)
    config = _changed(config, seed, iterations, game_id)
    # What is wrong is said before a file is made.
    make_ready(set_up("game", config, scenario, threads=threads))
    path = db or Path(config.output.database_path)
    trust = any(needs_trust(config.proposer_of(bank)) for bank in config.agents(scenario))
    limit = config.convergence.max_iterations
    with ending(path, trust=trust) as told, DatabaseManager(path) as manager:
        repository = GameRepository(manager.conn)
        with game_progress(limit, shown=not json) as progress:
            game = GameOrchestrator(
                config,
                repository,
                scenario=scenario,
                threads=threads,
                on_step=watched(progress.on_step, told.signals),
                on_work=watched(progress.on_work, told.signals),
            )
            told.game_id = game.game_id
            with told.noting(repository):
                result = game.play()
            told.status = result.status
        digest = game_digest(repository, result.game_id).sha256
    _report(result, digest, path, is_json=json)


def resume(
    game: GameArgument,
    db: DatabaseOption = None,
    threads: ThreadsOption = None,
    trust: Annotated[
        bool,
        typer.Option("--trust", help="Run code, and ask models, that the record names."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Go on with an interrupted or failed game.

    Its record becomes what it would have been.
    """
    from payment_simulator.ai_cash_mgmt import GameRepository, game_digest
    from payment_simulator.ai_cash_mgmt.config import GameConfig
    from payment_simulator.ai_cash_mgmt.orchestrator import resume_game, unfinished_game
    from payment_simulator.analysis.opening import open_record
    from payment_simulator.persistence.connection import DatabaseManager

    path = database_to_read(db, "resume GAME")
    # Looked at before it is opened for writing, which would make a file that is not there.
    with open_record(path) as record:
        session = unfinished_game(record, game)
    limit = GameConfig.from_json(session.config_json).convergence.max_iterations
    about = ending(path, trust=trust, game_id=game, status=session.status)
    with about as told, DatabaseManager(path) as manager:
        repository = GameRepository(manager.conn)
        repository.initialize_schema()
        with game_progress(limit, shown=not json) as progress, told.noting(repository):
            result = resume_game(
                repository,
                game,
                is_trusted=trust,
                threads=threads,
                on_step=watched(progress.on_step, told.signals),
                on_work=watched(progress.on_work, told.signals),
            )
        told.status = result.status
        digest = game_digest(repository, game).sha256
    _report(result, digest, path, is_json=json)


def _read(file: Path) -> tuple[GameConfig, Scenario]:
    """Read a game file with its scenario, or a scenario to be played with defaults."""
    from payment_simulator.ai_cash_mgmt.config import GameConfig, is_game_file
    from payment_simulator.scenario import load_scenario

    try:
        is_game = file.is_file() and is_game_file(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        is_game = False  # what is wrong with it, the reader of scenarios says
    if is_game:
        config = GameConfig.from_yaml(file)
        return config, load_scenario(config.scenario_path())
    scenario = load_scenario(file)
    return GameConfig.for_scenario(file, scenario), scenario


def _changed(
    config: GameConfig, seed: int | None, iterations: int | None, game_id: str | None
) -> GameConfig:
    """Return the configuration with what options say instead."""
    from payment_simulator.errors import InputError

    changes: dict[str, object] = {}
    if seed is not None:
        if seed >= 2**63:
            raise InputError(f"--seed {seed}: expected a whole number from 0 to 2^63 - 1")
        changes["master_seed"] = seed
    if iterations is not None:
        rule = config.convergence.model_copy(update={"max_iterations": iterations})
        changes["convergence"] = rule
    if game_id is not None:
        if not game_id.strip() or not game_id.isprintable():
            raise InputError(f"--id {game_id!r}: expected a name of printable characters")
        changes["game_id"] = game_id
    return config.model_copy(update=changes)


def _report(result: GameResult, digest: str, path: Path, *, is_json: bool) -> None:
    from payment_simulator.cli.game_report import print_result
    from payment_simulator.cli.output import print_json

    if is_json:
        print_json({**result.to_dict(), "digest": digest})
    else:
        print_result(result, digest, path)
