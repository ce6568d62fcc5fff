"""A day is told tick by tick, from one bank's own books."""

from __future__ import annotations

import re

import pytest
from tests.bank_situations import THREE_BANKS, three_banks

from payment_simulator.ai_cash_mgmt.proposers.llm.prompt_stories import shortened
from payment_simulator.ai_cash_mgmt.proposers.llm.telling import (
    ToldTick,
    cents,
    tell_day,
    tell_ticks,
)
from payment_simulator.kernels import layout as k
from payment_simulator.scenario import parse_scenario
from payment_simulator.simulation import simulate

TWO_BANKS = """
name: told
simulation: {ticks_per_day: 5, num_days: 1}
end_of_day: %s
cost_rates:
  {liquidity_cost_per_tick_bps: 100, overdraft_bps_per_tick: 0, collateral_cost_per_tick_bps: 0,
   delay_cost_per_tick_per_cent: 0, deadline_penalty: 30, eod_penalty: 20, split_friction_cost: 0,
   eod_borrowing_bps: 0}
lsm_config: {algorithms: [fifo]}
agents:
  - id: A
    opening_balance: 0
    liquidity_pool: 1_000
    policy: {type: InlineJson, json_string: '{"policy_id": "p", "payment_tree": %s}'}
  - {id: B, opening_balance: 5_000}
scenario_events:
%s
"""
RELEASE = '{"action": "Release"}'


def payment(sender, receiver, amount, tick, **more):
    keys = {"deadline": 2, **more}
    given = ", ".join(f"{name}: {value}" for name, value in keys.items())
    return (
        f"  - {{type: CustomTransactionArrival, from_agent: {sender}, to_agent: {receiver}, "
        f"amount: {amount}, {given}, schedule: {{type: OneTime, tick: {tick}}}}}\n"
    )


def told(*events, tree=RELEASE, end="penalty", bank="A", first_tick=0):
    scenario = parse_scenario(TWO_BANKS % (end, tree, "".join(events)))
    return tell_day(simulate(scenario), bank, first_tick=first_tick)


def test_a_day_is_told_tick_by_tick() -> None:
    events = [payment("A", "B", 700, 0), payment("A", "B", 400, 1), payment("B", "A", 250, 3)]
    assert told(*events) == [
        (
            "tick 0: balance 300; cost 10\n"
            "  funded 1,000\n"
            "  #1 arrived (700 to B, due by tick 2, priority 5), released, settled 700 (rtgs)"
        ),
        (
            "tick 1: balance 300; Queue 2: 1 payment, 400; cost 10\n"
            "  #2 arrived (400 to B, due by tick 3, priority 5), released, joined Queue 2 with 400"
        ),
        "tick 2: balance 300; Queue 2: 1 payment, 400; cost 10",
        "tick 3: balance 150; cost 10\n  received from B: 250\n  #2 settled 400 (fifo)",
        "tick 4: balance -850; cost 10\n  repaid of the funding: 1,000",
    ]


def test_what_is_late_and_left_is_told() -> None:
    lines = "\n".join(told(payment("A", "B", 2_000, 0, deadline=1)))
    assert "#1 charged 30 (deadline_penalty), overdue with 2,000" in lines
    assert "charged at the close: 20" in lines


def test_borrowing_at_the_close_is_told() -> None:
    lines = told(payment("A", "B", 1_500, 0), end="borrow")
    assert "borrowed at the close: 500" in lines[-1]
    assert "#1 settled 1,500 (end_of_day_borrowing)" in lines[-1]


def test_the_parts_of_a_split_have_numbers_of_their_own() -> None:
    split = '{"action": "Split", "parameters": {"num_splits": {"value": 2}}}'
    first = told(payment("A", "B", 701, 0), tree=split)[0]
    assert "#1 arrived (701 to B, due by tick 2, priority 5), split into #2 of 350 + #3 of 351" in (
        first
    )
    assert "#3 released, settled 351 (rtgs)" in first


