"""Checks what no replay gives: the course of a game, its failures, and what was superseded.

A game that failed and went on leaves a chain of session rows, one for each change of its status,
and for each step in which it failed the rows of the failed try. Nothing else is ever superseded by
a game, so every other superseded row is a difference.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TypeVar

from payment_simulator.ai_cash_mgmt.persistence.models import (
    EvaluationSampleRecord,
    GameSessionRecord,
    GameStatus,
    IterationContextRecord,
    LLMInteractionRecord,
    PolicyIterationRecord,
    Record,
)
from payment_simulator.ai_cash_mgmt.persistence.records import records_of_rows
from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.seals import failure_seal, step_seal
from payment_simulator.ai_cash_mgmt.record.comparison import (
    DifferenceError,
    check_none,
    check_seal,
    compare_values,
)
from payment_simulator.ai_cash_mgmt.record.recorded_game import Key, RecordedGame

R = TypeVar("R", bound=Record)
_TABLE = "superseded_records"


class Superseded:
    """The superseded rows of a game; each is to be asked for once."""

    def __init__(self, record: RecordedGame) -> None:
        self._repo = record.repository
        self._left: dict[tuple[str, str], int] = {}
        for table, key, revision in self._repo.superseded_keys(record.game_id):
            place = (table, _canonical(key))
            if revision != self._left.get(place, 0) + 1:
                raise DifferenceError(
                    f"{_TABLE}, {table} {key}: revision {revision}, expected revisions from 1 "
                    "without a gap"
                )
            self._left[place] = revision

    def take(self, kind: type[R], key: list[object]) -> list[R]:
        """Return all that a row was before, oldest first."""
        text = json.dumps(key, ensure_ascii=False, separators=(",", ":"))
        return [
            self._row(kind, text, revision)
            for revision in range(1, self._left.pop((kind.TABLE, text), 0) + 1)
        ]

    def _row(self, kind: type[R], key: str, revision: int) -> R:
        place = f"{_TABLE}, {kind.TABLE} {key}, revision {revision}"
        found = self._repo.get_superseded_record(kind.TABLE, key, revision)
        if found is None:
            raise DifferenceError(f"{place}: record_key is not written as the game writes it")
        row = _restored(self._repo, kind, found.record_json, place)
        values = json.dumps([getattr(row, name) for name in kind.KEY], ensure_ascii=False)
        compare_values(f"{place}, key in record_json", json.loads(key), json.loads(values))
        return row

    def check_nothing_is_left(self) -> None:
        """Refuse superseded rows that the game cannot have left."""
        for table, key in self._left:
            raise DifferenceError(
                f"{_TABLE}, {table} {key}: the record has this row, but the game replaced none"
            )


def _canonical(key: str) -> str:
    return json.dumps(json.loads(key), ensure_ascii=False, separators=(",", ":"))


def _restored(repo: GameRepository, kind: type[R], text: str, place: str) -> R:
    """Return a row that was kept as JSON, with the texts that it names."""
    columns, types = kind.table().columns, kind.table().types
    times = {name for name, type_ in zip(columns, types, strict=True) if type_ == "TIMESTAMP"}
    try:
        values = json.loads(text)
        if list(values) != list(columns):
            raise ValueError("its columns are not those of the table")  # noqa: TRY301 - one message
        row = tuple(
            datetime.fromisoformat(value) if name in times and value is not None else value
            for name, value in values.items()
        )
        [record] = records_of_rows(repo.store, kind, [row])
        return record.checked()
    except Exception as error:
        raise DifferenceError(f"{place}, record_json: no row of {kind.TABLE}: {error}") from error


def check_course(record: RecordedGame) -> None:
    """Check the failures of a game, and every row that it superseded."""
    superseded = Superseded(record)
    for number, failure in enumerate(record.failures, start=1):
        place = f"game_failures, failure_number {failure.failure_number}"
        compare_values(f"{place}, place in order", number, failure.failure_number)
        check_seal(place, failure, failure_seal(failure))
    _check_sessions(record, superseded)
    for key in record.failures_of:
        _check_tries(record, key, superseded)
    superseded.check_nothing_is_left()


def check_no_end(record: RecordedGame) -> None:
    """Refuse rows of an end where there was none."""
    repo, why = record.repository, f"the game has not ended (it is {record.session.status})"
    check_none("game_outcomes", repo.get_game_outcomes(record.game_id), why)
    check_none("equilibrium_certificates", repo.get_equilibrium_certificates(record.game_id), why)
    for run_id in repo.get_run_ids(record.game_id):
        raise DifferenceError(f"simulation_runs, run_id {run_id}: the record has it, but {why}")


def _check_sessions(record: RecordedGame, superseded: Superseded) -> None:
    """Check that the session ran, failed and went on as the failures tell."""
    session = record.session
    chain = [*superseded.take(GameSessionRecord, [record.game_id]), session]
    totals = [0, *(_failed_total(record, n, chain) for n in range(len(record.failures)))]
    states: list[tuple[str, int]] = [(GameStatus.RUNNING, 0)]
    for total in totals[1:]:
        states += [(GameStatus.FAILED, total), (GameStatus.RUNNING, total)]
    if record.has_ended:
        states.append((session.status, session.total_iterations))
    elif session.status == GameStatus.FAILED:
        states.pop()
    if len(chain) != len(states):
        raise DifferenceError(
            f"game_sessions, status: {session.status} after {len(record.failures)} failures "
            f"(game_failures), with {len(chain) - 1} changes of the session (superseded_records); "
            f"expected {len(states) - 1} changes"
        )
    for number, (row, (status, total)) in enumerate(zip(chain, states, strict=True), start=1):
        is_last = number == len(chain)
        place = "game_sessions" if is_last else f"{_TABLE}, game_sessions, revision {number}"
        expected = session.model_dump() | {"status": status, "total_iterations": total}
        if not (is_last and record.has_ended):
            expected |= {"completed_at": None, "converged": False, "final_cost": None}
        for name, value in expected.items():
            compare_values(f"{place}, {name}", value, getattr(row, name))


def _failed_total(record: RecordedGame, n: int, chain: list[GameSessionRecord]) -> int:
    """Return the iterations that a session had when it failed."""
    failure = record.failures[n]
    iteration = failure.iteration_number or 0
    if failure.agent_id is not None:
        return iteration
    if 2 * n + 2 > len(chain):
        return iteration  # there is a row too few, which is said
    if 2 * n + 2 == len(chain):  # nothing was played since
        return record.last_iteration()
    # Outside a step: the last step made is of this iteration or of the one before.
    told = chain[2 * n + 1].total_iterations
    return told if iteration - 1 <= told <= iteration else iteration


def _check_tries(record: RecordedGame, key: Key, superseded: Superseded) -> None:
    """Check the rows of every try of a step in which the game failed."""
    iteration, bank = key
    row_key: list[object] = [record.game_id, bank, iteration]
    step, context = record.step(key), record.context(key)
    place = f"iteration {iteration} of {bank}"
    if step is None or context is None:
        raise DifferenceError(
            f"game_failures: the game failed at {place}, but the record has no such step"
        )
    steps = [*superseded.take(PolicyIterationRecord, row_key), step]
    contexts = [*superseded.take(IterationContextRecord, row_key), context]
    _check_times(record, key, steps)
    _check_failed_rows(record, key, steps)
    _check_contexts(record, key, steps, contexts)
    _check_samples(record, key, superseded)


def _check_times(record: RecordedGame, key: Key, steps: list[PolicyIterationRecord]) -> None:
    failures = record.failures_of[key]
    failed = steps if record.has_failed_at(key) else steps[:-1]
    if [row.created_at for row in failed] != [failure.failed_at for failure in failures]:
        raise DifferenceError(
            f"game_failures: {len(failures)} failures at iteration {key[0]} of {key[1]}, but not "
            "one failed try of the step in the record for each of them, at the same time"
        )


def _check_failed_rows(record: RecordedGame, key: Key, steps: list[PolicyIterationRecord]) -> None:
    """Check that failed tries began with the policy of the step, and proposed nothing valid."""
    last = steps[-1]
    failed = steps if record.has_failed_at(key) else steps[:-1]
    for number, row in enumerate(failed, start=1):
        place = f"policy_iterations, iteration {key[0]} of {key[1]}, failed try {number}"
        for name in ("trigger_tick", "old_policy_json", "old_cost"):
            compare_values(f"{place}, {name}", getattr(last, name), getattr(row, name))
        compare_values(f"{place}, new_cost", last.old_cost, row.new_cost)
        compare_values(f"{place}, cost_improvement", 0.0, row.cost_improvement)
        compare_values(f"{place}, was_accepted", False, row.was_accepted)
        if not row.validation_errors:
            raise DifferenceError(f"{place}, validation_errors: none, expected why it failed")


def _check_contexts(
    record: RecordedGame,
    key: Key,
    steps: list[PolicyIterationRecord],
    contexts: list[IterationContextRecord],
) -> None:
    """Check that tries and contexts seal each other, and that every call is of one try."""
    calls, place = record.calls_of_tries(key), f"iteration {key[0]} of {key[1]}"
    at, is_sealed = 0, False
    for number, (row, made) in enumerate(zip(steps, calls, strict=False), start=1):
        # A try that went as the one before left the same context.
        if is_sealed and not _seals(contexts[at], row, made) and at + 1 < len(contexts):
            at += 1
        is_sealed = _seals(contexts[at], row, made)
        if not is_sealed:
            raise DifferenceError(
                f"iteration_context, {place}: seal_sha256 is not that of try {number} of the step"
            )
    if at + 1 != len(contexts):
        raise DifferenceError(f"iteration_context, {place}: more contexts than tries of the step")
    # Of a step that is being made again, more calls may have been answered.
    is_open = record.session.status == GameStatus.RUNNING
    if record.has_failed_at(key) and calls[-1] and not is_open:
        raise DifferenceError(
            f"llm_interaction_log, {place}, call {calls[-1][0].attempt_number}: the record has "
            "this row, but the game failed before"
        )
    check_numbers(place, [call.attempt_number for made in calls for call in made])


def _seals(
    context: IterationContextRecord, row: PolicyIterationRecord, calls: list[LLMInteractionRecord]
) -> bool:
    return context.seal_sha256 == step_seal(row, context, calls)


def check_numbers(place: str, numbers: list[int]) -> None:
    """Check that calls are numbered from 1 without a gap."""
    if numbers != list(range(1, len(numbers) + 1)):
        raise DifferenceError(
            f"llm_interaction_log, {place}, attempt_number: {numbers}, expected numbers from 1 "
            "without a gap"
        )


def _check_samples(record: RecordedGame, key: Key, superseded: Superseded) -> None:
    """Check the samples of a failed try: the old policy twice, on the days of the step."""
    if record.has_failed_at(key):
        return
    iteration, bank = key
    for row in record.repository.get_evaluation_samples(record.game_id, bank, iteration):
        failed = row.replace(
            new_cost=row.old_cost, cost_improvement=0.0, new_settlement_rate=row.old_settlement_rate
        )
        row_key: list[object] = [record.game_id, bank, iteration, row.sample_number]
        found = superseded.take(EvaluationSampleRecord, row_key)
        expected = [] if failed == row else [failed]
        if found != expected:
            raise DifferenceError(
                f"{_TABLE}, evaluation_samples, {place_of_sample(row)}: not the sample of the try "
                "in which the game failed"
            )


def place_of_sample(row: EvaluationSampleRecord) -> str:
    """Return what errors call a sample."""
    return f"iteration {row.iteration_number} of {row.agent_id}, sample {row.sample_number}"
