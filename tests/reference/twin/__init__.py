"""A second simulator, written from ``docs/reference/rules.md`` alone, to hold the engine against.

It knows nothing of the compiled engine: plain objects, lists and loops, in the order of the page.
Speed is no aim. Where a number differs between the two, one of them misread the page.
"""

from tests.reference.twin.model import KINDS, Payment
from tests.reference.twin.twin import TwinResult, run_twin

__all__ = ["KINDS", "Payment", "TwinResult", "run_twin"]
