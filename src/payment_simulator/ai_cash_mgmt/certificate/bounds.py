"""Upper bounds of what deviations gain, all of them at once."""

from __future__ import annotations

import math

import numpy as np

from payment_simulator.ai_cash_mgmt.evaluation.inference import interval, mean
from payment_simulator.ai_cash_mgmt.evaluation.ties import TIE_TOLERANCE
from payment_simulator.kernels.layout import Floats


def is_flat(gains: Floats, costs: Floats) -> bool:
    """Tell whether gains are the same on all days, but for what rounding does to the costs."""
    return float(np.ptp(gains)) <= TIE_TOLERANCE * float(np.abs(costs).max())


def upper_bound(gains: Floats, error: float, n_observed: float | None) -> float | None:
    """Return a one-sided upper bound of a mean gain; None where the sample has no spread."""
    found = interval(gains, 1.0 - 2.0 * error, n_observed)
    return None if found is None else found[1]


def flat_bound(gain: float, costs: Floats, error: float, n_observed: float | None) -> float | None:
    """Return an upper bound of a mean gain that was the same on all days.

    On how many days it would be another one is bounded by there being none among those played;
    on such a day a bank can gain no more than what it pays under the policy in force. These may be
    its costliest days.

    Parameters
    ----------
    gain : float
        On each day, cents.
    costs : ndarray[float64], shape (days,)
        What the bank pays under the policy in force.
    error : float
        How likely the mean may be to lie above the bound. It holds for all deviations between the
        policy in force and one with the same gain on all days, not for each of them.
    n_observed : float, optional
        As in :func:`~payment_simulator.ai_cash_mgmt.evaluation.inference.lower_bound`.

    Returns
    -------
    float or None
        None where these costs are all the same as well: nothing tells what other days may cost.

    References
    ----------
    .. [1] J. A. Hanley, A. Lippman-Hand, If nothing goes wrong, is everything all right?
       Journal of the American Medical Association 249(13), 1983: no event in n days.
    """
    if is_flat(costs, costs):
        return None
    n = len(costs)
    size = n if n_observed is None else 1.0 / (1.0 / n + 1.0 / n_observed)
    share = min(1.0, -math.log(error) / size)
    costliest = np.sort(costs)[n - math.ceil(share * n) :]
    most = max(0.0, mean(costliest)) * share
    return most + (gain if gain > 0.0 else gain * (1.0 - share))
