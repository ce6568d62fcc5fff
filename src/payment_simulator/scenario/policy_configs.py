"""How a scenario file names the policy of a bank."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from payment_simulator.scenario.values import (
    MAX_CENTS,
    Cents,
    PositiveCents,
    Section,
    Text,
    Ticks,
    checked,
    typed,
    whole_in,
)

_Parts = Annotated[int, whole_in(2, MAX_CENTS, "parts")]


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != "" and "\0" not in value


_Tree = Annotated[
    dict[str, Any], checked(lambda value: isinstance(value, dict), "a policy, as a mapping")
]


class _BuiltIn(Section):
    """A policy of the built-in library; what is not given keeps the library's value."""

    def parameters(self) -> dict[str, float]:
        """Return the parameters that the file gives."""
        given = self.model_dump(exclude={"type"}, exclude_none=True)
        return {name: float(value) for name, value in given.items()}


class FifoPolicy(_BuiltIn):
    """Releases every payment at once."""

    type: Literal["Fifo"] = "Fifo"


class DeadlinePolicy(_BuiltIn):
    """Releases what is within ``urgency_threshold`` ticks of its deadline."""

    type: Literal["Deadline"] = "Deadline"
    urgency_threshold: Ticks | None = None


class LiquidityAwarePolicy(_BuiltIn):
    """Keeps ``target_buffer`` cents of liquidity, unless a payment is urgent."""

    type: Literal["LiquidityAware"] = "LiquidityAware"
    target_buffer: Cents | None = None
    urgency_threshold: Ticks | None = None


class LiquiditySplittingPolicy(_BuiltIn):
    """Splits what liquidity does not cover."""

    type: Literal["LiquiditySplitting"] = "LiquiditySplitting"
    max_splits: _Parts | None = None
    min_split_amount: PositiveCents | None = None


class MockSplittingPolicy(_BuiltIn):
    """Splits every payment once into ``num_splits`` parts."""

    type: Literal["MockSplitting"] = "MockSplitting"
    num_splits: _Parts | None = None


class FromJsonPolicy(Section):
    """A policy in a file of its own, or a name of the built-in library."""

    type: Literal["FromJson"] = "FromJson"
    json_path: Annotated[str, checked(_is_path, "the path or name of a policy", is_text=True)]


class InlinePolicy(Section):
    """A policy written into the scenario file."""

    type: Literal["Inline"] = "Inline"
    decision_trees: _Tree


class InlineJsonPolicy(Section):
    """A policy written into the scenario file as JSON text."""

    type: Literal["InlineJson"] = "InlineJson"
    json_string: Text


BuiltInPolicy = (
    FifoPolicy
    | DeadlinePolicy
    | LiquidityAwarePolicy
    | LiquiditySplittingPolicy
    | MockSplittingPolicy
)

PolicyConfig = Annotated[
    FifoPolicy
    | DeadlinePolicy
    | LiquidityAwarePolicy
    | LiquiditySplittingPolicy
    | MockSplittingPolicy
    | FromJsonPolicy
    | InlinePolicy
    | InlineJsonPolicy,
    Field(discriminator="type"),
    typed(
        "Fifo",
        "Deadline",
        "LiquidityAware",
        "LiquiditySplitting",
        "MockSplitting",
        "FromJson",
        "Inline",
        "InlineJson",
    ),
]
