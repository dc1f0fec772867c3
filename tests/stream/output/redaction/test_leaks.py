"""Nothing that leaves contains a redacted value: not the event, the key, the headers, dead letters, metrics or the log.

Each way out that the code closes is opened again in turn, by a mutant, and the same check must notice it.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from schemas.document import Document, Failure
from schemas.errors import RedactError
from schemas.pipeline.outputs import DeadLetter
from schemas.record import Assignment, Outbound, Record
from schemas.replaced import Replaced
from stream.codecs.formats import codec
from stream.microbatch import MicroBatch
from stream.output.event_builder import EventBuilder
from stream.output.publisher import Publisher
from stream.output.redaction.folding import fold
from stream.output.redaction.keys import Key, Keys
from stream.output.routes import View
from stream.telemetry.metrics import Exposition
from stream.telemetry.stats import Stats
from tests.noop import pipeline
from tests.stream.output.redaction import leaking
from tests.stream.output.redaction.cases import KEYS, UNREAD, Case, cases
from tests.thoroughness import examples


class _Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def annotated(case: Case) -> Document:
    """A document with every kind of annotation and notice that quotes the event."""
    record = Record(Assignment("in", 0), 7, case.key, case.value, list(case.headers), 5)
    document = codec(case.pipeline.input).decode(record)
    assert document.failure is None
    whole = {"start": 0, "end": len(case.text), "text": case.text}
    quotes = [quote for quote, _ in case.quotes]
    document.annotations = {
        "pii": {"spans": case.spans},
        "links": {"clusters": [{"spans": [{"start": span["start"], "end": span["end"], "text": span["text"]}
                                          for span in case.spans]}]},
        "asked": {"answers": [{"question": quotes[0], "answer": {**whole, "score": 0.5}, "null_score": 0.1}]},
        "about": {"aspects": [{"aspect": quotes[1], "label": "good", "score": 1.0, "scores": {"good": 1.0}},
                              {"aspect": case.text, "start": 0, "end": len(case.text), "label": "good", "score": 1.0,
                               "scores": {"good": 1.0}}]},
        "mine": {"custom": {"seen": quotes, "at": whole}},
    }  # fmt: skip
    document.replaced = Replaced()
    document.replaced.add((case.secrets[0], "\n"))
    return document


def leaving(case: Case) -> Iterator[tuple[str, str]]:
    """Yield (way out, what leaves there) for the event of ``case``, for its tombstone, and for its dead letters."""
    stats, lines = Stats(), _Lines()
    logger = logging.getLogger("glossator")
    logger.addHandler(lines)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        publisher, builder = Publisher(case.pipeline, stats), EventBuilder(case.pipeline, {}, KEYS)
        documents = [annotated(case), _unredactable(case), _failed(case)]
        outbounds = publisher.outbounds(MicroBatch(0, documents, 0), builder)
        assert [outbound.kind == "event" for outbound in outbounds] == [True, False, False]
        refused = publisher.refused(outbounds[0], "MSG_SIZE_TOO_LARGE") or []
        publisher.close()
    finally:
        logger.setLevel(level)
        logger.removeHandler(lines)
    for outbound in [*outbounds, *refused]:
        yield from _parts(outbound)
    # The numbers are times and counts; they have the digits of some secret by chance.
    yield "metrics", re.sub(r" \S+$", "", Exposition(stats, "p", 0).text().decode(), flags=re.MULTILINE)
    yield "log", "\n".join(lines.lines)


def _parts(outbound: Outbound) -> Iterator[tuple[str, str]]:
    kind = outbound.kind
    yield f"{kind}: key", (outbound.key or b"").decode(errors="replace")
    for name, value in outbound.headers:
        text = value.decode(errors="replace") if isinstance(value, bytes) else value or ""
        yield f"{kind}: header {name}", f"{name} {text}"
    value = (outbound.value or b"").decode(errors="replace")
    yield f"{kind}: value", value
    if kind == "event":
        yield f"{kind}: parsed", repr(json.loads(value, object_pairs_hook=list, parse_float=str, parse_int=str))


def _unredactable(case: Case) -> Document:
    """A document whose redaction fails, with an exception that quotes the text."""
    document = annotated(case)
    document.annotations["pii"] = {"spans": [_Quoting(case.text)]}
    return document


class _Quoting(dict[str, Any]):
    """A span whose fields cannot be read; the error quotes the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def __missing__(self, key: str) -> Any:
        raise ValueError(f"cannot read {self._text}")


def _failed(case: Case) -> Document:
    document = annotated(case)
    document.failure = Failure.of(ValueError(case.text), "annotate", "pii")
    return document


def leaks(case: Case) -> list[str]:
    """The ways out on which one of the values of ``case`` leaves."""
    ways = []
    for way, text in leaving(case):
        folded = fold(text)
        is_there = any(
            fold(secret) in folded or any(form in text for form in _escaped(secret)) for secret in case.secrets
        )
        if is_there or UNREAD in text:
            ways.append(way)
    return ways


def _escaped(secret: str) -> set[str]:
    """The value as JSON writes it, with and without escapes of what is not ASCII."""
    ascii_form = json.dumps(secret)[1:-1]
    return {ascii_form, json.dumps(secret, ensure_ascii=False)[1:-1], ascii_form.upper()}


def hidden(case: Case, letters: DeadLetter = leaking.DEAD_LETTERS) -> Case:
    """``case`` with dead letters that keep nothing, or what ``letters`` says."""
    output = case.pipeline.output.model_copy(update={"text": "redacted", "dead_letter": letters})
    case.pipeline = case.pipeline.model_copy(update={"output": output})
    return case


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow])
@given(cases().map(hidden))
def test_no_value_leaves(case: Case) -> None:
    assert leaks(case) == []


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_no_value_leaves_in_encrypted_dead_letters(case: Case) -> None:
    keys = Keys(encrypt={"k1": Key(b"0123456789abcdef0123456789abcdef")})
    with mock.patch("stream.output.deadletter.load_keys", lambda _: keys):
        assert leaks(hidden(case, DeadLetter(topic="dead", text="encrypted"))) == []


@pytest.mark.parametrize("mutant", leaking.MUTANTS)
def test_a_leak_is_noticed(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    leaking.MUTANTS[mutant](monkeypatch)
    noticed: set[str] = set()

    @settings(max_examples=300, database=None, phases=[Phase.generate], deadline=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(cases().map(hidden))
    def search(case: Case) -> None:
        ways_out = leaks(case)
        noticed.update(ways_out)
        assert not ways_out

    with pytest.raises(AssertionError):
        search()
    assert any(way.startswith(leaking.WAYS[mutant]) for way in noticed), noticed


def test_a_redacted_view_without_a_redactor_publishes_nothing() -> None:
    with pytest.raises(RedactError, match="no section redact"):
        EventBuilder(pipeline(), {}).build(Document(None, "text"), View("redacted"))
