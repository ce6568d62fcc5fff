"""Plays a recorded game once more, from the record alone, and compares all that comes of it.

Everything is computed anew but what came from outside: answers of language models, and proposals of
proposers that are a user's own code, are fed back as they were recorded. What depends on the clock
(times, durations) is not compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.game_setup import GameSetup, set_up
from payment_simulator.ai_cash_mgmt.loop import Ending, GameLoop, OnStep, PlayedStep
from payment_simulator.ai_cash_mgmt.persistence.models import (
    BankStateRecord,
    DailyCostRecord,
    GameSessionRecord,
    GameStatus,
    LLMInteractionRecord,
    Record,
    SimulationEventRecord,
    TransactionRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
from payment_simulator.ai_cash_mgmt.proposers.base import CallLog
from payment_simulator.ai_cash_mgmt.record.call_log import StepCalls, calls_that_count
from payment_simulator.ai_cash_mgmt.record.comparison import (
    DifferenceError,
    columns_of,
    compare_all,
    compare_columns,
    compare_row,
    compare_values,
    in_order,
)
from payment_simulator.ai_cash_mgmt.record.ending_rows import ending_records
from payment_simulator.ai_cash_mgmt.record.provenance import library_versions, scenario_of
from payment_simulator.ai_cash_mgmt.record.recorded_game import Key, RecordedGame, ReplayedProposals
from payment_simulator.ai_cash_mgmt.record.step_rows import records_of
from payment_simulator.ai_cash_mgmt.step import OnWork, Step
from payment_simulator.errors import GameFailedError, GameNotFoundError, PaymentSimulatorError
from payment_simulator.persistence.texts import text_sha256
from payment_simulator.simulation import Run

_RUN_TABLES: tuple[tuple[type[Record], Callable[[Run], Any]], ...] = (
    (TransactionRecord, Run.payments),
    (SimulationEventRecord, Run.events),
    (BankStateRecord, Run.states),
    (DailyCostRecord, Run.daily_costs),
)


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
    """

    game_id: str
    first_difference: str | None
    steps: int
    note: str = ""

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
        }


class _RecordEndsError(Exception):
    """The record of a game that has not ended holds no more steps."""


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
    files = repository.get_provenance_files(game_id)
    for file in files:
        if text_sha256(file.content) != file.sha256:
            what = f"provenance_files, {file.role} {file.name}"
            return Verification(game_id, f"{what}: sha256 is not of this content", 0)
    scenario, _ = scenario_of(game_id, files)
    config = GameConfig.from_json(session.config_json)
    record = RecordedGame(repository, session)
    code = {
        bank: ReplayedProposals(f"python/{config.proposer_of(bank).object}", record, bank)
        for bank in config.agents(scenario)
        if config.proposer_of(bank).kind == "python"
    }
    setup = set_up(game_id, config, scenario, proposers=code, threads=threads)
    comparison = _Comparison(setup, record)
    difference: str | None = None
    try:
        _compare_session(session, setup)
        GameLoop(setup, comparison, on_step, on_work=on_work).play()
        comparison.check_nothing_is_left()
    except _RecordEndsError:
        difference = comparison.leftover()
    except DifferenceError as error:
        difference = str(error)
    except (GameFailedError, PaymentSimulatorError) as error:
        difference = f"played once more, the game stops: {error}"
    note = _versions_note(repository, game_id) if difference else ""
    return Verification(game_id, difference, comparison.steps, note)


