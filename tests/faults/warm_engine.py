"""Imports what games need and loads the engine, once for all children that are forked later."""

from __future__ import annotations

import payment_simulator.ai_cash_mgmt.orchestrator
import payment_simulator.ai_cash_mgmt.proposers.grid
import payment_simulator.ai_cash_mgmt.proposers.search  # noqa: F401
from payment_simulator.scenario import load_scenario
from payment_simulator.simulation import simulate_batch
from tests.games import SCENARIOS

# One thread: a process that has started others is not safe to fork.
simulate_batch(load_scenario(SCENARIOS / "two_period.yaml"), samples=1, threads=1)
