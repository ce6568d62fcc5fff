"""The proposer that tries everything on a grid."""

from __future__ import annotations

from payment_simulator.ai_cash_mgmt.constraints.space import ParameterSpace
from payment_simulator.ai_cash_mgmt.proposers.base import Proposal, Situation
from payment_simulator.ai_cash_mgmt.proposers.trials import Trials


class GridProposer:
    """Plays every combination of the declared parameters' values and proposes the cheapest.

    It is the bank's best response on the grid, to the sample days and to what the others do now.

    Parameters
    ----------
    grid_points : int
        How many values a float without a step has; all other parameters have those declared.
    """

    label = "grid/exhaustive"

    def __init__(self, grid_points: int = 21) -> None:
        self.grid_points = grid_points

    def propose(self, situation: Situation) -> Proposal:
        """Return the cheapest policy on the grid; the one in force where none is better.

        Of several that cost the same it is the first, the last parameter changing fastest.

        Raises
        ------
        InputError
            The grid has more points than ``parameter_space.MAX_COMBINATIONS``.
        """
        space = ParameterSpace(situation.constraints.allowed_parameters)
        points = [tuple(point.values()) for point in space.grid(self.grid_points)]
        trials = Trials(situation, space)
        trials.play([*points, trials.current])
        return trials.proposal()
