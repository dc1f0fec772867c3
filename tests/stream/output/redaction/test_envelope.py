"""An envelope keeps the whole original, and gives it only to who has the key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.record import Assignment, Record
from stream.output.redaction.envelope import MAGIC, EnvelopeError, key_of, sealer, size_of, unseal
from stream.output.redaction.keys import Key
from tests.stream.output.redaction.lib import SECRET

KEY, OTHER = Key(SECRET), Key(bytes(32))
BYTES = st.none() | st.binary()
HEADERS = st.none() | st.lists(st.tuples(st.text(st.characters(codec="utf-8")), BYTES))
RECORD = Record(Assignment("posts", 3), 1842, b"user-7", b'{"body": "Anna"}', [("x-user", b"7"), ("none", None)], 99)


@given(BYTES, BYTES, HEADERS)
def test_the_whole_record_comes_back(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]] | None
) -> None:
    sealed = sealer("k1", KEY)(Record(Assignment("posts", 3), 1842, key, value, headers))  # type: ignore[arg-type]
    original = unseal(sealed, {"k1": KEY})
    assert (original.key, original.value, original.headers) == (key, value, headers)
    assert (original.topic, original.partition, original.offset) == ("posts", 3, 1842)


def test_nothing_of_the_record_can_be_read() -> None:
    sealed = sealer("k1", KEY)(RECORD)
    assert sealed.startswith(MAGIC + b"\x02k1")
    assert not any(part in sealed for part in (b"Anna", b"body", b"user", b"x-us", b"post"))
    assert len(sealed) - len(RECORD.value or b"") < 200
    assert sealed != sealer("k1", KEY)(RECORD)
    with pytest.raises(UnicodeDecodeError):
        MAGIC.decode()


def test_several_envelopes_in_a_row_can_be_told_apart() -> None:
    first, second = sealer("k1", KEY)(RECORD), sealer("k0", OTHER)(RECORD)
    row = first + b"\n" + second
    assert size_of(row) == len(first)
    assert (key_of(row), key_of(row[len(first) + 1 :])) == ("k1", "k0")
    assert unseal(row, {"k1": KEY}) == unseal(second, {"k0": OTHER, "k1": KEY})


@pytest.mark.parametrize(
    ("keys", "message"),
    [({}, "needs the key k1"), ({"k0": KEY}, "needs the key k1"),
     ({"k1": OTHER}, "was changed, or encrypted with another key k1")],
)  # fmt: skip
def test_another_key_opens_nothing(keys: dict[str, Key], message: str) -> None:
    with pytest.raises(EnvelopeError) as caught:
        unseal(sealer("k1", KEY)(RECORD), keys)
    assert (str(caught.value), caught.value.key_id) == (message, "k1")


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_what_was_changed_is_not_opened(at: int, mask: int) -> None:
    sealed = bytearray(sealer("k1", KEY)(RECORD))
    sealed[at % len(sealed)] ^= mask
    with pytest.raises(EnvelopeError):
        unseal(bytes(sealed), {"k1": KEY})


@given(st.integers(0, 10_000))
def test_what_was_cut_is_not_opened(at: int) -> None:
    sealed = sealer("k1", KEY)(RECORD)
    with pytest.raises(EnvelopeError, match=r"is cut off|is not an encrypted dead letter"):
        unseal(sealed[: at % len(sealed)], {"k1": KEY})


def test_a_key_has_another_purpose_under_another_id() -> None:
    sealed = sealer("k1", KEY)(RECORD).replace(b"\x02k1", b"\x02k2")
    with pytest.raises(EnvelopeError, match="was changed"):
        unseal(sealed, {"k2": KEY})
