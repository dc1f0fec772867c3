"""Random pipelines and events, and the annotations of the simplest possible chain: every task alone on every event,
with its condition evaluated here. Nothing is planned, shared, packed together or cached. Tasks that an event does not
want are not run here at all, so whatever they do to an event shows as a difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from schemas.document import Document
from tests.workers import flaws, tiny
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain

TEXTS = (
    "the quick brown fox",
    "Angela Merkel praised the coffee",
    "",
    "dogs \N{THUMBS UP SIGN} again",
    "Das Café in Zürich " * 12,
    "one two three four five six",
    "a fox \N{PILE OF POO} and a dog",
    "a lone \udc00 half of a character",
)
LANGUAGES = ("en", "de")
CLAIMS = ("a fox", "Merkel", "\N{PILE OF POO}", "a claim that leaves the text no room " * 9)
NLI = ("contradiction", "neutral", "entailment")


@cache
def kinds() -> dict[str, dict[str, Any]]:
    """The kinds of tasks to draw from: heads of one trunk, one of them cut in two ways, and one of another trunk.

    Some heads fail on some texts; ``tests.workers.flaws`` breaks them.
    """

    def classifier(seed: int, trunk: int, labels: tuple[str, ...] | None = None) -> str:
        return str(tiny.checkpoint("bert", "sequence", seed, labels, trunk=trunk))

    tagger = str(tiny.checkpoint("bert", "token", 4, trunk=0))
    return {
        "tone": {"task": "text-classification", "model": classifier(1, 0)},
        "mood": {"task": "text-classification", "model": classifier(2, 0)},
        "short": {"task": "text-classification", "model": classifier(2, 0), "max_length": 16, "merge": "max"},
        "cut": {"task": "text-classification", "model": classifier(1, 0), "max_length": 16, "long_text": "truncate"},
        "far": {"task": "text-classification", "model": classifier(3, 7)},
        "claim": {"task": "nli", "model": classifier(5, 0, NLI), "hypothesis": "$.claim"},
        "spans": {"task": "token-classification", "model": tagger},
        "aspects": {"task": "aspect-sentiment", "model": classifier(6, 0), "aspects": {}},
        "vector": {"task": "similarity", "model": str(tiny.checkpoint("bert", "embedding", 0)),
                   "references": {"a": "the fox", "b": "Paris"}},
        "panel": {"task": "text-classification"},
        **{name: {**settings, "model": flawed(name)} for name, settings in {
            "raises": {"task": "text-classification"}, "strange": {"task": "text-classification"},
            "doubts": {"task": "nli", "hypothesis": "$.claim"}, "who": {"task": "coreference"},
        }.items()},
    }  # fmt: skip


def flawed(kind: str) -> str:
    """The checkpoint of a kind whose head is broken; it shares the trunk of most others."""
    seed = 11 + flaws.KINDS.index(kind)
    return str(tiny.checkpoint("bert", "sequence", seed, NLI if kind == "doubts" else None, trunk=0))


CLASSIFIERS = ("tone", "mood", "short", "cut", "far", "claim", "vector", "raises", "strange", "doubts", "panel")
"""The kinds whose annotations have a label and a score that conditions can use."""
MEMBERS = ("tone", "mood", "short", "cut", "far", "raises", "strange", "panel")
"""The kinds with equal labels, which an ensemble can combine."""

Said = bool | None
"""The result of a condition; None if something it refers to is missing."""
Annotations = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class When:
    """``source``: the condition in CEL; ``decide``: the same in Python; ``names``: the tasks it refers to."""

    source: str
    decide: Callable[[dict[str, Any], Annotations], Said]
    names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Own:
    """A task: its name, its kind, its condition, the task whose spans it reads, and the tasks that it combines."""

    name: str
    kind: str
    when: When | None = None
    spans: str | None = None
    members: tuple[str, ...] = ()
    rule: str = ""

    def entry(self) -> dict[str, Any]:
        made = {"name": self.name, **kinds()[self.kind]}
        if self.when is not None:
            made["when"] = self.when.source
        if self.spans is not None:
            made["aspects"] = {"spans": self.spans}
        if self.members:
            weights = {"weights": weights_of(self.members)} if self.rule == "mean" else {}
            made["ensemble"] = {"of": list(self.members), "rule": self.rule, **weights}
        return made


def weights_of(members: tuple[str, ...]) -> dict[str, float]:
    """Different weights for all members but the first, whose weight is the default."""
    return {name: 1.0 + n for n, name in enumerate(members[1:], 1)}


def field_is(field: str, value: Any) -> When:
    literal = f'"{value}"' if isinstance(value, str) else value
    return When(f"event.{field} == {literal}", lambda event, _: event[field] == value if field in event else None)


def field_is_there(field: str) -> When:
    return When(f"has(event.{field})", lambda event, _: field in event)


def label_is(task: str, label: str) -> When:
    return When(
        f'{task}.label == "{label}"',
        lambda _, annotations: annotations[task]["label"] == label if task in annotations else None, frozenset({task}),
    )  # fmt: skip


def has_spans(task: str) -> When:
    return When(
        f"size({task}.spans) > 1",
        lambda _, annotations: len(annotations[task]["spans"]) > 1 if task in annotations else None, frozenset({task}),
    )  # fmt: skip


def negated(condition: When) -> When:
    def decide(event: dict[str, Any], annotations: Annotations) -> Said:
        said = condition.decide(event, annotations)
        return None if said is None else not said

    return When(f"!({condition.source})", decide, condition.names)


def joined(first: When, other: When, sign: str) -> When:
    """``&&`` or ``||``; CEL decides them from either side if it can."""
    settles = sign == "||"

    def decide(event: dict[str, Any], annotations: Annotations) -> Said:
        said = [first.decide(event, annotations), other.decide(event, annotations)]
        if settles in said:
            return settles
        return None if None in said else not settles

    return When(f"({first.source}) {sign} ({other.source})", decide, first.names | other.names)


@st.composite
def conditions(draw: st.DrawFn, earlier: list[Own]) -> When:
    """A condition of one to three terms, about the event's fields and ``earlier`` tasks."""
    terms = [
        st.sampled_from(LANGUAGES).map(lambda value: field_is("lang", value)),
        st.integers(0, 1).map(lambda value: field_is("n", value)),
        st.just(field_is_there("lang")),
    ]
    for task in earlier:
        if task.kind in CLASSIFIERS:
            labels = {"claim": NLI, "doubts": NLI, "vector": ("a", "b")}.get(task.kind, tiny.LABELS["sequence"])
            terms.append(st.sampled_from(labels).map(partial(label_is, task.name)))
        elif task.kind == "spans":
            terms.append(st.just(has_spans(task.name)))
    made = draw(st.one_of(terms))
    for _ in range(draw(st.integers(0, 2))):
        if draw(st.booleans()):
            made = negated(made)
        made = joined(made, draw(st.one_of(terms)), draw(st.sampled_from(["&&", "||"])))
    return made


