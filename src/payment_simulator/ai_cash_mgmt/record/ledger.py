"""Writes a game into its record, step by step, and knows what is written already."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from payment_simulator.ai_cash_mgmt.game_setup import GameSetup
from payment_simulator.ai_cash_mgmt.loop import Ending, PlayedStep
from payment_simulator.ai_cash_mgmt.persistence.models import (
    GameFailureRecord,
    GameSessionRecord,
    GameStatus,
    LLMInteractionRecord,
    PolicyIterationRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.seals import failure_seal, origin_seal
from payment_simulator.ai_cash_mgmt.proposers.base import CallLog, PastStep
from payment_simulator.ai_cash_mgmt.record.call_log import StepCalls
from payment_simulator.ai_cash_mgmt.record.ending_rows import ending_records
from payment_simulator.ai_cash_mgmt.record.provenance import files_of, provenance_of
from payment_simulator.ai_cash_mgmt.record.step_rows import records_of
from payment_simulator.ai_cash_mgmt.step import Step
from payment_simulator.policy import Policy, check_policy, parse_policy

Key = tuple[int, str]


def played_step(record: PolicyIterationRecord) -> PlayedStep:
    """Return a recorded step as the game goes on from it.

    Raises
    ------
    PolicyError
        The policy that was accepted is not one any more.
    """
    policy = _policy(record)
    past = PastStep(
        iteration=record.iteration_number,
        policy_json=record.new_policy_json,
        parameters={} if policy is None else dict(policy.parameters),
        old_cost=record.old_cost,
        new_cost=record.new_cost,
        was_accepted=record.was_accepted,
        errors=tuple(record.validation_errors),
    )
    return PlayedStep(past, policy if record.was_accepted else None)


def _policy(record: PolicyIterationRecord) -> Policy | None:
    text = record.new_policy_json
    if record.was_accepted or not (record.validation_errors or check_policy(text)):
        where = f"iteration {record.iteration_number} of {record.agent_id}"
        return parse_policy(text, where=where)
    return None


class RecordLedger:
    """The record of one game, as it is being played.

    Parameters
    ----------
    repository : GameRepository
    setup : GameSetup
    """

    def __init__(self, repository: GameRepository, setup: GameSetup) -> None:
        self._repo = repository
        self._setup = setup
        self._game_id = setup.game_id
        self._played: dict[Key, PolicyIterationRecord] = {}
        #: Steps of which the record holds calls of models from before.
        self._asked: set[Key] = set()
        self._calls: StepCalls | None = None
        self._failed: dict[Key, GameFailureRecord] = {}
        self._n_failures = 0
        self._last_iteration = 0

    def begin(self) -> None:
        """Write down a new game and all that it is made of."""
        setup, now = self._setup, datetime.now(UTC)
        session = GameSessionRecord(
            game_id=self._game_id,
            scenario_config=setup.config.scenario_config,
            master_seed=setup.config.master_seed,
            game_mode=setup.config.game_mode,
            config_json=setup.config.to_json(),
            started_at=now,
            status=GameStatus.RUNNING,
            optimized_agents=list(setup.banks),
        )
        with self._repo.transaction():
            self._repo.save_game_session(session)
            files = files_of(self._game_id, setup.config, setup.scenario, setup.start)
            origin = provenance_of(self._game_id, now)
            self._repo.save_game_provenance(origin.replace(seal_sha256=origin_seal(origin, files)))
            self._repo.save_provenance_files(files)

    def take_up(self) -> None:
        """Read what has been played, and say that the game goes on."""
        for failure in self._repo.get_game_failures(self._game_id):
            self._n_failures += 1
            if failure.agent_id is not None and failure.iteration_number is not None:
                self._failed[failure.iteration_number, failure.agent_id] = failure
        for record in self._repo.get_policy_iterations(self._game_id):
            key = record.iteration_number, record.agent_id
            # A step in which the game failed is made once more.
            failed = self._failed.get(key)
            if failed is None or record.created_at != failed.failed_at:
                self._played[key] = record
                self._last_iteration = record.iteration_number
        self._asked = set(self._repo.count_rows_of_steps(LLMInteractionRecord, self._game_id))
        session = self._repo.get_game_session(self._game_id)
        if session is not None and session.status != GameStatus.RUNNING:
            self._repo.update_game_session_status(self._game_id, GameStatus.RUNNING)

    def played(self, iteration: int, bank: str) -> PlayedStep | None:
        """Return a step that was made before."""
        record = self._played.get((iteration, bank))
        return None if record is None else played_step(record)

    def calls(self, iteration: int, bank: str) -> CallLog:
        """Return the calls of models of a step; those made before are not made again.

        A step in which the game failed is made again with new calls.
        """
        key, found = (iteration, bank), []
        if key in self._asked:
            found = self._repo.get_llm_interactions(self._game_id, bank, iteration)
        known = {call.attempt_number for call in found}
        n_failed = self._failed[key].model_calls if key in self._failed else 0
        before = [call for call in found if call.attempt_number > n_failed]

        def save(call: LLMInteractionRecord) -> None:
            if call.attempt_number not in known:
                self._repo.save_llm_interaction(call)

        self._calls = StepCalls(self._game_id, before, max(known, default=0) + 1, save)
        return self._calls

    def save_step(self, step: Step) -> None:
        """Write a step down; it is durable when this returns."""
        with self._repo.transaction():
            self._save(step, datetime.now(UTC))

    def _save(self, step: Step, now: datetime) -> None:
        calls = () if self._calls is None else self._calls.made
        records = records_of(self._game_id, step, calls, now)
        self._last_iteration = step.iteration
        self._repo.save_policy_iteration(records.iteration)
        self._repo.save_iteration_context(records.context)
        if records.diff is not None:
            self._repo.save_policy_diff(records.diff)
        self._repo.save_evaluation_samples(as_table(records.samples))

    def save_failed_step(self, step: Step, reason: Exception) -> None:
        """Write down a step, and that the game failed with it, at the same time."""
        now = datetime.now(UTC)
        with self._repo.transaction():
            self._save(step, now)
            self._fail(reason, now, step.iteration, step.bank)

    def save_failure(self, reason: Exception, iteration: int | None) -> None:
        """Write down that the game failed outside a step."""
        with self._repo.transaction():
            self._fail(reason, datetime.now(UTC), iteration or None, None)

    def _fail(
        self, reason: Exception, now: datetime, iteration: int | None, bank: str | None
    ) -> None:
        failure = GameFailureRecord(
            game_id=self._game_id,
            failure_number=self._n_failures + 1,
            agent_id=bank,
            iteration_number=iteration,
            reason=str(reason).encode("utf-8", "replace").decode() or type(reason).__name__,
            error_type=type(reason).__name__,
            failed_at=now,
            model_calls=0 if bank is None or self._calls is None else self._calls.last,
        )
        self._repo.save_game_failure(failure.replace(seal_sha256=failure_seal(failure)))
        self._n_failures += 1
        self._repo.update_game_session_status(
            self._game_id, GameStatus.FAILED, total_iterations=self._last_iteration
        )

    def save_ending(self, ending: Ending) -> None:
        """Write down how the game ended, all of it at once."""
        now = datetime.now(UTC)
        records = ending_records(self._setup, ending, now)
        with self._repo.transaction():
            self._repo.save_game_outcomes(records.outcomes)
            if records.certificate is not None:
                self._repo.save_equilibrium_certificate(records.certificate)
            for run, played in records.runs:
                self._repo.save_simulation_run(run)
                self._repo.save_transactions(run.run_id, played.payments())
                self._repo.save_simulation_events(run.run_id, played.events())
                self._repo.save_bank_states(run.run_id, played.states())
                self._repo.save_daily_costs(run.run_id, played.daily_costs())
            self._repo.update_game_session_status(
                self._game_id,
                ending.status,
                completed_at=now,
                total_iterations=ending.iterations,
                converged=ending.status == GameStatus.CONVERGED,
                final_cost=ending.assessment.final_cost,
            )


def as_table(columns: dict[str, list[Any]]) -> Any:
    """Return columns of evaluation samples as an Arrow table."""
    from arro3.core import Array, DataType, Table  # noqa: PLC0415 - 20 ms for those who want it

    kinds = {
        "game_id": DataType.utf8(),
        "agent_id": DataType.utf8(),
        "iteration_number": DataType.int32(),
        "sample_number": DataType.int32(),
        "sample_seed": DataType.int64(),
    }
    number = DataType.float64()
    return Table.from_pydict(
        {name: Array(values, type=kinds.get(name, number)) for name, values in columns.items()}
    )
