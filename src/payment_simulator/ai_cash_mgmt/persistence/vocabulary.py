"""The words that the record uses for states, modes and kinds.

Apart from the records, which take ten times as long to load.
"""

from __future__ import annotations

from enum import StrEnum


class GameStatus(StrEnum):
    """Where a game stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CONVERGED = "converged"


class GameMode(StrEnum):
    """When agents optimise: inside one running simulation, or between whole simulations."""

    RL_OPTIMIZATION = "rl_optimization"
    CAMPAIGN_LEARNING = "campaign_learning"


class PaymentStatus(StrEnum):
    """Where a payment is at the end of a run; each is in exactly one place."""

    QUEUE1 = "queue1"
    QUEUE2 = "queue2"
    SETTLED = "settled"
    DROPPED = "dropped"
    SPLIT = "split"


class CostKind(StrEnum):
    """The kinds of cost a bank can bear."""

    LIQUIDITY = "liquidity"
    OVERDRAFT = "overdraft"
    COLLATERAL = "collateral"
    DELAY = "delay"
    DEADLINE_PENALTY = "deadline_penalty"
    END_OF_DAY = "end_of_day"
    SPLIT = "split"


class FileRole(StrEnum):
    """What a file was to a game."""

    GAME_FILE = "game_file"
    SCENARIO = "scenario"
    POLICY = "policy"
    PAYMENTS = "payments"


def one_of(kind: type[StrEnum], value: str) -> str:
    """Return the value if the enumeration has it, or raise ``ValueError`` with what it has."""
    known = [member.value for member in kind]
    if value not in known:
        raise ValueError(f"{value!r} is not one of: {', '.join(known)}")
    return value
