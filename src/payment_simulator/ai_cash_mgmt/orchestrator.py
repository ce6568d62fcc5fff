"""Plays games on a record, from the beginning or from where they stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from payment_simulator.ai_cash_mgmt.config import AgentConfig, GameConfig, ProposerConfig
from payment_simulator.ai_cash_mgmt.game_setup import GameSetup, make_ready, set_up
from payment_simulator.ai_cash_mgmt.loop import GameLoop, OnStep
from payment_simulator.ai_cash_mgmt.persistence.models import GameSessionRecord, GameStatus
from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
from payment_simulator.ai_cash_mgmt.proposers.base import Proposer
from payment_simulator.ai_cash_mgmt.record.ledger import RecordLedger
from payment_simulator.ai_cash_mgmt.record.provenance import scenario_of
from payment_simulator.ai_cash_mgmt.record.result import GameResult, game_result
from payment_simulator.ai_cash_mgmt.step import OnWork
from payment_simulator.errors import (
    DatabaseError,
    GameFailedError,
    GameNotFoundError,
    InputError,
)
from payment_simulator.persistence import activity
from payment_simulator.scenario import Scenario, load_scenario

_FINISHED = (GameStatus.COMPLETED, GameStatus.CONVERGED)


class GameOrchestrator:
    """Plays one game and records every step.

    Parameters
    ----------
    config : GameConfig
        What is played, and how.
    repository : GameRepository
        Where it is recorded; its tables are made if need be.
    scenario : Scenario, optional
        What is played, where it does not stand in the file that the configuration names.
    proposers : mapping of bank to Proposer, optional
        Objects instead of what the configuration names.
    threads : int, optional
        For simulations; results do not depend on it.
    on_step : callable, optional
        Called with every :class:`~payment_simulator.ai_cash_mgmt.step.Step` once it is durable.
    on_work : callable, optional
        Called with a few words before whatever may take long.

    Examples
    --------
    >>> config = GameConfig.from_yaml("examples/games/two_period.yaml")  # doctest: +SKIP
    >>> with DatabaseManager("simulation.db") as manager:  # doctest: +SKIP
    ...     result = GameOrchestrator(config, GameRepository(manager.conn)).play()
    """

    def __init__(
        self,
        config: GameConfig,
        repository: GameRepository,
        *,
        scenario: Scenario | None = None,
        proposers: Mapping[str, Proposer] | None = None,
        threads: int | None = None,
        on_step: OnStep | None = None,
        on_work: OnWork | None = None,
    ) -> None:
        self.repository = repository
        self.scenario = load_scenario(config.scenario_path()) if scenario is None else scenario
        self.config = config = with_objects(config, self.scenario, proposers or {})
        self.game_id = config.game_id or default_game_id(config, self.scenario)
        self._setup = set_up(
            self.game_id, config, self.scenario, proposers=proposers, threads=threads
        )
        self._on_step = on_step
        self._on_work = on_work

    def play(self) -> GameResult:
        """Play the game from its first step to its end.

        Returns
        -------
        GameResult

        Raises
        ------
        InputError
            The record has a game of this name already.
        GameFailedError
            A proposer or a simulation failed; what was recorded stands, and the game can be
            resumed.
        """
        with _alone(self.repository, self.game_id):
            self.repository.initialize_schema()
            found = self.repository.get_game_session(self.game_id)
            if found is not None:
                has_ended = found.status in _FINISHED
                way_out = "give" if has_ended else "resume it, or give"
                raise InputError(
                    f"game {self.game_id!r} is in the record already ({found.status}); {way_out} "
                    "the new game another game_id (--id)"
                )
            make_ready(self._setup)
            ledger = RecordLedger(self.repository, self._setup)
            ledger.begin()
            return _play(self._setup, ledger, self.repository, self._on_step, self._on_work)


def resume_game(
    repository: GameRepository,
    game_id: str,
    *,
    proposers: Mapping[str, Proposer] | None = None,
    is_trusted: bool = False,
    threads: int | None = None,
    on_step: OnStep | None = None,
    on_work: OnWork | None = None,
) -> GameResult:
    """Go on with a game that was interrupted or failed, from the record alone.

    Its record becomes what it would have been. A step in which it failed is made once more.

    Parameters
    ----------
    repository : GameRepository
    game_id : str
    proposers : mapping of bank to Proposer, optional
        Objects, where the game was played with such.
    is_trusted : bool
        Whether what the record names may be used: code of a proposer (``module:Class``) be run, and
        a model be asked, wherever it is: that sends your key there, or spends your money.
    threads, on_step, on_work
        As in :class:`GameOrchestrator`.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    InputError
        The game has ended, or the record does not hold what is needed to go on.
    GameFailedError
        It failed again.
    """
    with _alone(repository, game_id):
        session = unfinished_game(repository, game_id)
        scenario, _ = scenario_of(game_id, repository.get_provenance_files(game_id))
        config = GameConfig.from_json(session.config_json)
        _check_proposers(config, scenario, proposers or {}, is_trusted=is_trusted)
        setup = set_up(game_id, config, scenario, proposers=proposers, threads=threads)
        make_ready(setup)
        ledger = RecordLedger(repository, setup)
        ledger.take_up()
        return _play(setup, ledger, repository, on_step, on_work)


def unfinished_game(repository: GameRepository, game_id: str) -> GameSessionRecord:
    """Return a game that can go on.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    InputError
        It has ended.
    """
    session = repository.get_game_session(game_id)
    if session is None:
        raise GameNotFoundError(game_id, repository.get_game_ids())
    if session.status in _FINISHED:
        raise InputError(
            f"game {game_id!r} has ended ({session.status} after {session.total_iterations} "
            "iterations); there is nothing to resume"
        )
    return session


def _play(
    setup: GameSetup,
    ledger: RecordLedger,
    repository: GameRepository,
    on_step: OnStep | None,
    on_work: OnWork | None,
) -> GameResult:
    loop = GameLoop(setup, ledger, on_step, on_work=on_work)
    try:
        loop.play()
    except (GameFailedError, DatabaseError):
        raise  # written down already, or nothing can be written
    except Exception as error:
        ledger.save_failure(error, loop.iteration)
        where = f"iteration {loop.iteration}: {type(error).__name__}: {error}"
        raise GameFailedError(setup.game_id, where) from error
    return game_result(repository, setup.game_id)


def with_objects(
    config: GameConfig, scenario: Scenario, proposers: Mapping[str, Proposer]
) -> GameConfig:
    """Return the configuration that says of which class the objects are that propose.

    The record then tells who proposed, and that a game can only go on with such an object.
    """
    if not proposers:
        return config
    agents = {
        bank: config.optimized_agents.get(bank, AgentConfig()) for bank in config.agents(scenario)
    }
    for bank in set(proposers) & set(agents):
        chosen = config.proposer_of(bank)
        if chosen.kind != "python":
            named = ProposerConfig(
                kind="python",
                object=_class_of(proposers[bank]),
                max_retries=chosen.max_retries,
                max_invalid_steps=chosen.max_invalid_steps,
            )
            agents[bank] = agents[bank].model_copy(update={"proposer": named})
    return config.model_copy(update={"optimized_agents": agents})


def _class_of(proposer: Proposer) -> str:
    kind = type(proposer)
    return f"{kind.__module__}:{kind.__name__}"


def default_game_id(config: GameConfig, scenario: Scenario) -> str:
    """Return a name for a game that was given none: scenario, seed, and the time."""
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    return f"{scenario.name}-{config.master_seed}-{now}"


def _check_proposers(
    config: GameConfig,
    scenario: Scenario,
    proposers: Mapping[str, Proposer],
    *,
    is_trusted: bool,
) -> None:
    """Keep a game from going on otherwise than it began.

    And a record, which may come from somebody else, from naming code that is then run, or a model
    that is then asked with the reader's key and at the reader's expense.
    """
    for bank in config.agents(scenario):
        chosen = config.proposer_of(bank)
        if chosen.kind != "python" and bank in proposers:
            raise InputError(
                f"proposers: that of bank {bank!r} was {chosen.kind}; a game goes on with what it "
                "began with"
            )
        if bank in proposers or is_trusted:
            continue
        named = needs_trust(chosen)
        if named is not None:
            raise InputError(
                f"the proposer of bank {bank!r} is {named}, named by the record; look at it, and "
                "allow it if you trust it (--trust, or is_trusted=True)"
            )


def needs_trust(chosen: ProposerConfig) -> str | None:
    """Say what a record would make its reader use: code, or a model; None if nothing of others.

    A server on this machine is no exception: any program may listen there.
    """
    if chosen.kind == "python":
        return f"code, {chosen.object}"
    if chosen.kind != "llm":
        return None
    from payment_simulator.ai_cash_mgmt.proposers.llm.keys import (  # noqa: PLC0415 - an extra
        key_variable,
    )

    model, url = chosen.model or "", chosen.base_url
    name = key_variable(re.split("[:/]", model)[0], url)
    where = f"at {url}" if url else "of its provider, who charges for it"
    key = f"with your key of {name}" if name else "without a key"
    return f"a model, {model} {where}, asked {key}"


@contextmanager
def _alone(repository: GameRepository, game_id: str) -> Iterator[None]:
    """Keep the same game from being played twice at once in this process, and tell of it.

    Another process is kept out by the database itself.
    """
    mine = activity.Claim()
    try:
        if not activity.claim(repository.location, game_id, mine):
            raise InputError(f"game {game_id!r} is being played by this process already")
        # An interrupt of an earlier game may have left a transaction open in this thread.
        repository.store.abandon()
        yield
    finally:
        mine.is_active = False  # an assignment, which an interrupt cannot prevent
