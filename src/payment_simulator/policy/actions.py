"""What a decision tree can do: one table of every action with its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

#: What a parameter holds: a value to compute, a word, or names of banks.
ParameterKind = Literal["value", "word", "names"]

PAYMENT_TREES: Final = ("payment_tree",)
BANK_TREES: Final = ("bank_tree",)
COLLATERAL_TREES: Final = ("strategic_collateral_tree", "end_of_tick_collateral_tree")


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """What there is to know about a parameter of an action.

    Attributes
    ----------
    name : str
        As trees write it.
    kind : {"value", "word", "names"}
        What it holds.
    meaning : str
        One sentence.
    required : bool
        Whether the action needs it.
    choices : tuple of str
        Words that are admitted; empty if the word is free.
    low, high : float, optional
        Bounds of a value that is written as a number. What is computed is bounded by the engine.
    """

    name: str
    kind: ParameterKind
    meaning: str
    required: bool = True
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class ActionInfo:
    """What there is to know about an action.

    Attributes
    ----------
    name : str
        As trees write it.
    trees : tuple of str
        The trees in which it may stand.
    parameters : tuple of ParameterInfo
        In the order in which they are written.
    meaning : str
        One sentence.
    """

    name: str
    trees: tuple[str, ...]
    parameters: tuple[ParameterInfo, ...]
    meaning: str

    def parameter(self, name: str) -> ParameterInfo | None:
        """Return what is known of a parameter; None if the action has none of this name."""
        return next((info for info in self.parameters if info.name == name), None)


_REASON = ParameterInfo("reason", "word", "Why, for people; nothing acts on it.", required=False)
_RELEASE = (
    ParameterInfo(
        "priority_flag",
        "word",
        "RTGS class: highly urgent, urgent or normal.",
        required=False,
        choices=("HIGH", "MEDIUM", "LOW"),
    ),
    ParameterInfo(
        "timed_for_tick",
        "value",
        "Tick of the run at which it is released, if that is later than now.",
        required=False,
        low=0,
    ),
)
_PARTS = ParameterInfo(
    "num_splits", "value", "Number of parts, rounded down; below 2 it is a release.", low=2
)
_STAGGER = (
    _PARTS,
    ParameterInfo("stagger_first_now", "value", "How many parts are released now.", low=0),
    ParameterInfo(
        "stagger_gap_ticks", "value", "Ticks between the later parts, at least 1.", low=1
    ),
    ParameterInfo(
        "priority_boost_children",
        "value",
        "What is added to the priority of the parts; 0 if it is not given.",
        required=False,
        low=0,
        high=10,
    ),
)
_REGISTER = (
    ParameterInfo("key", "word", "Name of the register, `bank_state_` and more."),
    ParameterInfo("value", "value", "The number."),
    _REASON,
)
_BUDGET = (
    ParameterInfo(
        "max_value_to_release", "value", "The most cents that may be released in this tick.", low=0
    ),
    ParameterInfo(
        "focus_counterparties",
        "names",
        "Banks to which payments may be released; all if it is not given.",
        required=False,
    ),
    ParameterInfo(
        "max_per_counterparty",
        "value",
        "The most cents that may be released to one bank.",
        required=False,
        low=0,
    ),
)
_CENTS = ParameterInfo("amount", "value", "Cents, rounded down.", low=0)
_POST = (
    _CENTS,
    _REASON,
    ParameterInfo(
        "auto_withdraw_after_ticks",
        "value",
        "Ticks after which what was posted is taken back.",
        required=False,
        low=1,
    ),
)

_ALL: Final = (
    ActionInfo("Release", PAYMENT_TREES, _RELEASE, "Hand the payment to the system."),
    ActionInfo(
        "ReleaseWithCredit",
        PAYMENT_TREES,
        _RELEASE,
        "The same as `Release`, and says that credit is meant to be used.",
    ),
    ActionInfo(
        "Split", PAYMENT_TREES, (_PARTS,), "Split the payment into equal parts and release them."
    ),
    ActionInfo("PaceAndRelease", PAYMENT_TREES, (_PARTS,), "The same as `Split`."),
    ActionInfo(
        "StaggerSplit",
        PAYMENT_TREES,
        _STAGGER,
        "Split the payment, release the first parts now and the others one by one later.",
    ),
    ActionInfo("Hold", PAYMENT_TREES, (_REASON,), "Leave the payment where it is."),
    ActionInfo(
        "Drop",
        PAYMENT_TREES,
        (),
        "Never pay it; it costs on as if it waited.",
    ),
    ActionInfo(
        "Reprioritize",
        PAYMENT_TREES,
        (
            ParameterInfo(
                "new_priority", "value", "Priority, 0 to 10, rounded down.", low=0, high=10
            ),
        ),
        "Give the payment another priority.",
    ),
    ActionInfo(
        "WithdrawFromRtgs",
        PAYMENT_TREES,
        (),
        "Take a payment in Queue 2 back to the end of Queue 1.",
    ),
    ActionInfo(
        "ResubmitToRtgs",
        PAYMENT_TREES,
        (
            ParameterInfo(
                "rtgs_priority",
                "word",
                "The RTGS class.",
                choices=("HighlyUrgent", "Urgent", "Normal"),
            ),
        ),
        "Give a payment in Queue 2 another RTGS class and the last place in it.",
    ),
    ActionInfo(
        "SetReleaseBudget", BANK_TREES, _BUDGET, "Bound what the bank releases in this tick."
    ),
    ActionInfo("SetState", BANK_TREES, _REGISTER, "Set a state register to a number."),
    ActionInfo("AddState", BANK_TREES, _REGISTER, "Add a number to a state register."),
    ActionInfo("NoAction", BANK_TREES, (), "Do nothing."),
    ActionInfo(
        "PostCollateral",
        COLLATERAL_TREES,
        _POST,
        "Post collateral, at most the capacity that is left.",
    ),
    ActionInfo(
        "WithdrawCollateral",
        COLLATERAL_TREES,
        (_CENTS, _REASON),
        "Take collateral back, as far as liquidity stays at zero or above.",
    ),
    ActionInfo("HoldCollateral", COLLATERAL_TREES, (), "Leave collateral as it is."),
)

#: Every action by name.
ACTIONS: Final[Mapping[str, ActionInfo]] = MappingProxyType({info.name: info for info in _ALL})
