"""One simulation run, and the life of one of its payments."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from payment_simulator.ai_cash_mgmt import SimulationEventRecord, SimulationRunRecord
from payment_simulator.ai_cash_mgmt.persistence.models import PaymentStatus
from payment_simulator.analysis.runs import (
    MOST_EVENTS,
    PAYMENT_SORTS,
    PaymentFilter,
    PaymentLife,
    count_payments,
    get_run,
    list_payments,
    payment_life,
    run_banks,
    run_costs,
)
from payment_simulator.dashboard import parameters
from payment_simulator.dashboard.bars import in_order
from payment_simulator.dashboard.site import site_of
from payment_simulator.dashboard.tables import Pager
from payment_simulator.dashboard.words import link, money, number, share
from payment_simulator.errors import InputError
from payment_simulator.wording import quoted

PAYMENT_STATUSES = tuple(status.value for status in PaymentStatus)
#: Banks that are drawn unless others are asked for, and at most.
_BANKS_DRAWN, _MOST_BANKS = 4, 12
#: Ticks that are drawn unless other days are asked for.
_TICKS_DRAWN = 2000
_PAYMENTS_SHOWN = 50
_LARGEST_FIRST = ("amount", "wait", "priority", "cost")
#: Event -> what happened, as a person says it.
EVENT_WORDS = {
    "arrive": "arrives in the bank's own queue (Queue 1)",
    "release": "released to the system",
    "join_queue2": "waits in the system's queue (Queue 2)",
    "settle": "settles",
    "settle_part": "settles in part",
    "overdue": "becomes overdue",
    "split": "is split",
    "drop": "is dropped",
    "reprioritize": "gets another priority",
    "withdraw": "is withdrawn from Queue 2",
    "resubmit": "is submitted again",
    "reserve": "is held back until later",
    "refused_by_budget": "is refused by the release budget",
    "penalty": "causes a penalty",
}


#: Measure -> what it is called, and how its number is written.
MEASURE_WORDS: dict[str, tuple[str, Callable[[float], str]]] = {
    "payments_due": ("payments due", number),
    "payments_settled": ("payments settled", number),
    "value_arrived": ("value arrived", money),
    "value_settled": ("value settled", money),
    "settlement_rate_by_number": ("settled, by number", share),
    "settlement_rate_by_value": ("settled, by value", share),
    "on_time_rate_by_value": ("settled on time, by value", share),
    "value_weighted_delay_ticks": ("delay weighted by value (ticks)", number),
    "delay_after_release_ticks": ("delay after release (ticks)", number),
    "liquidity_used": ("liquidity used", money),
    "liquidity_efficiency": ("value settled per unit of liquidity used", number),
    "gross_share": ("settled gross", share),
    "offset_share": ("settled by offsetting", share),
    "gini_of_liquidity_cost": ("Gini of liquidity cost", number),
    "total_cost": ("cost, all banks", money),
    "turnover_ratio": ("turnover ratio", number),
}


def run(request: Request) -> Response:
    """Show a simulation run."""
    given = request.query_params
    run_id = parameters.text(given, "id")
    with site_of(request).source.reading() as repo:
        found = get_run(repo, run_id)
        banks = run_banks(repo, run_id)
        costs = run_costs(repo, run_id)
        chosen = _payment_filter(given)
        sort = parameters.one_of(given, "sort", tuple(PAYMENT_SORTS)) or "number"
        default = "down" if sort in _LARGEST_FIRST else "up"
        direction = parameters.one_of(given, "order", ("up", "down")) or default
        limit, offset = parameters.rows(given, _PAYMENTS_SHOWN)
        payments = list_payments(
            repo,
            run_id,
            chosen,
            sort=sort,
            descending=direction == "down",
            limit=limit,
            offset=offset,
        )
        count, value = count_payments(repo, run_id, chosen)
    first, last = chosen_days(given, found)
    drawn = chosen_banks(given, banks)
    filters = {
        "id": run_id,
        "sender": chosen.sender,
        "receiver": chosen.receiver,
        "status": chosen.status,
        "first": first,
        "last": last,
    }
    return site_of(request).page(
        "run.html",
        run=found,
        banks=banks,
        drawn=drawn,
        most_banks=_MOST_BANKS,
        days=(first, last),
        measures=_measures(found),
        run_data=link("/data/run", id=run_id, first=first, last=last) + _bank_query(given),
        costs=costs,
        kinds=_kinds(costs),
        largest_cost=max((sum(kinds.values()) for kinds in costs.values()), default=0.0),
        payments=payments,
        payments_value=value,
        filters=filters,
        statuses=PAYMENT_STATUSES,
        pager=Pager(
            "/run", filters, sort, direction, limit, offset, count, _LARGEST_FIRST, "payments"
        ),
    )


def payment(request: Request) -> Response:
    """Show the life of a payment."""
    given = request.query_params
    run_id = parameters.text(given, "id")
    number = parameters.needed_whole(given, "payment")
    with site_of(request).source.reading() as repo:
        found = get_run(repo, run_id)
        life = payment_life(repo, run_id, number)
    return site_of(request).page(
        "payment.html",
        run=found,
        payment=life.payment,
        parts=life.parts,
        events=[(event, _what(event), _details(event)) for event in life.events],
        most_events=MOST_EVENTS,
        **_life(life, found.num_days * found.ticks_per_day),
    )


def chosen_days(given: QueryParams, run: SimulationRunRecord) -> tuple[int, int]:
    """Return the first and the last day to draw: those asked for, or as many as one can see."""
    day = run.num_days - 1
    shown = max(1, _TICKS_DRAWN // run.ticks_per_day)
    first = parameters.whole(given, "first", 0, most=day)
    last = parameters.whole(given, "last", min(first + shown - 1, day), most=day)
    if last < first:
        raise InputError(f"the last day is {last}, expected at least the first, {first}")
    return first, last


def chosen_banks(given: QueryParams, banks: list[str]) -> list[str]:
    """Return the banks to draw: those asked for, or the first ones."""
    asked = given.getlist("bank")
    for bank in asked:
        if bank not in banks:
            raise InputError(f"bank {quoted(bank)} is not in this run")
    return (asked or banks[:_BANKS_DRAWN])[:_MOST_BANKS]


def _payment_filter(given: QueryParams) -> PaymentFilter:
    return PaymentFilter(
        sender=parameters.optional(given, "sender"),
        receiver=parameters.optional(given, "receiver"),
        status=parameters.one_of(given, "status", PAYMENT_STATUSES),
    )


def _kinds(costs: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the kinds of cost that anybody paid."""
    return in_order(kind for paid in costs.values() for kind, cost in paid.items() if cost)


