"""Server-sent events: a page that is open hears of new steps, without asking for everything again.

The record is looked at about once a second, and read only where its files have changed since.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from payment_simulator.ai_cash_mgmt import GameStatus
from payment_simulator.analysis.game_state import INTERRUPTED
from payment_simulator.analysis.progress import Progress, game_progress
from payment_simulator.analysis.trajectories import CostTrajectory, cost_trajectories
from payment_simulator.dashboard import parameters
from payment_simulator.dashboard.data import cost_columns
from payment_simulator.dashboard.site import Site, site_of
from payment_simulator.dashboard.source import Marks
from payment_simulator.errors import DatabaseBusyError, PaymentSimulatorError
from payment_simulator.wording import visible

POLL_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
#: Pages that may follow at once.
MOST_LISTENERS = 40
#: What is written to a file may be seen a moment before a reader is given it.
_SETTLE_SECONDS = 3.0
#: How long a process that was killed may be taken for one that plays.
_LOOK_AGAIN_SECONDS = 5.0
_SHORT_SECONDS = 0.1
_TOO_MANY = 503


class Watch:
    """Tells whether it is worth reading a record again.

    While a writer's sidecar is there, it is from time to time even if no file has changed: killing
    a process changes none.
    """

    def __init__(self, marks: Callable[[], Marks]) -> None:
        self._marks = marks
        self._seen: Marks | None = None
        self._changed_at = 0.0
        self._looked_at = time.monotonic()

    def has_news(self) -> bool:
        """Tell whether a file of the record has changed, now or a moment ago."""
        marks, now = self._marks(), time.monotonic()
        if marks != self._seen:
            self._seen, self._changed_at = marks, now
        elif marks[-1] is not None and now - self._looked_at > _LOOK_AGAIN_SECONDS:
            self._looked_at = now
            return True
        if now - self._changed_at < _SETTLE_SECONDS:
            self._looked_at = now
            return True
        return False


class GameFollower:
    """Finds what is new in a game since it was last looked at.

    Parameters
    ----------
    site : Site
    game_id : str
    steps : int
        Steps that the page has already.
    iteration : int
        The last iteration of which it has all that there was.
    """

    def __init__(self, site: Site, game_id: str, steps: int, iteration: int) -> None:
        self._site = site
        self._game_id = game_id
        self._steps = steps
        self._iteration = iteration
        self._state = ""
        self._sent: dict[str, int] = {}
        self._watch = Watch(site.source.marks)

    def news(self) -> list[tuple[str, dict[str, Any]]]:
        """Return events: new steps, then the status where it has changed."""
        if not self._watch.has_news():
            return []
        with self._site.source.reading() as repo:
            progress = game_progress(repo, self._game_id)
            found = []
            if progress.steps != self._steps:
                # Banks of the same iteration come one after the other, so it is looked at again.
                after = max(self._iteration - 1, 0)
                trajectories = cost_trajectories(repo, self._game_id, after_iteration=after)
                found.append(("steps", {"banks": self._new(trajectories), **_so_far(progress)}))
        self._steps, self._iteration = progress.steps, progress.iteration
        if progress.state != self._state:
            self._state = progress.state
            found.append(("status", _so_far(progress)))
        return found

    def _new(self, trajectories: Mapping[str, CostTrajectory]) -> dict[str, Any]:
        """Return the steps that were not sent yet, by bank."""
        new = {}
        for bank, columns in trajectories.items():
            sent, last = self._sent.get(bank, 0), columns.iteration[-1]
            if last > sent:
                new[bank] = cost_columns(columns, after=sent)
                self._sent[bank] = last
        return new

    def has_ended(self) -> bool:
        """Tell whether the game has ended; one that was interrupted may go on."""
        return self._state not in {"", GameStatus.RUNNING.value, INTERRUPTED}


def _so_far(progress: Progress) -> dict[str, Any]:
    return {
        "status": progress.status,
        "state": progress.state,
        "steps": progress.steps,
        "iteration": progress.iteration,
    }


Endpoint: TypeAlias = Callable[[Request], Awaitable[ASGIApp]]


class _Counted:
    """An answer that counts as a listener until it has been sent, or nobody takes it any more."""

    def __init__(self, answer: ASGIApp, site: Site) -> None:
        self._answer = answer
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._answer(scope, receive, send)
        finally:
            self._site.listeners -= 1


def _limited(follow: Endpoint) -> Endpoint:
    """Let an endpoint have no more than :data:`MOST_LISTENERS` listeners, with all others.

    Requests run in one thread and take turns where they await. The place is taken before the first
    await, so no two requests can take the same one.
    """

    async def limited(request: Request) -> ASGIApp:
        site = site_of(request)
        if site.listeners >= MOST_LISTENERS:
            problem = f"{MOST_LISTENERS} pages are being kept up to date already; close some"
            return JSONResponse({"problem": problem}, _TOO_MANY)
        site.listeners += 1
        try:
            answer = await follow(request)
        except BaseException:
            site.listeners -= 1
            raise
        return _Counted(answer, site)

    return limited


@_limited
async def game(request: Request) -> Response:
    """Follow one game until it ends."""
    given = request.query_params
    game_id = parameters.text(given, "id")
    steps = parameters.whole(given, "steps", 0)
    iteration = parameters.whole(given, "after", 0)
    follower = GameFollower(site_of(request), game_id, steps, iteration)
    first = await run_in_threadpool(follower.news)

    async def events() -> AsyncIterator[str]:
        for name, value in first:
            yield event(name, value)
        if not follower.has_ended():
            async for news in _rounds(request, follower.news):
                for name, value in news:
                    yield event(name, value)
                if follower.has_ended():
                    break
        if follower.has_ended():
            yield event("end", {})

    return _stream(request, events)


@_limited
async def games(request: Request) -> Response:
    """Tell when the record has changed, so that the list of games is worth asking for again."""
    site = site_of(request)
    marks, watch = site.source.marks(), Watch(site.source.marks)
    at_work: frozenset[str] | None = None

    def look() -> list[tuple[str, dict[str, Any]]]:
        nonlocal marks, at_work
        before, marks = (marks, at_work), site.source.marks()
        if watch.has_news():
            with site.source.reading() as repo:
                at_work = repo.at_work()
        is_first = before[1] is None
        is_new = marks != before[0] or (at_work != before[1] and not is_first)
        return [("changed", {})] if is_new else []

    async def events() -> AsyncIterator[str]:
        async for news in _rounds(request, look):
            for name, value in news:
                yield event(name, value)

    return _stream(request, events)


def event(name: str, value: dict[str, Any]) -> str:
    """Return one event as it goes over the line."""
    return f"event: {name}\ndata: {json.dumps(value, separators=(',', ':'))}\n\n"


async def _rounds(
    request: Request, look: Callable[[], list[tuple[str, dict[str, Any]]]]
) -> AsyncIterator[list[tuple[str, dict[str, Any]]]]:
    """Look about once a second, for as long as somebody listens and the server goes on."""
    site, spoken = site_of(request), time.monotonic()
    while not await _is_over(request, site):
        try:
            news = await run_in_threadpool(look)
        except DatabaseBusyError:
            news = []  # the next round may find it free
        except PaymentSimulatorError as error:
            yield [("problem", {"problem": " ".join(visible(error).split())})]
            return
        if news:
            spoken = time.monotonic()
            yield news
        elif time.monotonic() - spoken > HEARTBEAT_SECONDS:
            spoken = time.monotonic()
            yield [("alive", {})]


async def _is_over(request: Request, site: Site) -> bool:
    """Wait for the next round; tell whether there is none."""
    until = time.monotonic() + POLL_SECONDS
    while time.monotonic() < until:
        if site.stopping.is_set() or await request.is_disconnected():
            return True
        await asyncio.sleep(_SHORT_SECONDS)
    return False


def _stream(request: Request, events: Callable[[], AsyncIterator[str]]) -> Response:
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    return StreamingResponse(
        events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )
