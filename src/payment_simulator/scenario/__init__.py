"""Scenario files: read, checked completely, and turned into immutable values."""

from payment_simulator.scenario.agents import Agent, Limits
from payment_simulator.scenario.arrivals import ArrivalBand, ArrivalBands, ArrivalConfig
from payment_simulator.scenario.costs import COST_KINDS, CostRates, Penalty
from payment_simulator.scenario.event_kinds import Event
from payment_simulator.scenario.events import expand_events
from payment_simulator.scenario.features import policy_problems
from payment_simulator.scenario.kept import payments_text, restore_scenario
from payment_simulator.scenario.load import load_scenario, parse_scenario
from payment_simulator.scenario.lsm import LsmConfig
from payment_simulator.scenario.model import ObservedPayment, Scenario
from payment_simulator.scenario.values import MAX_CENTS

__all__ = [
    "COST_KINDS",
    "MAX_CENTS",
    "Agent",
    "ArrivalBand",
    "ArrivalBands",
    "ArrivalConfig",
    "CostRates",
    "Event",
    "Limits",
    "LsmConfig",
    "ObservedPayment",
    "Penalty",
    "Scenario",
    "expand_events",
    "load_scenario",
    "parse_scenario",
    "payments_text",
    "policy_problems",
    "restore_scenario",
]
