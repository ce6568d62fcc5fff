"""Finds what cannot be in the record of a game, without playing it: seals, gaps, sums, ends.

``payment-sim db check`` uses it beside the check of tables and rows. Only games that were played by
this package are looked at: rows that others saved through the repository follow rules of their own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.checking import Finding
from payment_simulator.ai_cash_mgmt.persistence.models import (
    EquilibriumCertificateRecord,
    GameOutcomeRecord,
    GameStatus,
    IterationContextRecord,
    LLMInteractionRecord,
    PolicyIterationRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models.base import rounding_slack
from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.seals import SEAL, origin_seal, step_seal
from payment_simulator.ai_cash_mgmt.record.comparison import DifferenceError, check_seal
from payment_simulator.ai_cash_mgmt.record.course import check_course, check_no_end, check_numbers
from payment_simulator.ai_cash_mgmt.record.recorded_game import Key, RecordedGame
from payment_simulator.errors import DamagedDatabaseError
from payment_simulator.persistence.migrations import Origin, schema_state

#: Steps, and calls of models, that are held at once.
_STEPS, _CALLS = 100, 20


def check_games(repository: GameRepository) -> Iterator[Finding]:
    """Find what a game that this package played cannot have left.

    Parameters
    ----------
    repository : GameRepository
        May be open for reading only.

    Yields
    ------
    Finding
        For each game the first of each kind.
    """
    if schema_state(repository.store).origin is not Origin.OURS:
        return
    for game_id in repository.get_game_ids():
        origin = repository.get_game_provenance(game_id)
        if origin is None or origin.seal_sha256 is None:
            continue
        for check in (_check_origin, _check_end, check_course, _check_steps, _check_samples):
            try:
                session = repository.get_game_session(game_id)
                if session is not None:
                    check(RecordedGame(repository, session))
            except DifferenceError as error:
                place, _, problem = str(error).partition(": ")
                table, _, row = place.partition(", ")
                where = ", ".join(part for part in (f"game_id={game_id!r}", row) if part)
                yield Finding(table, where, problem)
            except DamagedDatabaseError:
                break  # a row that is none, which the check of rows names


def _check_origin(record: RecordedGame) -> None:
    origin = record.repository.get_game_provenance(record.game_id)
    if origin is not None:
        files = record.repository.get_provenance_files(record.game_id)
        check_seal("game_provenance", origin, origin_seal(origin, files))


def _check_end(record: RecordedGame) -> None:
    """Check that a game has an end if it has ended, and that its parts agree."""
    if record.repository.has_null_counters(record.game_id):
        raise DifferenceError(
            "game_sessions: total_iterations or converged is NULL, expected the value that the "
            "game writes"
        )
    if not record.has_ended:
        check_no_end(record)
        return
    session, repo = record.session, record.repository
    outcomes = repo.get_game_outcomes(record.game_id)
    costs = [outcome.final_cost for outcome in outcomes]
    _expect("final_cost", session.final_cost, math.fsum(costs) if costs else None)
    _expect("total_iterations", session.total_iterations, record.last_iteration())
    _expect("converged", session.converged, session.status == GameStatus.CONVERGED)
    if session.completed_at is None:
        raise DifferenceError(f"game_sessions, completed_at: none, but it is {session.status}")
    runs = [f"{record.game_id}/{purpose}" for purpose in ("final", "start")]
    found = repo.get_run_ids(record.game_id)
    if found != runs:
        raise DifferenceError(f"simulation_runs: {', '.join(found)}; expected {', '.join(runs)}")
    for certificate in repo.get_equilibrium_certificates(record.game_id):
        _check_certificate(certificate, outcomes)


def _expect(name: str, stored: object, expected: object) -> None:
    if stored != expected:
        raise DifferenceError(f"game_sessions, {name}: {stored!r}, expected {expected!r}")


def _check_certificate(
    certificate: EquilibriumCertificateRecord, outcomes: list[GameOutcomeRecord]
) -> None:
    place = "equilibrium_certificates"
    regrets = _object(f"{place}, regrets_json", certificate.regrets_json)
    distance = certificate.distance_from_equilibrium
    largest = max((v for v in regrets.values() if isinstance(v, int | float)), default=0.0)
    if distance != max(largest, 0.0):
        raise DifferenceError(
            f"{place}, distance_from_equilibrium: {distance!r}, expected the largest of "
            f"regrets_json, {largest!r}"
        )
    final = {
        row.agent_id: _object("game_outcomes, final_policy_json", row.final_policy_json)
        for row in outcomes
    }
    if _object(f"{place}, profile_json", certificate.profile_json) != final:
        raise DifferenceError(f"{place}, profile_json: not the final policies of game_outcomes")


def _object(place: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DifferenceError(f"{place}: not JSON: {error}") from error
    if not isinstance(found, dict):
        raise DifferenceError(f"{place}: no JSON object")
    return found


def _check_steps(record: RecordedGame) -> None:
    """Check the seal of every step, but for those of failed steps, which the course checks."""
    for keys in _stretches(record):
        first, last = keys[0][0], keys[-1][0]
        repo, game_id = record.repository, record.game_id
        steps = repo.get_rows_of_iterations(PolicyIterationRecord, game_id, first, last)
        contexts = {
            (row.iteration_number, row.agent_id): row
            for row in repo.get_rows_of_iterations(IterationContextRecord, game_id, first, last)
        }
        calls: dict[Key, list[LLMInteractionRecord]] = {}
        for call in repo.get_rows_of_iterations(LLMInteractionRecord, game_id, first, last):
            calls.setdefault((call.iteration_number, call.agent_id), []).append(call)
        for step in steps:
            key = (step.iteration_number, step.agent_id)
            if key not in record.failures_of:
                _check_step(step, contexts.get(key), calls.get(key, []))


def _check_step(
    step: PolicyIterationRecord,
    context: IterationContextRecord | None,
    calls: list[LLMInteractionRecord],
) -> None:
    place = f"iteration {step.iteration_number} of {step.agent_id}"
    if context is None:
        raise DifferenceError(f"iteration_context, {place}: there is none")
    calls = sorted(calls, key=lambda call: call.attempt_number)
    check_numbers(place, [call.attempt_number for call in calls])
    if getattr(context, SEAL) != step_seal(step, context, calls):
        raise DifferenceError(
            f"iteration_context, {place}, {SEAL}: it is not the seal of the step's rows in "
            "policy_iterations, iteration_context and llm_interaction_log"
        )


def _stretches(record: RecordedGame) -> Iterator[list[Key]]:
    """Go through the steps of a game, whole iterations and not too much at once."""
    n_calls = record.repository.count_rows_of_steps(LLMInteractionRecord, record.game_id)
    held: list[Key] = []
    calls = 0
    for _, group in groupby(record.steps(), key=lambda key: key[0]):
        keys = list(group)
        more = sum(n_calls.get(key, 0) for key in keys)
        if held and (len(held) + len(keys) > _STEPS or calls + more > _CALLS):
            yield held
            held, calls = [], 0
        held += keys
        calls += more
    if held:
        yield held


def _check_samples(record: RecordedGame) -> None:
    """Check that the costs of a step are the means of its samples, and samples have no gap."""
    for (
        iteration,
        agent,
        old,
        new,
        count,
        last,
        mean_old,
        mean_new,
    ) in record.repository.get_sample_means(record.game_id):
        place = f"iteration {iteration} of {agent}"
        if count != last:
            raise DifferenceError(
                f"evaluation_samples, {place}: {count} samples, numbered up to {last}"
            )
        slack = rounding_slack(old, new)
        for name, stored, mean in (("old_cost", old, mean_old), ("new_cost", new, mean_new)):
            if mean is None or abs(stored - mean) > slack:
                raise DifferenceError(
                    f"policy_iterations, {place}, {name}: {stored!r}, expected the mean of its "
                    f"evaluation_samples, {mean!r}"
                )
