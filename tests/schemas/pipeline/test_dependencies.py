"""What tasks need from one another: mistakes at their positions, and the order in which tasks run."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from operator import ne
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from schemas.labels import LANGUAGES, PATTERNED
from schemas.pipeline import dependencies
from schemas.pipeline.loader import parse

HEAD = """\
pipeline: p
kafka: {bootstrap.servers: "localhost:9092"}
input: {topics: [in]}
output: {topic: out}
tasks:
"""
TEXT_HEAD = HEAD.replace("topics: [in]", "topics: [in], format: text")
LANGUAGE = "  - {name: language, task: language}\n"
NER = "  - {name: people, task: ner, model: m}\n"
TONE = "  - {name: tone, task: sentiment, model: m}\n"


def wrong(tasks: str, head: str = HEAD) -> list[str]:
    """Return the lines of the ConfigError, without the file name; the tasks start on line 6."""
    try:
        parse(head + tasks, "p.yaml", {})
    except ConfigError as error:
        lines = str(error).splitlines()
        assert all(line.startswith("p.yaml:") for line in lines)
        return [line.removeprefix("p.yaml:") for line in lines]
    return []


def when(condition: str) -> str:
    """Return a task with ``condition``, which is in column 11."""
    return f"  - name: safety\n    task: moderation\n    model: m\n    when: {condition}\n"


GOOD = {
    "a task above": LANGUAGE + when('language.label == "en"'),
    "a task below": when("tone.score > 0.5") + TONE,
    "the event": LANGUAGE + when('event.lang == "en" && headers["a"] == "b" || key == null || topic == text'),
    "every field there is": TONE + when('tone.scores["x"] > 0.1 && tone.label == "x" && tone.score > 0'),
    "a field of a custom task": "  - {name: own, task: custom, use: 'a:B'}\n" + when("own.whatever.it == 1"),
    "spans of a custom task": "  - {name: own, task: custom, use: 'a:B'}\n"
                              "  - {name: hidden, task: pii, spans: [own]}\n",
    "spans of several": NER + "  - {name: words, task: pos, model: m}\n"
                              "  - {name: hidden, task: pii, spans: [people, words]}\n",
    "a chain": LANGUAGE + when('language.label == "en"') +
               "  - {name: deep, task: sentiment, model: m, when: safety.flagged}\n",
    "other spans": NER + "  - {name: b, task: aspect-sentiment, model: m, aspects: {spans: people, labels: [X]}}\n",
    "languages and regions that are known": "  - {name: l, task: language, languages: [en, yue]}\n"
                                            "  - {name: p, task: pii, regions: [US, XK], entities: [URL]}\n",
    "languages of a model": "  - {name: l, task: language, model: m, languages: [xx, yy]}\n",
    "thresholds by label": "  - {name: e, task: ner, model: m, threshold: {PERSON: 0.7, default: 0.5}}\n",
    "thresholds by entity": "  - {name: p, task: pii, threshold: {URL: 0.7}}\n",
    "thresholds of a model": "  - {name: p, task: pii, model: m, threshold: {PERSON: 0.7}}\n",
    "entities of a model": "  - {name: p, task: pii, model: m, entities: [PERSON]}\n",
    "entities of other tasks": NER + "  - {name: p, task: pii, spans: [people], entities: [PERSON]}\n",
    "entities of a file": "  - {name: p, task: pii, recognizers: own.yaml, entities: [OWN]}\n",
    "the longest condition": LANGUAGE + when("true" + " || true" * 249),
}  # fmt: skip


@pytest.mark.parametrize("case", GOOD)
def test_what_is_right(case: str) -> None:
    assert wrong(GOOD[case]) == []


ASPECT = "  - name: a\n    task: aspect-sentiment\n    model: m\n    aspects: {{spans: {}}}\n"
MANY = "\n".join(f"      - label {n}" for n in range(10_000))
# (tasks, expected lines)
BAD = {
    "an unknown name": (LANGUAGE + when('langauge.label == "en"'),
        ['10:11 tasks[1].when: uses "langauge", which is not a task, did you mean "language"?']),
    "a name like no other": (LANGUAGE + when("zzzz > 1"),
        ['10:11 tasks[1].when: uses "zzzz", which is not a task, nor is it one of event, fields, headers, key, '
         "text, topic"]),
    "a slip of the event": (LANGUAGE + when("evnt.a == 1"),
        ['10:11 tasks[1].when: uses "evnt", which is not a task, did you mean "event"?']),
    "an unknown field": (TONE + when("tone.scroe > 0.5"),
        ['10:11 tasks[1].when: "tone" has no field "scroe", did you mean "score"?']),
    "a field like no other": (TONE + when("tone.zzzz == 1"),
        ['10:11 tasks[1].when: "tone" has no field "zzzz", only label, score, scores']),
    "a field of another annotation": (NER + when('people.label == "PERSON"'),
        ['10:11 tasks[1].when: "people" has no field "label", only spans']),
    "several at once": (TONE + when("tone.x == 1 && foo.y == 1 && safety.flagged"),
        ['10:11 tasks[1].when: uses "foo", which is not a task, nor is it one of event, fields, headers, key, '
         "text, topic",
         "10:11 tasks[1].when: uses the task itself, which has not run at that point",
         '10:11 tasks[1].when: "tone" has no field "x", only label, score, scores']),
    "no CEL": (LANGUAGE + when('language.label = "en"'),
        ['10:11 tasks[1].when: not CEL: syntax error at character 16; write "==" for "="']),
    "no CEL, half of it": (LANGUAGE + when("language.label =="), ["10:11 tasks[1].when: not CEL: ends unexpectedly"]),
    "an unknown function": (LANGUAGE + when("lower(text) == 'a'"),
        ['10:11 tasks[1].when: CEL has no function "lower"']),
    "too long": (LANGUAGE + when("true" + " || true" * 250),
        ["10:11 tasks[1].when: has 2004 characters, the limit is 2000"]),
    "nested too deeply": (LANGUAGE + when("(" * 900 + "true" + ")" * 900),
        ["10:11 tasks[1].when: not CEL: nested too deeply (character 97)"]),
    "no text": (LANGUAGE + when("true"), ["10:11 tasks[1].when: must be text, put it in quotes"]),
    "empty": (LANGUAGE + when("''"), ["10:11 tasks[1].when: must not be empty"]),
    "itself": (when("safety.flagged"),
        ["9:11 tasks[0].when: uses the task itself, which has not run at that point"]),
    "two that wait for each other": (
        "  - {name: a, task: sentiment, model: m, when: b.score > 1}\n"
        "  - {name: b, task: sentiment, model: m, when: a.score > 1}\n",
        ["6:12 tasks[0].name: depends on itself: a -> b -> a"]),
    "three, by spans and conditions": (
        "  - {name: z, task: language}\n"
        "  - {name: a, task: aspect-sentiment, model: m, aspects: {spans: b}}\n"
        "  - {name: b, task: ner, model: m, when: c.score > 1}\n"
        "  - {name: c, task: sentiment, model: m, when: size(a.aspects) > 1}\n",
        ["7:12 tasks[1].name: depends on itself: a -> b -> c -> a"]),
    "a cycle behind a way in": (
        "  - {name: way, task: sentiment, model: m, when: a.score > 1}\n"
        "  - {name: a, task: sentiment, model: m, when: b.score > 1}\n"
        "  - {name: b, task: sentiment, model: m, when: a.score > 1}\n",
        ["7:12 tasks[1].name: depends on itself: a -> b -> a"]),
    "spans of itself": (ASPECT.format("a"),
        ["9:22 tasks[0].aspects.spans: must name another task, not the task itself"]),
    "spans of nobody": (NER + ASPECT.format("peple"),
        ['10:22 tasks[1].aspects.spans: there is no task with that name, did you mean "people"?']),
    "spans of a classifier": (TONE + ASPECT.format("tone"),
        ["10:22 tasks[1].aspects.spans: names a task of kind sentiment, which finds no spans"]),
    "spans of several, some wrong": (NER + TONE + "  - {name: hidden, task: pii, spans: [people, tone, nobody]}\n",
        ["8:47 tasks[2].spans[1]: names a task of kind sentiment, which finds no spans",
         "8:53 tasks[2].spans[2]: there is no task with that name"]),
    "a name of the event": ("  - {name: event, task: language}\n",
        ["6:12 tasks[0].name: is reserved: conditions use this name for a part of the event; choose another name"]),
    "one name twice": (TONE + TONE,
        ["7:12 tasks[1].name: is already the name of tasks[0]; each task needs its own name"]),
    "10000 labels": (f"  - name: z\n    task: zero-shot\n    model: m\n    labels:\n{MANY}\n",
        ["10:7 tasks[0].labels: must have at most 256 entries"]),
    "no label": ("  - {name: z, task: zero-shot, model: m, labels: []}\n",
        ["6:50 tasks[0].labels: must not be empty"]),
    "an empty label": ('  - {name: z, task: zero-shot, model: m, labels: [a, ""]}\n',
        ["6:54 tasks[0].labels[1]: must not be empty"]),
    "a label twice": ("  - {name: z, task: zero-shot, model: m, labels: [a, b, a]}\n",
        ["6:50 tasks[0].labels: contains a duplicate"]),
    "no place in the template": ("  - {name: z, task: zero-shot, model: m, labels: [a], template: This is it.}\n",
        ["6:65 tasks[0].template: must contain {} exactly once, where the label goes"]),
    "two places in the template": ("  - {name: z, task: zero-shot, model: m, labels: [a], template: '{} {}'}\n",
        ["6:65 tasks[0].template: must contain {} exactly once, where the label goes"]),
    "a question twice": ("  - {name: q, task: question-answering, model: m, questions: [a, a]}\n",
        ["6:62 tasks[0].questions: contains a duplicate"]),
    "both questions": ("  - {name: q, task: question-answering, model: m, questions: [a], question: $.q}\n",
        ["6:5 tasks[0]: needs exactly one of questions, question"]),
    "no hypothesis": ("  - {name: n, task: nli, model: m}\n",
        ["6:5 tasks[0]: needs exactly one of hypothesis, hypotheses"]),
    "no other text": ("  - {name: s, task: similarity, model: m, threshold: 0.5}\n",
        ["6:5 tasks[0]: needs exactly one of against, references, window"]),
    "a path that is none": ("  - {name: s, task: paraphrase, model: m, against: other}\n",
        ["6:52 tasks[0].against: must start with $, for example $.body"]),
    "no reference": ("  - {name: s, task: similarity, model: m, references: {}}\n",
        ["6:55 tasks[0].references: must not be empty"]),
    "a reference of no name": ("  - {name: s, task: similarity, model: m, references: {'a b': x, c: y}}\n",
        ['6:56 tasks[0].references["a b"]: must consist of letters, digits and "_", and must not start with a digit']),
    "a reference of a long name": (f"  - {{name: s, task: similarity, model: m, references: {{{'a' * 65}: x}}}}\n",
        [f"6:56 tasks[0].references.{'a' * 65}: must be at most 64 characters"]),
    "a reference that is named like what pydantic calls keys": (
        "  - {name: m, task: moderation, model: m, threshold: {'[key]': 7}}\n",
        ['6:64 tasks[0].threshold["[key]"]: must be between 0 and 1']),
    "a blank reference": ("  - {name: s, task: similarity, model: m, references: {a: ' '}}\n",
        ["6:59 tasks[0].references.a: must not be blank"]),
    "a blank label": ("  - {name: z, task: zero-shot, model: m, labels: [' ', b]}\n",
        ["6:51 tasks[0].labels[0]: must not be blank"]),
    "a blank question": ("  - {name: q, task: question-answering, model: m, questions: [\"\\t\\n\"]}\n",
        ["6:63 tasks[0].questions[0]: must not be blank"]),
    "a blank hypothesis": ("  - {name: n, task: nli, model: m, hypotheses: [a, '\N{NO-BREAK SPACE}']}\n",
        ["6:52 tasks[0].hypotheses[1]: must not be blank"]),
    "a blank aspect": ("  - {name: a, task: aspect-sentiment, model: m, aspects: [' ']}\n",
        ["6:59 tasks[0].aspects[0]: must not be blank"]),
    "no language": ("  - {name: l, task: language, languages: []}\n",
        ["6:42 tasks[0].languages: must have at least 2 entries"]),
    "one language": ("  - {name: l, task: language, languages: [en]}\n",
        ["6:42 tasks[0].languages: must have at least 2 entries"]),
    "a language twice": ("  - {name: l, task: language, languages: [en, en]}\n",
        ["6:42 tasks[0].languages: contains a duplicate"]),
    "an unknown language": ("  - {name: l, task: language, languages: [en, xx]}\n",
        [f"6:47 tasks[0].languages[1]: is not a language that the library knows; it knows {', '.join(LANGUAGES)}"]),
    "a region twice": ("  - {name: p, task: pii, regions: [US, US]}\n",
        ["6:35 tasks[0].regions: contains a duplicate"]),
    "an unknown region": ("  - {name: p, task: pii, model: m, regions: [US, XX, UK]}\n",
        ["6:50 tasks[0].regions[1]: is not a supported country code (ISO 3166)",
         '6:54 tasks[0].regions[2]: is not a supported country code (ISO 3166), did you mean "GB"?']),
    "an entity without its end": ("  - {name: p, task: pii, entities: [EMAIL, URL]}\n",
        ['6:37 tasks[0].entities[0]: is not an entity that patterns find, did you mean "EMAIL_ADDRESS"?']),
    "an entity that takes a model": ("  - {name: p, task: pii, entities: [PERSON]}\n",
        ['6:37 tasks[0].entities[0]: needs "model:", or "spans:" with the name of another task: no pattern finds it']),
    "an entity that nobody knows": ("  - {name: p, task: pii, entities: [ZZZ]}\n",
        ["6:37 tasks[0].entities[0]: is not an entity that patterns find; they find "
         f"{', '.join(PATTERNED)}; names and places need a model or the spans of another task"]),
    "a threshold for an unknown entity": ("  - {name: p, task: pii, threshold: {default: 0.4, EMAIL: 0.7}}\n",
        ['6:59 tasks[0].threshold.EMAIL: is not an entity that patterns find, did you mean "EMAIL_ADDRESS"?']),
    "a threshold for an entity that takes a model": ("  - {name: p, task: pii, threshold: {PERSON: 0.7}}\n",
        ['6:46 tasks[0].threshold.PERSON: needs "model:", or "spans:" with the name of another task: '
         "no pattern finds it"]),
    "a threshold above one": (
        "  - {name: e, task: ner, model: m, threshold: {PERSON: 1.5}}\n",
        ["6:56 tasks[0].threshold.PERSON: must be between 0 and 1"]),
    "spans of one task twice": (NER + "  - {name: p, task: pii, spans: [people, people]}\n",
        ["7:33 tasks[1].spans: contains a duplicate"]),
    "a label of spans twice": (
        NER + "  - {name: b, task: aspect-sentiment, model: m, aspects: {spans: people, labels: [X, X]}}\n",
        ["7:82 tasks[1].aspects.labels: contains a duplicate"]),
    "a threshold without end": (
        "  - {name: q, task: question-answering, model: m, questions: [a], null_threshold: .inf}\n",
        ["6:83 tasks[0].null_threshold: must be a finite number"]),
    "a threshold that is no number": (
        "  - {name: q, task: question-answering, model: m, questions: [a], null_threshold: .nan}\n",
        ["6:83 tasks[0].null_threshold: must be a finite number"]),
    "macros three deep": (LANGUAGE + when("event.l.all(a, event.l.all(b, event.l.all(c, a + b > c)))"),
        ["10:11 tasks[1].when: nests macros (all, exists, filter, map) more than 2 deep, which takes too long on "
         "long lists"]),
    "aspects of no kind": ("  - {name: a, task: aspect-sentiment, model: m, aspects: 17}\n",
        ["6:58 tasks[0].aspects: must be text, put it in quotes"]),
    "aspects from a slip": ("  - {name: a, task: aspect-sentiment, model: m, aspects: {span: x}}\n",
        ['6:59 tasks[0].aspects.span: unknown field, did you mean "spans"?']),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_one_exact_line(case: str) -> None:
    tasks, lines = BAD[case]
    assert wrong(tasks) == lines


@pytest.mark.parametrize(
    ("task", "lines"),
    [
        ('{name: a, task: sentiment, model: m, when: event.x == 1}',
         ["6:48 tasks[0].when: uses event, which has no fields with format: text"]),
        ("{name: a, task: nli, model: m, hypothesis: $.x}",
         ["6:48 tasks[0].hypothesis: cannot be used with format: text, where events have no fields"]),
        ("{name: a, task: nli, model: m, premise: $.x, hypotheses: [x]}",
         ["6:45 tasks[0].premise: cannot be used with format: text, where events have no fields"]),
        ("{name: a, task: paraphrase, model: m, against: $.x}",
         ["6:52 tasks[0].against: cannot be used with format: text, where events have no fields"]),
        ("{name: a, task: question-answering, model: m, question: $.x}",
         ["6:61 tasks[0].question: cannot be used with format: text, where events have no fields"]),
        ("{name: a, task: aspect-sentiment, model: m, aspects: $.x}",
         ["6:58 tasks[0].aspects: cannot be used with format: text, where events have no fields"]),
        ("{name: a, task: aspect-sentiment, model: m, aspects: [x]}", []),
        ('{name: a, task: sentiment, model: m, when: text.contains("x") && key == null}', []),
        ("{name: a, task: similarity, model: m, window: 10}", []),
    ],
)  # fmt: skip
def test_an_event_that_is_a_text_has_no_fields(task: str, lines: list[str]) -> None:
    assert wrong(f"  - {task}\n", TEXT_HEAD) == lines


def test_no_mistake_in_a_condition_quotes_it() -> None:
    text = HEAD + LANGUAGE + when('"${{HUSH}}" = language.label').replace("{{", "{").replace("}}", "}")
    with pytest.raises(ConfigError) as caught:
        parse(text, "p.yaml", {"HUSH": "heliotrope"})
    assert "heliotrope" not in str(caught.value)


def test_as_many_tasks_as_there_can_be_in_a_row_and_in_a_ring() -> None:
    row = [f"  - {{name: t{n}, task: sentiment, model: m, when: t{n + 1}.score > 0.5}}\n" for n in range(63)]
    last = "  - {name: t63, task: sentiment, model: m}\n"
    assert wrong("".join(row) + last) == []
    ring = last.replace("m}", "m, when: t0.score > 0.5}")
    (line,) = wrong("".join(row) + ring)
    assert line.startswith("6:12 tasks[0].name: depends on itself: t0 -> t1 -> t2")


def tasks_of(edges: dict[int, list[int]]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for node, others in edges.items():
        condition = " || ".join(f"t{other}.score > 0.5" for other in others)
        made.append({"name": f"t{node}", "task": "sentiment", "when": condition or None})
    return made


graphs = (
    st.integers(1, 8)
    .flatmap(
        lambda size: st.fixed_dictionaries(
            {
                node: st.lists(st.integers(0, size - 1).filter(partial(ne, node)), max_size=3, unique=True)
                for node in range(size)
            }
        )
    )
    .map(lambda edges: dict(sorted(edges.items())))
)


def has_cycle(edges: dict[int, list[int]]) -> bool:
    """Remove nodes without dependencies until none is left to remove."""
    left = {node: set(others) for node, others in edges.items()}
    while free := [node for node, others in left.items() if not others]:
        left = {node: others - set(free) for node, others in left.items() if node not in free}
    return bool(left)


@settings(deadline=None)
@given(edges=graphs)
def test_cycles_are_found_and_all_others_can_be_ordered(edges: dict[int, list[int]]) -> None:
    tasks = tasks_of(edges)
    cycles = list(dependencies.problems(tasks, is_json=True))
    assert bool(cycles) == has_cycle(edges)
    if cycles:
        (((_, field), message),) = cycles
        names = message.removeprefix("depends on itself: ").split(" -> ")
        assert field == "name"
        assert names[0] == names[-1]
        for needing, needed in pairwise(names):
            assert int(needed[1:]) in edges[int(needing[1:])]
        return
    order = dependencies.in_order(tasks)
    assert sorted(order) == list(edges)
    for place, node in enumerate(order):
        assert set(edges[node]) <= set(order[:place])
    # Without dependencies the order is that of the file.
    if not any(edges.values()):
        assert order == list(edges)


@pytest.mark.parametrize(
    ("task", "reads"),
    [
        ({"name": "a", "task": "sentiment"}, False),
        ({"name": "a", "task": "sentiment", "when": "text == 'event.x'"}, False),
        ({"name": "a", "task": "sentiment", "when": "event.x == 1"}, True),
        ({"name": "a", "task": "sentiment", "when": "b.score > 1"}, False),
        ({"name": "a", "task": "nli", "hypotheses": ["$.x"]}, False),
        ({"name": "a", "task": "nli", "hypothesis": "$.x"}, True),
        ({"name": "a", "task": "nli", "premise": "$.x", "hypotheses": ["x"]}, True),
        ({"name": "a", "task": "paraphrase", "against": "$.x"}, True),
        ({"name": "a", "task": "question-answering", "question": "$.x"}, True),
        ({"name": "a", "task": "question-answering", "questions": ["$.x"]}, False),
        ({"name": "a", "task": "aspect-sentiment", "aspects": "$.x"}, True),
        ({"name": "a", "task": "aspect-sentiment", "aspects": ["$.x"]}, False),
        ({"name": "a", "task": "aspect-sentiment", "aspects": {"spans": "b"}}, False),
    ],
)
def test_who_needs_the_events_fields(task: dict[str, Any], reads: bool) -> None:
    assert dependencies.reads_fields(task) is reads


def test_a_task_that_need_not_run_is_one_with_a_condition_or_one_that_depends_on_such() -> None:
    tasks: list[dict[str, Any]] = [
        {"name": "both", "task": "moderation", "ensemble": {"of": ["some", "rare"], "rule": "max"}},
        {"name": "outer", "task": "moderation", "ensemble": {"of": ["both", "always"], "rule": "max"}},
        {"name": "always", "task": "moderation"},
        {"name": "some", "task": "moderation", "when": "always.flagged"},
        {"name": "rare", "task": "moderation", "when": "text != ''"},
        {"name": "who", "task": "pii", "spans": ["names", "places"]},
        {"name": "names", "task": "ner", "when": "text != ''"},
        {"name": "places", "task": "ner"},
    ]
    assert dependencies.conditional(tasks) == {"both", "some", "rare", "who", "names"}
