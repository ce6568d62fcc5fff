"""Times are kept as naive UTC, to the microsecond."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt import GameRepository
from tests.builders import a_session
from tests.saving import bits

BERLIN, NEW_YORK, KATHMANDU, APIA = map(
    ZoneInfo, ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia")
)


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        (datetime(2026, 7, 1, 12, 0, 0, 1, UTC), datetime(2026, 7, 1, 12, 0, 0, 1)),
        (datetime(2026, 7, 1, 12, tzinfo=BERLIN), datetime(2026, 7, 1, 10)),
        (datetime(2026, 1, 1, 0, 30, tzinfo=BERLIN), datetime(2025, 12, 31, 23, 30)),
        (datetime(2026, 7, 1, 12, tzinfo=NEW_YORK), datetime(2026, 7, 1, 16)),
        (datetime(2026, 7, 1, 12, tzinfo=KATHMANDU), datetime(2026, 7, 1, 6, 15)),
        (datetime(2026, 7, 1, 12, tzinfo=APIA), datetime(2026, 6, 30, 23)),
        # The hour that comes twice when summer time ends, and the one that never comes.
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN), datetime(2026, 10, 25, 0, 30)),
        (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1), datetime(2026, 10, 25, 1, 30)),
        (datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN), datetime(2026, 3, 29, 1, 30)),
        (datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN, fold=1), datetime(2026, 3, 29, 0, 30)),
        (
            datetime(2026, 1, 1, tzinfo=timezone(timedelta(microseconds=1))),
            datetime(2025, 12, 31, 23, 59, 59, 999999),
        ),
        # The ends of what can be kept.
        (datetime.min.replace(tzinfo=UTC), datetime.min),
        (datetime.max.replace(tzinfo=UTC), datetime.max),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=-14))), datetime(1, 1, 1, 14)),
        (
            datetime(9999, 12, 31, 23, 59, 59, 999999, timezone(timedelta(hours=14))),
            datetime(9999, 12, 31, 9, 59, 59, 999999),
        ),
    ],
)
def test_an_aware_time_becomes_naive_utc(given: datetime, utc: datetime, repo: GameRepository):
    record = a_session(started_at=given, completed_at=given)
    assert repr(record.started_at) == repr(record.completed_at) == repr(utc)
    repo.save_game_session(record)
    assert bits(repo.get_game_session("game-001")) == bits(record)


@pytest.mark.parametrize("given", [datetime.min, datetime.max, datetime(2026, 10, 25, 2, 30)])
def test_a_naive_time_is_utc_already(given: datetime):
    assert repr(a_session(started_at=given).started_at) == repr(given)


def test_a_naive_time_has_no_fold():
    record = a_session(started_at=datetime(2026, 10, 25, 2, 30, fold=1))
    assert repr(record.started_at) == repr(datetime(2026, 10, 25, 2, 30))


def test_an_assigned_time_is_converted_too():
    record = a_session()
    record.completed_at = datetime(2026, 7, 1, 12, tzinfo=BERLIN)
    assert repr(record.completed_at) == repr(datetime(2026, 7, 1, 10))
    changed = record.replace(started_at=datetime(2026, 7, 1, 12, tzinfo=APIA))
    assert repr(changed.started_at) == repr(datetime(2026, 6, 30, 23))


@pytest.mark.parametrize(
    "given",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        datetime(1, 1, 1, tzinfo=KATHMANDU),
        datetime(9999, 12, 31, 23, 59, 59, 999999, timezone(timedelta(minutes=-1))),
        datetime(9999, 12, 31, 19, tzinfo=NEW_YORK),
    ],
)
def test_a_time_outside_the_calendar_in_utc_is_refused(given: datetime):
    with pytest.raises(ValidationError, match=r"started_at\n.*years 1 to 9999"):
        a_session(started_at=given)


class Stamp(datetime):
    """A time as data frames have it: a subclass, with nanoseconds and a text of its own."""

    nanosecond = 0

    def __str__(self) -> str:
        return "some time"


class FineStamp(Stamp):
    nanosecond = 1


def test_a_subclass_becomes_a_plain_datetime():
    record = a_session(
        started_at=Stamp(2026, 1, 2, 3, 4, 5, 6),
        completed_at=Stamp(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
    )
    assert repr(record.started_at) == repr(datetime(2026, 1, 2, 3, 4, 5, 6))
    assert repr(record.completed_at) == repr(datetime(2026, 10, 25, 1, 30))


def test_nanoseconds_are_refused_not_dropped():
    with pytest.raises(ValidationError, match=r"started_at\n.*nanoseconds.*microseconds"):
        a_session(started_at=FineStamp(2026, 1, 1))


class Nowhere(tzinfo):
    """A zone without an offset: Python counts such a time as naive."""

    def utcoffset(self, _: datetime | None, /) -> None:
        return None

    def dst(self, _: datetime | None, /) -> None:
        return None

    def tzname(self, _: datetime | None, /) -> str:
        return "nowhere"


def test_a_zone_without_an_offset_leaves_the_time_naive():
    record = a_session(started_at=datetime(2026, 1, 1, 12, tzinfo=Nowhere()))
    assert repr(record.started_at) == repr(datetime(2026, 1, 1, 12))


@pytest.mark.parametrize("given", [date(2026, 1, 1), "2026-01-01T00:00:00", 0, 1.5])
def test_only_a_datetime_is_a_time(given: object):
    with pytest.raises(ValidationError, match=r"started_at\n.*valid datetime"):
        a_session(started_at=given)
