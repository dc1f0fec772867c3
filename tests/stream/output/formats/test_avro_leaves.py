"""A value of a type without parts is written as fastavro writes it, or the message says what is wrong with it."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.output.formats.avro_leaves import append_bytes, append_long, default_leaf, leaf
from stream.output.formats.unfit import UnfitError


def _type(kind: Any, **rest: Any) -> dict[str, Any]:
    return {"type": kind, **rest}


def _fastavro(schema: dict[str, Any], value: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return stream.getvalue()


@given(number=st.integers(-(2**63), 2**63 - 1), data=st.binary())
def test_numbers_and_bytes_are_those_of_fastavro(number: int, data: bytes) -> None:
    out = bytearray()
    append_long(number, out)
    append_bytes(data, out)
    assert bytes(out) == _fastavro(_type("long"), number) + _fastavro(_type("bytes"), data)


@pytest.mark.parametrize(
    ("schema", "value", "meant"),
    [
        (_type("bytes"), "YWI=", b"ab"),
        (_type("fixed", name="F", size=2), "YWI=", b"ab"),
        (_type("enum", name="E", symbols=["A", "B"]), "B", "B"),
        (_type("int", logicalType="date"), "2024-02-29", date(2024, 2, 29)),
        (_type("int", logicalType="date"), 7, 7),
        (
            _type("long", logicalType="timestamp-millis"), "2024-02-29T12:00:00.5Z",
            datetime(2024, 2, 29, 12, 0, 0, 500_000, UTC),
        ),
        (_type("bytes", logicalType="decimal", precision=4, scale=2), "-1.5", Decimal("-1.50")),
        (
            _type("string", logicalType="uuid"), "12345678-1234-5678-1234-567812345678",
            UUID("12345678-1234-5678-1234-567812345678"),
        ),
    ],
    ids=lambda part: str(part) if isinstance(part, dict) else "",
)  # fmt: skip
def test_json_becomes_what_fastavro_writes(schema: dict[str, Any], value: Any, meant: Any) -> None:
    out = bytearray()
    leaf(schema)(value, out)
    assert bytes(out) == _fastavro(schema, meant)


@pytest.mark.parametrize(
    ("schema", "value", "reason"),
    [
        (_type("int"), 2**31, "is not a whole number of 32 bits"),
        (_type("long"), 1.5, "is not a whole number"),
        (_type("long"), True, "is not a whole number"),
        (_type("string"), 5, "is not a string"),
        (_type("double"), "5", "is not a number"),
        (_type("float"), 1e300, "is beyond the range of its type"),
        (_type("null"), 0, "is not null"),
        (_type("boolean"), 1, "is not true or false"),
        (_type("bytes"), "***", "cannot be read as bytes of its type"),
        (_type("enum", symbols=["A"]), "s3cret", "is not a symbol of its enum"),
        (_type("fixed", size=3), "YWI=", "does not have 3 bytes"),
        (_type("int", logicalType="date"), "s3cret", "is not a date or time of its type"),
        (_type("bytes", logicalType="decimal", precision=9), "1.5", "cannot be read as bytes of its type"),
        (_type("bytes", logicalType="decimal", precision=9), "1e999999999", "cannot be read as bytes of its type"),
        (_type("bytes", logicalType="decimal", precision=9), "NaN", "cannot be read as bytes of its type"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_said_and_not_quoted(schema: dict[str, Any], value: Any, reason: str) -> None:
    with pytest.raises(UnfitError) as caught:
        leaf(schema)(value, bytearray())
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        (_type("bytes"), b"\x06\x00a\xff"),
        (_type("fixed", size=3), b"\x00a\xff"),
        (_type("string"), b"\x08\x00a\xc3\xbf"),
    ],
    ids=["bytes", "fixed", "string"],
)
def test_in_defaults_bytes_are_characters(schema: dict[str, Any], written: bytes) -> None:
    out = bytearray()
    default_leaf(schema)("\u0000a\u00ff", out)
    assert bytes(out) == written
