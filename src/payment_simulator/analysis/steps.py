"""Steps of a game: one in full, and many as rows of a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.models import (
    EvaluationSampleRecord,
    IterationContextRecord,
    LLMInteractionRecord,
    PolicyDiffRecord,
    PolicyIterationRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.records import checked_limit
from payment_simulator.analysis.older_files import or_nothing
from payment_simulator.analysis.trajectories import Verdict
from payment_simulator.errors import GameNotFoundError, InputError, PolicyError
from payment_simulator.persistence.queries import named_queries
from payment_simulator.policy import Policy, parse_policy
from payment_simulator.wording import nearest, visible

VERDICTS: tuple[Verdict, ...] = ("accepted", "rejected", "refused")
#: Confidence of an interval, where the game file does not tell of one.
USUAL_CONFIDENCE = 0.95


@dataclass(frozen=True)
class StepRow:
    """A step as one row of a table.

    Attributes
    ----------
    agent_id : str
    iteration, trigger_tick : int
    verdict : str
        ``accepted``, ``rejected``, or ``refused``: there was no valid proposal.
    old_cost, new_cost, cost_improvement : float
        As measured in the step (cents).
    reason : str
        Why it was decided so; of a step that was refused, its errors. Empty where none is recorded.
    change : str
        What the proposal would change, in words; empty where that is not recorded.
    proposer : str
    latency_seconds : float
    tokens_used : int
    created_at : datetime
    """

    agent_id: str
    iteration: int
    trigger_tick: int
    verdict: Verdict
    old_cost: float
    new_cost: float
    cost_improvement: float
    reason: str
    change: str
    proposer: str
    latency_seconds: float
    tokens_used: int
    created_at: datetime


@dataclass(frozen=True)
class RefusedTry:
    """A proposal that was sent back within a step.

    Attributes
    ----------
    proposal : str
        As it came.
    errors : tuple of str
        What was wrong with it.
    """

    proposal: str
    errors: tuple[str, ...]


@dataclass(frozen=True)
class PairedSamples:
    """Both policies of a step on the same sample days.

    Attributes
    ----------
    number, seed : tuple of int
        Which day.
    old_cost, new_cost, difference : tuple of float
        Cost of either policy, and old less new (cents).
    mean : float
        Mean difference (cents).
    low, high : float, optional
        Its two-sided interval (cents); none of one day, or of equal differences.
    confidence : float
        Of the interval.
    """

    number: tuple[int, ...]
    seed: tuple[int, ...]
    old_cost: tuple[float, ...]
    new_cost: tuple[float, ...]
    difference: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None
    confidence: float


@dataclass(frozen=True)
class StepView:
    """All that the record knows of one step.

    Attributes
    ----------
    iteration : PolicyIterationRecord
    verdict : str
        ``accepted``, ``rejected`` or ``refused``.
    reason : str
        As in :class:`StepRow`.
    reasoning : str
        What the proposer gave as its reasons; empty where it gave none.
    refused : tuple of RefusedTry
        Proposals that were sent back before.
    diff : PolicyDiffRecord or None
    context : IterationContextRecord or None
    samples : PairedSamples or None
    calls : tuple of LLMInteractionRecord
        Calls of models, in order.
    old, new : Policy or None
        The policy in force and the one proposed; None where the text is no valid policy.
    """

    iteration: PolicyIterationRecord
    verdict: Verdict
    reason: str
    reasoning: str
    refused: tuple[RefusedTry, ...]
    diff: PolicyDiffRecord | None
    context: IterationContextRecord | None
    samples: PairedSamples | None
    calls: tuple[LLMInteractionRecord, ...]
    old: Policy | None
    new: Policy | None


def step_rows(
    repo: GameRepository,
    game_id: str,
    *,
    agent_id: str | None = None,
    verdicts: Sequence[str] = VERDICTS,
    limit: int = 100,
    offset: int = 0,
) -> list[StepRow]:
    """Return a page of the steps of a game, by iteration, then bank.

    Parameters
    ----------
    repo : GameRepository
        The record.
    game_id : str
        The game; one that is not there has no steps.
    agent_id : str, optional
        Only steps of this bank.
    verdicts : sequence of str
        Only steps with one of these.
    limit, offset : int
        At most so many, after so many have been passed over.

    Raises
    ------
    InputError
        A verdict is unknown, the limit is not at least 1, or the offset is negative.
    """
    for verdict in verdicts:
        if verdict not in VERDICTS:
            raise InputError(f"verdict is {verdict!r}; {nearest(verdict, VERDICTS)}")
    if offset < 0:
        raise InputError(f"offset is {offset!r}, expected a whole number of at least 0")
    which = (game_id, agent_id, agent_id)
    found = repo.read(_sql("step_rows"), (*which, ",".join(verdicts), checked_limit(limit), offset))
    if not found:
        return []
    span = (*which, found[0][1], found[-1][1])
    reasons = _by_step(or_nothing(lambda: repo.read(_sql("reasons"), span)))
    changes = _by_step(or_nothing(lambda: repo.read(_sql("summaries"), span)))
    return [_row(row, reasons.get(row[:2]), changes.get(row[:2], "")) for row in found]


def count_steps(
    repo: GameRepository, game_id: str, *, agent_id: str | None = None
) -> dict[Verdict, int]:
    """Return how many steps a game has, or one of its banks, by verdict."""
    found = dict(repo.read(_sql("count_steps"), (game_id, agent_id, agent_id)))
    return {verdict: found.get(verdict, 0) for verdict in VERDICTS}


def step_view(repo: GameRepository, game_id: str, agent_id: str, iteration: int) -> StepView:
    """Return all that the record knows of one step.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    InputError
        The game has no such step; the message names those that it has.
    """
    key = (game_id, agent_id, iteration)
    columns = ", ".join(PolicyIterationRecord.table().columns)
    found = repo.read(_sql("one_step").format(columns=columns), key)
    if not found:
        raise _not_found(repo, *key)
    step = PolicyIterationRecord.from_row(found[0])
    contexts = or_nothing(lambda: repo.get_iteration_contexts(*key))
    diffs = or_nothing(lambda: repo.get_policy_diffs(*key))
    told = _object(contexts[0].context_json) if contexts else {}
    decision = told.get("decision")
    verdict = _verdict(step)
    recorded = decision.get("reason") if isinstance(decision, dict) else None
    return StepView(
        iteration=step,
        verdict=verdict,
        reason=_reason(verdict, step.validation_errors, recorded),
        reasoning=_text(told.get("reasoning")),
        refused=_refused(told.get("refused")),
        diff=diffs[0] if diffs else None,
        context=contexts[0] if contexts else None,
        samples=_paired(
            or_nothing(lambda: repo.get_evaluation_samples(*key)), confidence(repo, game_id)
        ),
        calls=tuple(or_nothing(lambda: repo.get_llm_interactions(*key))),
        old=policy_or_none(step.old_policy_json),
        new=policy_or_none(step.new_policy_json),
    )


def policy_or_none(text: str) -> Policy | None:
    """Return the policy that a text holds, or None where it holds no valid one."""
    try:
        return parse_policy(text)
    except PolicyError:
        return None


def confidence(repo: GameRepository, game_id: str) -> float:
    """Return the confidence that a game file asks for, or the usual one."""
    session = repo.get_game_session(game_id)
    acceptance = _object(session.config_json).get("acceptance") if session else None
    value = acceptance.get("confidence") if isinstance(acceptance, dict) else None
    is_share = isinstance(value, float) and 0.0 < value < 1.0
    return float(value) if is_share and value is not None else USUAL_CONFIDENCE


def _by_step(rows: list[tuple[Any, ...]]) -> dict[tuple[Any, ...], str]:
    return {row[:2]: row[2] for row in rows}


def _row(row: tuple[Any, ...], reason: str | None, change: str) -> StepRow:
    before, (errors, *after) = row[:7], row[7:]
    values = (*before, _reason(row[3], _texts(errors), reason), change, *after)
    return StepRow(*values)


def _paired(samples: Sequence[EvaluationSampleRecord], share: float) -> PairedSamples | None:
    if not samples:
        return None
    # Compiled code lies behind them, which lists of steps do without.
    import numpy as np  # noqa: PLC0415

    from payment_simulator.ai_cash_mgmt.evaluation.inference import interval, mean  # noqa: PLC0415

    differences = tuple(sample.cost_improvement for sample in samples)
    low, high = interval(np.array(differences), share) or (None, None)
    return PairedSamples(
        number=tuple(sample.sample_number for sample in samples),
        seed=tuple(sample.sample_seed for sample in samples),
        old_cost=tuple(sample.old_cost for sample in samples),
        new_cost=tuple(sample.new_cost for sample in samples),
        difference=differences,
        mean=mean(np.array(differences)),
        low=low,
        high=high,
        confidence=share,
    )


def _verdict(step: PolicyIterationRecord) -> Verdict:
    if step.was_accepted:
        return "accepted"
    return "refused" if step.validation_errors else "rejected"


def _reason(verdict: Verdict, errors: Sequence[str], recorded: Any) -> str:
    """Return why a step was decided so; errors say more than that there was no valid proposal."""
    return "; ".join(errors) if verdict == "refused" and errors else _text(recorded)


def _refused(told: Any) -> tuple[RefusedTry, ...]:
    tries = [item for item in told if isinstance(item, dict)] if isinstance(told, list) else []
    return tuple(
        RefusedTry(
            _text(item.get("proposal")),
            tuple(_text(error) for error in errors) if isinstance(errors, list) else (),
        )
        for item in tries
        for errors in [item.get("errors")]
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return [str(item) for item in found] if isinstance(found, list) else [text]


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _not_found(repo: GameRepository, game_id: str, agent_id: str, iteration: int) -> Exception:
    if repo.get_game_session(game_id) is None:
        return GameNotFoundError(game_id, repo.get_game_ids())
    steps = [row[0] for row in repo.read(_sql("iterations_of_bank"), (game_id, agent_id))]
    step = f"game {game_id!r} has no step of {visible(agent_id)!r} in iteration {iteration}"
    if steps:
        return InputError(f"{step}; that bank has iterations {steps[0]} to {steps[-1]}")
    banks = [row[0] for row in repo.read(_sql("banks_with_steps"), (game_id,))]
    return InputError(f"{step}; of banks with steps, {nearest(agent_id, banks)}")


def _sql(name: str) -> str:
    return named_queries("payment_simulator.analysis.sql", "steps.sql")[name]
