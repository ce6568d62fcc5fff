"""Intervals as they are shown: cut at what is possible, with their level and method below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from payment_simulator.analysis.compare.figures import BankFigures, GameFigures
from payment_simulator.analysis.compare.groups import CONFIDENCE, Estimate, Group
from payment_simulator.analysis.compare.texts import some
from payment_simulator.wording import money, visible

Write = Callable[[float | None], str]

_BOTH = 2
#: What stands behind an end that was cut.
_CUT = "*"
#: What stands in the place of both ends where no day differs from another.
SAME = "same"
_SAME_DAYS = f"{SAME}: equal on all held-out days, so there is no interval."
_CUT_ENDS = f"{_CUT} Cut at the bound of what is possible, which Student's t does not know."
_OVER_GAMES = f"Intervals: two-sided, confidence {CONFIDENCE:g}, Student's t"
_OVER_DAYS = "the wider of Student's t and Hall's"
_ANY, _FROM_0, _FROM_1, _SHARE = (None, None), (0.0, None), (1.0, None), (0.0, 1.0)
#: Least and largest value of a quantity; those that are not named have none.
_BOUNDS: dict[str, tuple[float | None, float | None]] = {
    "start_settlement_rate": _SHARE,
    "final_settlement_rate": _SHARE,
    "acceptance_rate": _SHARE,
    "initial_liquidity_fraction": _SHARE,
    "start_cost": _FROM_0,
    "final_cost": _FROM_0,
    "fifo_cost": _FROM_0,
    "optimum_cost": _FROM_0,
    "regret": _FROM_0,
    "distance_from_equilibrium": _FROM_0,
    "last_accepted_iteration": _FROM_0,
    "tokens_used": _FROM_0,
    "cost_usd": _FROM_0,
    "iterations": _FROM_1,
    "converged_iteration": _FROM_1,
    "price_of_anarchy": _FROM_1,
}


def ends(one: Estimate, write: Write, things: str = "games") -> str:
    """Return the interval of a mean in words, or that its games, or other things, agree."""
    if one.low is None or one.high is None:
        return "-"
    if one.low == one.high:
        return f"same in {'both' if one.n == _BOTH else f'all {one.n}'} {things}"
    least, most = _BOUNDS.get(one.parameter or one.quantity, _ANY)
    low, high = write(one.low), write(one.high)
    # A record may hold a mean that should not be; its interval still holds the mean.
    if least is not None and one.low < least <= one.mean:
        low = f"{write(least)}{_CUT}"
    if most is not None and one.mean <= most < one.high:
        high = f"{write(most)}{_CUT}"
    return f"[{low}, {high}]"


def below_means(group: Group, shown: Sequence[str]) -> Iterator[str]:
    """Go through what is said below means of a group: their intervals, and which ends were cut.

    Parameters
    ----------
    shown : sequence of str
        The intervals as :func:`ends` returns them.
    """
    if any(text.startswith("[") for text in shown):
        yield over_seeds(group)
    if any(_CUT in text for text in shown):
        yield _CUT_ENDS


def over_seeds(group: Group) -> str:
    """Return what is said of intervals over the games of a group."""
    n = len(group.counted)
    fewer = " (n where it is less)" * any(one.n < n for one in group.estimates)
    return f"{_OVER_GAMES}, over {n} seeds{fewer}."


def over_pairs(n: int) -> str:
    """Return what is said of intervals of differences by seed."""
    return f"{_OVER_GAMES}, over {n} seeds, of paired differences."


def of_days(bank: BankFigures, days: int | None) -> str:
    """Return the interval of what a bank gained in words; a dash where there is none."""
    return over_days(bank.improvement_low, bank.improvement_high, days)


def over_days(low: float | None, high: float | None, days: int | None) -> str:
    """Return an interval of cents over held-out days in words; a dash where there is none."""
    if low is None or high is None:
        return "-"
    if low == high:
        return f"same on all {days:,} days" if days else "same on all days"
    return f"[{money(low)}, {money(high)}]"


def below_games(games: Sequence[GameFigures], *, is_short: bool = False) -> tuple[str, ...]:
    """Return what is said below the figures of games: the intervals of what their banks gained.

    Parameters
    ----------
    is_short : bool
        Whether the word ``same`` stands where all days agree.
    """
    having = [
        (game, bank)
        for game in games
        for bank in game.banks
        if bank.improvement_low is not None and bank.confidence is not None
    ]
    ways: dict[tuple[float, int], list[str]] = {}
    for game, bank in having:
        if bank.improvement_low != bank.improvement_high:
            names = ways.setdefault((bank.confidence or 0.0, game.num_samples or 0), [])
            names += [game.game_id] * (game.game_id not in names)
    said = [over_days_said(ways)] if ways else []
    if is_short and any(bank.improvement_low == bank.improvement_high for _, bank in having):
        said.append(_SAME_DAYS)
    return tuple(said)


def over_days_said(ways: dict[tuple[float, int], list[str]]) -> str:
    """Return what is said of intervals over days: by confidence and days, the games that have it.

    All are of paired differences: both policies were played on the same days.
    """
    if len(ways) == 1:
        ((confidence, days),) = ways
        return (
            f"Intervals: two-sided, confidence {confidence:g}, {_OVER_DAYS}, over {days:,} "
            "held-out days, of paired differences."
        )
    told = "; ".join(
        f"confidence {confidence:g} over {days:,} held-out days ({visible(some(names))})"
        for (confidence, days), names in ways.items()
    )
    return f"Intervals: two-sided, {_OVER_DAYS}, of paired differences; {told}."
