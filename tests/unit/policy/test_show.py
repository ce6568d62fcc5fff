"""Policies drawn and told."""

from __future__ import annotations

from typing import Any

import pytest

from payment_simulator.policy import ACTIONS, Policy, builtin, parse_policy
from payment_simulator.policy.fields import FIELDS
from payment_simulator.policy.formulas import condition_formula
from payment_simulator.policy.phrases import _FLAGS, _ORDERS, Speaker
from payment_simulator.policy.show import draw_policy, parameter_texts, tell_policy
from payment_simulator.policy.tree import (
    ActionNode,
    And,
    Compare,
    Compute,
    Condition,
    ConditionNode,
    Field,
    Not,
    Number,
    Or,
    Param,
    Value,
)

LIQUIDITY, AMOUNT = Field("available_liquidity"), Field("remaining_amount")
COVERED = "remaining amount is less than available liquidity"
STAGGERED = "release 1 now and one more every 3 ticks"
LEFT = Compute("-", (LIQUIDITY, AMOUNT))


def test_a_drawing():
    policy = builtin("liquidity_aware")
    assert draw_policy(policy).split("\n") == [
        "payment_tree",
        "is_urgent: ticks_to_deadline <= urgency_threshold (5)",
        "├─ yes: release_urgent: Release",
        "└─ no: leaves_buffer: available_liquidity - remaining_amount >= target_buffer (100,000)",
        "   ├─ yes: release: Release",
        "   └─ no: hold: Hold",
    ]


def test_branches_of_branches_are_joined():
    leaf = {"action": "Hold"}
    fork: dict[str, Any] = {
        "condition": {"op": "<", "left": {"field": "priority"}, "right": {"value": 5}},
        "on_true": leaf,
        "on_false": leaf,
    }
    policy = parse_policy({"policy_id": "x", "payment_tree": {**fork, "on_true": fork}})
    assert draw_policy(policy).split("\n")[1:] == [
        "n1: priority < 5",
        "├─ yes: n2: priority < 5",
        "│  ├─ yes: n3: Hold",
        "│  └─ no: n4: Hold",
        "└─ no: n5: Hold",
    ]
    assert tell_policy(policy).split("\n")[1:] == [
        "  If priority is less than 5:",
        "    If priority is less than 5: hold it.",
        "    Otherwise: hold it.",
        "  Otherwise: hold it.",
    ]


def test_trees_are_told_in_the_order_of_a_tick():
    policy = builtin("aggressive")
    assert draw_policy(policy).startswith("strategic_collateral_tree\nlacks_liquidity: ")
    assert "\n\npayment_tree\nrelease: ReleaseWithCredit (priority_flag: HIGH)" in draw_policy(
        policy
    )
    assert tell_policy(policy).split("\n")[-2:] == [
        "Every payment, at every tick:",
        "  Release it, on credit too with priority HIGH.",
    ]


def test_a_policy_without_trees():
    assert draw_policy(Policy("x")) == "no trees: every payment is released at once"
    assert tell_policy(Policy("x")) == "Every payment, at every tick:\n  Release it."


CLAUSES: list[tuple[Condition, str]] = [
    (
        Compare("<", Field("ticks_to_deadline"), Number(2)),
        "less than 2 ticks are left to its deadline",
    ),
    (
        Compare("<=", Field("ticks_to_deadline"), Number(1)),
        "at most 1 tick is left to its deadline",
    ),
    (Compare("==", Field("is_split"), Number(1)), "it is a part of a split"),
    (Compare("!=", Field("is_split"), Number(1)), "it is not a part of a split"),
    (Compare("<", Field("is_split"), Number(0.5)), "it is not a part of a split"),
    (Compare(">=", Field("is_split"), Number(0)), "is split is at least 0"),
    (Compare("<", Field("balance"), Number(-1e6)), "balance is less than -1,000,000 cents"),
    (Compare(">", Field("queue_age"), Number(1)), "queue age is more than 1 tick"),
    (
        Compare(">", LEFT, Param("buffer")),
        "available liquidity less remaining amount is more than buffer (7) cents",
    ),
    (Compare("==", Field("bank_state_x"), Number(0.1)), "bank state x is 0.1"),
    (
        And((Compare("<", AMOUNT, LIQUIDITY), Not(Compare("==", Field("is_eod_rush"), Number(1))))),
        f"{COVERED} and (it is not so that the end of the day is near)",
    ),
    (
        Or(
            (
                Compare("<", AMOUNT, LIQUIDITY),
                Compare("<", AMOUNT, Field("balance")),
                And((Compare("==", Field("priority"), Number(9)),)),
            )
        ),
        f"{COVERED}, remaining amount is less than balance or (priority is 9)",
    ),
]


@pytest.mark.parametrize(("condition", "told"), CLAUSES, ids=[row[1][:40] for row in CLAUSES])
def test_conditions_in_words(condition: Condition, told: str):
    assert Speaker({"buffer": 7.0}).condition(condition) == told


