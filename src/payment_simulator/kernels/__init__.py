"""Compiled array code of the simulated world: no strings, no files, no hidden randomness.

The rules stand in ``docs/reference/rules.md``, the arrays in ``layout.py``. Kernels assume what the
floors above have checked. The same source runs compiled and interpreted (``NUMBA_DISABLE_JIT=1``)
with equal results.
"""
