"""Shadows are compared and counted; they are in no event, and nothing that fails in them concerns an event."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from schemas.document import Annotation, Document, Failure, Shadowed
from schemas.event import EnrichedEvent
from schemas.pipeline.config import Pipeline
from schemas.pipeline.identity import config_hash
from schemas.record import Assignment, Outbound, Record
from stream.microbatch import MicroBatch
from stream.output.event_builder import EventBuilder
from stream.output.publisher import Publisher
from stream.output.routes import router
from stream.output.shadows import MOST_LABELS, OTHER, Shadows
from stream.telemetry.metrics import Exposition
from stream.telemetry.stats import Stats
from tests.noop import pipeline
from tests.stream.output.test_comparison import flags, label, spans

SAFETY: dict[str, Any] = {"name": "safety", "task": "moderation", "model": "m"}
NEXT: dict[str, Any] = {**SAFETY, "name": "next", "shadow": "safety"}
TONE: dict[str, Any] = {"name": "tone", "task": "sentiment", "model": "m"}
MODELS = {name: {"model": "m", "revision": name} for name in ("safety", "next", "tone", "mood", "who", "who2")}


def config(*tasks: dict[str, Any], **output: Any) -> Pipeline:
    redact = output.pop("redact", None)
    settings = {} if redact is None else {"redact": redact}
    settings |= output.pop("more", {})
    return pipeline(tasks=list(tasks or (SAFETY, NEXT)), output={"topic": "out", **output}, **settings)


def document(
    annotations: dict[str, Annotation], offset: int = 0, text: str = "Hi Ada!", **shadows: Annotation | Shadowed
) -> Document:
    value = json.dumps({"text": text}).encode()
    made = Document(Record(Assignment("posts", 0), offset, b"k", value, [("h", b"1")], 5), text, value)
    made.annotations = dict(annotations)
    made.shadows = {
        name: each if isinstance(each, Shadowed) else Shadowed(each, []) for name, each in shadows.items()
    } or None
    return made


def publish(settings: Pipeline, *documents: Document) -> tuple[list[Outbound], Stats, Publisher]:
    stats = Stats()
    publisher = Publisher(settings, stats)
    builder = EventBuilder(settings, MODELS)
    batch = MicroBatch(0, list(documents), tokens=1)
    return publisher.outbounds(batch, builder, router(settings.output), Shadows(settings)), stats, publisher


@pytest.mark.parametrize("redacted", [False, True])
def test_the_header_that_names_the_schema_of_the_input_does_not_stay(redacted: bool) -> None:
    """The copy is JSON, and readers with a Schema Registry would look for that schema in it."""
    framed = {"input": {"topics": ["posts"], "format": "avro"}, "registry": {"url": "http://127.0.0.1:1"}}
    hidden: dict[str, Any] = {"text": "redacted", "redact": {}} if redacted else {}
    differing = document({"safety": flags("hate")}, next=flags("insult"))
    assert differing.record is not None
    differing.record.headers = [("__value_schema_id", bytes(5)), ("h", b"1")]
    outbounds, _, _ = publish(config(disagreements="odd", more=framed, **hidden), differing)
    assert [(each.topic, each.headers) for each in outbounds] == [("out", [("h", b"1")]), ("odd", [("h", b"1")])]


def event(outbound: Outbound) -> dict[str, Any]:
    assert outbound.value is not None
    EnrichedEvent.model_validate_json(outbound.value)
    return dict(json.loads(outbound.value))


def test_a_disagreement_is_the_event_with_both_annotations_and_nothing_else_shows_a_shadow() -> None:
    agreeing = document({"safety": flags()}, 1, next=flags())
    differing = document({"safety": flags("hate")}, 2, next=flags("insult"))
    outbounds, stats, _ = publish(config(disagreements="odd"), agreeing, differing)
    assert [(each.topic, each.kind) for each in outbounds] == [
        ("out", "event"),
        ("out", "event"),
        ("odd", "disagreement"),
    ]
    published, odd = event(outbounds[1]), event(outbounds[2])
    assert b"next" not in (outbounds[0].value or b"") + (outbounds[1].value or b"")
    assert odd.pop("disagreements") == [{"task": "safety", "shadow": "next"}]
    assert odd["annotations"].pop("next") == flags("insult")
    assert odd["models"].pop("next") == MODELS["next"]
    assert odd == published
    copy = outbounds[2]
    assert (copy.key, copy.headers, copy.timestamp_ms, copy.origin) == (b"k", [("h", b"1")], 5, differing.record)
    assert (stats.enriched, stats.disagreements) == (2, {"sent": 1})


def test_without_a_topic_disagreements_are_only_counted() -> None:
    outbounds, stats, _ = publish(config(), document({"safety": flags("hate")}, next=flags()))
    assert [each.kind for each in outbounds] == ["event"]
    assert stats.shadow_events == {("safety", "next", "disagree"): 1}
    assert stats.shadow_flagged == {("safety", "next", "task"): 1, ("safety", "next", "shadow"): 0}
    assert stats.shadow_labels == {("safety", "next", "hate", "(none)"): 1}
    assert not stats.disagreements


def test_only_the_shadows_that_disagree_are_in_the_record() -> None:
    mood = {**TONE, "name": "mood", "shadow": "tone"}
    calm = {**NEXT, "name": "calm"}
    settings = config(SAFETY, NEXT, calm, TONE, mood, disagreements="odd")
    made = document(
        {"safety": flags("hate"), "tone": label("bad")}, next=flags("hate"), calm=flags(), mood=label("good")
    )
    models = {task.name: {"model": "m", "revision": task.name} for task in settings.tasks}
    stats = Stats()
    batch = MicroBatch(0, [made], tokens=1)
    _, odd = Publisher(settings, stats).outbounds(batch, EventBuilder(settings, models), None, Shadows(settings))
    assert event(odd)["disagreements"] == [{"task": "safety", "shadow": "calm"}, {"task": "tone", "shadow": "mood"}]
    assert set(event(odd)["annotations"]) == set(event(odd)["models"]) == {"safety", "tone", "calm", "mood"}


FAILED = Shadowed(None, [], Failure("forward", "ForwardError", "too large for the device", "next"))


@pytest.mark.parametrize(
    ("annotations", "shadows", "outcome"),
    [
        ({"safety": flags()}, {"next": FAILED}, "failed"),
        ({"safety": flags()}, {}, "one_sided"),
        ({}, {"next": flags()}, "one_sided"),
        ({"safety": flags()}, {"next": Shadowed(None, [])}, "one_sided"),
        ({}, {"next": Shadowed(None, [])}, None),
        ({}, {}, None),
        ({"safety": flags()}, {"next": {"strange": 1}}, "failed"),
    ],
    ids=["fails", "did not run", "task did not run", "left out", "both left out", "neither ran", "another shape"],
)
def test_what_cannot_be_compared_costs_no_event(
    annotations: dict[str, Annotation], shadows: dict[str, Any], outcome: str | None
) -> None:
    outbounds, stats, publisher = publish(config(disagreements="odd"), document(annotations, **shadows))
    assert [each.kind for each in outbounds] == ["event"]
    assert (stats.enriched, stats.dead_letters) == (1, 0)
    assert stats.shadow_events == ({("safety", "next", outcome): 1} if outcome else {})
    assert publisher.too_many() is None


def test_a_record_that_cannot_be_made_or_is_refused_costs_no_event(caplog: pytest.LogCaptureFixture) -> None:
    broken = flags("hate")
    broken["labels"][0]["score"] = float("nan")
    outbounds, stats, publisher = publish(
        config(disagreements="odd"),
        document({"safety": flags()}, 1, next=broken),
        document({"safety": flags()}, 2, next=flags("hate")),
    )
    assert [each.kind for each in outbounds] == ["event", "event", "disagreement"]
    assert stats.disagreements == {"sent": 1, "lost": 1}
    assert "a disagreement cannot be written: encode: an annotation holds a number that is not finite" in caplog.text
    assert publisher.refused(outbounds[2], "MSG_SIZE_TOO_LARGE") == []
    assert stats.disagreements == {"sent": 0, "lost": 2}
    assert (stats.enriched, stats.dead_letters) == (2, 0)


def test_of_an_event_that_fails_or_that_a_route_drops_there_is_no_record() -> None:
    settings = config(disagreements="odd", routes=[
        {"when": 'text == "drop"', "drop": True},
        {"when": "safety.flagged", "topic": "review", "annotations": ["safety"], "text": "none"},
    ])  # fmt: skip
    failed = document({"safety": flags()}, 1, next=flags("hate"))
    failed.failure = Failure("forward", "ForwardError", "too large for the device")
    dropped = document({"safety": flags()}, 2, text="drop", next=flags("hate"))
    routed = document({"safety": flags("hate")}, 3, next=flags())
    outbounds, stats, _ = publish(settings, failed, dropped, routed)
    assert [each.topic for each in outbounds] == ["out.dead", "review", "odd"]
    assert event(outbounds[2])["routed"] == ["review"]
    assert event(outbounds[2])["text"] == "Hi Ada!"  # as output.text says, whatever the route does
    assert stats.shadow_events == {("safety", "next", "disagree"): 2}


@pytest.mark.parametrize("with_route", [False, True])
def test_the_record_is_redacted_like_the_event_and_shows_no_more(with_route: bool) -> None:
    """The shadow finds more than its task: what only the shadow finds is not redacted, as in the event."""
    who = {"name": "who", "task": "ner", "model": "m"}
    routes = [{"when": "size(who.spans) > 0", "topic": "plain", "text": "original"}] if with_route else None
    settings = config(
        who, {**who, "name": "who2", "shadow": "who"}, disagreements="odd", text="redacted", redact={"key": "remove"},
        routes=routes,
    )  # fmt: skip
    text = "Ada and Bob"
    first = {"spans": [{"start": 0, "end": 3, "label": "PERSON", "score": 0.9, "text": "Ada"}]}
    second = {"spans": [*first["spans"], {"start": 8, "end": 11, "label": "PERSON", "score": 0.9, "text": "Bob"}]}
    outbounds, _, _ = publish(settings, document({"who": first}, text=text, who2=second))
    main, copy = outbounds
    assert (main.topic, copy.topic) == ("plain" if with_route else "out", "odd")
    odd = event(copy)
    assert odd["text"] == "<PERSON> and Bob"
    assert odd["event"] == {"text": "<PERSON> and Bob"}
    assert odd["redacted"] == {"PERSON": 1, "key": 1}
    assert [span["text"] for span in odd["annotations"]["who2"]["spans"]] == ["<PERSON>", "Bob"]
    assert odd["annotations"]["who2"]["spans"][1]["start"] == 13
    assert copy.key is None
    assert b"Ada" not in (copy.value or b"")
    assert (b"Ada" in (main.value or b"")) is with_route


def test_a_pipeline_whose_only_names_are_found_by_a_shadow_finds_nothing_to_redact() -> None:
    settings = config(
        TONE,
        {"name": "who", "task": "pii"},
        {"name": "who2", "task": "pii", "shadow": "who"},
        text="redacted",
        redact={},
    )
    builder = EventBuilder(settings, MODELS)
    assert builder.redactor is not None
    assert builder.redactor.plan.tasks == ["who"]


def test_text_none_hides_the_text_of_the_spans_of_a_shadow() -> None:
    who = {"name": "who", "task": "ner", "model": "m"}
    settings = config(who, {**who, "name": "who2", "shadow": "who"}, disagreements="odd", text="none")
    shadow_spans = {"spans": [{"start": 0, "end": 3, "label": "PERSON", "score": 0.9, "text": "Ada"}]}
    _, odd = publish(settings, document({"who": spans()}, text="Ada", who2=shadow_spans))[0]
    assert b"Ada" not in (odd.value or b"")
    assert event(odd)["annotations"]["who2"]["spans"][0]["start"] == 0


def test_offsets_of_a_shadow_have_the_unit_of_the_output() -> None:
    who = {"name": "who", "task": "ner", "model": "m"}
    settings = config(who, {**who, "name": "who2", "shadow": "who"}, disagreements="odd", offset_unit="utf16")
    _, odd = publish(settings, document({"who": spans()}, text="\N{PILE OF POO} Ada", who2=spans((2, 5, "PER"))))[0]
    assert event(odd)["annotations"]["who2"]["spans"][0]["start"] == 3


def test_notices_of_a_shadow_are_in_the_record_alone_and_unread_texts_are_counted() -> None:
    notice = {"task": "next", "kind": "unread", "share": 0.8}
    outbounds, stats, _ = publish(
        config(disagreements="odd"), document({"safety": flags()}, next=Shadowed(flags("hate"), [notice]))
    )
    assert [event(each)["notices"] for each in outbounds] == [[], [notice]]
    assert stats.unread == {"next": 1}


def test_the_table_of_labels_is_bounded() -> None:
    tasks = (TONE, {**TONE, "name": "mood", "shadow": "tone"})
    many = 3 * MOST_LABELS
    documents = [document({"tone": label(f"a{n}")}, n, mood=label(f"b{n}" * 200)) for n in range(many)]
    _, stats, _ = publish(config(*tasks), *documents)
    assert len(stats.shadow_labels) == MOST_LABELS + 1
    assert stats.shadow_labels["tone", "mood", OTHER, OTHER] == many - MOST_LABELS
    assert max(len(part) for key in stats.shadow_labels for part in key) <= 100
    text = Exposition(stats, "p", 0).text().decode()
    assert (
        'glossator_shadow_events_total{outcome="disagree",pipeline="p",shadow="mood",slot="0",task="tone"} 90.0' in text
    )


def test_agreement_is_logged_once_a_minute_and_at_the_end_without_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "glossator")
    now = [0.0]
    settings, stats = config(), Stats()
    shadows, publisher = Shadows(settings, lambda: now[0]), Publisher(settings, stats)
    builder = EventBuilder(settings, MODELS)

    def run(*documents: Document) -> None:
        publisher.outbounds(MicroBatch(0, list(documents), tokens=1), builder, None, shadows)
        publisher.too_many()

    run(*(document({"safety": flags("hate")}, n, next=flags("hate")) for n in range(997)))
    run(document({"safety": flags("hate")}, 1, next=flags("insult")), document({"safety": flags()}, 2, next=FAILED))
    run(document({"safety": flags()}, 2, next=FAILED), document({"safety": flags()}, 2, next=flags("hate")))
    assert caplog.messages == [
        'shadow "next" of "safety" fails, events are published without it: forward, task "next": too large for the '
        "device (ForwardError); other failures are only counted"
    ]
    now[0] = 60.0
    publisher.too_many()
    line = (
        'shadow "next" of "safety": 999 events compared, 99.80 % agree; flagged by the task 99.90 %, by the shadow '
        "100.00 %; most different: hate / (none) 1, (none) / insult 1, (none) / hate 1; 2 failed"
    )
    assert caplog.messages[1] == line
    publisher.too_many()
    now[0] = 200.0
    publisher.too_many()
    assert len(caplog.messages) == 2
    run(document({"safety": flags()}, 9, next=flags()))
    publisher.close()
    assert caplog.messages[2].startswith('shadow "next" of "safety": 1,000 events compared, 99.80 % agree')


def test_a_configuration_that_takes_over_begins_to_count_anew(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "glossator")
    settings = config()
    publisher, builder = Publisher(settings, Stats()), EventBuilder(settings, MODELS)
    for shadows in (Shadows(settings), None, Shadows(settings)):
        batch = MicroBatch(0, [document({"safety": flags()}, next=flags())], tokens=1)
        publisher.outbounds(batch, builder, None, shadows)
    publisher.close()
    assert [message.split(":")[1].split(",")[0] for message in caplog.messages] == [" 1 events compared"] * 2


def test_shadows_and_their_topic_change_no_id() -> None:
    assert config_hash(config(SAFETY)) == config_hash(config(SAFETY, NEXT, disagreements="odd"))
    assert config_hash(config(SAFETY)) != config_hash(config(SAFETY, {**NEXT, "shadow": None}))
