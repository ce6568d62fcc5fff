"""How much memory DuckDB may take: a share of the machine's, or what the user says."""

from __future__ import annotations

import os
import re
from pathlib import Path

from payment_simulator.errors import InputError

#: The environment variable that sets the limit.
VARIABLE = "PAYMENT_SIM_MEMORY"
#: Least and most of the limit that follows the machine. More would only be filled with blocks of
#: the file: with the interpreter and the compiled engine a process stays below 600 MB so.
LEAST, MOST = 64 << 20, 256 << 20
_SHARE = 4
_SIZE = re.compile(r"\s*(\d{1,12}(?:\.\d{1,6})?)\s*([kmgt]?)(i?)b?\s*", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_CGROUP_FILES = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def memory_limit() -> int:
    """Return how many bytes DuckDB may take.

    Raises
    ------
    InputError
        ``PAYMENT_SIM_MEMORY`` is not a size.
    """
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        return _size(given)
    return max(LEAST, min(MOST, machine_memory() // _SHARE))


def _size(text: str) -> int:
    found = _SIZE.fullmatch(text)
    if found:
        base = 1024 if found[3] else 1000
        size = int(float(found[1]) * base ** _POWERS[found[2].lower()])
        if LEAST <= size < 1 << 60:
            return size
    raise InputError(
        f"{VARIABLE} is {text!r:.80}, expected a size from {LEAST >> 20}MiB on, such as 512MB or "
        "2GB; unset it to let the limit follow the machine"
    )


def machine_memory() -> int:
    """Return the bytes of memory that this process may use at most."""
    found = []
    try:
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):  # not on Windows
        found.append(4 << 30)
    for name in _CGROUP_FILES:
        try:
            limit = Path(name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if limit.isdecimal():  # "max" where there is none
            found.append(int(limit))
    return min(found)
