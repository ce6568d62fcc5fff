"""What prompts are made of: rules, prices and a bank's own books in words.

Nothing here looks at another bank but for its name. Texts from files and models are data: they
stand between fences that they cannot close, or on one line with control characters written out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from payment_simulator.ai_cash_mgmt.evaluation.own_report import OwnReport
from payment_simulator.ai_cash_mgmt.proposers.base import PastStep, Refusal
from payment_simulator.ai_cash_mgmt.proposers.llm.telling import cents
from payment_simulator.errors import PolicyError
from payment_simulator.policy import Policy, parse_policy
from payment_simulator.policy.diff import diff_policies
from payment_simulator.scenario import Scenario
from payment_simulator.scenario.costs import Penalty
from payment_simulator.wording import number_text, visible

#: A longer line from a file or a model is cut.
_LINE: Final = 300
_MAX_ERRORS: Final = 12
_MAX_CHANGES: Final = 8

_ALGORITHMS: Final[Mapping[str, str]] = {
    "fifo": "one by one in order",
    "bilateral": "offsets between two banks",
    "multilateral": "offsets among all banks",
    "cycles": "chains of banks that pay each other in a ring",
}


def part(title: str, text: str) -> str:
    """Return a part of a prompt under its title."""
    return f"## {title}\n{text}"


def fenced(text: str, language: str = "") -> str:
    """Return a text between fences that are longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def line_of(text: str, length: int = _LINE) -> str:
    """Return a text on one line, control characters written out, cut where it is long."""
    shown = visible(text)
    return shown if len(shown) <= length else f"{shown[:length]}..."


