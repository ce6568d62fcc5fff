"""The views of a record, for the common questions; any program that speaks DuckDB can ask them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from payment_simulator.ai_cash_mgmt.persistence.models import LLMInteractionRecord
from payment_simulator.ai_cash_mgmt.persistence.models.base import kept_apart

_GAME = ("game_id", "VARCHAR", "The game.")
_BANK = ("agent_id", "VARCHAR", "The bank whose policy is optimised.")
_CALLS = LLMInteractionRecord.table()
_TEXTS = kept_apart(LLMInteractionRecord)
_ITERATION = ("iteration_number", "INTEGER", "Iteration, counted from 1.")


@dataclass(frozen=True)
class View:
    """What a view gives.

    Attributes
    ----------
    name, summary : str
    columns : tuple of (str, str, str)
        Name, DuckDB type and meaning of each.
    optional : frozenset of str
        Columns that may be NULL.
    """

    name: str
    summary: str
    columns: tuple[tuple[str, str, str], ...]
    optional: frozenset[str] = frozenset()


def _meaning(column: str) -> str:
    fields = LLMInteractionRecord.model_fields
    if column in fields:
        return fields[column].description or ""
    name = next(name for name, digest in _TEXTS.items() if digest == column)
    return f"SHA-256 of {name}."


def _optional() -> Iterator[str]:
    for name, field in LLMInteractionRecord.model_fields.items():
        if not field.is_required() and field.default is None:
            yield name
            yield _TEXTS.get(name, name)


VIEWS = (
    View(
        "best_policies",
        "For each bank of each game the accepted proposal of least cost, the earliest of equals.",
        (
            _GAME,
            _BANK,
            ("iteration_number", "INTEGER", "Iteration in which it was accepted."),
            ("cost", "DOUBLE", "Its cost, as measured in that step (cents)."),
            ("policy_json", "VARCHAR", "The policy, as a JSON object."),
        ),
    ),
    View(
        "acceptance_rates",
        "How many proposals for each bank of each game were accepted.",
        (
            _GAME,
            _BANK,
            ("steps", "BIGINT", "Number of steps."),
            ("accepted", "BIGINT", "Number of proposals accepted."),
            ("rejected", "BIGINT", "Number of valid proposals that were not accepted."),
            ("refused", "BIGINT", "Number of steps without a valid proposal."),
            ("acceptance_rate", "DOUBLE", "Accepted proposals over steps."),
        ),
    ),
    View(
        "cost_trajectory",
        "What each step measured, and what the policy costs that rules after it.",
        (
            _GAME,
            _BANK,
            _ITERATION,
            ("trigger_tick", "INTEGER", "Tick that triggered the optimisation."),
            ("old_cost", "DOUBLE", "Cost of the policy before the step (cents)."),
            ("new_cost", "DOUBLE", "Cost of the policy proposed (cents)."),
            (
                "verdict",
                "VARCHAR",
                "accepted, rejected, or refused where there was no valid proposal.",
            ),
            (
                "cost_in_force",
                "DOUBLE",
                "Cost of the policy that rules after the step, as measured in it (cents).",
            ),
            ("least_cost_so_far", "DOUBLE", "The least of it up to this step (cents)."),
        ),
    ),
    View(
        "parameter_trajectory",
        "The parameters of the policy that rules after each step; what is no number is left out.",
        (
            _GAME,
            _BANK,
            _ITERATION,
            ("parameter", "VARCHAR", "Name of the parameter."),
            ("value", "DOUBLE", "Its value, in the unit of the parameter."),
        ),
    ),
    View(
        "llm_calls",
        "Calls of language models with their texts; for all calls at once, the texts must fit "
        "into memory.",
        (
            *(
                (column, type_, _meaning(column))
                for column, type_ in zip(_CALLS.columns, _CALLS.types, strict=True)
            ),
            *((name, "VARCHAR", _meaning(name)) for name in _TEXTS),
        ),
        frozenset(_optional()),
    ),
)
