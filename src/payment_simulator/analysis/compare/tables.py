"""All tables of a comparison."""

from __future__ import annotations

from payment_simulator.analysis.compare.comparison import Comparison
from payment_simulator.analysis.compare.game_tables import one_below_the_other, side_by_side
from payment_simulator.analysis.compare.summary_tables import (
    baseline_tables,
    group_tables,
    paired_tables,
)
from payment_simulator.analysis.compare.table import Table

#: So many games stand side by side; more stand one below the other.
SIDE_BY_SIDE = 4


def tables_of(
    found: Comparison, *, is_side_by_side: bool, has_one_row: bool = False
) -> list[Table]:
    """Return all tables of a comparison, in the order in which they are shown.

    Parameters
    ----------
    found : Comparison
    is_side_by_side : bool
        Whether games are columns.
    has_one_row : bool
        Whether intervals of games that are columns stand behind their means.
    """
    games = (
        [side_by_side(found, has_one_row=has_one_row)]
        if is_side_by_side
        else one_below_the_other(found)
    )
    return [*games, *group_tables(found), *paired_tables(found), *baseline_tables(found)]
