"""What every record has in common: checked when made and when changed, one row in one table."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, ClassVar, Self, cast, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict

from payment_simulator.errors import DamagedDatabaseError
from payment_simulator.persistence.store import Row
from payment_simulator.persistence.tables import Table

INT32_MAX = 2**31 - 1
INT64_MAX = 2**63 - 1
#: Costs are sums of up to some 10^6 terms; two ways of adding them differ by no more than this.
ROUNDING_SHARE = 1e-9
ROUNDING_CENTS = 1e-6


def _plain(value: Any) -> Any:  # noqa: PLR0911 - a case each
    """Turn NumPy scalars, enum members and subclasses of the plain types into plain values."""
    if type(value) in (str, int, float, bool):
        return value
    if isinstance(value, Enum):
        return value.value
    # Of NumPy's scalars only numbers, truth values and texts; its times would become integers.
    if _is_numpy_scalar(type(value)) and value.dtype.kind in "biufU":
        return value.item()
    # What a subclass holds, not what it shows.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    return value


def _is_numpy_scalar(kind: type) -> bool:
    return any((c.__module__, c.__name__) == ("numpy", "generic") for c in kind.__mro__)


def _exact(value: Any) -> Any:
    """Turn a whole number into the float that equals it, or refuse."""
    value = _plain(value)
    if type(value) is int:
        try:
            as_float = float(value)
        except OverflowError:
            as_float = None
        if as_float != value:
            raise ValueError("this whole number has no exact float64; round it first")
        return as_float
    if type(value) is not float:  # strict floats would still let a Decimal in, and round it
        raise ValueError(f"expected a number, got {type(value).__name__}")
    return value


def _storable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"character {error.start} is half of a surrogate pair, which is no Unicode text; "
            "read the text with errors='replace'"
        ) from None
    return text


def _naive_utc(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    if getattr(value, "nanosecond", 0):
        raise ValueError(f"{value} has nanoseconds, the record keeps microseconds; round it first")
    # Rebuilt, so that subclasses (pandas, frozen clocks) and folds do not come back changed.
    plain = datetime.combine(value.date(), value.time(), value.tzinfo)
    try:
        if plain.utcoffset() is not None:
            plain = plain.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the years 1 to 9999 in UTC") from None
    except NotImplementedError:
        raise ValueError(f"its time zone {value.tzinfo!r} does not say its offset") from None
    return plain.replace(tzinfo=None, fold=0)


def valid_json(text: str) -> str:
    """Return the text if it is JSON, without the NaN that Python adds, or raise ``ValueError``."""
    try:
        json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"expected JSON text: {error}") from None
    return text


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


Text = Annotated[str, Strict(), BeforeValidator(_plain), AfterValidator(_storable)]
Identifier = Annotated[Text, Field(min_length=1)]
JsonText = Annotated[Text, AfterValidator(valid_json)]
Flag = Annotated[bool, Strict(), BeforeValidator(_plain)]
Number = Annotated[float, Strict(), BeforeValidator(_exact), Field(allow_inf_nan=False)]
Amount = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(ge=0, le=1)]
Int64 = Annotated[int, Strict(), BeforeValidator(_plain), Field(ge=-INT64_MAX - 1, le=INT64_MAX)]
Count64 = Annotated[int, Strict(), BeforeValidator(_plain), Field(ge=0, le=INT64_MAX)]
Count = Annotated[int, Strict(), BeforeValidator(_plain), Field(ge=0, le=INT32_MAX)]
Ordinal64 = Annotated[int, Strict(), BeforeValidator(_plain), Field(ge=1, le=INT64_MAX)]
Ordinal = Annotated[int, Strict(), BeforeValidator(_plain), Field(ge=1, le=INT32_MAX)]
Timestamp = Annotated[datetime, Strict(), BeforeValidator(_naive_utc)]
TextList = Annotated[list[Text], Strict()]


def rounding_slack(old_cost: float, new_cost: float) -> float:
    """Return by how much a difference of two costs may be off (cents)."""
    return max(ROUNDING_CENTS, ROUNDING_SHARE * max(abs(old_cost), abs(new_cost)))


def check_improvement(
    old_cost: float, new_cost: float, cost_improvement: float, words: str = "old_cost - new_cost"
) -> None:
    """Raise ``ValueError`` unless the improvement is old minus new, up to rounding.

    Parameters
    ----------
    old_cost, new_cost, cost_improvement : float
        Cents.
    words : str
        The difference, as the error names it.
    """
    slack = rounding_slack(old_cost, new_cost)
    expected = old_cost - new_cost
    if not abs(cost_improvement - expected) <= slack:
        raise ValueError(
            f"cost_improvement is {cost_improvement!r}, expected {words} = "
            f"{expected!r} (within {slack:g} cents)"
        )


#: The same rule as an SQL condition on rows that break it, for what comes as Arrow. The casts keep
#: short floats from being subtracted as such.
IMPROVEMENT_IS_OFF = (
    "NOT abs(cost_improvement::DOUBLE - (old_cost::DOUBLE - new_cost::DOUBLE)) "
    f"<= greatest({ROUNDING_CENTS!r}, "
    f"{ROUNDING_SHARE!r} * greatest(abs(old_cost::DOUBLE), abs(new_cost::DOUBLE)))"
)


class Record(BaseModel):
    """One row of one table, valid from the moment it is made.

    Assigning to a field checks the whole record again and changes nothing when the check fails;
    ``replace`` changes several fields that only make sense together.
    """

    # Built at first use: sixteen records built at import would take half of its time.
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="strings", defer_build=True)

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]
    PARENT: ClassVar[tuple[str, str, str] | None] = None
    #: SQL condition on rows that break a rule between fields which the table does not hold.
    REFUSAL: ClassVar[str] = ""
    #: Whether its rows are what a game is, and count in the digest; notes on a game are not.
    IS_OF_THE_GAME: ClassVar[bool] = True

    def __setattr__(self, name: str, value: Any) -> None:
        """Check the record as it would be with the new value, then take it."""
        if name not in type(self).model_fields:
            raise AttributeError(
                f"{type(self).__name__} has no field {name!r}; "
                f"its fields are {', '.join(type(self).model_fields)}"
            )
        checked = self.replace(**{name: value})
        self.__dict__[name] = checked.__dict__[name]
        self.__pydantic_fields_set__.add(name)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with other values, checked as a whole."""
        return type(self).model_validate({**self.__dict__, **changes})

    def checked(self) -> Self:
        """Return the record checked again, in case a list in it was changed in place."""
        return type(self).model_validate(self.__dict__)

    def to_row(self) -> Row:
        """Return the values as they are stored, in the order of the columns."""
        lists = _list_fields(type(self))
        values = self.__dict__
        return tuple(
            json.dumps(values[n], ensure_ascii=False) if n in lists else values[n]
            for n in type(self).model_fields
        )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the record of a stored row, exactly as it was written."""
        values = dict(zip(cls.model_fields, row, strict=True))
        for name in _list_fields(cls):
            try:
                found = json.loads(values[name])
            except (ValueError, TypeError, RecursionError):
                found = None
            if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
                raise cls._damaged(name, values, "a JSON array of texts")
            values[name] = found
        for name in _time_fields(cls):
            if isinstance(values[name], str):  # how DuckDB gives a time beyond Python's
                raise cls._damaged(name, values, "a time between the years 1 and 9999")
        return cast("Self", cls.model_construct(**values))

    @classmethod
    def _damaged(cls, name: str, values: dict[str, Any], expected: str) -> DamagedDatabaseError:
        where = ", ".join(f"{c}={values[c]!r}" for c in cls.KEY)
        return DamagedDatabaseError(
            f"{cls.TABLE} ({where}): {name} should be {expected}, "
            f"found {values[name]!r:.200}. Run: payment-sim db check FILE"
        )

    @classmethod
    def table(cls) -> Table:
        """Return the table that the record's rows live in."""
        return _table(cls)