@st.composite
def chains(draw: st.DrawFn) -> list[Own]:
    """Up to six tasks in the order of a file, in which a task may come before those it needs."""
    made: list[Own] = []
    for n in range(draw(st.integers(1, 6))):
        taggers = [task.name for task in made if task.kind == "spans"]
        possible = [task.name for task in made if task.kind in MEMBERS]
        absent = {"aspects": not taggers, "panel": len(possible) < 2}
        choice = [kind for kind in kinds() if not absent.get(kind)]
        kind = draw(st.sampled_from(choice))
        when = draw(conditions(made)) if draw(st.booleans()) else None
        spans = draw(st.sampled_from(taggers)) if kind == "aspects" else None
        members: tuple[str, ...] = ()
        rule = ""
        if kind == "panel":
            members = tuple(draw(st.lists(st.sampled_from(possible), min_size=2, unique=True)))
            rule = draw(st.sampled_from(["max", "mean", "last"]))
        made.append(Own(f"t{n}", kind, when, spans, members, rule))
    return draw(st.permutations(made))


fields = st.fixed_dictionaries(
    {"n": st.integers(0, 1), "claim": st.sampled_from(CLAIMS)},
    optional={"lang": st.sampled_from(LANGUAGES)},
)
events = st.lists(st.tuples(st.sampled_from(TEXTS), fields), min_size=1, max_size=6)
Event = tuple[str, dict[str, Any]]


