"""Valid records of every class, drawn from what the types of their fields allow."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar, get_args, get_origin

from annotated_types import Ge, Gt, Le, MinLen
from hypothesis import strategies as st

from payment_simulator.ai_cash_mgmt import (
    EvaluationSampleRecord,
    GameOutcomeRecord,
    PolicyIterationRecord,
    ProvenanceFileRecord,
    TransactionRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models import Record
from tests.wrong_values import FREE_TEXT, WORDS

R = TypeVar("R", bound=Record)

ODD_TEXTS = [
    "\0",
    "a\0b\0",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # one picture, three people
    "\u202e\u05e9\u05dc\u05d5\u05dd\u202c \u0645\u0631\u062d\u0628\u0627",  # right to left
    "e\u0301 \u00e9 \u1e9b\u0323",  # composed and not: no form is turned into the other
    "\ufeff\uffff\ufffe\U0010ffff",
    "\r\n\t\v\x1c\x85\u2028\u2029\x7f",
    "'; DROP TABLE game_sessions; --",
    "{columns} %s ? $1 \\ \" ' ` \\u0000 \\x00",
    "NULL",
    "nan",
    *("=1+1", "'=1+1", "''@x", "-2", "+", "'", "'a", "\t=", "\r-", "\n@", "\uff1d1"),
    " ",
    "long \u00e9\U0001f600" * 300,
]
ODD_FLOATS = [
    *(0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.79e308),
    *(0.1, 1 / 3, 2.0**53, 2.0**53 + 2, 1e22, 1e23, 123456.789, 1e-7, 1.0, 100.0),
]
ODD_TIMES = [
    datetime.min,
    datetime.max,
    datetime(1, 1, 1, 0, 0, 0, 1),
    datetime(1582, 10, 10),
    datetime(1969, 12, 31, 23, 59, 59, 999999),
    datetime(1970, 1, 1),
    datetime(2016, 12, 31, 23, 59, 59, 999999),
    datetime(2038, 1, 19, 3, 14, 8),
    datetime(2262, 4, 11, 23, 47, 16, 854776),  # where 64 bits of nanoseconds end
]


def texts(min_size: int = 0) -> st.SearchStrategy[str]:
    """Draw any Unicode text."""
    drawn = st.text(st.characters(codec="utf-8"), min_size=min_size)
    return drawn | st.sampled_from(ODD_TEXTS)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


def json_texts() -> st.SearchStrategy[str]:
    """Draw JSON as different writers write it."""
    dumps = st.builds(
        json.dumps, _JSON, ensure_ascii=st.booleans(), indent=st.sampled_from([None, 0, 2])
    )
    return dumps | st.sampled_from(['"\\ud800"', " [ ] ", "1E400", "-0", '{"a":1,"a":2}'])


def times() -> st.SearchStrategy[datetime]:
    """Draw times of the whole calendar, without a zone and with one."""
    aware = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.timezones())
    return st.datetimes() | aware | st.sampled_from(ODD_TIMES)


def whole_numbers(low: int, high: int) -> st.SearchStrategy[int]:
    """Draw from a range, its ends often."""
    return st.integers(low, high) | st.sampled_from([low, low + 1, high - 1, high])


def floats(low: float, high: float) -> st.SearchStrategy[float]:
    """Draw finite floats, the odd ones often."""
    drawn = st.floats(
        None if math.isinf(low) else low,
        None if math.isinf(high) else high,
        allow_nan=False,
        allow_infinity=False,
    )
    return drawn | st.sampled_from([x for x in ODD_FLOATS if low <= x <= high])


def _metadata(part: Any) -> Iterator[Any]:
    """Yield all constraints that stand anywhere in an annotation."""
    for item in getattr(part, "__metadata__", ()):
        yield from getattr(item, "metadata", [item])
    for inner in get_args(part):
        yield from _metadata(inner)


def _values(kind: type[Record], name: str) -> st.SearchStrategy[Any]:
    field = kind.model_fields[name]
    parts = [field.annotation, *(get_args(field.annotation) or ())]
    if (kind.TABLE, name) in WORDS:
        return st.sampled_from(WORDS[kind.TABLE, name])
    if get_origin(field.annotation) is list:
        return st.lists(texts(), max_size=4)
    base = next(p for p in (get_args(a)[0] if get_args(a) else a for a in parts[::-1])
                if p in (str, int, float, bool, datetime))  # fmt: skip
    limits = [*field.metadata, *_metadata(field.annotation)]
    low = max((m.ge if isinstance(m, Ge) else m.gt + 1 for m in limits
               if isinstance(m, Ge | Gt)), default=-math.inf)  # fmt: skip
    high = min((m.le for m in limits if isinstance(m, Le)), default=math.inf)
    n_least = max((m.min_length for m in limits if isinstance(m, MinLen)), default=0)
    is_json = name.endswith("_json") and name not in FREE_TEXT
    drawn: dict[Any, Callable[[], st.SearchStrategy[Any]]] = {
        str: lambda: json_texts() if is_json else texts(n_least),
        int: lambda: whole_numbers(int(low), int(high)),
        float: lambda: floats(low, high),
        bool: st.booleans,
        datetime: times,
    }
    is_optional = type(None) in get_args(field.annotation)
    return st.none() | drawn[base]() if is_optional else drawn[base]()


def _with_their_difference(values: dict[str, Any]) -> dict[str, Any]:
    gain = values["old_cost"] - values["new_cost"]
    if math.isinf(gain):
        values["new_cost"], gain = values["old_cost"], 0.0
    return {**values, "cost_improvement": gain}


def _with_the_interval_around_it(values: dict[str, Any]) -> dict[str, Any]:
    start, final = values["start_cost"], values["final_cost"]
    gain = start - final
    if math.isinf(gain):
        final, gain = start, 0.0
    ends = {}
    for name, least in (("improvement_low", min), ("improvement_high", max)):
        if values[name] is not None:
            ends[name] = least(values[name], gain)
    return {**values, "final_cost": final, "cost_improvement": gain, **ends}


def _with_ticks_in_order(values: dict[str, Any]) -> dict[str, Any]:
    names = [n for n in values if n.endswith("_tick") and values[n] is not None]
    earliest = min(names, key=values.__getitem__)
    swapped = {"arrival_tick": values[earliest], earliest: values["arrival_tick"]}
    settled = min(values["settled_cents"], values["amount_cents"])
    return {**values, **swapped, "settled_cents": settled}


#: What must hold between the fields of a record.
_TOGETHER: dict[type[Record], Callable[[dict[str, Any]], dict[str, Any]]] = {
    PolicyIterationRecord: _with_their_difference,
    EvaluationSampleRecord: _with_their_difference,
    GameOutcomeRecord: _with_the_interval_around_it,
    TransactionRecord: _with_ticks_in_order,
    ProvenanceFileRecord: lambda values: {**values, "sha256": ""},
}


def records(kind: type[R]) -> st.SearchStrategy[R]:
    """Draw valid records of a class."""
    values = st.fixed_dictionaries({name: _values(kind, name) for name in kind.model_fields})
    together = _TOGETHER.get(kind, dict)
    return values.map(lambda drawn: kind(**together(drawn)))
