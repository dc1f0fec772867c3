"""Routes: which topics an event goes to, with which key and headers, compared with an obvious model."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.conditions import Condition
from schemas.document import Document
from schemas.errors import RouteError
from schemas.pipeline.outputs import Output
from schemas.record import Assignment, Record
from schemas.replaced import Replaced
from stream.output.routes import Router, Target, View, router

TEXT = "a post of some words"


def document(key: bytes | None = b"k", **fields: Any) -> Document:
    made = Document(Record(Assignment("in", 0), 7, key, b"{}", [("a", b"1"), ("b", b"2"), ("a", b"3")], 5), TEXT)
    made.fields = {"text": TEXT, **fields}
    made.annotations = {"safety": {"flagged": True, "labels": []}, "language": {"label": "de", "score": 0.9}}
    return made


def routes(*given: dict[str, Any], **output: Any) -> Router:
    return Router(Output.model_validate({"topic": "out", "routes": list(given), **output}))


CONDITIONS = {
    "safety.flagged": lambda d: d.annotations["safety"]["flagged"],
    'language.label != "en"': lambda d: d.annotations["language"]["label"] != "en",
    "event.n > 2": lambda d: d.fields["n"] > 2,
    'text.startsWith("a")': lambda d: d.text[:1] == "a",
    'key == "k"': lambda d: d.record.key == b"k",
    None: lambda d: True,
}
ROUTES = st.fixed_dictionaries(
    {"when": st.sampled_from(list(CONDITIONS)), "does": st.sampled_from(["take", "copy", "drop"])},
    optional={"text": st.sampled_from(["original", "none"]), "annotations": st.just(["safety"])},
)
DOCUMENTS = st.builds(
    lambda flagged, label, n, text, key: (flagged, label, n, text, key),
    st.booleans(), st.sampled_from(["en", "de"]), st.integers(0, 5), st.sampled_from(["a", "b"]),
    st.sampled_from([b"k", b"other", None]),
)  # fmt: skip


@given(st.lists(ROUTES, min_size=1, max_size=8), st.lists(DOCUMENTS, min_size=1, max_size=5))
def test_a_router_does_what_the_obvious_loop_does(given: list[dict[str, Any]], documents: list[Any]) -> None:
    settings: list[dict[str, Any]] = []
    for index, route in enumerate(given):
        view: dict[str, Any] = {
            name: route[name] for name in ("text", "annotations") if name in route and route["does"] != "drop"
        }
        ways: dict[str, dict[str, Any]] = {
            "take": {"topic": f"t{index}"}, "copy": {"topic": f"t{index}", "copy": True},
            "drop": {"drop": True, "name": f"d{index}"},
        }  # fmt: skip
        settings.append({**view, **ways[route["does"]], **({"when": route["when"]} if route["when"] else {})})
    tested = routes(*settings)
    for flagged, label, n, text, key in documents:
        event = document(key, n=n)
        event.text = text
        event.annotations = {"safety": {"flagged": flagged}, "language": {"label": label}}
        topics: list[str] = []
        names: list[str] = []
        views: list[View] = []
        for index, route in enumerate(given):
            if not CONDITIONS[route["when"]](event):
                continue
            names.append(f"d{index}" if route["does"] == "drop" else f"t{index}")
            if route["does"] != "drop":
                topics.append(f"t{index}")
                annotations = frozenset(route["annotations"]) if "annotations" in route else None
                views.append(View(route.get("text", "original"), annotations))
            if route["does"] != "copy":
                break
        else:
            topics.append("out")
            views.append(View())
        decision = tested.decide(event)
        assert [target.topic for target in decision.targets] == topics
        assert list(decision.routed) == names
        assert [decision.views[number] for number in decision.numbers] == views
        assert [target.view for target in decision.targets] == views
        assert len(set(decision.views)) == len(decision.views)


def test_without_routes_there_is_no_router() -> None:
    assert router(Output(topic="out")) is None


def test_a_route_inherits_what_it_does_not_set() -> None:
    tested = routes({"topic": "a", "copy": True}, {"topic": "b", "text": "original", "annotations": []}, text="none")
    decision = tested.decide(document())
    assert [(target.topic, target.view, target.name) for target in decision.targets] == [
        ("a", View("none"), "a"), ("b", View("original", frozenset()), "b"),
    ]  # fmt: skip
    (rest,) = routes({"when": "false", "drop": True}, text="none").decide(document()).targets
    assert rest == Target("out", View("none"))


def test_what_reads_fields() -> None:
    assert not routes({"when": "safety.flagged", "topic": "a"}).reads_fields
    assert routes({"when": "event.n > 1", "topic": "a"}).reads_fields
    assert routes({"topic": "a", "key": "$.id"}).reads_fields


def test_deletes_reach_every_topic_with_the_keys_of_the_input() -> None:
    tested = routes(
        {"when": "safety.flagged", "topic": "a"}, {"when": "true", "topic": "keyed", "key": "$.id"},
        {"name": "again", "when": "true", "topic": "keyed_too", "key": "$.id"}, {"when": "true", "drop": True},
        {"name": "plain", "topic": "keyed_too"},
    )  # fmt: skip
    assert tested.deletes == ("out", "a", "keyed_too")


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("event.missing == 1", 'the condition cannot be evaluated: there is no "missing", which has() can test'),
        ("event.n", "the condition returned int, not a boolean"),
        ("event.n == 1 && event.odd == 1", "the condition uses a value of the event that JSON cannot represent"),
    ],
)
def test_a_condition_that_fails_is_the_events_failure_and_names_the_route(when: str, message: str) -> None:
    event = document(n=1, odd=None)
    event.replaced = Replaced()
    event.replaced.add(["odd"])
    tested = routes({"when": "true", "topic": "copy", "copy": True}, {"when": when, "topic": "a", "name": "review"})
    with pytest.raises(RouteError, match=re.escape(message)) as caught:
        tested.decide(event)
    assert (caught.value.route, caught.value.stage) == ("review", "route")


def test_conditions_behind_the_route_that_takes_the_event_are_not_evaluated() -> None:
    tested = routes({"when": "safety.flagged", "topic": "a"}, {"when": "event.missing == 1", "topic": "b"})
    assert tested.decide(document()).routed == ("a",)


def test_a_condition_on_a_task_that_did_not_run_is_false() -> None:
    event = document()
    del event.annotations["safety"]
    tested = routes({"when": "safety.flagged", "topic": "a"}, {"when": "!has(safety.flagged)", "topic": "unchecked"})
    assert tested.decide(event).routed == ("unchecked",)


@pytest.mark.parametrize(
    ("value", "key"),
    [("u1", b"u1"), ("", b""), ("\u00fc", b"\xc3\xbc"), (7, b"7"), (-(2**63), b"-9223372036854775808")],
)
def test_text_and_whole_numbers_become_keys(value: Any, key: bytes) -> None:
    event = document(user={"id": value})
    (target,) = routes({"topic": "a", "key": "$.user.id"}).decide(event).targets
    assert event.record
    assert target.key_of(event, event.record) == key


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "there is no value for the key at $.user.id"),
        ({"user": ["id"]}, "there is no value for the key at $.user.id"),
        ({"user": {"id": True}}, "the key at $.user.id is a boolean, not text or a whole number"),
        ({"user": {"id": None}}, "the key at $.user.id is null, not text or a whole number"),
        ({"user": {"id": 1.0}}, "the key at $.user.id is a fraction, not text or a whole number"),
        ({"user": {"id": [1]}}, "the key at $.user.id is an array, not text or a whole number"),
        ({"user": {"id": {}}}, "the key at $.user.id is an object, not text or a whole number"),
        ({"user": {"id": "odd"}}, "the key at $.user.id is a value that JSON cannot represent"),
    ],
)
def test_what_cannot_be_a_key_is_the_events_failure(fields: dict[str, Any], message: str) -> None:
    event = document(**fields)
    if "odd" in str(fields):
        event.replaced = Replaced()
        event.replaced.add(["user", "id"])
    (target,) = routes({"topic": "a", "key": "$.user.id"}).decide(event).targets
    with pytest.raises(RouteError, match=re.escape(message)) as caught:
        target.key_of(event, event.record)
    assert caught.value.route == "a"


def test_headers_are_added_and_replace_all_of_their_name() -> None:
    event = document()
    assert event.record
    first, second = routes(
        {"topic": "a", "copy": True, "headers": {"a": "\u00fc", "c": ""}}, {"topic": "b"}
    ).decide(event).targets  # fmt: skip
    assert first.headers_of(event.record.headers or []) == [("b", b"2"), ("a", b"\xc3\xbc"), ("c", b"")]
    assert second.headers_of(event.record.headers or []) is event.record.headers
    event.record.headers = None
    assert first.headers_of(event.record.headers or []) == [("a", b"\xc3\xbc"), ("c", b"")]
    assert second.headers_of(event.record.headers or []) == []


def test_what_is_remembered_of_an_event_does_not_decide_about_one_that_only_looks_alike() -> None:
    """Both lack the field; for the first, the task did not run."""
    tested = routes({"when": "custom.n == 1", "topic": "a"})
    not_run, other = document(), document()
    other.annotations["custom"] = {"m": 1}
    for _ in range(2):
        assert tested.decide(not_run).routed == ()
        with pytest.raises(RouteError, match="there is no"):
            tested.decide(other)


def test_conditions_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    before = Condition.__init__

    def noted(condition: Condition, source: str) -> None:
        compiled.append(source)
        before(condition, source)

    monkeypatch.setattr(Condition, "__init__", noted)
    tested = routes({"when": "safety.flagged", "topic": "a"})
    for _ in range(3):
        tested.decide(document())
    assert compiled == ["safety.flagged"]