VALUES: list[tuple[Value, str, str]] = [
    (
        Compute("*", (LEFT, Number(2))),
        "(available liquidity less remaining amount) times 2",
        "(available_liquidity - remaining_amount) * 2",
    ),
    (Compute("/", (AMOUNT, Number(2))), "remaining amount over 2", "remaining_amount / 2"),
    (
        Compute("max", (AMOUNT, Number(2))),
        "the larger of remaining amount and 2",
        "max(remaining_amount, 2)",
    ),
    (
        Compute("min", (AMOUNT, Number(2), LIQUIDITY)),
        "the smallest of remaining amount, 2 and available liquidity",
        "min(remaining_amount, 2, available_liquidity)",
    ),
    (Compute("max", (AMOUNT,)), "remaining amount", "max(remaining_amount)"),
    (
        Compute("floor", (LEFT,)),
        "(available liquidity less remaining amount) rounded down",
        "floor(available_liquidity - remaining_amount)",
    ),
    (Compute("ceil", (AMOUNT,)), "remaining amount rounded up", "ceil(remaining_amount)"),
    (Compute("round", (AMOUNT,)), "remaining amount rounded", "round(remaining_amount)"),
    (Compute("abs", (AMOUNT,)), "the size of remaining amount", "abs(remaining_amount)"),
    (
        Compute("clamp", (AMOUNT, Number(0), Number(9))),
        "remaining amount kept between 0 and 9",
        "clamp(remaining_amount, 0, 9)",
    ),
    (
        Compute("div0", (AMOUNT, LIQUIDITY, Number(1))),
        "remaining amount over available liquidity, or 1 where that is 0",
        "div0(remaining_amount, available_liquidity, 1)",
    ),
    (Param("odd name"), '"odd name"', '"odd name"'),
    (Number(1e300), "1e+300", "1e+300"),
]


@pytest.mark.parametrize(("value", "told", "formula"), VALUES, ids=[row[2] for row in VALUES])
def test_values_in_words_and_formulas(value: Value, told: str, formula: str):
    assert Speaker({}).value(value) == told
    assert condition_formula(Compare("<", value, Number(1))) == f"{formula} < 1"


def test_conditions_as_formulas():
    low = Compare("<", AMOUNT, Number(1))
    condition = Or((And((low, Not(low))), low))
    assert condition_formula(condition) == (
        "(remaining_amount < 1 and not (remaining_amount < 1)) or remaining_amount < 1"
    )


ORDERS = [
    (ActionNode("a", "Release", {"timed_for_tick": Number(9)}), "release it at tick 9"),
    (ActionNode("a", "Hold", {"reason": "no liquidity"}), 'hold it ["no liquidity"]'),
    (
        ActionNode(
            "a",
            "SetReleaseBudget",
            {
                "max_value_to_release": Number(5000),
                "focus_counterparties": ("A", "B C"),
                "max_per_counterparty": Number(10),
            },
        ),
        'release at most 5,000 cents in this tick, only to A, "B C", at most 10 cents to each bank',
    ),
    (
        ActionNode(
            "a",
            "StaggerSplit",
            {
                "num_splits": Number(4),
                "stagger_first_now": Number(1),
                "stagger_gap_ticks": Number(3),
                "priority_boost_children": Number(1),
            },
        ),
        f"split it into 4 parts, {STAGGERED}, their priority raised by 1",
    ),
    (
        ActionNode(
            "a", "PostCollateral", {"amount": Number(100), "auto_withdraw_after_ticks": Number(6)}
        ),
        "post 100 cents of collateral and take it back after 6 ticks",
    ),
    (
        ActionNode("a", "AddState", {"key": "bank_state_n", "value": Number(1)}),
        "add 1 to bank_state_n",
    ),
]


@pytest.mark.parametrize(("node", "told"), ORDERS, ids=[row[1][:30] for row in ORDERS])
def test_actions_in_words(node: ActionNode, told: str):
    assert Speaker({}).action(node) == told


def test_every_action_and_flag_has_words():
    assert set(_ORDERS) == set(ACTIONS)
    assert set(_FLAGS) == {name for name, info in FIELDS.items() if info.unit == "flag"}


def test_texts_of_a_file_stay_texts():
    evil = "\x1b[2J\u202e\n[bold]"
    condition = Compare("<", Param(evil), Number(1))
    leaf = ActionNode(evil, "Hold", {"reason": evil})
    policy = Policy(
        evil, parameters={evil: 1.0}, payment_tree=ConditionNode(evil, condition, leaf, leaf)
    )
    for text in (draw_policy(policy), tell_policy(policy)):
        assert all(line.isprintable() for line in text.split("\n"))
        assert "\\x1b[2J\\u202e\\n[bold]" in text
    assert parameter_texts(policy) == [('"\\x1b[2J\\u202e\\n[bold]"', "1")]