class _Comparison:
    """Takes a game that is played, and compares it with the record step by step."""

    def __init__(self, setup: GameSetup, record: RecordedGame) -> None:
        self._setup = setup
        self._record = record
        self._game_id = setup.game_id
        self._seen: set[Key] = set()
        self.steps = 0

    def played(self, iteration: int, bank: str) -> PlayedStep | None:
        """Return nothing, so that every step is played; stop where the record does."""
        if (iteration, bank) not in self._record.steps:
            if self._record.has_ended:
                raise DifferenceError(
                    f"policy_iterations, iteration {iteration} of {bank}: the game has this step, "
                    "the record does not"
                )
            raise _RecordEndsError
        return None

    def calls(self, iteration: int, bank: str) -> CallLog:
        """Return the recorded calls of a step; there are no others."""
        key = (iteration, bank)
        found = self._record.calls.get(key, [])
        before = calls_that_count(found, self._record.failed_at.get(key))
        by_number = {call.attempt_number: call for call in before}

        def compare(call: LLMInteractionRecord) -> None:
            compare_row(call, by_number.get(call.attempt_number))

        return _NoNewCalls(self._game_id, before, 0, compare)

    def save_step(self, step: Step) -> None:
        """Compare a step with the record."""
        key = (step.iteration, step.bank)
        repo, game_id = self._record.repository, self._game_id
        wanted = (game_id, step.bank, step.iteration)
        rows = records_of(game_id, step)
        compare_row(rows.iteration, self._record.steps[key])
        compare_all("iteration_context", [rows.context], repo.get_iteration_contexts(*wanted))
        diffs = [] if rows.diff is None else [rows.diff]
        compare_all("policy_diffs", diffs, repo.get_policy_diffs(*wanted))
        stored = repo.get_evaluation_samples(*wanted)
        compare_columns(
            f"evaluation_samples, iteration {step.iteration} of {step.bank}",
            rows.samples,
            {name: [getattr(row, name) for row in stored] for name in rows.samples},
        )
        self._seen.add(key)
        self.steps += 1

    def save_failed_step(self, step: Step, reason: Exception) -> None:
        """Report that the game stops where the record goes on."""
        raise DifferenceError(
            f"iteration {step.iteration} of {step.bank}: played once more, the game fails here: "
            f"{reason}"
        )

    def save_ending(self, ending: Ending) -> None:
        """Compare how the game ended."""
        if not self._record.has_ended:
            return
        repo, game_id, session = self._record.repository, self._game_id, self._record.session
        for name, value in (
            ("status", ending.status.value),
            ("total_iterations", ending.iterations),
            ("converged", ending.status == GameStatus.CONVERGED),
            ("final_cost", ending.assessment.final_cost),
        ):
            compare_values(f"game_sessions, {name}", value, getattr(session, name))
        rows = ending_records(self._setup, ending, session.started_at)
        compare_all("game_outcomes", rows.outcomes, repo.get_game_outcomes(game_id))
        certificates = [] if rows.certificate is None else [rows.certificate]
        found = repo.get_equilibrium_certificates(game_id)
        compare_all("equilibrium_certificates", certificates, found)
        for run, played in rows.runs:
            self._compare_run(run.run_id, run, played)

    def _compare_run(self, run_id: str, run: Record, played: Run) -> None:
        repo = self._record.repository
        compare_row(run, repo.get_simulation_run(run_id))
        for kind, table in _RUN_TABLES:
            expected = in_order(columns_of(table(played)), kind.KEY[1:])
            stored = columns_of(repo.get_run_table(run_id, kind.TABLE))
            stored.pop("run_id")
            compare_columns(f"{kind.TABLE} of run {run_id}", expected, stored)

    def check_nothing_is_left(self) -> None:
        """Refuse steps in the record that the game does not have."""
        left = sorted(set(self._record.steps) - self._seen)
        if left:
            iteration, bank = left[0]
            raise DifferenceError(
                f"policy_iterations, iteration {iteration} of {bank}: the record has this step, "
                "the game does not"
            )

    def leftover(self) -> str | None:
        """Return what the record holds beyond the step at which it seemed to end."""
        try:
            self.check_nothing_is_left()
        except DifferenceError as error:
            return str(error)
        return None


class _NoNewCalls(StepCalls):
    """Answers from the record, and nothing else."""

    def begin(self) -> tuple[int, LLMInteractionRecord | None]:
        """Return the next call that was recorded."""
        number, call = super().begin()
        if call is None:
            raise DifferenceError(
                "llm_interaction_log: the game asks its model once more than was recorded"
            )
        return number, call


def _compare_session(session: GameSessionRecord, setup: GameSetup) -> None:
    expected = {
        "scenario_config": setup.config.scenario_config,
        "master_seed": setup.config.master_seed,
        "game_mode": setup.config.game_mode,
        "config_json": setup.config.to_json(),
        "optimized_agents": list(setup.banks),
    }
    for name, value in expected.items():
        compare_values(f"game_sessions, {name}", value, getattr(session, name))


def _versions_note(repository: GameRepository, game_id: str) -> str:
    """Say which libraries have other versions now than when the game was played."""
    origin = repository.get_game_provenance(game_id)
    if origin is None:
        return ""
    then, now = json.loads(origin.libraries_json), library_versions()
    changed = [
        f"{name} {then[name]} then, {now.get(name, 'none')} now"
        for name in sorted(then)
        if then[name] != now.get(name)
    ]
    return f"other versions of libraries: {'; '.join(changed)}" if changed else ""
