"""The cost of routes on the host path: publishing events with and without routes, interleaved.

Documents are published as the worker does it, up to the records for the Kafka client, by one thread. With ``--kafka``,
events go from a topic to a topic instead, through a worker without a model, as in ``benchmarks.host_path``.

    python -m benchmarks.routes --events 20000 --rounds 9
    python -m benchmarks.routes --events 60000 --rounds 5 --kafka
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from benchmarks.host_path import Run, fill, worker
from benchmarks.report import report
from schemas.document import Document
from schemas.pipeline.config import Pipeline
from schemas.record import Assignment, Record
from stream.microbatch import MicroBatch
from stream.output.event_builder import EventBuilder
from stream.output.publisher import Publisher
from stream.output.routes import router
from stream.telemetry.stats import Stats
from tests.kafka.choice import cluster

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


KAFKA_ROUTES: list[dict[str, Any]] = [
    {"when": condition, "topic": f"t{number}"}
    for number, condition in enumerate((
        'tone.label == "awful"', 'topic == "alerts"', "has(event.test)", 'tone.label in ["bad", "worse"]',
        'has(event.tier) && event.tier == "gold"', 'tone.label.startsWith("x") && !has(event.test)',
    ))
]  # fmt: skip
"""Six routes, none of which takes an event of ``host_path``."""


def with_kafka(events: int, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as kafka:
        topic, out = fill(kafka, events), kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}", 6)
        kafka.create_topic(f"{out}.dead", 6)
        for route in KAFKA_ROUTES:
            kafka.create_topic(route["topic"], 6)
        worker(kafka, topic, out, events)
        rounds: list[dict[bool, Run]] = []
        for number in range(count):
            routes = {False: None, True: KAFKA_ROUTES}
            order = (False, True) if number % 2 else (True, False)
            rounds.append({routed: worker(kafka, topic, out, events, routes[routed]) for routed in order})
        ratios = [each[True].rate / each[False].rate for each in rounds]
        report("routes_kafka", f"Six routes on the host path, {events} events, {kafka.kind}", {
            "without routes, events/s": statistics.median(each[False].rate for each in rounds),
            "six routes, events/s": statistics.median(each[True].rate for each in rounds),
            "six routes / without (target 0.95)": statistics.median(ratios),
            "without routes, CPU us/event": statistics.median(each[False].cpu for each in rounds),
            "six routes, CPU us/event": statistics.median(each[True].cpu for each in rounds),
        })  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--kafka", action="store_true", help="measure a whole worker between two topics")
    arguments = parser.parse_args()
    if arguments.kafka:
        with_kafka(arguments.events, arguments.rounds)
        return
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
        figures[f"{name}, us/event more"] = statistics.median(times[name] - times["without"] for times in rounds)
    report("routes", f"Routes, {arguments.events} events", figures)


if __name__ == "__main__":
    main()
