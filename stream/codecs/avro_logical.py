"""Avro's logical types, as the JSON that they become.

fastavro reads them into Python objects, with limits of its own: it rounds decimals to their precision, takes minutes
for one of a megabyte, and fails for dates after the year 9999. So they are read under names of ours (``rename``), for
which the functions here are registered with fastavro, as it provides for custom logical types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from schemas.errors import DecodeError

OURS = "glossator."
"""How the names of our own logical types begin."""
JSON = "glossator.json"
"""A string that holds JSON. It is read as the string that it is; what is written to it need not be one."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - whether a time is in UTC depends on the type, not on the value
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MOST_DECIMAL_BYTES = 1024
"""Bytes of the longest decimal, about 2,466 digits: Python itself refuses to print more than 4,300."""

MOST_DECIMALS = 1000
"""Digits behind the point of a decimal: a schema may ask for a billion, which one byte would have."""

Reader = Callable[[Any, Any, Any], Any]
"""Takes the value of the underlying type, the writer's schema and the reader's schema; returns a value for JSON."""


def _date(days: int, *_: Any) -> str | int:
    try:
        return date.fromordinal(_EPOCH_DAY + days).isoformat()
    except (ValueError, OverflowError):
        return days


def _time(unit: int, digits: int) -> Reader:
    """Return the reader of times of day that count ``unit`` to a second."""

    def read(value: int, *_: Any) -> str | int:
        seconds, rest = divmod(value, unit)
        if not 0 <= seconds < 86_400:
            return value
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:0{digits}}"

    return read


def _timestamp(unit: int, digits: int, zone: str) -> Reader:
    """Return the reader of timestamps that count ``unit`` to a second."""

    def read(value: int, *_: Any) -> str | int:
        seconds, rest = divmod(value, unit)
        try:
            return f"{(_EPOCH + timedelta(seconds=seconds)).isoformat()}.{rest:0{digits}}{zone}"
        except OverflowError:
            return value

    return read


def _decimal(data: bytes, schema: Mapping[str, Any], *_: Any) -> str:
    if len(data) > _MOST_DECIMAL_BYTES:
        raise DecodeError(f"a decimal has {len(data)} bytes, more than {_MOST_DECIMAL_BYTES}")
    number, scale = int.from_bytes(data, signed=True), schema.get("scale", 0)
    if scale > MOST_DECIMALS:
        raise DecodeError(f"the scale of a decimal is {scale}, more than {MOST_DECIMALS}")
    sign, digits = "-" if number < 0 else "", str(abs(number)).rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else sign + digits


def _uuid(data: bytes, *_: Any) -> str:
    return str(UUID(bytes=data))


def _duration(data: bytes, *_: Any) -> str:
    months, days, milliseconds = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4, 8))
    return f"P{months}M{days}DT{milliseconds // 1000}.{milliseconds % 1000:03}S"


_READERS: dict[tuple[str, str], Reader] = {
    ("int", "date"): _date,
    ("int", "time-millis"): _time(1000, 3),
    ("long", "time-micros"): _time(1_000_000, 6),
    ("bytes", "decimal"): _decimal,
    ("fixed", "decimal"): _decimal,
    ("fixed", "uuid"): _uuid,
    ("fixed", "duration"): _duration,
    **{
        ("long", f"{kind}-{name}"): _timestamp(unit, digits, zone)
        for kind, zone in (("timestamp", "Z"), ("local-timestamp", ""))
        for name, unit, digits in (("millis", 1000, 3), ("micros", 1_000_000, 6), ("nanos", 1_000_000_000, 9))
    },
}
"""(underlying type, logical type) -> how it is read. All other logical types are read as their underlying type."""


_SIZES = {"uuid": 16, "duration": 12}
"""Bytes that a fixed of this logical type must have."""


def rename(schema: Mapping[str, Any]) -> str | None:
    """Return the name under which the logical type of ``schema`` is read; None if it has none that is known."""
    kind, name = schema.get("type"), schema.get("logicalType")
    if (kind, name) == ("string", "json"):
        return JSON
    if not (isinstance(kind, str) and isinstance(name, str) and (kind, name) in _READERS):
        return None
    return f"{OURS}{name}" if schema.get("size") == _SIZES.get(name, schema.get("size")) else None


def register() -> None:
    """Make fastavro know the names that ``rename`` returns."""
    from fastavro.read import LOGICAL_READERS

    for (kind, name), reader in _READERS.items():
        LOGICAL_READERS.setdefault(f"{kind}-{OURS}{name}", reader)
