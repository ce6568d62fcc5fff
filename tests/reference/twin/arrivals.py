"""Payments that come into being by chance (section 8 of the rules)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from payment_simulator.scenario.agents import Agent
from payment_simulator.scenario.distributions import AmountDistribution, PriorityDistribution
from payment_simulator.scenario.model import Scenario
from tests.reference.twin import draws
from tests.reference.twin.model import Payment, World
from tests.reference.twin.queues import HIGHEST_PRIORITY, new_payment

#: Streams and priorities of the bands, in the order in which they are drawn.
BANDS = (("urgent", 1, 8, 10), ("normal", 2, 4, 7), ("low", 3, 0, 3))


@dataclass
class Stream:
    """One source of payments of a bank: its configuration, or one band.

    Attributes
    ----------
    number : int
        0 for the single configuration, else that of the band.
    rate : float
        Mean number of payments in a tick.
    amounts, priorities : object
        Distributions as the scenario gives them; for a band, the least and the highest priority.
    weights : list of float
        By number of the receiver.
    earliest, latest : int
        Deadline in ticks after arrival.
    """

    number: int
    rate: float
    amounts: AmountDistribution
    weights: list[float]
    earliest: int
    latest: int
    priorities: PriorityDistribution | tuple[int, int]
    divisible: bool


@dataclass
class Source:
    """All streams of all banks, and what events have made of them.

    Attributes
    ----------
    streams : list of list of Stream
        By bank, in the order in which they are drawn.
    global_rate, bank_rates : float, list of float
        Multipliers in force.
    earliest_multiplier, latest_multiplier : float
        Of the two ends of every deadline window.
    """

    seed: int
    first_day: int
    streams: list[list[Stream]]
    bank_rates: list[float]
    global_rate: float = 1.0
    earliest_multiplier: float = 1.0
    latest_multiplier: float = 1.0
    numbers: dict[str, int] = field(default_factory=dict)


def make_source(scenario: Scenario, seed: int, sample: int) -> Source:
    """Read the streams of a scenario, for one of its samples of random days."""
    names = [agent.id for agent in scenario.agents]
    return Source(
        seed=seed,
        first_day=sample * scenario.simulation.num_days,
        streams=[_streams(agent, names) for agent in scenario.agents],
        bank_rates=[1.0] * len(names),
        numbers={name: number for number, name in enumerate(names)},
    )


def _streams(agent: Agent, names: list[str]) -> list[Stream]:
    """Read the streams of a bank."""
    single = agent.arrival_config
    if single is not None:
        earliest, latest = single.deadline_range
        return [
            Stream(
                number=0,
                rate=single.rate_per_tick,
                amounts=single.amount_distribution,
                weights=_weights(agent.id, single.counterparty_weights, names),
                earliest=earliest,
                latest=latest,
                priorities=single.priority_distribution,
                divisible=single.divisible,
            )
        ]
    if agent.arrival_bands is None:
        return []
    streams = []
    for name, number, least, highest in BANDS:
        band = getattr(agent.arrival_bands, name)
        if band is None:
            continue
        streams.append(
            Stream(
                number=number,
                rate=band.rate_per_tick,
                amounts=band.amount_distribution,
                weights=_weights(agent.id, band.counterparty_weights, names),
                earliest=band.deadline_offset_min,
                latest=band.deadline_offset_max,
                priorities=(least, highest),
                divisible=band.divisible,
            )
        )
    return streams


def _weights(own: str, given: dict[str, float], names: list[str]) -> list[float]:
    """Spread weights over the banks; without any, all others weigh the same."""
    if not given:
        return [0.0 if name == own else 1.0 for name in names]
    return [0.0 if name == own else float(given.get(name, 0.0)) for name in names]


def draw_payments(world: World, source: Source) -> list[Payment]:
    """Draw the payments of this tick, by bank, band and number."""
    drawn = []
    for bank, streams in enumerate(source.streams):
        for stream in streams:
            rate = stream.rate * source.global_rate * source.bank_rates[bank]
            drawn += _draw_stream(world, source, bank, stream, rate)
    return drawn


def _draw_stream(
    world: World, source: Source, bank: int, stream: Stream, rate: float
) -> list[Payment]:
    """Draw the payments of one stream at this tick."""
    # An event may have taken all weight away: then there is nobody to pay.
    if rate == 0 or max(stream.weights) <= 0:
        return []
    place = (source.seed, bank, source.first_day + world.day, 4 * world.tick_of_day + stream.number)
    counts = draws.uniforms(*place, draws.COUNTS, draws.poisson_parts(rate))
    number = draws.poisson(rate, counts)
    us = draws.uniforms(*place, draws.PAYMENTS, draws.WORDS_PER_PAYMENT * number)
    earliest, latest = _window(source, stream)
    payments = []
    for j in range(number):
        for_amount, for_receiver, for_deadline, for_priority = us[4 * j : 4 * j + 4]
        payments.append(
            new_payment(
                world,
                sender=bank,
                receiver=draws.choice(stream.weights, for_receiver),
                amount=draws.amount(stream.amounts, for_amount),
                deadline_tick=world.tick + draws.whole(earliest, latest, for_deadline),
                priority=_priority(stream.priorities, for_priority),
                divisible=stream.divisible,
            )
        )
    return payments


def _window(source: Source, stream: Stream) -> tuple[int, int]:
    """Give the ends of the deadline window, in ticks after arrival."""
    earliest = math.floor(stream.earliest * source.earliest_multiplier + 0.5)
    latest = math.floor(stream.latest * source.latest_multiplier + 0.5)
    return earliest, max(latest, earliest)


def _priority(priorities: PriorityDistribution | tuple[int, int], u: float) -> int:
    """Draw a priority."""
    if isinstance(priorities, tuple):
        least, highest = priorities
        return draws.whole(least, highest, u)
    if priorities.type == "Fixed":
        return priorities.value
    if priorities.type == "Uniform":
        return draws.whole(priorities.min, priorities.max, u)
    weights = [0.0] * (HIGHEST_PRIORITY + 1)
    for value, weight in zip(priorities.values, priorities.weights, strict=True):
        weights[value] += weight
    return draws.choice(weights, u)
