"""What a game brought its banks: the tables of outcomes, of kinds of cost, and of steps."""

from __future__ import annotations

import math

from payment_simulator.ai_cash_mgmt.persistence.models import CostKind, GameOutcomeRecord
from payment_simulator.analysis.overview import GameOverview
from payment_simulator.analysis.report.tables import Column, Table, Value
from payment_simulator.analysis.report.texts import parsed
from payment_simulator.wording import counted


def outcome_tables(overview: GameOverview) -> list[Table]:
    """Return what each bank paid at the start and at the end, and for what."""
    outcomes = overview.outcomes
    return [_outcomes(outcomes), _kinds(outcomes)] if outcomes else []


def agent_table(overview: GameOverview) -> Table:
    """Return what each bank's agent did."""
    columns = (
        Column("bank"),
        Column("steps", "count"),
        Column("accepted", "count"),
        Column("rejected", "count"),
        Column("refused", "count"),
        Column("first cost", "money"),
        Column("last cost", "money"),
        Column("least accepted", "money"),
        Column("proposer"),
    )
    rows: list[tuple[Value, ...]] = [
        (
            agent.agent_id,
            agent.steps,
            agent.accepted,
            agent.rejected,
            agent.refused,
            agent.start_cost,
            agent.final_cost,
            agent.best_cost,
            ", ".join(agent.proposers),
        )
        for agent in overview.agents
    ]
    note = (
        "First and last cost are those of the first policy and of the policy in force after the "
        "last step, each as measured in that step, on the days of that step."
    )
    return Table("steps-by-bank", "Steps of each bank", columns, rows, note)


def _outcomes(outcomes: list[GameOutcomeRecord]) -> Table:
    columns = (
        Column("bank"),
        Column("start", "money"),
        Column("end", "money"),
        Column("gain", "money"),
        Column("gain, low", "money"),
        Column("gain, high", "money"),
        Column("gain, relative", "share"),
        Column("settled at start", "share"),
        Column("settled at end", "share"),
    )
    rows: list[tuple[Value, ...]] = [
        (
            found.agent_id,
            found.start_cost,
            found.final_cost,
            found.cost_improvement,
            found.improvement_low,
            found.improvement_high,
            _relative(found.start_cost, found.final_cost),
            found.start_settlement_rate,
            found.final_settlement_rate,
        )
        for found in outcomes
    ]
    has_total = len(outcomes) > 1
    if has_total:
        start = math.fsum(found.start_cost for found in outcomes)
        final = math.fsum(found.final_cost for found in outcomes)
        gain = math.fsum(found.cost_improvement for found in outcomes)
        relative = _relative(start, final)
        rows.append(("all banks", start, final, gain, None, None, relative, None, None))
    return Table(
        "outcomes",
        "What each bank paid under the first policies and under the last",
        columns,
        rows,
        _days(outcomes),
        has_total,
    )


def _relative(start: float, final: float) -> float | None:
    return (start - final) / start if start > 0 else None


def _days(outcomes: list[GameOutcomeRecord]) -> str:
    samples = max(found.num_samples for found in outcomes)
    if samples == 1:
        return "In currency units (cents / 100), of one run, with the same days for start and end."
    shares = {found.confidence for found in outcomes if found.confidence is not None}
    interval = (
        f" Low and high are the ends of the two-sided interval of the mean gain at confidence "
        f"{max(shares):.3g}, by Student\N{RIGHT SINGLE QUOTATION MARK}s t."
        if shares
        else ""
    )
    return (
        f"Means of {counted(samples, 'sample')} on which no step was judged, the same for start "
        f"and end, in currency units (cents / 100).{interval}"
    )


def _kinds(outcomes: list[GameOutcomeRecord]) -> Table:
    by_side = [
        (found.agent_id, side, _costs(text))
        for found in outcomes
        for side, text in (("start", found.start_costs_json), ("end", found.final_costs_json))
    ]
    known = [kind.value for kind in CostKind]
    given = {kind for _, _, costs in by_side for kind, cost in costs.items() if cost}
    kinds = [kind for kind in known if kind in given] + sorted(given - set(known))
    columns = (
        Column("bank"),
        Column("when"),
        *(Column(kind.replace("_", " "), "money") for kind in kinds),
    )
    rows: list[tuple[Value, ...]] = [
        (bank, side, *(costs.get(kind, 0.0) for kind in kinds)) for bank, side, costs in by_side
    ]
    note = (
        "Mean cost of each kind, in currency units; kinds that cost nobody anything are left out."
    )
    return Table("cost-by-kind", "For what it was paid", columns, rows, note)


def _costs(text: str) -> dict[str, float]:
    found = parsed(text)
    costs = found if isinstance(found, dict) else {}
    return {
        str(kind): float(cost)
        for kind, cost in costs.items()
        if isinstance(cost, int | float) and not isinstance(cost, bool)
    }
