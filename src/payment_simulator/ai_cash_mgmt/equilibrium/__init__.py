"""Equilibria: what no bank can gain from by deviating alone."""

from payment_simulator.ai_cash_mgmt.equilibrium.explore import (
    MAX_COSTS,
    MAX_PROFILES,
    TIE_TOLERANCE,
    BestResponse,
    Deviation,
    Deviations,
    GridEquilibrium,
    Outcome,
    Progress,
    SocialOptimum,
    best_deviation,
    explore_grid,
    parameter_grid,
    regrets,
)

__all__ = [
    "MAX_COSTS",
    "MAX_PROFILES",
    "TIE_TOLERANCE",
    "BestResponse",
    "Deviation",
    "Deviations",
    "GridEquilibrium",
    "Outcome",
    "Progress",
    "SocialOptimum",
    "best_deviation",
    "explore_grid",
    "parameter_grid",
    "regrets",
]
