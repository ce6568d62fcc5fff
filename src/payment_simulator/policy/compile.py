"""Trees into programs: what the engine walks (see :mod:`payment_simulator.kernels.opcodes`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from payment_simulator.errors import PolicyError
from payment_simulator.kernels import field_codes
from payment_simulator.kernels import opcodes as o
from payment_simulator.kernels.layout import (
    F_CONST,
    NONE,
    REGISTERS,
    STACK,
    USES_NEAREST,
    USES_QUEUE2,
    Floats,
    Ints,
)
from payment_simulator.policy.tree import (
    TREES,
    ActionNode,
    And,
    Compare,
    Compute,
    Condition,
    Field,
    Node,
    Not,
    Number,
    Param,
    Policy,
    Value,
)

_REGISTER = "bank_state_"
_OPERATIONS = {
    "+": o.OP_ADD,
    "-": o.OP_SUBTRACT,
    "*": o.OP_MULTIPLY,
    "/": o.OP_DIVIDE,
    "div0": o.OP_DIV0,
    "max": o.OP_MAX,
    "min": o.OP_MIN,
    "ceil": o.OP_CEIL,
    "floor": o.OP_FLOOR,
    "round": o.OP_ROUND,
    "abs": o.OP_ABS,
    "clamp": o.OP_CLAMP,
}
_JUMPS = {
    "==": o.OP_JUMP_UNLESS_EQ,
    "!=": o.OP_JUMP_UNLESS_NE,
    "<": o.OP_JUMP_UNLESS_LT,
    "<=": o.OP_JUMP_UNLESS_LE,
    ">": o.OP_JUMP_UNLESS_GT,
    ">=": o.OP_JUMP_UNLESS_GE,
}
_FLAGS = {"HIGH": 0, "MEDIUM": 1, "LOW": 2, "HighlyUrgent": 0, "Urgent": 1, "Normal": 2}
#: Actions with their code and arguments in the order in which a leaf leaves them; an argument that
#: is not given counts as NONE.
_ACTIONS: dict[str, tuple[int, tuple[str, ...]]] = {
    "Release": (o.ACTION_RELEASE, ("priority_flag", "timed_for_tick")),
    "ReleaseWithCredit": (o.ACTION_RELEASE, ("priority_flag", "timed_for_tick")),
    "Split": (o.ACTION_SPLIT, ("num_splits",)),
    "PaceAndRelease": (o.ACTION_SPLIT, ("num_splits",)),
    "StaggerSplit": (
        o.ACTION_STAGGER,
        ("num_splits", "stagger_first_now", "stagger_gap_ticks", "priority_boost_children"),
    ),
    "Hold": (o.ACTION_NONE, ()),
    "Drop": (o.ACTION_DROP, ()),
    "Reprioritize": (o.ACTION_REPRIORITIZE, ("new_priority",)),
    "WithdrawFromRtgs": (o.ACTION_WITHDRAW, ()),
    "ResubmitToRtgs": (o.ACTION_RESUBMIT, ("rtgs_priority",)),
    "SetReleaseBudget": (
        o.ACTION_BUDGET,
        ("max_value_to_release", "focus_counterparties", "max_per_counterparty"),
    ),
    "SetState": (o.ACTION_SET_STATE, ("key", "value")),
    "AddState": (o.ACTION_ADD_STATE, ("key", "value")),
    "NoAction": (o.ACTION_NONE, ()),
    "PostCollateral": (o.ACTION_POST, ("amount", "auto_withdraw_after_ticks")),
    "WithdrawCollateral": (o.ACTION_TAKE_BACK, ("amount",)),
    "HoldCollateral": (o.ACTION_NONE, ()),
}
#: Numbers that may be left out; what is given counts as zero where it is negative.
_OPTIONAL = ("timed_for_tick", "max_per_counterparty", "auto_withdraw_after_ticks")
#: What stands for an argument that is not given, where it is not NONE.
_ABSENT = {
    "priority_boost_children": 0.0,
    "max_per_counterparty": o.NOT_GIVEN,
    "auto_withdraw_after_ticks": o.NOT_GIVEN,
}
_NEAREST = ("queue2_nearest_deadline", "ticks_to_nearest_queue2_deadline")


@dataclass(frozen=True)
class Program:
    """All trees of all policy profiles of a run.

    Attributes
    ----------
    code : ndarray[int64], shape (instructions, 2)
    const : ndarray[float64], shape (constants,)
    start : ndarray[int64], shape (profiles, banks, 4)
        First instruction of each tree in the order of ``TREES``, or NONE.
    uses : ndarray[int64], shape (profiles, banks)
        What the engine must prepare for a policy.
    focus : ndarray[int64], shape (lists, banks)
        1 where a bank is among ``focus_counterparties``.
    registers : tuple of tuple of tuple of str
        Names of the registers by profile and bank.
    has_timers : bool
        Whether any policy posts collateral for a time.
    has_splits : bool
        Whether any policy splits payments.
    """

    code: Ints
    const: Floats
    start: Ints
    uses: Ints
    focus: Ints
    registers: tuple[tuple[tuple[str, ...], ...], ...]
    has_timers: bool
    has_splits: bool


@dataclass
class _Writer:
    """Instructions as they are written."""

    bank_ids: Sequence[str]
    code: list[tuple[int, int]] = field(default_factory=list)
    const: list[float] = field(default_factory=list)
    focus: list[list[int]] = field(default_factory=list)
    known: dict[float, int] = field(default_factory=dict)
    has_timers: bool = False
    has_splits: bool = False
    # Of the policy that is being written:
    policy: Policy = field(default_factory=lambda: Policy("none"))
    registers: list[str] = field(default_factory=list)
    uses: int = 0
    depth: int = 0

    def emit(self, op: int, argument: int = 0, pushes: int = 0) -> int:
        """Write an instruction; return where it stands."""
        self.depth += pushes
        if self.depth > STACK:
            raise PolicyError(
                f"policy {self.policy.policy_id!r}: an expression needs more than {STACK} values "
                "at once; write it in fewer nested steps"
            )
        self.code.append((op, argument))
        return len(self.code) - 1

    def constant(self, value: float) -> None:
        """Push a constant."""
        key = float(value)
        # 0.0 and -0.0 are equal keys, and differ as divisors do not: both may share a place.
        if key not in self.known:
            self.known[key] = len(self.const)
            self.const.append(key)
        self.emit(o.OP_CONST, F_CONST + self.known[key], 1)

    def register(self, name: str) -> int:
        """Return the number of a register."""
        if name not in self.registers:
            if len(self.registers) == REGISTERS:
                raise PolicyError(
                    f"policy {self.policy.policy_id!r} has more than {REGISTERS} registers; "
                    f"{name!r} is one too many"
                )
            self.registers.append(name)
        return self.registers.index(name)

    def field(self, name: str) -> None:
        """Push a field."""
        if name.startswith(_REGISTER):
            self.emit(o.OP_REGISTER, self.register(name), 1)
            return
        code = field_code(name)
        op = o.OP_PAYMENT_FIELD if code >= field_codes.AMOUNT else o.OP_BANK_FIELD
        if name in _NEAREST:
            self.uses |= USES_NEAREST
        self.emit(op, code, 1)

    def value(self, value: Value) -> None:
        """Push a value."""
        if isinstance(value, Number):
            self.constant(value.value)
        elif isinstance(value, Param):
            self.constant(self.policy.parameters[value.name])
        elif isinstance(value, Field):
            self.field(value.name)
        else:
            self.compute(value)

    def compute(self, value: Compute) -> None:
        """Push the result of an operation."""
        op = _OPERATIONS[value.op]
        for count, argument in enumerate(value.args):
            self.value(argument)
            if count > 0 and value.op in {"max", "min"}:
                self.emit(op, pushes=-1)
        if value.op not in {"max", "min"}:
            self.emit(op, pushes=1 - len(value.args))

    def condition(self, condition: Condition) -> list[int]:
        """Write a condition; return the jumps that are taken when it does not hold."""
        if isinstance(condition, Compare):
            self.value(condition.left)
            self.value(condition.right)
            return [self.emit(_JUMPS[condition.op], pushes=-2)]
        if isinstance(condition, Not):
            untrue = self.condition(condition.condition)
            jump = self.emit(o.OP_JUMP)
            self.land(untrue)
            return [jump]
        if isinstance(condition, And):
            return [jump for part in condition.conditions for jump in self.condition(part)]
        jumps_true: list[int] = []
        for part in condition.conditions[:-1]:
            untrue = self.condition(part)
            jumps_true.append(self.emit(o.OP_JUMP))
            self.land(untrue)
        untrue = self.condition(condition.conditions[-1])
        self.land(jumps_true)
        return untrue

    def land(self, jumps: list[int]) -> None:
        """Let jumps lead to the next instruction."""
        for jump in jumps:
            self.code[jump] = (self.code[jump][0], len(self.code))

    def node(self, node: Node) -> None:
        """Write a tree."""
        waiting: list[tuple[Node, list[int]]] = [(node, [])]
        while waiting:
            current, jumps = waiting.pop()
            self.land(jumps)
            if isinstance(current, ActionNode):
                self.action(current)
                continue
            untrue = self.condition(current.condition)
            waiting += [(current.on_false, untrue), (current.on_true, [])]

    def action(self, node: ActionNode) -> None:
        """Write a leaf: its arguments, then the action."""
        code, names = _ACTIONS[node.action]
        self.depth = 0
        for name in names:
            self.argument(name, node.parameters.get(name))
        if code in {o.ACTION_SPLIT, o.ACTION_STAGGER}:
            self.has_splits = True
        if code in {o.ACTION_WITHDRAW, o.ACTION_RESUBMIT}:
            self.uses |= USES_QUEUE2
        if "auto_withdraw_after_ticks" in node.parameters:
            self.has_timers = True
        self.emit(o.OP_ACT, code)
        self.depth = 0

    def argument(self, name: str, given: Value | str | tuple[str, ...] | None) -> None:
        """Push one argument of an action."""
        if given is None:
            self.constant(_ABSENT.get(name, NONE))
        elif name == "key":
            self.constant(self.register(str(given)))
        elif isinstance(given, str):
            self.constant(_FLAGS[given])
        elif isinstance(given, tuple):
            self.constant(len(self.focus))
            self.focus.append([1 if bank in given else 0 for bank in self.bank_ids])
        else:
            self.value(given)
            if name in _OPTIONAL:
                # A computed number below zero is not what NONE says.
                self.constant(0.0)
                self.emit(o.OP_MAX, pushes=-1)


def field_code(name: str) -> int:
    """Return the number by which the engine knows a field."""
    stem, _, rank = name.rpartition("_")
    if stem.endswith("_top") and rank.isdigit():
        return int(getattr(field_codes, f"{stem.upper()}_1")) + int(rank) - 1
    return int(getattr(field_codes, name.upper()))


def compile_profiles(profiles: Sequence[Sequence[Policy]], bank_ids: Sequence[str]) -> Program:
    """Compile policy profiles: for each profile one checked policy for each bank.

    Raises
    ------
    PolicyError
        An expression is too deep for the engine, or there are too many registers.
    """
    writer = _Writer(bank_ids)
    done: dict[int, tuple[list[int], int, tuple[str, ...]]] = {}
    start = np.full((len(profiles), len(bank_ids), len(TREES)), NONE, dtype=np.int64)
    uses = np.zeros((len(profiles), len(bank_ids)), dtype=np.int64)
    registers = []
    for q, profile in enumerate(profiles):
        names = []
        for i, policy in enumerate(profile):
            if id(policy) not in done:
                done[id(policy)] = _compile(writer, policy)
            start[q, i], uses[q, i] = done[id(policy)][0], done[id(policy)][1]
            names.append(done[id(policy)][2])
        registers.append(tuple(names))
    return Program(
        code=np.array(writer.code or [(o.OP_ACT, 0)], dtype=np.int64),
        const=np.array(writer.const or [0.0], dtype=np.float64),
        start=start,
        uses=uses,
        focus=np.array(writer.focus or [[0] * len(bank_ids)], dtype=np.int64),
        registers=tuple(registers),
        has_timers=writer.has_timers,
        has_splits=writer.has_splits,
    )


def _compile(writer: _Writer, policy: Policy) -> tuple[list[int], int, tuple[str, ...]]:
    writer.policy, writer.registers, writer.uses = policy, [], 0
    starts = []
    for name in TREES:
        tree = getattr(policy, name)
        starts.append(NONE if tree is None else len(writer.code))
        if tree is not None:
            writer.node(tree)
    return starts, writer.uses, tuple(writer.registers)
