"""The events of a scenario, spread over the ticks of a run."""

from __future__ import annotations

from payment_simulator.scenario.event_kinds import Event
from payment_simulator.scenario.model import Scenario


def expand_events(scenario: Scenario) -> tuple[tuple[int, Event], ...]:
    """Return every happening of every event, with its tick.

    Parameters
    ----------
    scenario : Scenario
        The scenario.

    Returns
    -------
    tuple
        Pairs of tick and event, by tick; within a tick in the order of the file.
    """
    happenings = [
        (tick, event)
        for event in scenario.scenario_events
        for tick in event.ticks(scenario.n_ticks)
    ]
    return tuple(sorted(happenings, key=lambda happening: happening[0]))
