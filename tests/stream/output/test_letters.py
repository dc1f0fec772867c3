"""Dead letters are read back as they were written, whatever their headers are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schemas.document import Failure
from schemas.record import Assignment, Headers, Outbound, Record
from stream.output.deadletter import ATTEMPT, PREFIX, coordinates_only, dead_letter
from stream.output.letters import Letter

FAILURE = Failure("forward", "ForwardError", "too long", "tone")


def read(outbound: Outbound, offset: int = 7) -> Letter:
    return Letter(
        Record(
            Assignment(outbound.topic, 0),
            offset,
            outbound.key,
            outbound.value,
            outbound.headers,
            outbound.timestamp_ms,
        )
    )


def original(headers: Headers | None = None) -> Record:
    return Record(Assignment("posts", 3), 42, b"key", b'{"text":"hi"}', headers, 1_700_000_000_000)


def test_a_letter_says_why_and_where_the_event_failed() -> None:
    letter = read(dead_letter(original(), FAILURE, "dead", "pipe", "01234567"))
    assert (letter.topic, letter.partition, letter.offset, letter.attempts, letter.omitted) == (
        "posts",
        3,
        42,
        0,
        False,
    )
    variables = letter.variables()
    assert variables.pop("age") > 0
    assert variables == {
        "topic": "posts", "partition": 3, "offset": 42, "pipeline": "pipe", "config": "01234567", "stage": "forward",
        "task": "tone", "error": "ForwardError", "message": "too long", "attempts": 0,
    }  # fmt: skip


def test_the_record_to_send_is_the_original_with_a_count_of_attempts() -> None:
    headers: Headers = [("trace", b"1"), ("trace", b"2"), ("empty", None)]
    letter = read(dead_letter(original(headers), FAILURE, "dead", "pipe", "01234567"))
    again = letter.again("posts", letter.record)
    assert (again.topic, again.key, again.value, again.timestamp_ms) == (
        "posts", b"key", b'{"text":"hi"}', 1_700_000_000_000
    )  # fmt: skip
    assert again.headers == [*headers, (ATTEMPT, b"1")]
    # It fails a second time.
    second = Record(Assignment("posts", 3), 99, again.key, again.value, again.headers, again.timestamp_ms)
    letter = read(dead_letter(second, FAILURE, "dead", "pipe", "01234567"))
    assert (letter.offset, letter.attempts) == (99, 1)
    assert letter.again("posts", letter.record).headers == [*headers, (ATTEMPT, b"2")]


def test_a_letter_with_coordinates_alone_has_no_original() -> None:
    letter = read(coordinates_only(dead_letter(original(), FAILURE, "dead", "pipe", "01234567")))
    assert letter.omitted
    assert (letter.topic, letter.partition, letter.offset) == ("posts", 3, 42)


def test_the_letter_of_a_tombstone_is_not_an_omitted_original() -> None:
    tombstone = Record(Assignment("posts", 3), 42, b"key", None)
    letter = read(dead_letter(tombstone, FAILURE, "dead", "pipe", "01234567"))
    assert not letter.omitted
    assert letter.again("posts", letter.record).value is None


def test_a_letter_of_a_letter_names_the_last_failure() -> None:
    first = dead_letter(original(), FAILURE, "dead", "pipe", "01234567")
    record = Record(Assignment("dead", 1), 5, first.key, first.value, first.headers)
    letter = read(dead_letter(record, Failure("decode", "DecodeError", "no JSON"), "dead.dead", "other", "89abcdef"))
    assert (letter.topic, letter.offset, letter.stage) == ("dead", 5, "decode")


NAMES = ("topic", "partition", "offset", "stage", "original.omitted")


@given(
    st.lists(
        st.tuples(
            st.sampled_from([PREFIX + name for name in NAMES] + [ATTEMPT, "other"]),
            st.one_of(st.none(), st.binary(max_size=30), st.text(max_size=30)),
        ),
        max_size=8,
    )
)
def test_any_headers_can_be_read(headers: Headers) -> None:
    letter = read(Outbound("dead", None, None, headers))
    assert letter.attempts >= 0
    assert letter.partition >= -1
    assert letter.variables()["stage"] == letter.stage
    assert not any(name.startswith(PREFIX) for name, _ in letter.again("posts", letter.record).headers)
