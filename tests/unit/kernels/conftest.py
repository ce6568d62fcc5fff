"""Kernels are called one by one here, which only the interpreted engine allows."""

import pytest

from payment_simulator.kernels._jit import IS_INTERPRETED


def pytest_collection_modifyitems(items):
    if IS_INTERPRETED:
        return
    skip = pytest.mark.skip(reason="compiled kernels are reached through the entry alone")
    for item in items:
        if "unit/kernels" in item.path.as_posix() and "engine" not in item.path.name:
            item.add_marker(skip)


@pytest.fixture(autouse=True)
def _modulo():
    import numpy as np

    with np.errstate(over="ignore"):
        yield
