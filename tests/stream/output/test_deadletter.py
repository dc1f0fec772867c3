"""A dead letter is the original with the reason."""

from __future__ import annotations

import pytest

from schemas.document import Failure
from schemas.errors import AnnotateError, SettingError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.outputs import DeadLetter
from schemas.record import Assignment, Headers, Record
from stream.output.deadletter import ATTEMPT, ENCRYPTED, OMITTED, PREFIX, LetterWriter, coordinates_only, dead_letter
from stream.output.letters import Letter
from stream.output.redaction.envelope import unseal
from tests.stream.output.redaction.lib import KEYS, SECRET, redacting

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


FAILURE = Failure("decode", "DecodeError", "not JSON")


def keeping(text: str) -> Pipeline:
    pipeline = redacting(keys={"encrypt": [{"id": "k1", "env": "K"}]})
    output = pipeline.output.model_copy(update={"dead_letter": DeadLetter.model_validate({"text": text})})
    return pipeline.model_copy(update={"output": output})


def test_a_letter_keeps_the_original_unless_the_file_says_otherwise() -> None:
    letter = LetterWriter(keeping("original")).letter(RECORD, FAILURE, "9f2c11ab")
    assert letter == dead_letter(RECORD, FAILURE, "posts.enriched.dead", "social-moderation", "9f2c11ab")


HEADERS: list[Headers] = [
    [("x-user", b"user-7"), (f"{PREFIX}stage", b"user-7"), (ATTEMPT, b"2")],
    [(f"{PREFIX}original.omitted", b"user-7"), ("__glossator.replay.note", b"user-7"), (ATTEMPT, b"1"), (ATTEMPT, "2")],
]


@pytest.mark.parametrize("text", ["none", "encrypted"])
@pytest.mark.parametrize("headers", HEADERS)
def test_nothing_of_the_original_can_be_read(text: str, headers: Headers) -> None:
    record = Record(RECORD.assignment, RECORD.offset, b"user-7", b"user-7 wrote this", headers, 99)
    letter = LetterWriter(keeping(text), KEYS).letter(record, FAILURE, "9f2c11ab")
    coordinates = coordinates_only(letter)
    for outbound in (letter, coordinates):
        assert b"user-7" not in b"".join(filter(None, (outbound.key, outbound.value)))
        assert "user-7" not in str(outbound.headers)
        names = dict(outbound.headers)
        assert len(names) == len(outbound.headers)
        assert (names[f"{PREFIX}topic"], names[f"{PREFIX}offset"], names[f"{PREFIX}stage"]) == (
            b"posts",
            b"1842",
            b"decode",
        )
        assert names[ATTEMPT] in {b"2", "2"}
    assert (letter.timestamp_ms, letter.topic, letter.origin) == (99, "posts.enriched.dead", record)


@pytest.mark.parametrize("count", [b"user-7", b"", None, b"1" * 19, "\u0661"])
def test_a_count_that_is_no_number_is_left_out(count: bytes | None) -> None:
    record = Record(RECORD.assignment, 1, None, b"x", [(ATTEMPT, count)])
    for letter in (LetterWriter(keeping("none")).letter(record, FAILURE, ""),
                   coordinates_only(dead_letter(record, FAILURE, "d", "p", "c"))):  # fmt: skip
        assert ATTEMPT not in dict(letter.headers)


def test_coordinates_alone_say_that_they_are_all() -> None:
    letter = LetterWriter(keeping("none")).letter(RECORD, FAILURE, "9f2c11ab")
    assert (letter.kind, letter.key, letter.value) == ("coordinates", None, None)
    assert dict(letter.headers)[OMITTED] == b"as configured; value of 8 bytes"
    read = Letter(Record(Assignment("d", 0), 0, letter.key, letter.value, letter.headers))
    assert (read.omitted, read.sealed, read.topic, read.offset) == (True, False, "posts", 1842)


def test_who_has_the_key_gets_the_whole_original() -> None:
    letter = LetterWriter(keeping("encrypted"), KEYS).letter(RECORD, FAILURE, "9f2c11ab")
    assert (letter.kind, letter.key, dict(letter.headers)[ENCRYPTED]) == ("dead_letter", None, b"k1")
    original = unseal(letter.value or b"", KEYS.encrypt)
    assert (original.key, original.value, original.headers) == (RECORD.key, RECORD.value, RECORD.headers)
    read = Letter(Record(Assignment("d", 0), 0, letter.key, letter.value, letter.headers))
    assert (read.omitted, read.sealed) == (False, True)
    refused = coordinates_only(letter)
    assert ENCRYPTED not in dict(refused.headers)
    assert OMITTED in dict(refused.headers)


def test_a_key_that_is_missing_is_noticed_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("K", raising=False)
    with pytest.raises(SettingError, match="environment variable K is not set"):
        LetterWriter(keeping("encrypted"))
    monkeypatch.setenv("K", SECRET.hex())
    letter = LetterWriter(keeping("encrypted")).letter(RECORD, FAILURE, "")
    assert letter.value and b"bytes" not in letter.value
