"""What agents may propose, and the check that every proposal goes through."""

from payment_simulator.ai_cash_mgmt.constraints.validator import (
    ConstraintValidator,
    ParameterSpec,
    ScenarioConstraints,
    default_constraints,
    describe,
    starting_policy,
    unread_parameters,
)

__all__ = [
    "ConstraintValidator",
    "ParameterSpec",
    "ScenarioConstraints",
    "default_constraints",
    "describe",
    "starting_policy",
    "unread_parameters",
]
