"""Collateral trees and bank trees (steps 4 and 10 of the rules)."""

from __future__ import annotations

import math

from payment_simulator.policy.tree import Node
from tests.reference.twin.fields import bank_fields
from tests.reference.twin.model import MILLION, Bank, Budget, World
from tests.reference.twin.trees import Decision, Sight, finite, walk


def run_step_4(world: World) -> None:
    """Withdraw what is due, then ask the collateral tree and the bank tree of every bank."""
    for bank in world.banks:
        bank.budget = None
        _withdraw_timed(world, bank)
        policy = world.policies[bank.number]
        if policy.strategic_collateral_tree is not None:
            _do_collateral(world, bank, policy.strategic_collateral_tree, 4)
        if policy.bank_tree is not None:
            _do_bank(world, bank, policy.bank_tree)


def run_step_10(world: World) -> None:
    """Ask the end-of-tick collateral tree of every bank."""
    for bank in world.banks:
        tree = world.policies[bank.number].end_of_tick_collateral_tree
        if tree is not None:
            _do_collateral(world, bank, tree, 10)


def _walk(world: World, bank: Bank, tree: Node) -> Decision:
    """Walk a tree that is not about one payment."""
    sight = Sight(
        fields=bank_fields(world, bank),
        registers=bank.registers,
        parameters=world.policies[bank.number].parameters,
        where=f"tick {world.tick}, bank {bank.name}",
    )
    return walk(tree, sight)


def _withdraw_timed(world: World, bank: Bank) -> None:
    """Take back collateral that was posted for a number of ticks, once these are over."""
    due = sum(cents for tick, cents in bank.timed_collateral if tick <= world.tick)
    bank.timed_collateral = [timed for timed in bank.timed_collateral if timed[0] > world.tick]
    if due:
        _withdraw(world, bank, due, 4)


def _do_collateral(world: World, bank: Bank, tree: Node, step: int) -> None:
    """Walk a collateral tree and do what it says."""
    decision = _walk(world, bank, tree)
    if decision.action == "HoldCollateral":
        return
    amount = max(decision.whole("amount"), 0)
    if decision.action == "PostCollateral":
        wanted, amount = amount, min(amount, max(0, bank.capacity - bank.posted))
        bank.posted += amount
        if amount < wanted:
            world.note(step, "beyond the capacity", bank.number, wanted - amount)
        world.note(step, "posted", bank.number, amount)
        if "auto_withdraw_after_ticks" in decision.parameters:
            ticks = max(decision.whole("auto_withdraw_after_ticks"), 1)
            bank.timed_collateral.append((world.tick + ticks, amount))
    elif decision.action == "WithdrawCollateral":
        _withdraw(world, bank, amount, step)
    else:
        raise AssertionError(f"action {decision.action} is not in the rules")


def _withdraw(world: World, bank: Bank, wanted: int, step: int) -> None:
    """Take back collateral, as much as leaves liquidity at zero or above."""
    amount = min(wanted, withdrawable(bank))
    bank.posted -= amount
    world.note(step, "withdrawn", bank.number, amount)


def withdrawable(bank: Bank) -> int:
    """Give the most collateral that a bank can take back, in cents."""
    if bank.liquidity < 0:
        return 0
    needed_value = -(bank.balance + bank.unsecured_cap)
    if needed_value <= 0:
        return bank.posted
    # The value of C is C(1 - h) rounded down, so it reaches a whole number of cents when
    # C(1 - h) does. The haircut is below one here, or liquidity were negative.
    needed = -(-needed_value * MILLION // (MILLION - bank.haircut_ppm))
    return bank.posted - needed


def _do_bank(world: World, bank: Bank, tree: Node) -> None:
    """Walk a bank tree and do what it says."""
    decision = _walk(world, bank, tree)
    world.note(4, decision.action, bank.number, decision.parameters)
    if decision.action == "SetReleaseBudget":
        bank.budget = _budget(world, decision)
    elif decision.action in {"SetState", "AddState"}:
        key = decision.word("key")
        before = bank.registers.get(key, 0.0) if decision.action == "AddState" else 0.0
        where = f"tick {world.tick}, bank {bank.name}, {key}"
        bank.registers[key] = finite(before + decision.number("value"), where)
    elif decision.action != "NoAction":
        raise AssertionError(f"action {decision.action} is not in the rules")


def _budget(world: World, decision: Decision) -> Budget:
    """Make the budget of a tick; cents are whole, so its bounds are rounded down."""
    numbers = {bank.name: bank.number for bank in world.banks}
    focus = decision.parameters.get("focus_counterparties")
    budget = Budget(left=math.floor(decision.number("max_value_to_release")))
    if isinstance(focus, tuple):
        budget.focus = {numbers[name] for name in focus}
    if "max_per_counterparty" in decision.parameters:
        budget.per_receiver = decision.whole("max_per_counterparty")
    return budget
