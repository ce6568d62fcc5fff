"""What makes two games the same but for their seed, and their scenarios the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from payment_simulator.analysis.compare.texts import object_of

#: Keys of a configuration in which repetitions of a game may differ. Where the scenario lay does
#: not matter, since its text is compared.
_OF_ONE_GAME = ("game_id", "master_seed", "output", "scenario_config")
_DEFAULT_PARAMETERS = ("initial_liquidity_fraction",)


@dataclass(frozen=True)
class Texts:
    """What a game was made of, by the hashes of its texts.

    Attributes
    ----------
    scenario : str or None
        Name of the scenario; None where the record does not hold it.
    scenario_sha256 : str or None
        Of scenario and payments together.
    all_sha256 : str
        Of these and the starting policies.
    """

    scenario: str | None
    scenario_sha256: str | None
    all_sha256: str

    @classmethod
    def of(cls, files: Iterable[tuple[str, str, str]]) -> Texts:
        """Return what stands in rows of role, name and hash.

        A scenario that was played under two names is one: the names of its files do not count.
        """
        rows = sorted(files)
        scenarios = [(name, digest) for role, name, digest in rows if role == "scenario"]
        everything = _digest([(role, n * (role == "policy"), d) for role, n, d in rows])
        if len(scenarios) != 1:
            return cls(None, None, everything)
        [(name, digest)] = scenarios
        payments = [digest for role, _, digest in rows if role == "payments"]
        return cls(name, _digest([digest, *payments]) if payments else digest, everything)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def kind_of(config_json: str, game_mode: str, agents: str, texts: Texts) -> str | None:
    """Return what games have in common that differ in seed, id and output alone.

    None where the record does not hold what was played: equal paths may be of unequal scenarios.
    """
    if texts.scenario_sha256 is None:
        return None
    config: Any = object_of(config_json)
    config = {k: v for k, v in config.items() if k not in _OF_ONE_GAME} or config_json
    return _digest([game_mode, agents, texts.all_sha256, _sorted(config)])


def _sorted(config: Any) -> str:
    """Return a configuration as text; banks stand in the order of their steps, which counts."""
    banks = list(config.get("optimized_agents") or ()) if isinstance(config, dict) else []
    return json.dumps([config, banks], sort_keys=True)


def sampling_of(config: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """Return how days are drawn, and from how many observed runs; None where that is not known."""
    found = config.get("bootstrap")
    section = found if isinstance(found, Mapping) else {}
    method, runs = section.get("sample_method"), section.get("observed_runs")
    if not isinstance(method, str):
        return None, None
    is_observed = method != "fresh" and isinstance(runs, int)
    return method, runs if is_observed else None


def optimized_parameters(config: Mapping[str, Any], bank: str) -> tuple[str, ...] | None:
    """Return the parameters that a configuration declares for a bank; None where it is not known.

    Where nothing is declared, the share of the pool is what agents may set.
    """
    if not config:
        return None
    agents = config.get("optimized_agents")
    agent = agents.get(bank) if isinstance(agents, Mapping) else None
    own = agent.get("constraints") if isinstance(agent, Mapping) else None
    constraints = own if own is not None else config.get("constraints")
    if constraints is None:
        return _DEFAULT_PARAMETERS if "constraints" in config else None
    specs = constraints.get("allowed_parameters") if isinstance(constraints, Mapping) else None
    if not isinstance(specs, list):
        return None
    names = (spec.get("name") for spec in specs if isinstance(spec, Mapping))
    return tuple(name for name in names if isinstance(name, str))
