"""Plays a recorded game once more, from the record alone, and compares every row of the game.

Everything is computed anew but what came from outside: answers of language models, and proposals of
proposers that are a user's own code, are fed back as they were recorded; their seals show that they
are as they were when the step was recorded. What depends on the clock (times, durations) is not
compared. What a verification cannot prove, it names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.game_setup import GameSetup, set_up
from payment_simulator.ai_cash_mgmt.loop import GameLoop, OnStep
from payment_simulator.ai_cash_mgmt.persistence.models import (
    GameProvenanceRecord,
    GameSessionRecord,
    ProvenanceFileRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models.evidence import text_sha256
from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.seals import origin_seal
from payment_simulator.ai_cash_mgmt.record.comparison import (
    DifferenceError,
    check_seal,
    compare_all,
    compare_json,
    compare_values,
)
from payment_simulator.ai_cash_mgmt.record.course import check_course, check_no_end
from payment_simulator.ai_cash_mgmt.record.provenance import (
    config_of,
    files_of,
    library_versions,
    scenario_of,
)
from payment_simulator.ai_cash_mgmt.record.recorded_game import RecordedGame, ReplayedProposals
from payment_simulator.ai_cash_mgmt.record.replay import RecordEndsError, ReplayLedger
from payment_simulator.ai_cash_mgmt.step import OnWork
from payment_simulator.errors import (
    DatabaseError,
    GameFailedError,
    GameNotFoundError,
    InputError,
    PaymentSimulatorError,
)
from payment_simulator.wording import counted


@dataclass(frozen=True)
class Verification:
    """What came of playing a recorded game once more.

    Attributes
    ----------
    game_id : str
    first_difference : str or None
        Where the record differs from what was played, in words; None where it does not.
    steps : int
        Steps that were played again.
    note : str
        What may explain a difference, such as other versions of libraries; empty if nothing.
    ended : bool
        Whether the record says that the game has ended.
    not_proved : tuple of str
        What the record says that playing it once more cannot prove, in words.
    """

    game_id: str
    first_difference: str | None
    steps: int
    note: str = ""
    ended: bool = False
    not_proved: tuple[str, ...] = ()

    @property
    def is_identical(self) -> bool:
        """Whether the record is what the game gives."""
        return self.first_difference is None

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        return {
            "game_id": self.game_id,
            "identical": self.is_identical,
            "first_difference": self.first_difference,
            "ended": self.ended,
            "steps": self.steps,
            "not_proved": list(self.not_proved),
        }


def verify_game(
    repository: GameRepository,
    game_id: str,
    *,
    threads: int | None = None,
    on_step: OnStep | None = None,
    on_work: OnWork | None = None,
) -> Verification:
    """Play a recorded game once more, and compare it with the record.

    No file, no network and nobody's code is used: the record holds all that is needed. A game that
    has not ended is compared as far as it was recorded.

    Parameters
    ----------
    repository : GameRepository
        May be open for reading only.
    game_id : str
    threads : int, optional
        For simulations; results do not depend on it.
    on_step : callable, optional
        Called with every step that was played again and found equal.
    on_work : callable, optional
        Called with a few words before whatever may take long.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    InputError
        The record does not hold what is needed, as that of another tool.
    """
    session = repository.get_game_session(game_id)
    if session is None:
        raise GameNotFoundError(game_id, repository.get_game_ids())
    origin = repository.get_game_provenance(game_id)
    files = repository.get_provenance_files(game_id)
    if origin is None and not files:
        raise InputError(
            f"game {game_id!r}: the record does not hold what the game was made of, so it cannot "
            "be played from the record; expected a game that payment-sim play recorded"
        )
    record = RecordedGame(repository, session)
    replay: ReplayLedger | None = None
    difference: str | None = None
    try:
        setup = _recorded_setup(record, files, threads)
        _check_origin(origin, files, setup)
        if not record.has_ended:
            check_no_end(record)
        check_course(record)
        replay = ReplayLedger(setup, record)
        _play(GameLoop(setup, replay, on_step, on_work=on_work), replay, record)
    except DifferenceError as error:
        difference = str(error)
    return Verification(
        game_id=game_id,
        first_difference=difference,
        steps=0 if replay is None else replay.steps,
        note=_versions_note(origin) if difference else "",
        ended=record.has_ended,
        not_proved=() if replay is None else _not_proved(record, replay),
    )


def _recorded_setup(
    record: RecordedGame, files: list[ProvenanceFileRecord], threads: int | None
) -> GameSetup:
    """Put the game together from the texts of the record, as ``play`` did from files."""
    for file in files:
        if text_sha256(file.content) != file.sha256:
            raise DifferenceError(
                f"provenance_files, {file.role} {file.name}: sha256 is not of this content"
            )
    game_id = record.game_id
    try:
        scenario, _ = scenario_of(game_id, files)
        config = config_of(game_id, files)
        _compare_session(record.session, config)
        code = {
            bank: ReplayedProposals(f"python/{config.proposer_of(bank).object}", record, bank)
            for bank in config.agents(scenario)
            if config.proposer_of(bank).kind == "python"
        }
        setup = set_up(game_id, config, scenario, proposers=code, threads=threads)
    except DatabaseError:
        raise
    except InputError as error:
        raise DifferenceError(
            f"provenance_files: the texts of the record make no game: {error}"
        ) from error
    banks = record.session.optimized_agents
    compare_values("game_sessions, optimized_agents", list(setup.banks), banks)
    return setup


def _compare_session(session: GameSessionRecord, config: GameConfig) -> None:
    """Compare what the session says of the game with the text of its game file."""
    expected = config.to_json()
    try:
        stored = json.loads(session.config_json)
    except (ValueError, RecursionError) as error:
        raise DifferenceError(f"game_sessions, config_json: not JSON: {error}") from error
    compare_json("game_sessions, config_json", json.loads(expected), stored)
    for name, value in {
        "config_json": expected,
        "scenario_config": config.scenario_config,
        "master_seed": config.master_seed,
        "game_mode": config.game_mode,
        "game_id": config.game_id or session.game_id,
    }.items():
        compare_values(f"game_sessions, {name}", value, getattr(session, name))


def _check_origin(
    origin: GameProvenanceRecord | None, files: list[ProvenanceFileRecord], setup: GameSetup
) -> None:
    """Compare the texts of a game with what it is made of, and see that none was changed."""
    expected = files_of(setup.game_id, setup.config, setup.scenario, setup.start)
    compare_all("provenance_files", expected, files)
    if origin is None:
        raise DifferenceError("game_provenance: the game has this row, the record does not")
    check_seal("game_provenance", origin, origin_seal(origin, files))


def _play(loop: GameLoop, replay: ReplayLedger, record: RecordedGame) -> None:
    """Play the game as far as it was recorded, and see that nothing is recorded beyond."""
    try:
        loop.play()
    except RecordEndsError:
        pass
    except GameFailedError as error:
        if not replay.has_failed:
            raise DifferenceError(f"played once more, the game stops: {error}") from error
    except DatabaseError:
        raise
    except PaymentSimulatorError as error:
        last = record.failures[-1] if record.failures else None
        if record.has_ended or last is None or last.agent_id or last.reason != str(error):
            raise DifferenceError(f"played once more, the game stops: {error}") from error
    replay.check_nothing_is_left()


def _not_proved(record: RecordedGame, replay: ReplayLedger) -> tuple[str, ...]:
    """Say what playing a game once more cannot prove of its record."""
    said = ["times and durations, and the versions of program, libraries and machine"]
    for (what, whose), count in sorted(replay.fed_back.items()):
        said.append(f"{counted(count, what)} of {whose}, fed back as recorded")
    if record.failures:
        said.append(f"{counted(len(record.failures), 'failure')} on the way, as recorded")
    if not record.has_ended:
        there = "every step is there, the end is not" if replay.is_complete else "there is none"
        said.append(f"the end of the game, which is {record.session.status}: {there}")
    return tuple(said)


def _versions_note(origin: GameProvenanceRecord | None) -> str:
    """Say which libraries have other versions now than when the game was played."""
    try:
        then = json.loads(origin.libraries_json) if origin is not None else {}
    except (ValueError, RecursionError):
        return ""
    now = library_versions()
    if not isinstance(then, dict):
        return ""
    changed = [
        f"{name} {then[name]} then, {now.get(name, 'none')} now"
        for name in sorted(then)
        if then[name] != now.get(name)
    ]
    return f"other versions of libraries: {'; '.join(changed)}" if changed else ""
