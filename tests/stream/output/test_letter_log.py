"""Dead letters appear in the log: one line each while there are few, then counts."""

from __future__ import annotations

import logging

import pytest

from schemas.document import Document, Failure
from schemas.record import Assignment, Outbound, Record
from stream.microbatch import MicroBatch
from stream.output.event_builder import EventBuilder
from stream.output.letter_log import LetterLog, described
from stream.output.publisher import Publisher
from stream.telemetry.stats import Stats
from tests.noop import pipeline

PLACE = Assignment("posts", 3)
NO_TEXT = Failure("decode", "DecodeError", "the event has no text at $.body")
WHEN = Failure("when", "ConditionError", "event.kind:\n no such field", "tone")


def _record(offset: int) -> Record:
    return Record(PLACE, offset, b"private-key", b'{"text": "private"}')


def test_few_letters_have_a_line_each_with_place_stage_task_and_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "glossator")
    letters = LetterLog(lambda: 0.0)
    letters.note(_record(7), NO_TEXT)
    letters.note(_record(9), WHEN)
    letters.flush()
    assert caplog.messages == [
        "dead letter: posts[3]@7 failed at decode: the event has no text at $.body (DecodeError)",
        'dead letter: posts[3]@9 failed at when, task "tone": event.kind: no such field (ConditionError)',
    ]
    assert {record.levelname for record in caplog.records} == {"INFO"}


def test_many_letters_are_counted_and_none_is_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "glossator")
    now = [0.0]
    letters = LetterLog(lambda: now[0])
    for offset in range(1000):
        letters.note(_record(offset), WHEN if offset % 4 else NO_TEXT)
    assert len(caplog.messages) == 10
    now[0] = 59.0
    letters.tick()
    assert len(caplog.messages) == 10
    now[0] = 60.0
    letters.tick()
    assert caplog.messages[10:] == [
        "990 more dead letters, the last of them posts[3]@999: "
        '743 at when in task "tone" (ConditionError), 247 at decode (DecodeError)'
    ]
    letters.note(_record(1000), NO_TEXT)
    assert "posts[3]@1000" in caplog.messages[-1]
    letters.flush()
    assert len(caplog.messages) == 12


def test_one_line_of_counts_is_short_whatever_fails(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "glossator")
    letters = LetterLog(lambda: 0.0)
    for offset in range(110):
        letters.note(_record(offset), Failure("annotate", "AnnotateError", "no", f"task{offset % 100}"))
    letters.flush()
    assert len(caplog.messages) == 11
    assert caplog.messages[-1].startswith("100 more dead letters")
    assert caplog.messages[-1].endswith(", 95 others")


def test_the_publisher_logs_what_fails_and_what_the_broker_refuses(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "glossator")
    publisher = Publisher(pipeline(), Stats())
    document = Document(_record(7))
    document.failure = WHEN
    batch = MicroBatch(0, [document], tokens=0)
    publisher.outbounds(batch, EventBuilder(pipeline(), {"tone": {"model": "m", "revision": "r"}}))
    publisher.refused(Outbound("out", b"k", b"{}", origin=_record(8)), "MSG_SIZE_TOO_LARGE")
    first, second = caplog.messages
    assert first == f"dead letter: posts[3]@7 failed at {described(WHEN)}"
    assert second.startswith(
        "dead letter: posts[3]@8 failed at produce: the broker refused the enriched event for topic out: MSG_SIZE"
    )
    assert "private" not in caplog.text


def test_the_last_counts_are_logged_when_the_worker_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "glossator")
    publisher = Publisher(pipeline(), Stats())
    for offset in range(12):
        publisher.refused(Outbound("out", b"k", b"{}", origin=_record(offset)), "MSG_SIZE_TOO_LARGE")
    publisher.close()
    assert caplog.messages[-1] == "2 more dead letters, the last of them posts[3]@11: 2 at produce (ProduceError)"


def test_the_reason_to_stop_names_the_task_the_reason_and_the_offset() -> None:
    publisher = Publisher(pipeline(stop_after={"in_a_row": 3}), Stats())
    documents = [Document(_record(offset)) for offset in range(3)]
    for document in documents:
        document.failure = WHEN
    publisher.outbounds(MicroBatch(0, documents, tokens=0), EventBuilder(pipeline(), {}))
    assert str(publisher.too_many()).startswith(
        '3 dead letters in a row, the last failed at when, task "tone": event.kind: no such field (ConditionError), '
        "posts[3]@2. Is the pipeline file right"
    )
