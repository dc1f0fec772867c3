"""A dead letter is the original with the reason."""

from __future__ import annotations

from schemas.document import Failure
from schemas.errors import AnnotateError
from schemas.record import Assignment, Record
from stream.output.deadletter import PREFIX, coordinates_only, dead_letter

RECORD = Record(Assignment("posts", 3), 1842, b"\x00key", b"\xff\xfe bytes", [("trace", b"1"), ("none", None)], 99)


def test_original_and_reason() -> None:
    failure = Failure.of(AnnotateError("no such label"), "annotate", "tone")
    letter = dead_letter(RECORD, failure, "posts.dead", "social", "9f2c11ab")
    assert (letter.topic, letter.key, letter.value, letter.timestamp_ms) == ("posts.dead", b"\x00key", RECORD.value, 99)
    assert letter.headers[:2] == RECORD.headers
    assert {name.removeprefix(PREFIX): value for name, value in letter.headers[2:]} == {
        "topic": b"posts",
        "partition": b"3",
        "offset": b"1842",
        "pipeline.name": b"social",
        "pipeline.config": b"9f2c11ab",
        "stage": b"annotate",
        "task.name": b"tone",
        "exception.class.name": b"AnnotateError",
        "exception.message": b"no such label",
    }


def test_the_message_of_a_foreign_exception_is_withheld() -> None:
    letter = dead_letter(RECORD, Failure.of(ValueError("the text was: secret"), "forward"), "d", "p", "c")
    assert not [header for header in letter.headers if header[1] and "secret" in str(header[1])]


def test_a_letter_too_large_keeps_its_coordinates() -> None:
    letter = coordinates_only(dead_letter(RECORD, Failure("decode", "DecodeError", "too large"), "d", "p", "c"))
    names = dict(letter.headers)
    assert (letter.value, letter.key, letter.timestamp_ms) == (None, None, -1)
    assert names[f"{PREFIX}offset"] == b"1842"
    assert names[f"{PREFIX}original.omitted"] == b"refused by this topic; value of 8 bytes"
    assert "trace" not in names