def test_quiet_ticks_that_are_alike_are_told_once() -> None:
    lines = told(payment("A", "B", 700, 0))
    assert lines[1:] == [
        "ticks 1 to 3: balance 300; cost 10 each",
        "tick 4: balance -700; cost 10\n  repaid of the funding: 1,000",
    ]


def test_a_story_can_begin_later() -> None:
    events = [payment("A", "B", 700, 0), payment("B", "A", 250, 3)]
    assert told(*events, first_tick=3) == told(*events)[-2:]


@pytest.mark.parametrize("bank", ["BANK_A", "BANK_B", "BANK_C"])
def test_costs_and_ticks_add_up(bank: str) -> None:
    run = simulate(three_banks())
    ticks = tell_ticks(run, bank)
    assert [t.first for t in ticks[1:]] == [t.last + 1 for t in ticks[:-1]]
    assert (ticks[0].first, ticks[-1].last) == (0, run.n_ticks - 1)
    # What is charged at the close of the last day belongs to the last tick.
    assert sum(t.cost for t in ticks) == pytest.approx(run.total_costs[bank])


def test_every_own_payment_is_told_and_no_other() -> None:
    run = simulate(three_banks())
    text = "\n".join(tell_day(run, "BANK_A"))
    own = [row for row in run.pay.tolist() if row[k.P_SENDER] == 0]
    arrived = re.findall(r"#(\d+) arrived \(([\d,]+) to", text)
    assert [int(amount.replace(",", "")) for _, amount in arrived] == [r[k.P_AMOUNT] for r in own]
    # Numbered among themselves: the system has more payments than the bank.
    assert [int(number) for number, _ in arrived] == list(range(1, len(own) + 1))
    assert len(own) < len(run.pay)
    received = sum(
        int(amount.replace(",", ""))
        for amounts in re.findall(r"received from \w+: ([\d,]+(?:, [\d,]+)*)$", text, re.MULTILINE)
        for amount in re.split(r", ", amounts)
    )
    # Within a day the trace adds up.
    assert received == run.trace[[5, 11], 0, k.T_RECEIVED].sum() > 0


def test_other_banks_are_told_of_only_as_they_pay_or_are_paid() -> None:
    text = "\n".join(tell_day(simulate(three_banks()), "BANK_A"))
    for line in re.findall(r".*BANK_[BC].*", text):
        assert re.search(r"^  (#\d+ arrived \([\d,]+ to|received from) BANK_[BC]", line), line


def test_a_direct_transfer_is_told_to_both_ends_alone() -> None:
    run = simulate(parse_scenario(THREE_BANKS))
    texts = {bank: "\n".join(tell_day(run, bank)) for bank in run.scenario.bank_ids}
    assert "sent by direct transfer: 271,828 to BANK_B" in texts["BANK_C"]
    assert "received from BANK_C by direct transfer: 271,828" in texts["BANK_B"]
    assert "transfer" not in texts["BANK_A"]


STORY = [ToldTick(n, n, 1.0, f"tick {n}: " + "x" * 50) for n in range(20)]


@pytest.mark.parametrize("room", [0, 30, 100, 130, 200, 500, 1_000, 1_199, 1_200, 5_000])
def test_a_shortened_story_keeps_its_ends_and_says_what_is_missing(room: int) -> None:
    text, left_out = shortened(STORY, room)
    assert len(text) <= room
    whole = "\n".join(tick.text for tick in STORY)
    if room >= len(whole):
        assert (text, left_out) == (whole, None)
    elif not text:
        assert left_out == "ticks 0 to 19"
    else:
        lines = text.split("\n")
        gap = next(n for n, line in enumerate(lines) if line.startswith("["))
        kept = [tick.text for tick in STORY]
        missing = len(STORY) - len(lines) + 1
        assert lines[:gap] == kept[:gap]
        assert lines[gap + 1 :] == kept[gap + missing :]
        assert lines[gap].startswith(f"[{left_out} left out here; they cost {missing}")
        assert gap >= 1


def test_costs_are_rounded_to_the_hundredth() -> None:
    assert [cents(v) for v in (0.0, 12.345678, -0.001, 1_000_000.5)] == [
        "0",
        "12.35",
        "0",
        "1,000,000.5",
    ]
