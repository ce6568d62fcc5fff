"""What the record keeps of a step, and the two ways to write it: to save it, or to compare it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import (
    IterationContextRecord,
    LLMInteractionRecord,
    PolicyDiffRecord,
    PolicyIterationRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.seals import step_seal
from payment_simulator.ai_cash_mgmt.proposers.base import Refusal, Tried
from payment_simulator.ai_cash_mgmt.step import Step
from payment_simulator.policy import Policy, to_json
from payment_simulator.policy.diff import diff_policies
from payment_simulator.policy.tree import TREES
from payment_simulator.policy.write import node_dict


@dataclass(frozen=True)
class StepRecords:
    """The rows of one step.

    Attributes
    ----------
    iteration : PolicyIterationRecord
    context : IterationContextRecord
    diff : PolicyDiffRecord or None
        None where there was no valid proposal.
    samples : dict of str to list
        Columns of the table of evaluation samples.
    """

    iteration: PolicyIterationRecord
    context: IterationContextRecord
    diff: PolicyDiffRecord | None
    samples: dict[str, list[Any]]


def records_of(
    game_id: str,
    step: Step,
    calls: Sequence[LLMInteractionRecord] = (),
    now: datetime | None = None,
) -> StepRecords:
    """Return the rows of a step.

    Parameters
    ----------
    game_id : str
    step : Step
    calls : sequence of LLMInteractionRecord
        The calls of models that it was made of.
    now : datetime, optional
        When it is recorded.
    """
    key = {
        "game_id": game_id,
        "agent_id": step.bank,
        "iteration_number": step.iteration,
    }
    iteration = _iteration(key, step, now or datetime.now(UTC))
    context = _context(key, step)
    return StepRecords(
        iteration=iteration,
        context=context.replace(seal_sha256=step_seal(iteration, context, calls)),
        diff=_diff(key, step),
        samples=_samples(key, step),
    )


def _iteration(key: dict[str, Any], step: Step, now: datetime) -> PolicyIterationRecord:
    return PolicyIterationRecord(
        **key,
        trigger_tick=step.trigger_tick,
        old_policy_json=to_json(step.old),
        new_policy_json=step.new_text,
        old_cost=step.old_cost,
        new_cost=step.new_cost,
        cost_improvement=step.old_cost - step.new_cost,
        was_accepted=step.decision.is_accepted,
        validation_errors=list(step.errors),
        llm_model=step.label,
        llm_latency_seconds=step.latency_seconds,
        tokens_used=step.tokens_used,
        created_at=now,
    )


def _context(key: dict[str, Any], step: Step) -> IterationContextRecord:
    report, shown = step.report, step.shown
    more: dict[str, Any] = {
        "past_steps": step.n_past,
        "refused": [_refused(refused) for refused in step.refused],
        "reasoning": step.reasoning,
        "decision": {
            "accepted": step.decision.is_accepted,
            "reason": step.decision.reason,
            "lower_bound": step.decision.lower_bound,
            "error_spent": step.decision.error_spent,
        },
    }
    if shown.tried:
        more["tried"] = [_tried(tried) for tried in shown.tried]
    return IterationContextRecord(
        **key,
        num_samples=report.num_samples,
        cost_mean=report.cost_mean,
        cost_std=report.cost_std,
        settlement_rate_mean=report.settlement_rate_mean,
        cost_breakdown_json=json.dumps(dict(report.cost_by_kind)),
        best_seed=report.best_seed,
        best_seed_cost=report.best_cost,
        best_seed_verbose_output=shown.best_day,
        worst_seed=report.worst_seed,
        worst_seed_cost=report.worst_cost,
        worst_seed_verbose_output=shown.worst_day,
        context_json=json.dumps(more, ensure_ascii=False),
        omissions_json=json.dumps(list(shown.omissions), ensure_ascii=False),
    )


def _refused(refused: Refusal) -> dict[str, Any]:
    told: dict[str, Any] = {"proposal": refused.text, "errors": list(refused.errors)}
    return told | ({"withdrawn": True} if refused.is_withdrawn else {})


def _tried(tried: Tried) -> dict[str, Any]:
    # JSON has no infinite numbers: a policy under which a run stops has no cost.
    cost = tried.cost if math.isfinite(tried.cost) else None
    return {"values": list(tried.values), "days": tried.days, "cost": cost}


def _diff(key: dict[str, Any], step: Step) -> PolicyDiffRecord | None:
    if step.new is None:
        return None
    old, new = step.old, step.new
    changes = {
        name: {"old": old.parameters.get(name), "new": new.parameters.get(name)}
        for name in sorted({*old.parameters, *new.parameters})
        if old.parameters.get(name) != new.parameters.get(name)
    }
    changed = [name for name in TREES if getattr(old, name) != getattr(new, name)]
    trees = {name: {"old": _tree(old, name), "new": _tree(new, name)} for name in changed}
    return PolicyDiffRecord(
        **key,
        diff_summary="\n".join(diff_policies(old, new)) or "nothing changed",
        parameter_changes_json=json.dumps(changes),
        tree_changes_json=json.dumps(trees, ensure_ascii=False),
        payment_tree_changed="payment_tree" in changed,
        bank_tree_changed="bank_tree" in changed,
        strategic_collateral_tree_changed="strategic_collateral_tree" in changed,
        end_of_tick_collateral_tree_changed="end_of_tick_collateral_tree" in changed,
    )


def _tree(policy: Policy, name: str) -> Any:
    tree = getattr(policy, name)
    return None if tree is None else node_dict(tree)


def _samples(key: dict[str, Any], step: Step) -> dict[str, list[Any]]:
    found = step.evaluation
    n = len(found.seeds)
    return {
        **{name: [value] * n for name, value in key.items()},
        "sample_number": list(range(1, n + 1)),
        "sample_seed": list(found.seeds),
        "old_cost": found.old_cost.tolist(),
        "new_cost": found.new_cost.tolist(),
        "cost_improvement": (found.old_cost - found.new_cost).tolist(),
        "old_settlement_rate": found.old_rate.tolist(),
        "new_settlement_rate": found.new_rate.tolist(),
    }
