"""Finds the policy that a scenario names for each bank."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from payment_simulator.errors import PolicyError
from payment_simulator.policy import Policy, builtin, builtin_names, load_policy, parse_policy
from payment_simulator.scenario.features import check_toggles, policy_problems
from payment_simulator.scenario.model import Scenario
from payment_simulator.scenario.places import Misplaced, nearest
from payment_simulator.scenario.policy_configs import (
    FromJsonPolicy,
    InlineJsonPolicy,
    InlinePolicy,
    PolicyConfig,
)
from payment_simulator.scenario.values import quoted

#: How errors name a policy that stands in the scenario file itself.
INLINE = "inline"


def resolve_policies(scenario: Scenario, folder: Path | None) -> tuple[Policy, ...]:
    """Return the policy of every bank, each checked against the scenario.

    Parameters
    ----------
    scenario : Scenario
        Checked in itself.
    folder : pathlib.Path, optional
        Where the scenario file is; paths are relative to it.

    Raises
    ------
    Misplaced
        A policy is not there, is not valid, or uses what the scenario does not have or admit.
    """
    check_toggles(scenario)
    # Thousands of banks mostly share a few policies, and reading one takes its time.
    found: dict[str, Policy] = {}
    policies = []
    for number, agent in enumerate(scenario.agents):
        key = agent.policy.model_dump_json()
        if key not in found:
            found[key] = _checked_policy(agent.policy, scenario, folder, number)
        policies.append(found[key])
    return tuple(policies)


def _checked_policy(
    config: PolicyConfig, scenario: Scenario, folder: Path | None, number: int
) -> Policy:
    path = ("agents", number, "policy")
    bank = scenario.agents[number].id
    try:
        policy = _resolve(config, folder)
    except PolicyError as error:
        raise Misplaced(path, str(error)) from error
    problems = policy_problems(policy, scenario)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise Misplaced(
            path,
            f"bank {quoted(bank)}, policy {quoted(policy.policy_id)}, {problems[0]}{more}",
        )
    return policy


def _resolve(config: PolicyConfig, folder: Path | None) -> Policy:
    if isinstance(config, FromJsonPolicy):
        return _find(config.json_path, folder)
    if isinstance(config, InlineJsonPolicy):
        return parse_policy(config.json_string, where="json_string")
    if isinstance(config, InlinePolicy):
        named: dict[str, Any] = {"policy_id": INLINE, **config.decision_trees}
        return parse_policy(named, where="decision_trees")
    return builtin(config.type, **config.parameters())


def _find(json_path: str, folder: Path | None) -> Policy:
    """Look for a policy file beside the scenario, in the working folder, in the library."""
    given = Path(json_path)
    folders = [Path.cwd()] if folder is None else [folder, Path.cwd()]
    places = list(dict.fromkeys(str((place / given).absolute()) for place in folders))
    for place in places:
        if _is_file(Path(place)):
            return load_policy(place)
    name = given.stem if given.suffix == ".json" else given.name
    if given.parent == Path() and name in builtin_names():
        return builtin(name)
    raise PolicyError(
        f"json_path {quoted(json_path)} is not there; looked for {' and '.join(places)}, "
        f"and in the built-in library; {nearest(name, builtin_names())}"
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
