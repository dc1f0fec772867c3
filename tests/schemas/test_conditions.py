"""Conditions: which names they use, what they return, and how they fail."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import conditions
from schemas.conditions import MAX_LENGTH, Condition
from schemas.document import Document, Part
from schemas.errors import ConditionError
from schemas.record import Assignment, Record
from schemas.replaced import Replaced

SECRET = "heliotrope"
TONE = {"label": "bad", "score": 0.9, "scores": {"bad": 0.9, "good": 0.1}}
SAFETY = {"flagged": True, "labels": [{"label": "hate", "score": 0.7, "flagged": True}]}


def says(source: str, **variables: Any) -> bool:
    made = Condition(source)
    assert made.names == variables.keys()
    return made(variables)


@pytest.mark.parametrize(
    ("source", "names", "fields"),
    [
        ('tone.label == "bad"', {"tone"}, [("tone", "label")]),
        ("tone . label == text", {"tone", "text"}, [("tone", "label")]),
        ("tone\n .label == text", {"tone", "text"}, [("tone", "label")]),
        ('tone.scores["bad"] > 0.5', {"tone"}, [("tone", "scores")]),
        ('tone["label"] == "bad"', {"tone"}, []),
        ("has(tone.label) && tone.score > 1", {"tone"}, [("tone", "label"), ("tone", "score")]),
        ("tone.label.size() > 1", {"tone"}, [("tone", "label")]),
        ("tone.size() > 1", {"tone"}, []),
        ("event.contains == 1", {"event"}, [("event", "contains")]),
        # Fields of the event can have any name.
        ('event.tone.label == "bad"', {"event"}, [("event", "tone")]),
        ('event["tone.label"] == 1', {"event"}, []),
        # Names in string literals and comments.
        ('"tone.label" == text', {"text"}, []),
        ("text == 'a' // and tone.label", {"text"}, []),
        ("true // \" tone.label", set(), []),
        ('text == "//" && tone.a', {"text", "tone"}, [("tone", "a")]),
        (r"text == '\'tone.a'", {"text"}, []),
        (r'text == "\"" || tone.b', {"text", "tone"}, [("tone", "b")]),
        (r'text == r"\" || tone.b', {"text", "tone"}, [("tone", "b")]),
        ("text == '''\n'tone.a' ''' || mood.b", {"text", "mood"}, [("mood", "b")]),
        ('"""tone "quoted" tone.a""" == text', {"text"}, []),
        ("b'tone.a' == b\"tone.b\"", set(), []),
        # A name that a macro binds is not a variable inside the macro.
        ("event.tags.exists(t, t == text)", {"event", "text"}, [("event", "tags")]),
        ("event.tags.exists(text, text.size() > 1)", {"event"}, [("event", "tags")]),
        ("event.tags.exists(text, text.size() > 1) && text.size() > 1", {"event", "text"}, [("event", "tags")]),
        ("tone.labels.exists(tone, tone.flagged)", {"tone"}, [("tone", "labels")]),
        ("x.exists(x, x.a) || x.b", {"x"}, [("x", "b")]),
        ("[[1]].all(x, x.all(x, x.a > 0)) && x.c", {"x"}, [("x", "c")]),
        ("[1].all(x, [2].all(y, y > x)) && tone.a", {"tone"}, [("tone", "a")]),
        ("safety.labels.filter(l, l.flagged).exists_one(s, s.score > 0.5)", {"safety"}, [("safety", "labels")]),
        # Types are not variables.
        ("type(event.a) == int || type(event.b) == string", {"event"}, [("event", "a"), ("event", "b")]),
    ],
)  # fmt: skip
def test_what_a_condition_speaks_of(source: str, names: set[str], fields: list[tuple[str, str]]) -> None:
    made = Condition(source)
    assert made.names == names
    assert list(made.fields()) == fields
    assert made.source == source


name = st.from_regex(r"[a-z][a-z_]{2,8}", fullmatch=True).filter(lambda word: word not in conditions.RESERVED)
anything = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


@settings(deadline=None)
@given(used=name, quoted=anything, said=anything)
def test_a_text_in_quotes_says_nothing_of_names(used: str, quoted: str, said: str) -> None:
    literal = '"' + quoted.replace("\\", "\\\\").replace('"', '\\"') + '"'
    made = Condition(f"{literal} == {used}.field // {said}")
    assert made.names == {used}
    assert list(made.fields()) == [(used, "field")]
    assert made({used: {"field": quoted}}) is True
    assert made({used: {"field": quoted + "x"}}) is False


@settings(deadline=None)
@given(bound=name, other=name)
def test_whatever_a_macro_calls_its_variable(bound: str, other: str) -> None:
    made = Condition(f"event.tags.exists({bound}, {bound}.a == 1) && {other}.b == 2")
    assert made.names == {"event", other}
    assert (other, "b") in made.fields()
    assert (bound, "a") not in made.fields()


@pytest.mark.parametrize(
    ("source", "variables", "said"),
    [
        ('tone.label == "bad" && tone.score > 0.5', {"tone": TONE}, True),
        ('tone.label in ["good", "fine"]', {"tone": TONE}, False),
        ('tone.scores["bad"] >= 0.9 && "good" in tone.scores', {"tone": TONE}, True),
        ('safety.labels.exists(l, l.label == "hate" && l.score > 0.5)', {"safety": SAFETY}, True),
        ("safety.flagged", {"safety": SAFETY}, True),
        ("event.n > 1.5 && event.n == 2.0", {"event": {"n": 2}}, True),
        ("event.n == 9007199254740993", {"event": {"n": 2**53 + 1}}, True),
        ("event.n > 5", {"event": {"n": 10**30}}, True),
        ("has(event.n)", {"event": {}}, False),
        ("has(event.n) && event.n > 1", {"event": {}}, False),
        ("event.a == null", {"event": {"a": None}}, True),
        ("event.on", {"event": {"on": False}}, False),
        ('key == null || key.startsWith("u")', {"key": None}, True),
        ('headers["x-lang"] == "en"', {"headers": {"x-lang": "en"}}, True),
        ('topic.endsWith("posts") && text.matches("^[a-z]+$")', {"topic": "my.posts", "text": "abc"}, True),
        ('text == "\\U0001F44D"', {"text": "\N{THUMBS UP SIGN}"}, True),
        # Takes linear time, although it looks exponential.
        ('text.matches("(a+)+$")', {"text": "a" * 50_000 + "b"}, False),
    ],
)
def test_what_a_condition_says(source: str, variables: dict[str, Any], said: bool) -> None:
    assert says(source, **variables) is said


CALLS = {
    "all": "[1].all(x, x == 1)",
    "bytes": "bytes('a') == b'a'",
    "contains": "'abc'.contains('b')",
    "double": "double('1.5') == 1.5",
    "duration": "duration('60s') == duration('1m')",
    "endsWith": "'abc'.endsWith('c')",
    "exists": "[1, 2].exists(x, x == 2)",
    "exists_one": "[1, 2].exists_one(x, x == 2)",
    "existsOne": "[1, 2].existsOne(x, x == 2)",
    "filter": "[1, 2].filter(x, x > 1) == [2]",
    "has": "has({'a': 1}.a)",
    "int": "int('1') == 1",
    "map": "[1, 2].map(x, x * 2) == [2, 4]",
    "matches": "'abc'.matches('b')",
    "size": "size('abc') == 3 && [1].size() == 1",
    "startsWith": "'abc'.startsWith('a')",
    "string": "string(1) == '1'",
    "timestamp": "timestamp('2026-01-01T00:00:00Z') < timestamp('2026-01-02T00:00:00Z')",
    "type": "type(1) == int",
    "uint": "uint(1) == 1u",
    "getDate": "T.getDate() == 9",
    "getDayOfMonth": "T.getDayOfMonth() == 8",
    "getDayOfWeek": "T.getDayOfWeek() == 1",
    "getDayOfYear": "T.getDayOfYear() == 39",
    "getFullYear": "T.getFullYear() == 2026",
    "getHours": "T.getHours() == 4",
    "getMilliseconds": "T.getMilliseconds() == 678",
    "getMinutes": "T.getMinutes() == 5",
    "getMonth": "T.getMonth() == 1",
    "getSeconds": "T.getSeconds() == 6",
}


def test_every_function_that_is_let_through_is_there() -> None:
    """A function that is missing would make every event fail."""
    assert CALLS.keys() == conditions._FUNCTIONS


@pytest.mark.parametrize("function", CALLS)
def test_functions_mean_what_the_specification_says(function: str) -> None:
    # This date is a Monday.
    assert says(CALLS[function].replace("T.", "timestamp('2026-02-09T04:05:06.678Z').")) is True


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "not CEL: ends unexpectedly"),
        ("  ", "not CEL: ends unexpectedly"),
        ("tone.label ==", "not CEL: ends unexpectedly"),
        ('tone.label = "bad"', 'not CEL: syntax error at character 12; write "==" for "="'),
        ('tone.label == "bad', "not CEL: syntax error at character 15"),
        ("true &&\n  text = 2", 'not CEL: syntax error at line 2, character 8; write "==" for "="'),
        ("tone.label == 'a' and text == 'b'", 'not CEL: syntax error at character 19; write "&&" for "and"'),
        ("loop == 1", "not CEL: reserved identifier: loop (character 1)"),
        ("event.n == 9223372036854775808", "not CEL: invalid int literal (character 12)"),
        ("lower(text) == 'a'", 'CEL has no function "lower"'),
        ("text.lower() == 'a'", 'CEL has no function "lower"'),
        ("max(event.a, 1) > 2", 'CEL has no function "max"'),
        ("__import__('os')", 'CEL has no function "__import__"'),
        *(
            (
                deep,
                "nests macros (all, exists, filter, map) more than 2 deep, which takes too long on long lists",
            )
            for deep in (
                "event.l.all(a, event.l.all(b, event.l.all(c, true)))",
                "event.l . map (a, [event.l.filter(b, event.l.exists_one(c, c > b))]).size() > 1",
                "event.l.all((a), event.l.exists((b), event.l.existsOne((c), true)))",
                "event.l.all(a // one\n, event.l.all // two (\n (b, event.l.all(c, true)))",
                "event.l.all(a, event.l.all(b, true) || event.l.filter(b, b.map(c, c) == []) == [])",
            )
        ),
        ("a" * (MAX_LENGTH + 1), "has 2001 characters, the limit is 2000"),
    ],
)
def test_what_cannot_be_read(source: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        Condition(source)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "source",
    [
        "event.l.all(a, event.l.all(b, a + b > 0))",
        "event.l.all(a, event.l.all(b, b > 0) && event.l.exists(c, c > 0))",
        "event.l.map(a, a + 1).filter(b, b > 0).map(c, c).all(d, event.l.exists(e, e < d))",
        "event.l.filter(a, a > 0).all(b, '.all(c, .all(d, .all(e, ' != '') // .all(f, .all(g, .all(h, ",
    ],
)
def test_macros_behind_one_another_are_not_deep(source: str) -> None:
    assert says(source, event={"l": [1, 2, 3]})


@pytest.mark.parametrize(
    "source",
    [f'"{SECRET}" = 1', f"'{SECRET}", f"event.{SECRET} ==", f'f("{SECRET}")', f"'ERROR: <input>:1:1: {SECRET}\n"],
)
def test_what_cannot_be_read_is_not_quoted(source: str) -> None:
    """A condition can contain the value of an environment variable."""
    with pytest.raises(ValueError) as caught:
        Condition(source)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "variables", "why"),
    [
        ("event.n == 1", {"event": {}}, 'cannot be evaluated: there is no "n", which has() can test'),
        ("event.a.b == 1", {"event": {"a": {}}}, 'there is no "b"'),
        ("has(event.a) || event.bc == 1", {"event": {}}, 'there is no "bc"'),
        ("event[event.n] == 1", {"event": {"n": SECRET}}, "cannot be evaluated (KeyError)"),
        ("event.n == 1", {"event": None}, "cannot be evaluated (TypeError)"),
        ("event.n == 1", {"event": [1]}, "cannot be evaluated"),
        ("event.a.b == 1", {"event": {"a": SECRET}}, "cannot be evaluated"),
        ("event.n < 1", {"event": {"n": SECRET}}, "cannot be evaluated (TypeError)"),
        ("event.n[0] == 1", {"event": {"n": []}}, "cannot be evaluated (IndexError)"),
        ("1 / event.n == 1", {"event": {"n": 0}}, "cannot be evaluated (ZeroDivisionError)"),
        ("event.n + 1 > 1", {"event": {"n": 2**63 - 1}}, "cannot be evaluated (OverflowError)"),
        ("timestamp(event.t) > timestamp(0)", {"event": {"t": SECRET}}, "cannot be evaluated"),
        ("text.matches(event.p)", {"text": "a", "event": {"p": f"({SECRET}"}}, "cannot be evaluated"),
        ('headers["x"] == "1"', {"headers": {}}, "cannot be evaluated (KeyError)"),
        ('key.startsWith("a")', {"key": None}, "cannot be evaluated"),
        ('text == "a"', {"text": f"{SECRET} \udc00"}, "cannot be evaluated"),
        ("tone.nothing == 1", {"tone": TONE}, 'cannot be evaluated: there is no "nothing"'),
        ("safety.labels[7].flagged", {"safety": SAFETY}, "cannot be evaluated (IndexError)"),
        ("text", {"text": SECRET}, "returned str, not a boolean"),
        ("event", {"event": {SECRET: 1}}, "returned dict, not a boolean"),
        ("event.n", {"event": {"n": 1}}, "returned int, not a boolean"),
        ("event.n", {"event": {"n": None}}, "returned NoneType, not a boolean"),
        ("event.n", {"event": {"n": "true"}}, "returned str, not a boolean"),
        ("tone.score", {"tone": TONE}, "returned float, not a boolean"),
    ],
)
def test_how_a_condition_fails(source: str, variables: dict[str, Any], why: str) -> None:
    with pytest.raises(ConditionError) as caught:
        says(source, **variables)
    assert why in str(caught.value)
    assert SECRET not in str(caught.value)
    # The message of the package's exception quotes values.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("source", "variables", "said"),
    [
        ('tone.label == "bad"', {"tone": {}}, False),
        ('tone.label != "bad"', {"tone": {}}, False),
        ('!(tone.label == "bad")', {"tone": {}}, False),
        ("safety.labels[0].flagged", {"safety": {}}, False),
        ('tone.label == "bad" && safety.flagged', {"tone": TONE, "safety": {}}, False),
        # True without the annotation that is missing.
        ('tone.label == "bad" || safety.flagged', {"tone": TONE, "safety": {}}, True),
        ("has(tone.label)", {"tone": {}}, False),
        ("!has(tone.label)", {"tone": {}}, True),
        ('!has(tone.label) || tone.label == "bad"', {"tone": {}}, True),
    ],
)
def test_of_a_task_that_did_not_run(source: str, variables: dict[str, Any], said: bool) -> None:
    assert says(source, **variables) is said


def test_an_empty_event_is_no_task_that_did_not_run() -> None:
    with pytest.raises(ConditionError):
        says("event.n == 1 && tone.score > 0.5", event={}, tone=TONE)


THUMB = "\N{THUMBS UP SIGN}"


@pytest.mark.parametrize(
    ("source", "variables"),
    [
        ("size(text) == 1", {"text": THUMB}),
        ("text.size() == 1", {"text": THUMB}),
        ("text . size // a (comment)\n () == 1", {"text": THUMB}),
        ("size // one (\n // two\n (text) == 1", {"text": THUMB}),
        (f"size('{THUMB}') == 1 && '{THUMB}'.size() == 1", {}),
        ("size(event.a + text) == 3", {"event": {"a": "\u00e9\u4e2d"}, "text": THUMB}),
        ("size(event['\u00e9']) == 2", {"event": {"\u00e9": "\u4e2d\u6587"}}),
        ("event.all(name, name.size() == 1)", {"event": {"\u00e9": 1, THUMB: 2}}),
        ("event.map(name, size(event[name])) == [2]", {"event": {"\u00e9": "\u4e2d\u6587"}}),
        ("event.l.all(a, a.exists(b, b.size() == 1 && size(a) == 2))", {"event": {"l": [["\u4e2d\u6587", THUMB]]}}),
        ("size(key) == 1 && headers.h.size() == 1", {"key": "\u00e9", "headers": {"h": THUMB}}),
        # What is not text.
        ("size(b'\u00e9') == 2", {}),
        ("size(event.l) == 2 && event.m.size() == 1 && size([]) == 0", {"event": {"l": [1, "\u00e9"], "m": {"a": 1}}}),
        ("type(size(text)) == int && size(text) == 1.0", {"text": THUMB}),
        # "size" that is not a call.
        ("event.size == 4 && event.resize == 5", {"event": {"size": 4, "resize": 5}}),
        ("event['size('] == 'size(' && r'size(x)' != event['size('] // size(", {"event": {"size(": "size("}}),
        ("size == 4 && size(text) == 1", {"size": 4, "text": THUMB}),
        ("_cp_ == 4 && size(text) == 1", {"_cp_": 4, "text": THUMB}),
    ],
)
def test_the_size_of_a_text_is_its_code_points(source: str, variables: dict[str, Any]) -> None:
    assert says(source, **variables) is True


@pytest.mark.parametrize(
    "source", ["size(event.n) != 7", "event.n.size() != 7", "size() != 7", "size(text, text) != 7"]
)
@pytest.mark.parametrize("value", [None, 1, 1.5, True])
def test_what_has_no_size_fails_silently(source: str, value: Any, caplog: pytest.LogCaptureFixture) -> None:
    made = Condition(source)
    with pytest.raises(ConditionError, match="cannot be evaluated"):
        made({"event": {"n": value}, "text": SECRET})
    assert not caplog.records


def test_nobody_can_call_the_function_behind_size() -> None:
    with pytest.raises(ValueError, match='CEL has no function "_cp_"'):
        Condition("_cp_(text) == 1")


@settings(deadline=None)
@given(text=st.text(st.characters(codec="utf-8"), max_size=150), gap=st.sampled_from(["", " ", "\n", " // (\n", "\t"]))
def test_the_size_of_any_text(text: str, gap: str) -> None:
    literal = "".join(f"\\U{ord(character):08x}" for character in text)
    condition = Condition(
        f'[text, event.a, "{literal}"].all(t, size{gap}(t) == {len(text)} && t.size{gap}() == size(text))'
    )
    assert condition({"text": text, "event": {"a": text}}) is True


def test_a_condition_sees_annotations_and_the_record() -> None:
    record = Record(Assignment("posts", 3), 7, b"u7", b"{}", [("lang", b"en"), ("flag", None)])
    document = Document(record, "hello", fields={"id": 1})
    document.annotations["tone"] = TONE
    seen = Condition('tone.label == "bad" && text == "hello" && event.id == 1 && topic == "posts" && key == "u7"')
    assert seen.tasks == {"tone"}
    assert seen.holds_for(document) is True
    assert Condition('headers["lang"] == "en" && headers["flag"] == null').holds_for(document) is True


@pytest.mark.parametrize(
    ("source", "fails"),
    [
        ("event.a.bad == 1", True),
        ("event['a'].bad == 1", True),
        ("event.a['bad'] == 1", True),
        ("has(event.a.bad)", True),
        ("size(event.a) > 0", True),
        ("event == event", True),
        ("event[topic] == 1", True),
        ("event.l[1] == 1", True),
        ("event.l.exists(x, x == 2)", True),
        ("event.a.good == 1", False),
        ("event.a . good == 1 && event['a'][\"good\"] == 1", False),
        ("event.l[0] == 1", False),
        ("[1].all(event, event == 1) && topic == 'posts'", False),
        ("text == 'event.a.bad'", False),
    ],
)
def test_a_condition_that_reads_a_replaced_value_fails(source: str, fails: bool) -> None:
    fields = {"a": {"bad": None, "good": 1}, "l": [1, None], "posts": 1}
    document = Document(Record(Assignment("posts", 3), 7, b"u7", b"{}"), "event.a.bad", fields=fields)
    document.replaced = Replaced()
    document.replaced.add(("a", "bad"))
    document.replaced.add(("l", 1))
    if fails:
        with pytest.raises(ConditionError, match="cannot represent"):
            Condition(source).holds_for(document)
    else:
        assert Condition(source).holds_for(document) is True


def test_a_condition_sees_which_text_is_where() -> None:
    document = Document(None, "one\n\ntwo")
    seen = Condition('size(fields) == 2 && fields[1].path == "$.b" && fields.exists(f, f.start == 5 && f.end == 8)')
    assert seen.tasks == set()
    assert seen.holds_for(document) is False
    assert Condition("size(fields) == 0").holds_for(document) is True
    document.parts = (Part("$.a", 0, 3, ("a",)), Part("$.b", 5, 8, ("b",)))
    assert seen.holds_for(document) is True


def test_a_condition_sees_empty_values_where_there_is_no_record() -> None:
    seen = Condition('key == "" && topic == "" && size(headers) == 0')
    assert seen.tasks == set()
    assert seen.holds_for(Document(None, "hello")) is True
    assert Condition("tone.score > 0.5").holds_for(Document(None, "hello")) is False
