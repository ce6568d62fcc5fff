"""What banks may choose on a grid: the values, who has a choice, and the policies that result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from payment_simulator.ai_cash_mgmt.constraints.equal_steps import finite, parameter_grid
from payment_simulator.errors import InputError
from payment_simulator.policy import Policy, check_policy
from payment_simulator.policy.grammar import FRACTION
from payment_simulator.scenario import Scenario
from payment_simulator.wording import nearest, quoted


def choices_of(
    scenario: Scenario,
    parameter: str,
    values: Sequence[float] | Mapping[str, Sequence[float]] | None,
    banks: Sequence[str] | None,
) -> tuple[tuple[str, ...], dict[str, tuple[float, ...]]]:
    """Return the banks that choose, in the scenario's order, and what each may choose.

    Raises
    ------
    InputError
        A bank is not there or has no such choice, or a value is no finite number.
    """
    named = banks
    if isinstance(values, Mapping):
        if banks is not None and set(banks) != set(values):
            raise InputError(
                f"values are given for {', '.join(values)}, but the banks are "
                f"{', '.join(banks)}; expected the same"
            )
        named = list(values)
    if named is None:
        choosing = _with_a_choice(scenario, parameter)
    else:
        _check_banks(scenario, parameter, named)
        choosing = tuple(bank for bank in scenario.bank_ids if bank in named)
    if values is None and parameter != FRACTION:
        raise InputError(f"no values of {parameter}; expected those to choose from")
    given = parameter_grid(0, 1, 21) if values is None else values
    by_bank = given if isinstance(given, Mapping) else dict.fromkeys(choosing, given)
    return choosing, {bank: _numbers(by_bank[bank], bank) for bank in choosing}


def _has_choice(scenario: Scenario, parameter: str, bank: str) -> bool:
    place = scenario.bank_ids.index(bank)
    has_pool = parameter == FRACTION and bool(scenario.agents[place].liquidity_pool)
    return has_pool or parameter in scenario.policies[place].parameters


def _with_a_choice(scenario: Scenario, parameter: str) -> tuple[str, ...]:
    """Return the banks that choose where none are named."""
    if parameter == FRACTION:
        found = tuple(agent.id for agent in scenario.agents if agent.liquidity_pool)
        if not found:
            raise InputError(
                f"scenario {quoted(scenario.name)}: no bank has a liquidity_pool, so "
                f"{FRACTION} decides nothing; expected a pool, or another parameter"
            )
        return found
    own = zip(scenario.bank_ids, scenario.policies, strict=True)
    found = tuple(bank for bank, policy in own if parameter in policy.parameters)
    if not found:
        known = dict.fromkeys(name for policy in scenario.policies for name in policy.parameters)
        raise InputError(
            f"scenario {quoted(scenario.name)}: no policy has a parameter {quoted(parameter)}; "
            f"{nearest(parameter, known)}"
        )
    return found


def _check_banks(scenario: Scenario, parameter: str, banks: Sequence[str]) -> None:
    if isinstance(banks, str) or not banks:
        raise InputError(f"banks: {banks!r}; expected a list of at least one name")
    for bank in banks:
        if bank not in scenario.bank_ids:
            raise InputError(
                f"scenario {quoted(scenario.name)} has no bank {quoted(bank)}; "
                f"{nearest(bank, scenario.bank_ids)}"
            )
        if not _has_choice(scenario, parameter, bank):
            what = "liquidity_pool" if parameter == FRACTION else f"parameter {quoted(parameter)}"
            raise InputError(
                f"bank {quoted(bank)} has no {what}; expected banks that have a choice: "
                f"{', '.join(_with_a_choice(scenario, parameter)[:20])}"
            )


def _numbers(values: Sequence[float], bank: str) -> tuple[float, ...]:
    """Return the values of a bank as distinct finite numbers."""
    numbers = tuple(finite(value, f"a value of bank {quoted(bank)}") for value in values)
    if not numbers or len(set(numbers)) < len(numbers):
        raise InputError(f"values of bank {quoted(bank)}: expected at least one, and none twice")
    return numbers


def variants_of(
    scenario: Scenario, bank: str, parameter: str, values: Sequence[float]
) -> list[Policy]:
    """Return a bank's policy with each of the values.

    Raises
    ------
    InputError
        The policy would not be valid with one of them.
    """
    policy = scenario.policies[scenario.bank_ids.index(bank)]
    variants = []
    for value in values:
        variant = replace(policy, parameters={**policy.parameters, parameter: value})
        problems = check_policy(variant)
        if problems:
            raise InputError(f"bank {quoted(bank)}: {problems[0]}")
        variants.append(variant)
    return variants
