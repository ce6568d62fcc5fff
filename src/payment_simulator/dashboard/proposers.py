"""Who proposes in a game, as its configuration tells: short enough for a cell of a list."""

from __future__ import annotations

import json
from typing import Any

#: Kind of proposer -> the key that tells it from others of its kind, and whether the kind is said.
_TOLD_BY = {"search": ("sampler", True), "llm": ("model", False), "python": ("object", False)}


def proposers_of(config_json: str) -> tuple[str, ...]:
    """Return who proposes for the banks of a game, each once, in the order of the banks.

    Of ``search`` the sampler is told, of ``llm`` the model, of ``python`` the class. A
    configuration that another program wrote may tell nothing.
    """
    try:
        config = json.loads(config_json)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(config, dict):
        return ()
    usual, banks = config.get("proposer"), config.get("optimized_agents")
    own = list(banks.values()) if isinstance(banks, dict) else []
    found = [(bank.get("proposer") if isinstance(bank, dict) else None) or usual for bank in own]
    names = [_name(proposer) for proposer in found or [usual]]
    return tuple(dict.fromkeys(name for name in names if name))


def _name(proposer: Any) -> str:
    kind = proposer.get("kind") if isinstance(proposer, dict) else None
    if not isinstance(kind, str):
        return ""
    key, with_kind = _TOLD_BY.get(kind, ("", True))
    told = proposer.get(key)
    if not isinstance(told, str) or not told:
        return kind
    return f"{kind}/{told}" if with_kind else told
