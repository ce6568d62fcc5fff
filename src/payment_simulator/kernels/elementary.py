"""Exponential and logarithm by the four operations.

Those of the C library differ between platforms in the last bit; a record must be replayed to the
bit on any of them.
"""

from __future__ import annotations

import math

from payment_simulator.kernels._jit import inlined

# log(2) in two parts: the first has few bits, so that its product with an exponent is exact.
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_SQRT_HALF = 0.7071067811865476
_TAYLOR_TERMS = 14
_SERIES_TERMS = 12


@inlined
def logarithm(x: float) -> float:
    """Return the natural logarithm of a positive finite number, to about 1e-16 relative.

    Notes
    -----
    ``x = m 2^e`` with m near 1; ``log m = 2 artanh((m - 1) / (m + 1))`` by its series.
    """
    m, e = math.frexp(x)
    if m < _SQRT_HALF:
        m = m * 2.0
        e = e - 1
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    series = 0.0
    for k in range(_SERIES_TERMS, 0, -1):
        series = (series + 1.0 / (2 * k + 1)) * z
    return e * _LN2_HIGH + (2.0 * s + (2.0 * s * series + e * _LN2_LOW))


@inlined
def exponential(x: float) -> float:
    """Return e to the power of x, to about 1e-16 relative; 0 below -700, capped above 700."""
    if x < -700.0:
        return 0.0
    x = min(x, 700.0)
    k = math.floor(x / (_LN2_HIGH + _LN2_LOW) + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    power = 1.0
    for i in range(_TAYLOR_TERMS, 0, -1):
        power = 1.0 + power * r / i
    return math.ldexp(power, int(k))
