"""Short policies written by hand, for scenarios in which something is to happen."""

from __future__ import annotations

from typing import Any

from payment_simulator.policy import Policy, parse_policy

Keys = dict[str, Any]

#: Policies that let most payments out, so that the system has something to do.
_PLAIN: tuple[Keys, ...] = (
    {"action": "Release"},
    {"action": "Release", "parameters": {"priority_flag": "HIGH"}},
    {
        "condition": {"op": "<=", "left": {"field": "ticks_to_deadline"}, "right": {"value": 2}},
        "on_true": {"action": "Release", "parameters": {"priority_flag": "MEDIUM"}},
        "on_false": {"action": "Hold"},
    },
    {
        "condition": {"op": "==", "left": {"field": "is_in_queue2"}, "right": {"value": 1}},
        "on_true": {"action": "WithdrawFromRtgs"},
        "on_false": {"action": "Release"},
    },
    {
        "condition": {"op": ">=", "left": {"field": "queue_age"}, "right": {"value": 3}},
        "on_true": {"action": "ResubmitToRtgs", "parameters": {"rtgs_priority": "HighlyUrgent"}},
        "on_false": {"action": "Release"},
    },
    {
        "condition": {"op": "==", "left": {"field": "is_split"}, "right": {"value": 1}},
        "on_true": {"action": "Release"},
        "on_false": {
            "action": "StaggerSplit",
            "parameters": {
                "num_splits": {"value": 3},
                "stagger_first_now": {"value": 1},
                "stagger_gap_ticks": {"value": 2},
                "priority_boost_children": {"value": 2},
            },
        },
    },
    # Stops the run where a bank holds no cent.
    {
        "condition": {
            "op": ">",
            "left": {
                "compute": {"op": "/", "left": {"field": "amount"}, "right": {"field": "balance"}}
            },
            "right": {"value": 9},
        },
        "on_true": {"action": "Hold"},
        "on_false": {"action": "Release"},
    },
)


def plain_policies(n: int = len(_PLAIN)) -> list[Policy]:
    """Return short policies written by hand, the most harmless first."""
    return [
        parse_policy({"version": "1", "policy_id": f"plain {number}", "payment_tree": tree})
        for number, tree in enumerate(_PLAIN[:n])
    ]