def _bank_query(given: QueryParams) -> str:
    return "".join("&" + urlencode({"bank": bank}) for bank in given.getlist("bank"))


def _measures(run: SimulationRunRecord) -> list[tuple[str, str]]:
    """Return the measures that are one number each, with their names as a person says them."""
    try:
        found = json.loads(run.measures_json)
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, dict):
        return []
    return [
        (MEASURE_WORDS.get(name, (name.replace("_", " "), number))[0], _measure(name, value))
        for name, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def _measure(name: str, value: float) -> str:
    return MEASURE_WORDS.get(name, ("", number))[1](value)


def _life(life: PaymentLife, end: int) -> dict[str, Any]:
    """Return the payment's time as pieces of a line, in per cent, and in words."""
    found = life.payment
    arrival, deadline = found.arrival_tick, found.deadline_tick
    released, settled = found.released_tick, found.settled_tick
    last = end - 1 if settled is None else settled
    after = max(last, min(deadline, end - 1), arrival) + 1

    def at(tick: int) -> float:
        return round(100 * (tick - arrival) / (after - arrival), 3)

    left = last + 1 if released is None else released
    stays = [("queue1", arrival, left, "in Queue 1"), ("queue2", left, last + 1, "in the system")]
    parts = [
        {
            "kind": kind,
            "start": at(start),
            "length": round(at(stop) - at(start), 3),
            "title": f"{title}: tick {start:,} to {stop:,}",
        }
        for kind, start, stop, title in stays
        if stop > start
    ]
    words = [
        f"It arrives at tick {arrival:,} and is due by tick {deadline:,}.",
        "It is never released." if released is None else f"It is released at tick {released:,}.",
    ]
    if settled is None:
        words.append("It has not settled in full by the end of the run.")
    elif settled > deadline:
        words.append(f"It settles at tick {settled:,}, {settled - deadline:,} after its deadline.")
    else:
        words.append(f"It settles at tick {settled:,}, on time.")
    return {
        "life_parts": parts,
        "deadline_at": min(at(deadline + 1), 100.0),
        "life_words": " ".join(words),
    }


def _what(event: SimulationEventRecord) -> str:
    return EVENT_WORDS.get(event.event_type, event.event_type)


def _details(event: SimulationEventRecord) -> list[tuple[str, str]]:
    """Return what else is known of an event, by name."""
    try:
        found = json.loads(event.details_json or "{}")
    except (ValueError, RecursionError):
        found = event.details_json
    if not isinstance(found, dict):
        return [("details", str(found))]
    return [(str(name).replace("_", " "), str(value)) for name, value in found.items()]
