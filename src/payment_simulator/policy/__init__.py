"""Policies: how a bank decides, as decision trees in JSON."""

from __future__ import annotations

from payment_simulator.policy.actions import ACTIONS
from payment_simulator.policy.check import check_policy
from payment_simulator.policy.fields import FIELDS
from payment_simulator.policy.library import builtin, builtin_names
from payment_simulator.policy.parse import load_policy, parse_policy
from payment_simulator.policy.tree import Policy
from payment_simulator.policy.write import to_dict, to_json

__all__ = [
    "ACTIONS",
    "FIELDS",
    "Policy",
    "builtin",
    "builtin_names",
    "check_policy",
    "load_policy",
    "parse_policy",
    "to_dict",
    "to_json",
]
