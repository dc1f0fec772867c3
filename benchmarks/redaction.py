"""Redaction: what it costs per event, apart from the work of the operators' cryptography.

A short post with five spans is redacted as a whole: text, event bytes, annotations, key and headers. Two pipelines that
differ only in ``redact`` are compared event by event, in turn, so that other load on the machine affects both.

    python -m benchmarks.redaction
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import orjson

from benchmarks.report import report
from schemas.document import Document
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Record
from stream.output.event_builder import EventBuilder
from stream.output.redaction.keys import Key, Keys

TEXT = (
    "Hi, I am Ada Lovelace from London. Mail me at ada.l@example.org or call +44 20 7946 0018; my card is "
    "4111 1111 1111 1111, thanks a lot and see you soon!"
)
SPANS = {
    "Ada Lovelace": "PERSON", "London": "LOCATION", "ada.l@example.org": "EMAIL_ADDRESS",
    "+44 20 7946 0018": "PHONE_NUMBER", "4111 1111 1111 1111": "CREDIT_CARD",
}  # fmt: skip
KEYS = Keys(Key(b"0123456789abcdef"))
HASHED: dict[str, Any] = {"default": "hash", "keys": {"hash": {"env": "KEY"}}}


def pipeline(redact: dict[str, Any] | None) -> Pipeline:
    settings: dict[str, Any] = {} if redact is None else {"redact": redact}
    return Pipeline.model_validate({
        "pipeline": "p", "kafka": {"bootstrap.servers": "b:1"}, "input": {"topics": ["in"], "text": "$.body"},
        "tasks": [{"name": "pii", "task": "pii"}, {"name": "tone", "task": "sentiment", "model": "m"}],
        "output": {"topic": "out", "text": "original" if redact is None else "redacted"}, **settings,
    })  # fmt: skip


def document(text: str, spans: dict[str, str], **fields: Any) -> Document:
    value = orjson.dumps({
        "id": 12345678901, "created_at": "2026-01-02T03:04:05Z", "user": {"id": "u77", "lang": "en"}, "body": text,
        "likes": 5, **fields,
    })  # fmt: skip
    made = Document(Record(Assignment("in", 0), 7, b"u77", value, [("trace", b"4bf92f35")], 5), text, value)
    made.annotations = {
        "pii": {"spans": [
            {"start": text.index(part), "end": text.index(part) + len(part), "label": label, "score": 0.9, "text": part}
            for part, label in spans.items()
        ]},
        "tone": {"label": "neutral", "score": 0.5, "scores": {"neutral": 0.5, "positive": 0.3, "negative": 0.2}},
    }  # fmt: skip
    return made


def microseconds(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The fastest of many short bursts of each call, in turn, in microseconds per call."""
    burst, fastest = 10, dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            for _ in range(burst):
                call()
            fastest[name] = min(fastest[name], (time.perf_counter() - began) / burst * 1e6)
    return fastest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3000)
    arguments = parser.parse_args()
    plain = EventBuilder(pipeline(None), {})
    replacing, hashing = (EventBuilder(pipeline(redact), {}, KEYS) for redact in ({}, HASHED))
    whole = EventBuilder(pipeline({"fields": {"$.user.id": "mask"}, "key": "remove"}), {}, KEYS)
    post, clean = document(TEXT, SPANS), document(TEXT, {})
    seen = document(TEXT, SPANS, mail="ADA.L@example.org")
    calls: dict[str, Callable[[], object]] = {
        "original event": lambda: plain.build(post),
        "redact, five spans (target 15)": lambda: replacing.redact(post),
        "redact, five spans, hashes": lambda: hashing.redact(post),
        "redact, five spans, one also in a field": lambda: replacing.redact(seen),
        "redact, five spans, a whole field": lambda: whole.redact(post),
        "redact, no spans": lambda: replacing.redact(clean),
        "redacted event, all in all": lambda: replacing.build(post),
    }
    report("redaction", "Redaction of a post of 150 characters, microseconds", microseconds(calls, arguments.rounds))


if __name__ == "__main__":
    main()