def document(event: Event) -> Document:
    return Document(None, event[0], b"{}", fields=dict(event[1]))


def pipeline_of(tasks: list[Own], **compute: Any) -> Any:
    return pipeline(*(task.entry() for task in tasks), compute=compute)


@cache
def _alone(kind: str) -> Chain:
    entry = {"name": "t", **kinds()[kind]}
    if kind == "aspects":
        entry["aspects"] = "$.aspects"
    return Chain.load(pipeline(entry))


_seen: dict[tuple[str, str, str], Document] = {}


def _said(kind: str, text: str, event: dict[str, Any], spans: list[dict[str, Any]]) -> Document:
    """The document after a single task has run on a single text; each is computed once."""
    firsts = {span["text"]: {"start": span["start"], "end": span["end"]} for span in reversed(spans)}
    aspects = sorted(firsts.values(), key=lambda span: span["start"])
    key = (kind, text, f"{event['claim'] if kind in ('claim', 'doubts') else ''} {aspects}")
    if key not in _seen:
        made = Document(None, text, b"{}", fields={**event, "aspects": aspects})
        _alone(kind).run([made])
        _seen[key] = made
    return _seen[key]


def combined(task: Own, annotations: Annotations) -> dict[str, Any]:
    """The annotation of an ensemble, with the scores as a table of members and labels."""
    ran = [name for name in task.members if name in annotations]
    labels = tiny.LABELS["sequence"]
    table = np.array([[annotations[name]["scores"][label] for label in labels] for name in ran])
    weights = [weights_of(task.members).get(name, 1.0) for name in ran]
    rows = {"max": table.max(0), "last": table[-1], "mean": np.average(table, 0, weights)}
    row = [round(float(value), 6) for value in rows[task.rule]]
    best = int(np.argmax(row))
    return {"label": labels[best], "score": row[best], "scores": dict(zip(labels, row, strict=True))}


@dataclass
class Expected:
    """``failed``: the tasks that fail, with stage and message; any of them may be the one that the dead letter names.

    If there are none, the event has the annotations.
    """

    annotations: Annotations
    notices: list[dict[str, Any]]
    failed: dict[str, tuple[str, str]]


def expected(tasks: list[Own], event: Event) -> Expected:
    """The expected result of ``tasks``, in the order of the file, for ``event``."""
    text, values = event
    annotations: Annotations = {}
    notices: list[dict[str, Any]] = []
    failed: dict[str, tuple[str, str]] = {}
    # Names are sorted so that every task comes after those it needs.
    for task in sorted(tasks, key=lambda task: task.name):
        if task.spans is not None and task.spans not in annotations:
            continue
        if task.members and not annotations.keys() & set(task.members):
            continue
        if task.when is not None:
            said = task.when.decide(values, annotations)
            if said is None and task.when.names <= annotations.keys():
                failed[task.name] = ("when", "")
            if not said:
                continue
        if task.members:
            annotations[task.name] = combined(task, annotations)
            continue
        spans = annotations[task.spans]["spans"] if task.spans is not None else []
        alone = _said(task.kind, text, values, spans)
        if alone.failure is not None:
            failed[task.name] = (alone.failure.stage, alone.failure.message)
            continue
        annotations[task.name] = alone.annotations["t"]
        notices += [{**notice, "task": task.name} for notice in alone.notices]
    return Expected({task.name: annotations[task.name] for task in tasks if task.name in annotations}, notices, failed)
