"""Checks what only a scenario can tell about a game file."""

from __future__ import annotations

from payment_simulator.ai_cash_mgmt.config.keys import GameKeys
from payment_simulator.ai_cash_mgmt.constraints import (
    ScenarioConstraints,
    starting_policy,
    unread_parameters,
)
from payment_simulator.ai_cash_mgmt.evaluation.spending import FEWEST_DAYS
from payment_simulator.errors import GameFileError
from payment_simulator.policy.grammar import FRACTION
from payment_simulator.policy.tree import TREES
from payment_simulator.scenario import Scenario
from payment_simulator.scenario.places import Misplaced, Path, nearest
from payment_simulator.scenario.values import quoted

#: Kinds of proposers that change parameters and leave the trees as they are.
_OF_PARAMETERS = ("search", "grid")


def check_config(config: GameKeys, scenario: Scenario) -> None:
    """Hold a game file against its scenario.

    Raises
    ------
    Misplaced
        The first thing that does not fit.
    """
    for bank in config.optimized_agents:
        if bank not in scenario.bank_ids:
            raise Misplaced(
                ("optimized_agents", bank),
                f"{quoted(bank)} is no bank of scenario {quoted(scenario.name)}; "
                f"{nearest(bank, scenario.bank_ids)}",
            )
    _check_schedule(config, scenario)
    _check_samples(config, scenario)
    for bank in agents_of(config, scenario):
        _check_bank(config, scenario, bank)


def _check_samples(config: GameKeys, scenario: Scenario) -> None:
    """Refuse a claim of confidence that few days could not support."""
    settings = config.bootstrap
    is_random = scenario.is_random or settings.sample_method != "fresh"
    is_short = settings.max_samples is not None and settings.max_samples < FEWEST_DAYS
    if config.acceptance.rule == "confident" and is_random and is_short:
        raise Misplaced(
            ("bootstrap", "max_samples"),
            f"{settings.max_samples}; acceptance rule confident needs at least {FEWEST_DAYS} days, "
            "for fewer often hold none of the rare losses; expected more, or rule mean",
        )


def agents_of(config: GameKeys, scenario: Scenario) -> tuple[str, ...]:
    """Return the banks that are optimised: those named, or all that have a choice.

    Raises
    ------
    Misplaced
        No bank has one.
    """
    if config.optimized_agents:
        return tuple(config.optimized_agents)
    constraints = _constraints_of(config, scenario, "")
    kind = config.proposer.kind
    found = tuple(b for b in scenario.bank_ids if _plays(constraints, scenario, b, kind))
    if not found:
        names = ", ".join(spec.name for spec in constraints.allowed_parameters)
        raise Misplaced(
            ("constraints",),
            f"no bank of scenario {quoted(scenario.name)} has a choice"
            + (f": none has {names}" if names else "")
            + "; expected a parameter that policies have, or banks named in optimized_agents",
        )
    return found


def _plays(constraints: ScenarioConstraints, scenario: Scenario, bank: str, kind: str) -> bool:
    """Tell whether a bank that is not named has a choice, of parameters where any are declared."""
    if not constraints.allowed_parameters:
        return _may_change_trees(constraints)
    policy = scenario.policies[scenario.bank_ids.index(bank)]
    unread = unread_parameters(policy, constraints, scenario, bank)
    for spec in constraints.allowed_parameters:
        # A model can write a tree that reads it.
        is_for_trees = kind not in _OF_PARAMETERS and spec.name != FRACTION
        has_value = spec.name in policy.parameters or spec.default is not None
        if spec.name not in unread or (is_for_trees and has_value):
            return True
    return False


def _may_change_trees(constraints: ScenarioConstraints) -> bool:
    return any(constraints.actions(tree) for tree in TREES)


def _check_bank(config: GameKeys, scenario: Scenario, bank: str) -> None:
    """Check that a bank can begin, and that there is something to choose."""
    constraints = _constraints_of(config, scenario, bank)
    path = _path_of(config, bank)
    try:
        policy = starting_policy(scenario, bank, constraints)
    except GameFileError as error:
        raise Misplaced(path, str(error)) from None
    unread = unread_parameters(policy, constraints, scenario, bank)
    if len(unread) == len(constraints.allowed_parameters) and not _may_change_trees(constraints):
        why = f"nothing reads {', '.join(unread)}" if unread else "no parameters are declared"
        raise Misplaced(
            path,
            f"bank {quoted(bank)} has nothing to choose: {why}, and no tree may be changed; "
            "expected a parameter that its policy reads",
        )


def _constraints_of(config: GameKeys, scenario: Scenario, bank: str) -> ScenarioConstraints:
    try:
        return config.constraints_of(bank, scenario)
    except GameFileError as error:
        raise Misplaced((), str(error)) from None


def _path_of(config: GameKeys, bank: str) -> Path:
    """Return where the constraints of a bank stand."""
    agent = config.optimized_agents.get(bank)
    if agent is not None and agent.constraints is not None:
        return ("optimized_agents", bank, "constraints")
    return ("constraints",) if config.constraints is not None else ()


def _check_schedule(config: GameKeys, scenario: Scenario) -> None:
    schedule = config.optimization_schedule
    interval = schedule.interval_ticks
    if interval is not None and interval >= scenario.n_ticks:
        raise Misplaced(
            ("optimization_schedule", "interval_ticks"),
            f"{interval} was given, but the run of scenario {quoted(scenario.name)} has "
            f"{scenario.n_ticks} ticks, so that nothing would be left to play; expected fewer",
        )
    if schedule.type == "after_eod" and scenario.simulation.num_days == 1:
        raise Misplaced(
            ("optimization_schedule", "type"),
            f"after_eod optimises between days, but scenario {quoted(scenario.name)} has 1 day; "
            "expected a scenario of 2 days or more",
        )
