"""The record of a game as a ledger: what is played once more is compared with it, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from payment_simulator.ai_cash_mgmt.game_setup import GameSetup
from payment_simulator.ai_cash_mgmt.loop import Ending, PlayedStep
from payment_simulator.ai_cash_mgmt.persistence.models import (
    BankStateRecord,
    DailyCostRecord,
    EvaluationSampleRecord,
    GameStatus,
    IterationContextRecord,
    LLMInteractionRecord,
    PolicyDiffRecord,
    Record,
    SimulationEventRecord,
    TransactionRecord,
)
from payment_simulator.ai_cash_mgmt.proposers.base import CallLog, ProposerError
from payment_simulator.ai_cash_mgmt.record.call_log import StepCalls
from payment_simulator.ai_cash_mgmt.record.comparison import (
    DifferenceError,
    columns_of,
    compare_all,
    compare_columns,
    compare_row,
    compare_values,
    in_order,
)
from payment_simulator.ai_cash_mgmt.record.course import check_numbers
from payment_simulator.ai_cash_mgmt.record.ending_rows import ending_records
from payment_simulator.ai_cash_mgmt.record.recorded_game import Key, RecordedGame
from payment_simulator.ai_cash_mgmt.record.step_rows import StepRecords, records_of
from payment_simulator.ai_cash_mgmt.step import Step
from payment_simulator.simulation import Run

_OF_STEPS = (
    LLMInteractionRecord,
    PolicyDiffRecord,
    IterationContextRecord,
    EvaluationSampleRecord,
)
_OF_RUNS: tuple[tuple[type[Record], Callable[[Run], Any]], ...] = (
    (TransactionRecord, Run.payments),
    (SimulationEventRecord, Run.events),
    (BankStateRecord, Run.states),
    (DailyCostRecord, Run.daily_costs),
)


class RecordEndsError(BaseException):
    """The record of a game that has not ended holds nothing more.

    No ``Exception``: it passes through the code that takes what a proposer raises for its failure.
    """


class ReplayLedger:
    """Takes a game that is played, and compares it with the record step by step.

    Parameters
    ----------
    setup : GameSetup
    record : RecordedGame

    Attributes
    ----------
    steps : int
        Steps that were found equal.
    fed_back : Counter
        How many answers of each model, and proposals of each class of a user, were fed back; by
        what it is, and whose.
    has_failed : bool
        Whether the game failed where the record says that it did.
    is_complete : bool
        Whether the game came to its end.
    """

    def __init__(self, setup: GameSetup, record: RecordedGame) -> None:
        self._setup = setup
        self._record = record
        self._game_id = setup.game_id
        self._seen: set[Key] = set()
        self._asked = record.repository.count_rows_of_steps(LLMInteractionRecord, self._game_id)
        self._calls: StepCalls | None = None
        #: The step that the game would make next, where the record ends.
        self._next: Key | None = None
        self.steps = 0
        self.fed_back: Counter[tuple[str, str]] = Counter()
        self.has_failed = False
        self.is_complete = False

    def played(self, iteration: int, bank: str) -> PlayedStep | None:
        """Return nothing, so that every step is played; stop where the record does."""
        key = (iteration, bank)
        if self._record.holds(key):
            return None
        if self._record.has_ended:
            raise DifferenceError(
                f"policy_iterations, iteration {iteration} of {bank}: the game has this step, the "
                "record does not"
            )
        self._next = key
        if key not in self._asked:
            raise RecordEndsError
        return None  # its model was asked before the game was interrupted

    def calls(self, iteration: int, bank: str) -> CallLog:
        """Return the recorded calls of a step; there are no others."""
        key = (iteration, bank)
        counting = self._record.counting_calls(key) if key in self._asked else []
        by_number = {call.attempt_number: call for call in counting}
        if key not in self._record.failures_of:
            check_numbers(f"iteration {iteration} of {bank}", list(by_number))

        def compare(call: LLMInteractionRecord) -> None:
            compare_row(call, by_number.get(call.attempt_number))
            if call.raw_response is not None:
                self.fed_back["answer", call.llm_model] += 1

        self._calls = _NoNewCalls(self._game_id, counting, self._record, key, compare)
        return self._calls

    def save_step(self, step: Step) -> None:
        """Compare a step with the record."""
        key = (step.iteration, step.bank)
        if not self._record.holds(key):
            raise RecordEndsError  # its model had answered, but the step was not recorded
        if self._record.has_failed_at(key):
            if self._record.has_ended:
                raise DifferenceError(
                    f"policy_iterations, iteration {step.iteration} of {step.bank}: the game "
                    "failed in this step, expected the step that was made again"
                )
            # The fault was of that moment. What can be told of the step, its course tells.
            self._seen.add(key)
            self.has_failed = True
            raise RecordEndsError
        self._compare(key, self._rows(step))
        if self._setup.config.proposer_of(step.bank).kind == "python":
            self.fed_back["proposal", step.label] += 1
        self.steps += 1

    def save_failed_step(self, step: Step, reason: Exception) -> None:
        """Compare a step with which the game failed."""
        key = (step.iteration, step.bank)
        if not self._record.has_failed_at(key):
            raise DifferenceError(
                f"iteration {step.iteration} of {step.bank}: played once more, the game fails "
                f"here: {reason}"
            )
        self._compare(key, self._rows(step))
        failure = self._record.failures_of[key][-1]
        place = f"game_failures, failure_number {failure.failure_number}"
        compare_values(f"{place}, error_type", type(reason).__name__, failure.error_type)
        self.has_failed = True

    def _rows(self, step: Step) -> StepRecords:
        return records_of(self._game_id, step, () if self._calls is None else self._calls.made)

    def _compare(self, key: Key, rows: StepRecords) -> None:
        """Compare the rows of a step with those of the record, and see that there are no others."""
        repo, place = self._record.repository, f"iteration {key[0]} of {key[1]}"
        wanted = (self._game_id, key[1], key[0])
        compare_row(rows.iteration, self._record.step(key))
        left = [] if self._calls is None else self._calls.left
        if left:
            raise DifferenceError(
                f"llm_interaction_log, {place}, call {left[0].attempt_number}: the record has this "
                "row, the game does not"
            )
        compare_all("iteration_context", [rows.context], repo.get_iteration_contexts(*wanted))
        diffs = [] if rows.diff is None else [rows.diff]
        compare_all("policy_diffs", diffs, repo.get_policy_diffs(*wanted))
        stored = repo.get_evaluation_samples(*wanted)
        compare_columns(
            f"evaluation_samples, {place}",
            rows.samples,
            {name: [getattr(row, name) for row in stored] for name in rows.samples},
        )
        n_calls = 0 if self._calls is None else len(self._calls.made)
        n_stored = self._asked.get(key, 0)
        if key not in self._record.failures_of and n_stored != n_calls:
            raise DifferenceError(
                f"llm_interaction_log, {place}: the record has {n_stored} calls, the game makes "
                f"{n_calls}"
            )
        self._seen.add(key)

    def save_ending(self, ending: Ending) -> None:
        """Compare how the game ended."""
        self.is_complete = True
        if not self._record.has_ended:
            return
        repo, session = self._record.repository, self._record.session
        for name, value in (
            ("status", ending.status.value),
            ("total_iterations", ending.iterations),
            ("converged", ending.status == GameStatus.CONVERGED),
            ("final_cost", ending.assessment.final_cost),
        ):
            compare_values(f"game_sessions, {name}", value, getattr(session, name))
        if session.completed_at is None:
            raise DifferenceError("game_sessions, completed_at: none, but the game has ended")
        rows = ending_records(self._setup, ending, session.started_at)
        compare_all("game_outcomes", rows.outcomes, repo.get_game_outcomes(self._game_id))
        certificates = [] if rows.certificate is None else [rows.certificate]
        found = repo.get_equilibrium_certificates(self._game_id)
        compare_all("equilibrium_certificates", certificates, found)
        expected = sorted(run.run_id for run, _ in rows.runs)
        for run_id in repo.get_run_ids(self._game_id):
            if run_id not in expected:
                raise DifferenceError(
                    f"simulation_runs, run_id {run_id}: the record has this row, the game does not"
                )
        for run, played in rows.runs:
            self._compare_run(run.run_id, run, played)

    def _compare_run(self, run_id: str, run: Record, played: Run) -> None:
        repo = self._record.repository
        compare_row(run, repo.get_simulation_run(run_id))
        for kind, table in _OF_RUNS:
            expected = in_order(columns_of(table(played)), kind.KEY[1:])
            stored = columns_of(repo.get_run_table(run_id, kind.TABLE))
            stored.pop("run_id")
            compare_columns(f"{kind.TABLE} of run {run_id}", expected, stored)

    def check_nothing_is_left(self) -> None:
        """Refuse rows of steps in the record that the game does not have."""
        record, repo = self._record, self._record.repository
        tables = {kind.TABLE: repo.count_rows_of_steps(kind, self._game_id) for kind in _OF_STEPS}
        for table, keys in {"policy_iterations": record.steps(), **tables}.items():
            for key in keys:
                is_open = table == LLMInteractionRecord.TABLE and key == self._next
                if key not in self._seen and not is_open:
                    raise DifferenceError(
                        f"{table}, iteration {key[0]} of {key[1]}: the record has this step, the "
                        "game does not"
                    )


class _NoNewCalls(StepCalls):
    """Answers from the record, and nothing else."""

    def __init__(
        self,
        game_id: str,
        calls: list[LLMInteractionRecord],
        record: RecordedGame,
        key: Key,
        compare: Callable[[LLMInteractionRecord], None],
    ) -> None:
        super().__init__(game_id, calls, 0, compare)
        self._record = record
        self._key = key

    def begin(self) -> tuple[int, LLMInteractionRecord | None]:
        """Return the next call that was recorded."""
        number, call = super().begin()
        if call is not None:
            return number, call
        if not self._record.holds(self._key):
            raise RecordEndsError
        step = self._record.step(self._key) if self._record.has_failed_at(self._key) else None
        if step is not None and step.validation_errors:
            raise ProposerError(step.validation_errors[0])  # the model was given up here
        raise DifferenceError(
            "llm_interaction_log: the game asks its model once more than was recorded"
        )
