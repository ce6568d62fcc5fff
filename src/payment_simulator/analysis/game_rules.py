"""How a game was played, as far as its configuration tells: for people, in few words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class GameRules:
    """When a proposal was accepted, and on which days it was judged.

    Each is None where the configuration does not tell, as that of another program.

    Attributes
    ----------
    acceptance : str or None
        ``mean`` or ``confident``.
    confidence : float or None
        Of the rule ``confident`` and of intervals.
    improvement_threshold : float or None
        Share of the old cost that had to be gained.
    min_settlement_rate : float or None
        Share of the value in the system that had to settle; None where nothing was asked for, too.
    sample_method : str or None
        How sample days were drawn.
    update : str or None
        ``sequential`` or ``simultaneous``.
    """

    acceptance: str | None
    confidence: float | None
    improvement_threshold: float | None
    min_settlement_rate: float | None
    sample_method: str | None
    update: str | None

    def acceptance_words(self) -> str | None:
        """Say when a proposal was accepted; None where that is not known."""
        if self.acceptance is None:
            return None
        share = self.improvement_threshold
        gain = f"gain above {share:.6g} of the old cost" if share else "any gain"
        parts = [f"{self.acceptance}: {gain}"]
        if self.acceptance == "confident" and self.confidence is not None:
            parts.append(
                "over the whole game the chance of accepting a policy that is no better is at most "
                f"{1 - self.confidence:.3g}"
            )
        if self.acceptance == "mean":
            parts.append("no claim of how likely that is chance")
        if self.min_settlement_rate is not None:
            parts.append(f"at least {self.min_settlement_rate:.6g} of the value settled")
        return ", ".join(parts)


def game_rules(config_json: str) -> GameRules:
    """Read the rules of a game out of its configuration, whatever program wrote that."""
    try:
        config = json.loads(config_json)
    except (ValueError, RecursionError):
        config = None
    return GameRules(
        acceptance=_text(config, "acceptance", "rule"),
        confidence=_number(config, "acceptance", "confidence"),
        improvement_threshold=_number(config, "convergence", "improvement_threshold"),
        min_settlement_rate=_number(config, "acceptance", "min_settlement_rate"),
        sample_method=_text(config, "bootstrap", "sample_method"),
        update=_text(config, "update"),
    )


def _at(config: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        config = config.get(key) if isinstance(config, dict) else None
    return config


def _text(config: Any, *path: str) -> str | None:
    found = _at(config, path)
    return found if isinstance(found, str) else None


def _number(config: Any, *path: str) -> float | None:
    found = _at(config, path)
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if is_number else None