@cache
def _list_fields(cls: type[Record]) -> frozenset[str]:
    return frozenset(n for n, f in cls.model_fields.items() if get_origin(f.annotation) is list)


@cache
def _time_fields(cls: type[Record]) -> tuple[str, ...]:
    table = _table(cls)
    pairs = zip(table.columns, table.types, strict=True)
    return tuple(name for name, kind in pairs if kind == "TIMESTAMP")


_COLUMN_TYPES = {str: "VARCHAR", float: "DOUBLE", bool: "BOOLEAN", datetime: "TIMESTAMP"}


def _unwrapped(annotation: Any, rules: list[Any]) -> tuple[Any, list[Any]]:
    """Return the plain type under ``Annotated`` and ``| None``, and every rule on the way."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        for rule in more:
            rules.extend(getattr(rule, "metadata", None) or [rule])
        return _unwrapped(inner, rules)
    some = [part for part in get_args(annotation) if part is not type(None)]
    if len(some) < len(get_args(annotation)):
        return _unwrapped(some[0], rules)
    return annotation, rules


def _column_type(plain: Any, rules: list[Any]) -> str:
    if get_origin(plain) is list:
        return "VARCHAR"
    if plain is int:
        largest = min(getattr(rule, "le", INT64_MAX) for rule in rules)
        return "INTEGER" if largest <= INT32_MAX else "BIGINT"
    return _COLUMN_TYPES[plain]


def _is_json(rules: list[Any]) -> bool:
    return any(getattr(rule, "func", None) is valid_json for rule in rules)


@cache
def json_fields(cls: type[Record]) -> tuple[str, ...]:
    """Return the fields whose texts must be JSON."""
    return tuple(
        name
        for name, field in cls.model_fields.items()
        if _is_json(_unwrapped(field.annotation, list(field.metadata))[1])
    )


@cache
def _table(cls: type[Record]) -> Table:
    fields = {n: _unwrapped(f.annotation, list(f.metadata)) for n, f in cls.model_fields.items()}
    names = (n for n, (_, rules) in fields.items() if any(_min_length(rule) for rule in rules))
    refusals = [f"{name} = ''" for name in names] + ([cls.REFUSAL] if cls.REFUSAL else [])
    return Table(
        cls.TABLE,
        tuple(fields),
        tuple(_column_type(*unwrapped) for unwrapped in fields.values()),
        cls.KEY,
        cls.PARENT,
        " OR ".join(refusals),
    )


def _min_length(rule: Any) -> int:
    return getattr(rule, "min_length", 0) or 0
