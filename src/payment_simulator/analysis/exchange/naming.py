"""Names of files and texts for pages, of texts that may hold anything."""

from __future__ import annotations

import hashlib
import re

from payment_simulator.wording import visible

_LONGEST_SLUG = 40
_HASHES = (8, 16, 64)
_LONGEST_TEXT = 200
_OTHER = re.compile(r"[^A-Za-z0-9_-]+")
_MARKUP = re.compile(r"([!-/:-@\[-`{-~])")


class Names:
    """Gives each text a name of its own, fit for any file system."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, text: str, ending: str = "") -> str:
        """Return a name that begins as the text does and ends in a part of its hash.

        No two names differ in capitals alone, none leads out of its folder, and none is a device's.
        """
        slug = _OTHER.sub("-", text).strip("-_")[:_LONGEST_SLUG] or "x"
        digest = hashlib.sha256(text.encode()).hexdigest()
        for length in _HASHES:
            name = f"{slug}-{digest[:length]}{ending}"
            if name.lower() not in self._taken:
                self._taken.add(name.lower())
                return name
        raise ValueError("a text is given a name twice")


def plain(text: str) -> str:
    """Return a text that no page takes for markup: one line, no control character, not too long."""
    short = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."
    return _MARKUP.sub(r"\\\1", visible(short))
