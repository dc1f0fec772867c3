"""The encoded event: valid against the contract, true to the input, and without text if so configured."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import jsonschema
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.document import Document
from schemas.errors import EncodeError
from schemas.event import EnrichedEvent
from schemas.pipeline.config import Pipeline
from schemas.pipeline.identity import config_hash
from schemas.record import Assignment, Record
from stream.codecs.formats import codec
from stream.codecs.json import MAX_DEPTH
from stream.output.event_builder import EventBuilder, may_hold_text, without_text
from stream.output.routes import View

SCHEMA = jsonschema.Draft202012Validator(
    json.loads((Path(__file__).parents[3] / "schemas/event.schema.json").read_text())
)
TEXT = "Ada went to e\u0301vora 🙂"
ANNOTATIONS: dict[str, Any] = {
    "who": {"spans": [{"start": 0, "end": 3, "label": "PERSON", "score": 0.998, "text": "Ada"}]},
    "tone": {"label": "calm", "score": 0.9, "scores": {"calm": 0.9, "cross": 0.1}},
    "safety": {"flagged": False, "labels": [{"label": "spam", "score": 0.02, "flagged": False}]},
    "vector": {"vector": [0.25, -0.5]},
}
VIEWS: tuple[Literal["original", "none"], ...] = ("original", "none")
MODELS = {name: {"model": "m", "revision": "0123456789ab"} for name in ANNOTATIONS}


def pipeline(**output: Any) -> Pipeline:
    return Pipeline.model_validate({
        "pipeline": "p", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
        "tasks": [{"name": "tone", "task": "sentiment", "model": "m"}], "output": {"topic": "out", **output},
    })  # fmt: skip


def record(value: bytes, key: bytes | None = b"k", timestamp_ms: int = 1_700_000_000_000) -> Record:
    return Record(Assignment("in", 3), 1842, key, value, None, timestamp_ms)


def document(event: dict[str, Any] | None = None, **more: Any) -> Document:
    made = Document(record(b"", **more), TEXT, orjson.dumps(event or {"text": TEXT}))
    made.annotations = dict(ANNOTATIONS)
    return made


def built(document: Document, **output: Any) -> dict[str, Any]:
    line = EventBuilder(pipeline(**output), MODELS).build(document)
    assert b"\n" not in line
    event: dict[str, Any] = json.loads(line)
    SCHEMA.validate(event)
    EnrichedEvent.model_validate_json(line)
    return event


def test_an_event_is_what_the_contract_says() -> None:
    config = config_hash(pipeline())
    assert built(document({"id": 7, "text": TEXT})) == {
        "schema": "glossator.event/1",
        "id": f"in-3-1842-{config}",
        "pipeline": {"name": "p", "config": config},
        "source": {"topic": "in", "partition": 3, "offset": 1842, "key": "k", "timestamp_ms": 1_700_000_000_000},
        "event": {"id": 7, "text": TEXT},
        "text": TEXT,
        "annotations": ANNOTATIONS,
        "models": MODELS,
        "notices": [],
    }


def test_without_text_nothing_quotes_it_and_labels_of_such_names_stay() -> None:
    made = document()
    made.annotations = {
        "asked": {"answers": [{"question": "Who is Ada?", "null_score": 0.1,
                               "answer": {"start": 0, "end": 3, "score": 0.9, "text": "Ada"}}]},
        "of": {"aspects": [{"aspect": "Ada", "label": "calm", "score": 1.0, "scores": {"calm": 1.0}}]},
        "topics": {"label": "text", "score": 0.75, "scores": {"text": 0.75, "question": 0.25}},
    }  # fmt: skip
    annotations = built(made, text="none")["annotations"]
    assert "Ada" not in json.dumps(annotations)
    assert annotations["asked"]["answers"][0]["answer"] == {"start": 0, "end": 3, "score": 0.9}
    assert annotations["topics"]["scores"] == {"text": 0.75, "question": 0.25}


def several(paths: list[str], event: dict[str, Any], **output: Any) -> dict[str, Any]:
    """The event of several texts, with a span in each of them."""
    config = pipeline(**output)
    config = config.model_copy(update={"input": config.input.model_copy(update={"text": paths})})
    made = codec(config.input).decode(record(orjson.dumps(event)))
    assert made.parts is not None
    made.annotations["who"] = {"spans": [
        {"start": part.start, "end": part.end, "label": "PERSON", "score": 0.5,
         "text": made.text[part.start : part.end], "field": part.path} for part in made.parts
    ]}  # fmt: skip
    line = EventBuilder(config, MODELS).build(made)
    built: dict[str, Any] = json.loads(line)
    SCHEMA.validate(built)
    EnrichedEvent.model_validate_json(line)
    return built


def test_several_texts_are_listed_with_their_places() -> None:
    event = several(["$.title", "$.posts[*].body"], {"title": "🙂 Ada", "posts": [{}, {"body": "Eve"}]})
    assert event["text"] == "🙂 Ada\n\nEve"
    assert event["fields"] == [
        {"path": "$.title", "start": 0, "end": 5}, {"path": "$.posts[1].body", "start": 7, "end": 10},
    ]  # fmt: skip
    assert list(event)[4:7] == ["event", "text", "fields"]


def test_a_missing_text_is_a_notice_in_every_view() -> None:
    for text in ("original", "none"):
        event = several(["$.title", "$.body", "$['x y']"], {"body": "Eve"}, text=text)
        assert event["notices"] == [{"kind": "missing", "paths": ["$.title", "$['x y']"]}]


@pytest.mark.parametrize(
    ("paths", "shown"),
    [
        (["$..*"], ["$.*[0]", "$.*.*.*", "$.*"]),
        (["$.Ada[*]", "$.people[*].name"], ["$.Ada[0]", "$.people.*.name"]),
        (["$['Ada'][0]", "$.last"], ["$['Ada'][0]", "$.last"]),
    ],
)
def test_without_text_names_that_are_only_in_the_event_are_hidden(paths: list[str], shown: list[str]) -> None:
    event = several(paths, {"Ada": ["x"], "people": {"Eve": {"name": "y"}}, "last": "z"}, text="none")
    assert "text" not in event
    assert "Eve" not in json.dumps(event)
    assert [field["path"] for field in event["fields"]] == shown
    assert [(span["start"], span["end"], span["field"]) for span in event["annotations"]["who"]["spans"]] == [
        (field["start"], field["end"], field["path"]) for field in event["fields"]
    ]


def test_without_text_a_custom_value_called_field_stays() -> None:
    made = document()
    made.annotations = {"own": {"custom": {"field": "$.a"}}}
    assert built(made, text="none")["annotations"] == made.annotations


@pytest.mark.parametrize("key", [None, b"\xff\xfe"])
def test_what_the_record_does_not_say_is_null(key: bytes | None) -> None:
    source = built(document(key=key, timestamp_ms=-1))["source"]
    assert source["key"] is None
    assert source["timestamp_ms"] is None


def test_without_text_no_word_of_it_is_left() -> None:
    made = document()
    notice = {"task": "tone", "kind": "truncated", "kept": 3, "of": len(TEXT)}
    made.notices.append(notice)
    event = built(made, text="none")
    assert "Ada" not in json.dumps(event)
    assert "text" not in event
    assert "event" not in event
    assert event["annotations"]["who"] == {"spans": [{"start": 0, "end": 3, "label": "PERSON", "score": 0.998}]}
    assert event["notices"] == [notice]
    assert made.annotations == ANNOTATIONS


def test_a_view_leaves_out_what_it_does_not_name_with_its_model_and_its_notice() -> None:
    made = document()
    made.notices = [{"task": name, "kind": "truncated", "kept": 3, "of": len(TEXT)} for name in ("tone", "who")]
    builder = EventBuilder(pipeline(text="none"), MODELS)
    whole = json.loads(builder.build(made))
    event = json.loads(builder.build(made, View("original", frozenset({"who", "vector"}))))
    SCHEMA.validate(event)
    assert event == {
        **whole,
        "event": {"text": TEXT},
        "text": TEXT,
        "annotations": {"who": ANNOTATIONS["who"], "vector": ANNOTATIONS["vector"]},
        "models": {"who": MODELS["who"], "vector": MODELS["vector"]},
        "notices": made.notices[1:],
    }
    assert json.loads(builder.build(made, View("none"))) == whole
    assert made.annotations == ANNOTATIONS


def test_a_view_of_the_original_says_the_original_key_whatever_other_views_hide() -> None:
    hidden: Any = SimpleNamespace(key=b"*", text=TEXT)
    builder = EventBuilder(pipeline(), MODELS)
    sources = [json.loads(builder.build(document(), View(text), redacted=hidden))["source"] for text in VIEWS]
    assert [source["key"] for source in sources] == ["k", "*"]


def test_the_inputs_own_json_passes_unchanged() -> None:
    value = b'{"text": "x",\n "n": 12345678901234567890123.50, "n": 1E-400, "deep": [[{"a": null}]]}'
    made = codec(pipeline().input).decode(record(value))
    line = EventBuilder(pipeline(), MODELS).build(made)
    assert value.replace(b"\n", b" ") in line
    assert b"\n" not in line


def test_a_text_that_was_no_json_has_no_event() -> None:
    assert "event" not in built(Document(record(b""), TEXT, None))


def test_a_text_from_nowhere_has_no_source_and_an_id_of_its_own() -> None:
    event, again, other = (built(Document(None, text)) for text in (TEXT, TEXT, "other"))
    assert event["source"] is None
    assert event["id"] == again["id"] != other["id"]
    assert event["id"].endswith(config_hash(pipeline()))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", [
    lambda n: {"tone": {"label": "a", "score": n, "scores": {"a": 1.0}}},
    lambda n: {"vector": {"vector": [n, 1.0]}},
    lambda n: {"vector": {"vector": [1.0, n]}},
])  # fmt: skip
def test_a_number_that_is_not_finite_is_refused(place: Any, number: float) -> None:
    made = document()
    made.annotations = place(number)
    with pytest.raises(EncodeError, match="not finite"):
        EventBuilder(pipeline(), MODELS).build(made)


def test_a_span_that_reads_like_a_null_is_no_mistake() -> None:
    made = document()
    made.annotations["who"] = {"spans": [{"start": 0, "end": 5, "label": "X", "score": 1.0, "text": ":null,null[null"}]}
    assert built(made)["annotations"]["who"] == made.annotations["who"]


def test_a_text_that_is_not_utf8_is_refused_without_quoting_it() -> None:
    with pytest.raises(EncodeError) as refused:
        EventBuilder(pipeline(), MODELS).build(Document(None, "secret \ud800"))
    assert "secret" not in str(refused.value)


@given(st.text(), st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_any_text_and_any_event_come_back(text: str, more: dict[str, Any]) -> None:
    value = {**more, "text": text}
    made = Document(record(b""), text, json.dumps(value).encode())
    event = built(made)
    assert event["text"] == text
    assert event["event"] == value


def test_values_that_json_cannot_represent_are_replaced_with_a_notice() -> None:
    value = rb'{"text":"x", "a":{"n":[1,NaN,-Infinity]}, "b":1e400, "b":"\ud83d", "c":1.50}'
    made = codec(pipeline().input).decode(record(value))
    line = EventBuilder(pipeline(), MODELS).build(made)
    assert rb'{"text":"x", "a":{"n":[1,null,null]}, "b":"1e400", "b":"\ufffd", "c":1.50}' in line
    notice = {"kind": "replaced", "paths": ["$.a.n[1]", "$.a.n[2]", "$.b", "$.b"], "count": 4}
    assert built(made)["notices"] == [notice]
    assert built(made, text="none")["notices"] == []


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_the_deepest_event_can_be_read_by_common_parsers(opening: str, closing: str) -> None:
    levels = MAX_DEPTH - 1
    made = codec(pipeline().input).decode(record(f'{{"text":"x","a":{opening * levels}1{closing * levels}}}'.encode()))
    assert made.failure is None
    line = EventBuilder(pipeline(), MODELS).build(made)
    assert orjson.loads(line) == json.loads(line)


KEYS = st.sampled_from(["text", "question", "aspect", "label", "score", "field", "te\\u0078t", 'a"text":', "text "])
NESTED = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), KEYS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, NESTED, max_size=3))
def test_annotations_that_cannot_hold_text_have_none_to_leave_out(annotations: dict[str, Any]) -> None:
    if not may_hold_text(annotations):
        assert without_text(annotations, {}) == annotations


def test_most_annotations_cannot_hold_text() -> None:
    safety = {"flagged": True, "labels": [{"label": "text", "score": 0.5, "flagged": True}]}
    assert not may_hold_text({"safety": safety})
    assert may_hold_text({"names": {"spans": [{"start": 0, "end": 1, "text": "a", "label": "x", "score": 1.0}]}})
    assert may_hold_text({"odd": {"text": {1, 2}}}), "what cannot be encoded"
