"""The cost of routes on the host path: publishing events with and without routes, interleaved.

Documents are published as the worker does it, up to the records for the Kafka client, by one thread. The share of the
host path is the time of the routes beside the time that a worker without a model needs for an event, from poll to
delivery (``benchmarks.host_path``).

    python -m benchmarks.routes --events 20000 --rounds 9
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import orjson

from benchmarks.report import report
from schemas.document import Document
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Record
from stream.microbatch import MicroBatch
from stream.output.event_builder import EventBuilder
from stream.output.publisher import Publisher
from stream.output.routes import router
from stream.telemetry.stats import Stats

TEXT = "event number {} has about as many words in it as a short post on some network has, so that it is not too small"
LABELS = ("harassment", "hate", "self-harm", "sexual", "violence", "spam")
LANGUAGES = ("en", "de", "fr", "es", "it")
ROUTES: list[dict[str, Any]] = [
    {"when": "safety.flagged", "topic": "review"},
    {"when": 'language.label == "und"', "topic": "unread"},
    {"when": 'event.user.tier == "gold"', "topic": "gold"},
    {"when": 'topic == "alerts"', "topic": "alerts"},
    {"when": 'language.label in ["pt", "nl"] && !safety.flagged', "topic": "lowlands"},
    {"when": "has(event.test)", "drop": True},
]
"""Six routes, none of which takes the events below: the worst case, because all conditions are evaluated."""
NUMBERS: list[dict[str, Any]] = [
    {"when": f"size(text) < 5 || tone.score > 1.{index}", "topic": f"t{index}"} for index in range(6)
]
"""Six routes whose values are different in each event, so that no result is known."""


def pipeline(routes: list[dict[str, Any]] | None) -> Pipeline:
    return Pipeline.model_validate({
        "pipeline": "p", "kafka": {"bootstrap.servers": "b:1"}, "input": {"topics": ["posts"]},
        "tasks": [{"name": "tone", "task": "sentiment", "model": "none"},
                  {"name": "safety", "task": "moderation", "model": "none"}, {"name": "language", "task": "language"}],
        "output": {"topic": "out", "routes": routes},
    })  # fmt: skip


def documents(count: int) -> list[Document]:
    made = []
    assignment = Assignment("posts", 0)
    for number in range(count):
        text = TEXT.format(number) + " w" * (number % 60)
        fields = {"id": number, "text": text, "user": {"id": f"u{number}", "tier": ("free", "silver")[number % 2]}}
        value = orjson.dumps(fields)
        document = Document(Record(assignment, number, b"k", value, [("h", b"1")], 1_700_000_000_000), text, value)
        document.fields = fields
        document.annotations = {
            "tone": {"label": "good", "score": number / count, "scores": {"good": number / count, "bad": 0.1}},
            "safety": {"flagged": False,
                       "labels": [{"label": label, "score": 0.001, "flagged": False} for label in LABELS]},
            "language": {"label": LANGUAGES[number % 5], "score": 0.9, "scores": {"en": 0.9, "de": 0.1}},
        }  # fmt: skip
        made.append(document)
    return made


def publishing(routes: list[dict[str, Any]] | None, events: list[Document]) -> Callable[[], float]:
    """Return a function that publishes all events and returns the microseconds of processor time for each."""
    settings = pipeline(routes)
    publisher, decides = Publisher(settings, Stats()), router(settings.output)
    builder = EventBuilder(settings, {name: {"model": "m", "revision": "0"} for name in ("tone", "safety", "language")})

    def publish() -> float:
        began = time.thread_time()
        for number, at in enumerate(range(0, len(events), 500)):
            publisher.outbounds(MicroBatch(number, events[at : at + 500], 0), builder, decides)
        return (time.thread_time() - began) / len(events) * 1e6

    return publish


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--host-path", type=float, default=35.0, help="microseconds of a worker's host path an event")
    arguments = parser.parse_args()
    events = documents(arguments.events)
    gc.freeze()
    ways = {
        "without": None,
        "six routes": ROUTES,
        "six of numbers": NUMBERS,
        "a copy of all": [{"topic": "audit", "copy": True}],
        "a copy with a view": [{"topic": "audit", "copy": True, "text": "none", "annotations": ["safety"]}],
    }
    runs = {name: publishing(routes, events) for name, routes in ways.items()}  # fmt: skip
    rounds = [{name: run() for name, run in runs.items()} for _ in range(arguments.rounds + 1)][1:]
    plain = statistics.median(times["without"] for times in rounds)
    figures = {"publishing without routes, us/event": plain}
    for name in [name for name in ways if name != "without"]:
        extra = statistics.median(times[name] - times["without"] for times in rounds)
        figures[f"{name}, us/event more"] = extra
        figures[f"{name}, share of the host path"] = extra / arguments.host_path
    report("routes", f"Routes, {arguments.events} events", figures)


if __name__ == "__main__":
    main()
