"""One scenario, played once or ten thousand times."""

from payment_simulator.simulation.batch import Batch, simulate_batch
from payment_simulator.simulation.metrics import batch_measures, measures
from payment_simulator.simulation.result import Run
from payment_simulator.simulation.simulator import Simulation, simulate
from payment_simulator.simulation.snapshot import Snapshot
from payment_simulator.simulation.worlds import COST_KINDS

__all__ = [
    "COST_KINDS",
    "Batch",
    "Run",
    "Simulation",
    "Snapshot",
    "batch_measures",
    "measures",
    "simulate",
    "simulate_batch",
]
