"""A redacted event: the values are gone from all of it, everything else is as it was, and offsets slice."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.document import Document, Part
from schemas.errors import RedactError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.redaction import Redact
from schemas.record import Assignment, Record
from stream.codecs.formats import codec
from stream.output.redaction.folding import fold
from stream.output.redaction.keys import Keys
from stream.output.redaction.redacted import Redacted
from stream.output.redaction.redactor import Redactor
from tests.stream.output.redaction.cases import KEYS, Case, case_pipeline, cases, several


def decoded(case: Case) -> Document:
    """The document of a case with the annotations of its spans."""
    record = Record(Assignment("in", 0), 7, case.key, case.value, list(case.headers), 5)
    document = codec(case.pipeline.input).decode(record)
    assert document.failure is None
    assert document.text == case.text
    (first, published), *_ = case.quotes
    del published
    document.annotations = {
        "pii": {"spans": case.spans},
        "mine": {"custom": {"strings": [quote for quote, _ in case.quotes], first or "none": 1}},
        "asked": {"answers": [{"question": case.quotes[0][0], "answer": None, "null_score": 1.0}]},
        "about": {"aspects": [{"aspect": case.quotes[1][0], "label": "good", "score": 1.0, "scores": {"good": 1.0}}]},
    }
    return document


@given(cases())
def test_only_the_values_change(case: Case) -> None:
    document = decoded(case)
    before = json.dumps(document.annotations)
    result = Redactor(case.pipeline, KEYS).redact(document)
    assert result.text == case.redacted
    assert result.event == case.event
    assert (result.key, result.headers) == (case.new_key, case.new_headers)
    quotes = [published for _, published in case.quotes]
    assert result.annotations["mine"] == {"custom": {"strings": quotes, quotes[0] if case.quotes[0][0] else "none": 1}}
    assert result.annotations["asked"]["answers"][0]["question"] == quotes[0]
    assert result.annotations["about"]["aspects"][0]["aspect"] == quotes[1]
    assert json.dumps(document.annotations) == before
    require_no_secret(case.secrets, result)


@given(cases(), st.data())
def test_all_offsets_slice_the_published_text(case: Case, data: st.DataObject) -> None:
    document = decoded(case)
    ranges = st.integers(0, len(case.text)).flatmap(
        lambda start: st.tuples(st.just(start), st.integers(start, len(case.text)))
    )
    mentions = [
        {"start": start, "end": end, "text": case.text[start:end]} for start, end in data.draw(st.lists(ranges))
    ]
    answered = [{"question": "?", "answer": mention, "null_score": 0.0} for mention in mentions]
    document.annotations["links"] = {"clusters": [{"spans": mentions}]}
    document.annotations["asked"] = {"answers": answered}
    result = Redactor(case.pipeline, KEYS).redact(document)
    moved = result.annotations["links"]["clusters"][0]["spans"]
    assert moved == [answer["answer"] for answer in result.annotations["asked"]["answers"]]
    for entry in [*moved, *result.annotations["pii"]["spans"]]:
        assert result.text[entry["start"] : entry["end"]] == entry["text"]
    require_no_secret(case.secrets, result)


@given(several(), st.data())
def test_of_several_texts_only_the_values_change(
    drawn: tuple[Pipeline, bytes, bytes, list[str]], data: st.DataObject
) -> None:
    pipeline, value, event, secrets = drawn
    document = codec(pipeline.input).decode(Record(Assignment("in", 0), 7, None, value))
    assert document.failure is None
    assert document.parts is not None
    first = {document.text.find(secret) for secret in secrets}
    assume(-1 not in first)
    places = [at for secret in secrets for at in occurrences(document.text, secret)]
    spans = [
        {"start": at, "end": at + len(secret), "label": "NAME", "score": 0.5, "text": secret}
        for secret in secrets
        for at in occurrences(document.text, secret)
        if at in first or data.draw(st.booleans())
    ]
    assert places
    document.annotations["pii"] = {"spans": spans}
    result = Redactor(pipeline, KEYS).redact(document)
    assert result.event == event
    require_no_secret(secrets, result)
    published = codec(pipeline.input).decode(Record(Assignment("in", 0), 7, None, event))
    # Names that were different may be equal now.
    assume(all(len(dict(members)) == len(members) for members in objects(event)))
    assert result.text == published.text
    assert [part[:3] for part in result.parts or ()] == [part[:3] for part in published.parts or ()]
    for span in result.annotations["pii"]["spans"]:
        assert result.text[span["start"] : span["end"]] == span["text"] == "<NAME>"


def objects(event: bytes) -> list[list[tuple[str, Any]]]:
    objects_: list[list[tuple[str, Any]]] = []
    json.loads(event, object_pairs_hook=objects_.append)
    return objects_


def occurrences(text: str, value: str) -> list[int]:
    return [match.start() for match in re.finditer(re.escape(value), text)]


def require_no_secret(secrets: list[str], result: Redacted) -> None:
    """Fail if a value is anywhere in ``result``, however it is spelled."""
    decoded_event = json.loads(result.event or b"null", object_pairs_hook=list, parse_float=str, parse_int=str)
    everything = repr((result.text, decoded_event, result.annotations, result.notices))
    everything += repr([(name, (value or b"").decode()) for name, value in result.headers])  # type: ignore[union-attr]
    everything += (result.key or b"").decode()
    for secret in secrets:
        assert fold(secret) not in fold(everything)
        assert json.dumps(secret)[1:-1] not in (result.event or b"").decode()


TEXT = "Mail Ada at ada@x.org or ADA@X.ORG, says Ada."


def event(more: str = "", text: str = TEXT) -> bytes:
    return f'{{"body":{json.dumps(text)}{more}}}'.encode()


def document(value: bytes, spans: list[tuple[str, str]], text: str = TEXT, **record: Any) -> Document:
    made = Document(
        Record(Assignment("in", 0), 7, **{"key": b"k", "headers": None, **record}, value=value), text, value
    )
    made.annotations["pii"] = {
        "spans": [
            {"start": text.index(part), "end": text.index(part) + len(part), "label": label, "score": 0.5, "text": part}
            for part, label in spans
        ]
    }
    return made


def redacted(made: Document, **section: Any) -> Redacted:
    pipeline = case_pipeline("$.body", {})
    return Redactor(pipeline.model_copy(update={"redact": Redact.model_validate(section)}), KEYS).redact(made)


MAIL = [("ada@x.org", "MAIL")]


@pytest.mark.parametrize(
    ("record", "key", "headers"),
    [
        ({"key": b"to Ada@X.org"}, b"to <MAIL>", []),
        ({"headers": [("from", b"ada@x.org!")]}, b"k", [("from", b"<MAIL>!")]),
        ({"headers": [("from", "ada@x.org!")]}, b"k", [("from", b"<MAIL>!")]),
        ({"headers": [("ada@x.org", None)]}, b"k", [("<MAIL>", None)]),
        ({"headers": [("from", b"\xff\\ada@x.org")]}, b"k", [("from", b"\xff\\<MAIL>")]),
        ({"headers": [("from", b"\xff"), ("to", b"bob")]}, b"k", [("from", b"\xff"), ("to", b"bob")]),
    ],
)
def test_a_value_that_only_the_record_repeats_is_redacted_there(
    record: dict[str, Any], key: bytes, headers: list[tuple[str, bytes | None]]
) -> None:
    result = redacted(document(event(', "n": 1'), MAIL, **record))
    assert (result.key, result.headers) == (key, headers)
    text = "Mail Ada at <MAIL> or <MAIL>, says Ada."
    assert result.event == event(', "n": 1', text)


def test_a_value_is_redacted_again_wherever_it_is_in_the_text() -> None:
    result = redacted(document(event(), MAIL))
    assert result.text == "Mail Ada at <MAIL> or <MAIL>, says Ada."
    assert result.event == event(text="Mail Ada at <MAIL> or <MAIL>, says Ada.")
    assert result.applied == {("MAIL", "replace"): 2}


def test_short_values_are_redacted_only_where_they_were_found() -> None:
    assert redacted(document(event(), [("Ada", "NAME")])).text == "Mail <NAME> at ada@x.org or ADA@X.ORG, says Ada."


def test_elsewhere_can_be_switched_off() -> None:
    value = event(',"from":"ada@x.org"')
    result = redacted(document(value, MAIL, key=b"ada@x.org"), elsewhere=False)
    assert result.text == "Mail Ada at <MAIL> or ADA@X.ORG, says Ada."
    assert result.event is not None
    assert result.event.endswith(b',"from":"ada@x.org"}')
    assert result.key == b"ada@x.org"


def test_parts_of_a_merged_value_are_values_too() -> None:
    made = document(
        event(',"last":"Lovelace","first":"Ada B"', "Ada B Lovelace came"), [("Ada B", "N"), ("Lovelace", "N")],
        "Ada B Lovelace came",
    )  # fmt: skip
    result = redacted(made)
    assert result.text == "<N> came"
    assert result.event == event(',"last":"<N>","first":"<N>"', "<N> came")


def test_fields_key_and_headers_are_replaced_as_a_whole() -> None:
    value = event(',"ip":"10.0.0.1","user":{"mail":"Ada@x.org","tags":["b",2]},"n":null')
    made = document(
        value, MAIL, key=b"\xff\x00", headers=[("x-user", b"77"), ("x-user", "78"), ("none", None), ("gone", b"1")]
    )
    result = redacted(
        made,
        fields={"$.ip": "remove", "$.user.mail": "mask", "$.user.tags": {"replace": {"text": "-"}}, "$.n": "mask"},
        key="mask", headers={"x-user": "replace", "none": "mask", "gone": "remove"},
    )  # fmt: skip
    assert result.event == event(
        ',"ip":null,"user":{"mail":"*********","tags":"-"},"n":null', "Mail Ada at <MAIL> or <MAIL>, says Ada."
    )
    assert result.key == b"****"
    assert result.headers == [("x-user", b"<REDACTED>"), ("x-user", b"<REDACTED>"), ("none", None)]
    assert result.applied == {
        ("MAIL", "replace"): 2, ("$.ip", "remove"): 1, ("$.user.mail", "mask"): 1, ("$.user.tags", "replace"): 1,
        ("key", "mask"): 1, ("headers.x-user", "replace"): 2, ("headers.gone", "remove"): 1,
    }  # fmt: skip


def test_a_text_that_a_field_covers_is_replaced_as_a_whole() -> None:
    result = redacted(document(event(), MAIL), fields={"$.body": {"replace": {"text": "-"}}})
    assert result.text == "-"
    assert result.event == b'{"body":"-"}'
    assert result.annotations["pii"]["spans"][0]["text"] == "-"


def test_a_question_from_a_field_is_replaced_with_it() -> None:
    made = document(event(',"q":["Who?","Where?"]'), MAIL)
    answers = [{"question": question, "answer": None, "null_score": 1.0} for question in ("Who?", "Where?", "Why?")]
    made.annotations["asked"] = {"answers": answers}
    result = redacted(made, fields={"$.q": {"replace": {"text": "-"}}})
    assert [entry["question"] for entry in result.annotations["asked"]["answers"]] == ["-", "-", "Why?"]


def test_mentions_of_one_thing_have_one_number() -> None:
    text = "Ada Lovelace met Bob. Ada was glad."
    made = document(event(text=text), [("Ada Lovelace", "P"), ("Bob", "P")], text)
    later = text.rindex("Ada")
    made.annotations["pii"]["spans"].append(
        {"start": later, "end": later + 3, "label": "P", "score": 0.5, "text": "Ada"}
    )
    mentions = [{"start": 0, "end": 12, "text": "Ada Lovelace"}, {"start": later, "end": later + 3, "text": "Ada"}]
    made.annotations["links"] = {"clusters": [{"spans": mentions}]}
    result = redacted(made, default={"replace": {"numbered": True}})
    assert result.text == "<P_1> met <P_2>. <P_1> was glad."
    assert [entry["text"] for entry in result.annotations["links"]["clusters"][0]["spans"]] == ["<P_1>", "<P_1>"]


def test_nothing_found_costs_nothing_and_changes_nothing() -> None:
    made = document(event(), [])
    result = redacted(made)
    assert result.text is made.text
    assert result.event is made.event
    assert result.annotations is made.annotations
    assert result.applied == {}


@pytest.mark.parametrize(
    "value",
    [
        b'{"body":"unread ada@x.org","body":"Hello"}',
        b'{"b\\u006fdy":"unread ada@x.org","body":"Hello"}',
        b'{"body":{"x":"unread"},"b\\u006fdy":"Hello"}',
    ],
)
def test_what_nobody_read_is_not_published_even_if_nothing_is_found(value: bytes) -> None:
    result = redacted(document(value, [], "Hello"))
    assert result.event is not None
    assert b"unread" not in result.event
    assert json.loads(result.event) == {"body": "Hello"}


def test_a_text_that_is_not_in_the_event_is_an_error() -> None:
    with pytest.raises(RedactError, match="cannot be found"):
        redacted(document(b'{"body":"other"}', MAIL))


def test_an_error_says_nothing_of_the_event() -> None:
    made = document(event(), MAIL)
    made.annotations["pii"]["spans"][0]["end"] = "ada@x.org"
    with pytest.raises(RedactError) as raised:
        redacted(made)
    assert "ada" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_pipeline_without_the_section_cannot_redact() -> None:
    with pytest.raises(ValueError, match="no section"):
        Redactor(case_pipeline("$.body", {}).model_copy(update={"redact": None}), Keys())


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_text_that_is_the_key_of_a_route_is_redacted_as_it_is_in_the_event(elsewhere: bool) -> None:
    result = redacted(document(event(text="Ada came"), [("Ada", "NAME")], "Ada came"), elsewhere=elsewhere)
    assert result.route_key(("body",), b"Ada came") == b"<NAME> came"
    assert result.route_key(("other",), b"Ada") == b"Ada"


def test_one_of_several_texts_that_is_the_key_of_a_route_is_redacted_as_well() -> None:
    made = document(b'{"body":["Ada came","Bob"]}', [("Ada", "NAME"), ("Bob", "NAME")], "Ada came\n\nBob")
    made.parts = Part("$.body[0]", 0, 8, ("body", 0)), Part("$.body[1]", 10, 13, ("body", 1))
    pipeline = case_pipeline("$.body[*]", {})
    result = Redactor(pipeline, KEYS).redact(made)
    assert result.route_key(("body", 0), b"Ada came") == b"<NAME> came"
    assert result.route_key(("body", 1), b"Bob") == b"<NAME>"


def test_a_path_that_was_cut_ends_before_the_name_that_was_cut() -> None:
    name = "x" * 190 + " ada@x.org"
    made = codec(case_pipeline("$..*", {}).input).decode(
        Record(Assignment("in", 0), 7, None, json.dumps({"body": "ada@x.org", "m": [{name: "Hi"}]}).encode())
    )
    made.annotations["pii"] = {"spans": [{"start": 0, "end": 9, "label": "MAIL", "score": 0.5}]}
    result = Redactor(case_pipeline("$..*", {}), KEYS).redact(made)
    assert [part.path for part in result.parts or ()] == ["$.body", "$.m[0]…"]


def test_numbers_and_objects_that_a_custom_task_returns_are_redacted() -> None:
    made = document(event(text="call 4917012345"), [("4917012345", "PHONE")], "call 4917012345")
    made.annotations["mine"] = {
        "custom": {"number": 4917012345, "score": 0.4917012345, "same": 17, "more": [None, True, Found("4917012345")]}
    }
    assert redacted(made).annotations["mine"] == {
        "custom": {"number": "<PHONE>", "score": 0.4917012345, "same": 17, "more": [None, True, {"value": "<PHONE>"}]}
    }


NAMES = ["Ren\u00e9 O\u2019Hara", 'Ann "Nan" Lee', "a\\b-c", "n/a/n/a"]


@pytest.mark.parametrize("name", NAMES)
def test_json_in_a_string_hides_nothing(name: str) -> None:
    text = f"{name} came"
    inner = [json.dumps({"from": name}), json.dumps({"from": name}, ensure_ascii=False)]
    inner += [spelled.replace("/", "\\/") for spelled in inner]
    value = event(f',"raw":{json.dumps(inner)}', text)
    headers = [("raw", spelled.encode()) for spelled in inner]
    result = redacted(document(value, [(name, "NAME")], text, headers=headers))
    assert result.event == event(f',"raw":{json.dumps([json.dumps({"from": "<NAME>"})] * 4)}', "<NAME> came")
    assert result.headers == [("raw", b'{"from": "<NAME>"}')] * 4


def test_invisible_characters_hide_nothing() -> None:
    value = event(',"to":"a\\u200bda@x.\\u00adorg","from":"ada@x.org"', "a\u2060da@x.org")
    result = redacted(document(value, [("a\u2060da@x.org", "MAIL")], "a\u2060da@x.org"))
    assert result.event == event(',"to":"<MAIL>","from":"<MAIL>"', "<MAIL>")
    blank = "\u200b" * 5
    assert redacted(document(event(text=f"x{blank}y"), [(blank, "MAIL")], f"x{blank}y")).text == "x<MAIL>y"


@dataclass
class Found:
    """An object that JSON encoders write."""

    value: str
