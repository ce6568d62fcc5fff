import subprocess
import sys

import pytest

import payment_simulator
from payment_simulator import analysis


@pytest.mark.parametrize("name", payment_simulator.__all__)
def test_every_public_name_is_there(name):
    assert getattr(payment_simulator, name) is not None
    assert name in dir(payment_simulator)


@pytest.mark.parametrize("name", analysis.__all__)
def test_every_public_name_of_the_analysis_is_there(name):
    assert callable(getattr(analysis, name))
    assert name in dir(analysis)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'simulat'"):
        payment_simulator.simulat  # noqa: B018
    with pytest.raises(AttributeError, match="has no attribute 'iteration'"):
        analysis.iteration  # noqa: B018


@pytest.mark.parametrize("module", ["numba", "numpy", "duckdb", "yaml"])
def test_importing_the_package_loads_nothing_heavy(module):
    code = f"import sys, payment_simulator; print({module!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