def middle_cut(text: str, length: int) -> str:
    """Return a text of about that length, its middle left out where it is longer."""
    if len(text) <= length:
        return text
    half = max(length // 2, 1)
    return f"{text[:half]}\n[... {len(text) - 2 * half:,} characters left out ...]\n{text[-half:]}"


def rules_of(scenario: Scenario, bank: str) -> list[str]:
    """Say how the payment system works, as far as the scenario has it and a bank is concerned."""
    time = scenario.simulation
    plural = "s" if time.num_days > 1 else ""
    lines = [
        (
            f"- A run has {time.num_days} day{plural} of {time.ticks_per_day} ticks. Ticks count "
            "from 0 through the whole run. Money is in cents."
        ),
        (
            "- Payments of your customers arrive in your Queue 1. Your policy decides when each is "
            "released to the system. A released payment settles at once if your liquidity allows "
            "(your balance and your credit line); otherwise it waits in Queue 2, the system's."
        ),
        "- What you pay is another bank's liquidity, and what others pay is yours.",
        (
            "- In each tick: funding at the open of a day; arrivals; your collateral tree and bank "
            "tree; your payment tree for every payment that waits; then released payments settle "
            f"or wait, and Queue 2 is worked off ({_sequence(scenario)}). Payment trees see the "
            "state before any payment moves."
        ),
        "- A payment is on time up to its deadline tick, and overdue from the tick after.",
    ]
    if scenario.deferred_crediting:
        lines.append("- What you receive in a tick can be used from the next tick on.")
    if scenario.queue_discipline == "strict":
        lines.append(
            "- A payment in Queue 2 cannot overtake one of yours of equal or better class."
        )
    if scenario.entry_disposition_offsetting:
        lines.append(
            "- A payment that cannot settle looks for one in the other direction to offset."
        )
    if scenario.end_of_day == "borrow":
        lines.append(
            "- At the close, what is not settled is settled with money that you borrow for it."
        )
    else:
        lines.append("- What is not settled at the close stays queued for the next day.")
    if scenario.agents[scenario.bank_ids.index(bank)].liquidity_pool:
        when = "each day" if scenario.daily_liquidity_reallocation else "the run"
        lines.append(f"- What is funded at the open of {when} is repaid at its close.")
    return lines


def _sequence(scenario: Scenario) -> str:
    return "; ".join(_ALGORITHMS[name] for name in scenario.algorithms) or "not at all"


def prices_of(scenario: Scenario) -> list[str]:
    """Say what costs how much; only what is charged."""
    charged = scenario.charged_kinds
    return [f"- {kind}: {text}" for kind, text in _prices(scenario) if kind in charged]


def _prices(scenario: Scenario) -> Iterator[tuple[str, str]]:
    rates = scenario.cost_rates
    factors = rates.priority_delay_multipliers
    where = "both queues" if scenario.delay_applies_to == "both_queues" else "Queue 1"
    yield "liquidity", f"{_bps(rates.liquidity_cost_per_tick_bps)} of what is funded, each tick"
    yield "overdraft", f"{_bps(rates.overdraft_bps_per_tick)} of a negative balance, each tick"
    yield "collateral", f"{_bps(rates.collateral_cost_per_tick_bps)} of what is posted, each tick"
    yield (
        "delay",
        (
            f"{number_text(rates.delay_cost_per_tick_per_cent)} cents for each cent that waits in "
            f"{where}, each tick; times {number_text(factors.urgent_multiplier)} for priorities 8 "
            f"to 10, {number_text(factors.normal_multiplier)} for 4 to 7, "
            f"{number_text(factors.low_multiplier)} for 0 to 3; times "
            f"{number_text(rates.overdue_delay_multiplier)} once overdue"
        ),
    )
    yield "deadline_penalty", f"{_penalty(rates.deadline_penalty)} when a payment becomes overdue"
    if scenario.end_of_day == "borrow":
        yield "end_of_day", f"{_bps(rates.eod_borrowing_bps)} of what is borrowed at the close"
    else:
        yield (
            "end_of_day",
            (
                f"{_penalty(rates.eod_penalty)} for each payment that is due and not settled at "
                "the close (of the last day: each that is not settled)"
            ),
        )
    yield "split", f"{number_text(rates.split_friction_cost)} cents for each part beyond the first"


def _bps(value: float) -> str:
    return f"{number_text(value)} basis points"


def _penalty(penalty: Penalty) -> str:
    if penalty.mode == "rate":
        return f"{_bps(penalty.bps_per_event)} of what is not settled"
    return f"{number_text(penalty.amount)} cents"


def bank_of(scenario: Scenario, bank: str) -> str:
    """Return a bank's own section of the scenario as JSON, without its first policy."""
    agent = scenario.agents[scenario.bank_ids.index(bank)]
    section = agent.model_dump(mode="json", exclude={"policy"}, exclude_none=True)
    return json.dumps(section, ensure_ascii=False, indent=1)


def report_of(report: OwnReport, *, is_running: bool) -> list[str]:
    """Say what a bank's books say of the policy in force."""
    plural = "sample" if report.num_samples == 1 else "samples"
    rest = " of what is left of the simulation" if is_running else ""
    lines = [
        (
            f"{report.num_samples} {plural}{rest}: mean cost {cents(report.cost_mean)} cents, "
            f"standard deviation {cents(report.cost_std)}; {report.settlement_rate_mean:.4g} of "
            "the value that you had to pay was settled."
        ),
        "Mean cost by kind, cents:",
    ]
    return lines + [
        f"- {kind}: {cents(cost)}" for kind, cost in report.cost_by_kind.items() if cost
    ]


def past_step(step: PastStep, current: Policy) -> str:
    """Say what was proposed in a step, and what became of it."""
    head = f"- iteration {step.iteration}: "
    if step.errors:
        return f"{head}not valid: {'; '.join(_few(step.errors, 3))}"
    outcome = "accepted" if step.was_accepted else "rejected"
    text = f"{head}{outcome}, mean cost {cents(step.old_cost)} -> {cents(step.new_cost)} cents"
    if step.parameters:
        values = (f"{line_of(name)} = {number_text(v)}" for name, v in step.parameters.items())
        text += f"; parameters: {', '.join(values)}"
    try:
        changes = diff_policies(current, parse_policy(step.policy_json))
    except PolicyError:
        return text
    changes = [
        c for c in changes if not c.startswith(("parameter ", "policy_id", "version", "desc"))
    ]
    if changes:
        text += f"\n  trees, from those in force now: {'; '.join(_few(changes, _MAX_CHANGES))}"
    return text


def refusal(refused: Refusal, number: int, length: int | None = None) -> str:
    """Say what was sent back, and why; the proposal cut in the middle to a length."""
    errors = "\n".join(f"- {error}" for error in _few(refused.errors, _MAX_ERRORS))
    if refused.is_withdrawn:
        return f"Answer {number} held no policy:\n{errors}"
    text = refused.text if length is None else middle_cut(refused.text, length)
    return f"Proposal {number}, refused:\n{fenced(text)}\nErrors:\n{errors}"


def _few(lines: tuple[str, ...] | list[str], most: int) -> list[str]:
    shown = [line_of(line) for line in lines[:most]]
    return shown + ([f"and {len(lines) - most} more"] if len(lines) > most else [])
