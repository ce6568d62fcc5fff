"""The forms of policy files: keys, operations and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from payment_simulator.policy.tree import TREES

#: The most nodes from the root of a tree to a leaf.
MAX_DEPTH: Final = 100
#: The most conditions and values nested in one another.
MAX_EXPRESSION: Final = 100
#: The most nodes, conditions and values in a policy; YAML aliases can make few bytes many.
MAX_PARTS: Final = 100_000
#: The most characters of an identifier.
MAX_NAME: Final = 200

TEXT_KEYS: Final = ("version", "policy_id", "description")
POLICY_KEYS: Final = (*TEXT_KEYS, "parameters", *TREES)
CONDITION_KEYS: Final = ("condition", "on_true", "on_false")
ACTION_KEYS: Final = ("action", "parameters")

#: The parameter that the engine itself reads: the share of the pool to fund at the open.
FRACTION: Final = "initial_liquidity_fraction"

COMPARISONS: Final = ("==", "!=", "<", "<=", ">", ">=")
LOGIC: Final[Mapping[str, str]] = MappingProxyType(
    {"and": "conditions", "or": "conditions", "not": "condition"}
)
#: Operations on values with the keys of what they take; ``values`` is a list.
OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **dict.fromkeys(("+", "-", "*", "/"), ("left", "right")),
        **dict.fromkeys(("max", "min"), ("values",)),
        **dict.fromkeys(("ceil", "floor", "round", "abs"), ("value",)),
        "clamp": ("value", "min", "max"),
        "div0": ("numerator", "denominator", "default"),
    }
)
VALUE_FORMS: Final = ("field", "param", "value", "compute")
