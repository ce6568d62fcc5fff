"""How the error that a game may make is spent over its steps, and over the days of a step.

Rule ``confident`` promises of a whole game: for each bank, the chance that any policy is accepted
that is no better than the one before is at most 1 - confidence. Many steps are many chances to be
wrong, so each step has a share of the error, and within a step each look at the evidence has one.
The shares of all steps, however many, come to half of the whole (a union bound; compare the
spending functions of [1]_). The other half is a reserve: of gains as skewed as those of real games,
bounds err up to twice as often as they say (measured in ``docs/explanation/inference.md``).

References
----------
.. [1] K. K. G. Lan, D. L. DeMets, Discrete sequential boundaries for clinical trials, Biometrika
   70(3), 1983.
"""

from __future__ import annotations

from typing import Final

#: Days below which rule ``confident`` makes no claim.
FEWEST_DAYS: Final = 200


def error_of_step(confidence: float, iteration: int) -> float:
    """Return the error that a bank's step may make: (1 - confidence) / (2 i (i + 1)).

    Parameters
    ----------
    confidence : float
        Of the whole game, between 0 and 1.
    iteration : int
        Counted from 1. The shares of iterations 1 to n sum to (1 - confidence) n / (2 (n + 1)).
    """
    return (1.0 - confidence) / (2 * iteration * (iteration + 1))


def look_sizes(first: int, most: int) -> tuple[int, ...]:
    """Return after how many days a step looks at the evidence: twice as many each time.

    Each look may make an equal part of the step's error. No look is made at fewer than
    ``FEWEST_DAYS``: of skewed gains, a small sample often holds none of the rare losses, and no
    bound can correct for what it has not seen.

    Parameters
    ----------
    first, most : int
        Days at the first look, and at the last.
    """
    sizes = [min(max(first, FEWEST_DAYS), most)]
    while sizes[-1] < most:
        sizes.append(min(2 * sizes[-1], most))
    return tuple(sizes)
