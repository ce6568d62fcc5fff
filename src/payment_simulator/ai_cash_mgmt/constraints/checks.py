"""Holds policies against what agents may propose, and finds the policies they start with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from payment_simulator.ai_cash_mgmt.constraints.sections import ScenarioConstraints
from payment_simulator.errors import GameFileError
from payment_simulator.policy import Policy
from payment_simulator.policy.check import parameters_read
from payment_simulator.policy.grammar import FRACTION
from payment_simulator.policy.tree import TREES
from payment_simulator.scenario import Scenario
from payment_simulator.scenario.features import uses
from payment_simulator.wording import nearest, quoted, shown

#: What a tree that is missing does.
_WITHOUT: Final = {
    "payment_tree": "Release",
    "bank_tree": "NoAction",
    "strategic_collateral_tree": "HoldCollateral",
    "end_of_tick_collateral_tree": "HoldCollateral",
}


def place_of(scenario: Scenario, bank: str) -> int:
    """Return the number of a bank.

    Raises
    ------
    GameFileError
        The scenario does not have it.
    """
    banks = scenario.bank_ids
    if bank not in banks:
        raise GameFileError(
            f"scenario {quoted(scenario.name)} has no bank {quoted(bank)}; {nearest(bank, banks)}"
        )
    return banks.index(bank)


def starting_policy(scenario: Scenario, bank: str, constraints: ScenarioConstraints) -> Policy:
    """Return the policy that a bank's agent begins with.

    It is the scenario's, and every declared parameter has a value: the policy's own; else the
    declared default; else, for ``initial_liquidity_fraction``, the bank's
    ``liquidity_allocation_fraction``. The value may lie off the steps that proposals keep to.

    Raises
    ------
    GameFileError
        A parameter has no value to begin with, or one that is out of bounds.
    """
    place = place_of(scenario, bank)
    policy, agent = scenario.policies[place], scenario.agents[place]
    values = dict(policy.parameters)
    for spec in constraints.allowed_parameters:
        if spec.name not in values and spec.default is not None:
            values[spec.name] = spec.default
        elif spec.name not in values and spec.name == FRACTION:
            values[spec.name] = agent.liquidity_allocation_fraction
        if spec.name not in values:
            raise GameFileError(
                f"bank {quoted(bank)}: its policy {quoted(policy.policy_id)} has no parameter "
                f"{quoted(spec.name)} to begin with; expected a default in allowed_parameters"
            )
        problem = spec.problem(values[spec.name], on_step=False)
        if problem:
            raise GameFileError(
                f"bank {quoted(bank)}: parameter {quoted(spec.name)} cannot begin there: {problem}"
            )
    return replace(policy, parameters=values)


def unread_parameters(
    policy: Policy, constraints: ScenarioConstraints, scenario: Scenario, bank: str
) -> tuple[str, ...]:
    """Return the declared parameters that nothing reads: no tree, and no pool of liquidity.

    To set one of them changes nothing, as long as the trees stay as they are.
    """
    read = parameters_read(policy)
    if scenario.agents[place_of(scenario, bank)].liquidity_pool:
        read.add(FRACTION)
    return tuple(s.name for s in constraints.allowed_parameters if s.name not in read)


def parameter_problems(
    policy: Policy, constraints: ScenarioConstraints, start: Policy
) -> Iterator[str]:
    """Say which parameters of a policy are not allowed."""
    specs = {spec.name: spec for spec in constraints.allowed_parameters}
    first = start.parameters
    for name, value in policy.parameters.items():
        is_kept = name in first and value == first[name]
        if name in specs and not is_kept:
            problem = specs[name].problem(value)
            if problem:
                yield f"parameters: {quoted(name)}: {problem}"
        elif name in first and not is_kept:
            yield (
                f"parameters: {quoted(name)} is {shown(value)}, but it is not among those that "
                f"may be changed; expected {shown(first[name])}"
            )
        elif name not in specs and name not in first:
            known = list(dict.fromkeys([*specs, *first]))
            yield f"parameters: {quoted(name)} is not allowed; {nearest(name, known)}"
    # Without the share in the policy another one would hold.
    needed = [*specs, *(name for name in first if name == FRACTION and name not in specs)]
    for name in needed:
        if name not in policy.parameters:
            words = specs[name].expectation() if name in specs else shown(first[name])
            yield f"parameters: {quoted(name)} is missing; expected {words}"


def tree_problems(policy: Policy, constraints: ScenarioConstraints, start: Policy) -> Iterator[str]:
    """Say what in the trees of a policy is not allowed; trees that are kept always are."""
    for tree in TREES:
        root, first = getattr(policy, tree), getattr(start, tree)
        if root == first:
            continue
        allowed = constraints.actions(tree)
        if root is None:
            if _WITHOUT[tree] not in allowed:
                yield (
                    f"{tree} is missing, which is as good as {_WITHOUT[tree]}; expected "
                    f"{_expected(allowed)}"
                )
        elif not allowed:
            yield f"{tree} may not be changed; expected {_expected(allowed, first is not None)}"
        else:
            yield from _uses_problems(tree, policy, constraints)


def _uses_problems(tree: str, policy: Policy, constraints: ScenarioConstraints) -> Iterator[str]:
    allowed = constraints.actions(tree)
    for use in uses(policy):
        if not use.place.startswith(f"{tree}, "):
            continue
        if use.kind == "action" and use.name not in allowed:
            yield f"{use.place}: action {use.name} is not allowed; expected {', '.join(allowed)}"
        elif use.kind == "field" and not constraints.allows_field(use.name):
            near = nearest(use.name, constraints.allowed_fields or ())
            yield f"{use.place}: field {use.name} is not allowed; {near}"


def _expected(allowed: tuple[str, ...], is_there: bool = True) -> str:
    if allowed:
        return f"the tree that was there, or one of {', '.join(allowed)}"
    return "the tree that was there" if is_there else "no such tree"
