"""Ctrl-C and DuckDB: an interrupt is raised as one, and never leaves a transaction in doubt.

While a statement runs in the main thread, DuckDB looks for signals between its tasks. Where the
handler of a signal raises, it drops that exception and raises its own, of no particular kind; a
``COMMIT`` that is interrupted so has taken effect in most cases, but not in all.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import duckdb

#: How DuckDB quotes the exception, which has no text, where it was raised in what DuckDB called,
#: such as the source of an Arrow stream.
_QUOTED = re.compile(r"failed: KeyboardInterrupt:?\s*$")


def is_interrupt(error: Exception) -> bool:
    """Tell whether an error is what DuckDB makes of a ``KeyboardInterrupt``."""
    if isinstance(error, duckdb.Error):
        return _QUOTED.search(str(error)) is not None
    return isinstance(error, RuntimeError) and "Query interrupted" in str(error)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold Ctrl-C back while the enclosed block runs, and deliver it at its end.

    For short blocks that must happen as a whole, such as a ``COMMIT`` and taking note of it. Only
    the main thread is ever interrupted.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is None:  # None: not a handler of Python's
        yield
        return
    held: list[int] = []

    def hold(number: int, _: FrameType | None) -> None:
        held.append(number)

    before = None
    try:
        before = signal.signal(signal.SIGINT, hold)
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
        if held:
            signal.raise_signal(signal.SIGINT)
