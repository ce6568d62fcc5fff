"""When two costs are the same."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from payment_simulator.kernels.layout import Floats

#: Two costs are the same where they differ by no more than this share of the larger one. Sums of
#: a run's costs carry rounding errors of about 1e-15 of the sum for each term.
TIE_TOLERANCE = 1e-9

Masks: TypeAlias = npt.NDArray[np.bool_]


def is_tie(cost: Floats, lowest: Floats) -> Masks:
    """Tell where costs are as low as the lowest, within ``TIE_TOLERANCE`` of the larger size."""
    scale = np.maximum(np.abs(cost), np.abs(lowest))
    tied: Masks = cost - lowest <= TIE_TOLERANCE * scale
    return tied


def has_no_spread(old: Floats, new: Floats) -> bool:
    """Tell whether costs differ by the same on all days, but for rounding.

    Differences of large costs carry the rounding errors of these, so few are equal to the last bit.
    """
    size = max(float(np.abs(old).max()), float(np.abs(new).max()))
    return bool(np.ptp(old - new) <= TIE_TOLERANCE * size)
