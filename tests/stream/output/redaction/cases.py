"""Random events with values to redact, and what must be left of them, byte for byte.

The event is written twice: as it arrives, and as it must leave. So the tests compare with bytes that none of our code
has made, apart from the replacements.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

from hypothesis import strategies as st

from schemas.pipeline.config import Pipeline
from schemas.pipeline.redaction import Redact
from stream.output.redaction.folding import fold
from stream.output.redaction.keys import Key, Keys
from stream.output.redaction.operators import Operators

KEYS = Keys(Key(b"0123456789abcdef"))
LABELS = {
    "NAME": "replace",
    "MAIL": "hash",
    "CARD": {"mask": {"character": "#"}},
    "CODE": "remove",
    "LONG": {"replace": {"text": '\\"\u2028🙂'}},
}
PATHS = {"$.body": ("body",), "$.a.body": ("a", "body"), "$.a[1]": ("a", 1), "$['b\"o\\\\d']": ('b"o\\\\d',)}

# No character of a value is ever in what is around it, even folded: so nothing else can be taken for a value.
VALUE = "KLMNÖß😀77"
UNREAD = "☠"
"""A string that is only in what a repeated name hides."""
AROUND = 'ab .,é\n"\\/€\x01#*<>'


@dataclass
class Case:
    """One event before and after."""

    pipeline: Pipeline
    value: bytes
    text: str
    spans: list[dict[str, Any]]
    secrets: list[str]
    event: bytes
    """The event's JSON as it must be published."""
    redacted: str
    """The text as it must be published."""
    key: bytes
    new_key: bytes
    headers: list[tuple[str, bytes]]
    new_headers: list[tuple[str, bytes]]
    quotes: list[tuple[str, str]] = field(default_factory=list)
    """Strings from the event as a task may quote them, and as they must be published."""


def case_pipeline(path: str | list[str], labels: dict[str, Any]) -> Pipeline:
    """A pipeline with every kind of task that quotes text, and a section ``redact``."""
    pipeline = Pipeline.model_validate({
        "pipeline": "p", "kafka": {"bootstrap.servers": "b:1"}, "input": {"topics": ["in"], "text": path},
        "tasks": [
            {"name": "pii", "task": "pii"},
            {"name": "links", "task": "coreference", "model": "m"},
            {"name": "about", "task": "aspect-sentiment", "model": "m", "aspects": "$.x"},
            {"name": "asked", "task": "question-answering", "model": "m", "question": "$.y"},
            {"name": "mine", "task": "custom", "use": "a.b:C"},
        ],
        "output": {"topic": "out"},
    })  # fmt: skip
    keys = {"hash": {"env": "KEY"}}
    return pipeline.model_copy(update={"redact": Redact.model_validate({"labels": labels, "keys": keys})})


class _Writer:
    """Draws strings that contain values, as they arrive and as they must leave."""

    def __init__(self, draw: st.DrawFn, secrets: Sequence[str], replacements: Sequence[str]) -> None:
        self.draw = draw
        self.secrets = secrets
        self.replacements = replacements
        self.all_read = False
        """Whether every string of the event is read: then what any repeated name hides becomes null."""

    def segments(self, most: int = 4) -> list[tuple[str, str]]:
        """Pairs of what is written and what must be; values are apart from each other."""
        segments: list[tuple[str, str]] = []
        numbers: st.SearchStrategy[int | None] = st.none() | st.integers(0, len(self.secrets) - 1)
        for number in self.draw(st.lists(numbers, max_size=most)):
            around = self.draw(st.text(AROUND, max_size=2)) + ","  # what is only joined by a space is one value
            segments.append((around, around))
            if number is not None:
                segments.append((respelled(self.draw, self.secrets[number]), self.replacements[number]))
        return segments

    def literal(self, segments: list[tuple[str, str]]) -> tuple[str, str]:
        """A string literal, with any escapes; what is replaced is written with as few as possible."""
        before, behind, plain = "", "", self.draw(st.booleans())
        for written, expected in segments:
            if plain:  # as most writers do, so that the short way is taken
                spelled = json.dumps(written, ensure_ascii=False)[1:-1]
            else:
                spelled = "".join(_escape(self.draw, character) for character in written)
            before += spelled
            behind += spelled if written == expected else json.dumps(expected, ensure_ascii=False)[1:-1]
        return f'"{before}"', f'"{behind}"'

    def value(self, depth: int = 2) -> tuple[str, str]:
        """Any JSON value."""
        kinds = ["string", "string", "number", "word"] + (["object", "array"] if depth else [])
        kind = self.draw(st.sampled_from(kinds))
        if kind == "string":
            return self.literal(self.segments())
        if kind == "number":
            return self.number()
        if kind == "word":
            word = self.draw(st.sampled_from(["null", "true", "false"]))
            return word, word
        if kind == "array":
            return self.array([self.value(depth - 1) for _ in range(self.draw(st.integers(0, 3)))])
        return self.object([(self.name(), self.value(depth - 1)) for _ in range(self.draw(st.integers(0, 3)))])

    def number(self) -> tuple[str, str]:
        number = self.draw(st.sampled_from(["0", "-1.50", "12345678901234567890123456", "1E-5"]))
        digits = [index for index, secret in enumerate(self.secrets) if secret.isdigit()]
        embedded = self.draw(st.booleans())
        if digits and embedded and not self.all_read:
            index = digits[0]
            return f"-1{self.secrets[index]}0.5", json.dumps(f"-1{self.replacements[index]}0.5", ensure_ascii=False)
        return number, number

    def name(self) -> tuple[str, str]:
        """The name of a member; a value is a word of it."""
        if not self.draw(st.booleans()):
            return self.literal([(name := self.draw(st.sampled_from(["x", "y", "z\n", "é"])), name)])
        return self.literal([("a ", "a "), *self.segments(1)[1:], (" ", " ")])

    def object(self, members: list[tuple[tuple[str, str], tuple[str, str]]]) -> tuple[str, str]:
        names = [json.loads(name) for (name, _), _ in members]
        entries = []
        for index, (name, value) in enumerate(members):
            space = self._space()
            hidden = self.all_read and names[index] in names[index + 1 :]
            entries.append((f"{name[0]}{space}:{value[0]}", f"{name[1]}{space}:{'null' if hidden else value[1]}"))
        return self._joined("{", entries, "}")

    def array(self, entries: list[tuple[str, str]]) -> tuple[str, str]:
        return self._joined("[", entries, "]")

    def _joined(self, opening: str, entries: list[tuple[str, str]], closing: str) -> tuple[str, str]:
        comma = f"{self._space()},{self._space()}"
        return tuple(opening + comma.join(entry[side] for entry in entries) + closing for side in (0, 1))  # type: ignore[return-value]

    def _space(self) -> str:
        return self.draw(st.sampled_from(["", "", " ", "\t "]))


def respelled(draw: st.DrawFn, value: str) -> str:
    """``value`` in another case or normal form."""
    spelled = draw(st.sampled_from([value, value, value.upper(), value.lower(), normalize("NFD", value)]))
    return spelled if fold(spelled) == fold(value) else value


def _escape(draw: st.DrawFn, character: str) -> str:
    forms = {json.dumps(character)[1:-1], json.dumps(character, ensure_ascii=False)[1:-1]}
    if draw(st.integers(0, 3)) == 0:
        forms = {"".join(f"\\u{unit:04x}" for unit in memoryview(character.encode("utf-16-le")).cast("H"))}
    return draw(st.sampled_from(sorted(forms)))


@st.composite
def cases(draw: st.DrawFn, elsewhere: bool = True) -> Case:
    """Draw an event with one to three values, and everything that is made of it."""
    secrets = draw(
        st.lists(st.text(VALUE, min_size=4, max_size=7) | st.just("7777"), min_size=1, max_size=3).filter(_distinct)
    )
    path = draw(st.sampled_from(sorted(PATHS)))
    chosen = draw(st.lists(st.sampled_from(sorted(LABELS)), min_size=len(secrets), max_size=len(secrets)))
    pipeline = case_pipeline(path, LABELS)
    redact = pipeline.redact
    assert redact is not None
    replacer = Operators(redact, KEYS).event()
    first: dict[int, str] = {}

    # The text: each value at least once with a span, and then with or without one.
    order = [*range(len(secrets)), *draw(st.lists(st.integers(0, len(secrets) - 1), max_size=3))]
    text, redacted, spans, segments = "", "", [], []
    for place, number in enumerate(order):
        around = draw(st.text(AROUND, min_size=1, max_size=4)) + ","
        written = respelled(draw, secrets[number])
        label = chosen[number]
        replacement = replacer.replacement(redact.operator_for(label), label, written)
        start = len(text) + len(around)
        if place < len(secrets) or draw(st.booleans()):
            end = start + len(written)
            spans.append({"start": start, "end": end, "label": label, "score": 0.5, "text": written})
            first.setdefault(number, replacement)
        else:
            replacement = first[number]
        segments += [(around, around), (written, replacement)]
        text += around + written
        redacted += around + replacement

    writer = _Writer(draw, secrets, [first[number] for number in range(len(secrets))])
    value, event = _event(writer, PATHS[path], segments)
    key, headers = writer.segments(), [(writer.segments(2), writer.segments(2)) for _ in range(draw(st.integers(0, 2)))]
    quotes = [writer.segments() for _ in range(2)]
    return Case(
        pipeline, value.encode(), text, spans, secrets, event.encode(), redacted,
        _side(key, 0).encode(), _side(key, 1).encode(),
        [(_side(name, 0), _side(content, 0).encode()) for name, content in headers],
        [(_side(name, 1), _side(content, 1).encode()) for name, content in headers],
        [(_side(quote, 0), _side(quote, 1)) for quote in quotes],
    )  # fmt: skip


SEVERAL: dict[str, str | list[str]] = {
    "entries": "$.m[*].t", "members": "$.m[*]", "list": ["$.t", "$.a.t"], "all": "$..*",
}  # fmt: skip


@st.composite
def several(draw: st.DrawFn) -> tuple[Pipeline, bytes, bytes, list[str]]:
    """Draw a pipeline that reads several texts, an event, the same as it must be published, and its values."""
    secrets = draw(
        st.lists(st.text(VALUE, min_size=4, max_size=7) | st.just("7777"), min_size=1, max_size=3).filter(_distinct)
    )
    kind = draw(st.sampled_from(sorted(SEVERAL)))
    writer = _Writer(draw, secrets, ["<NAME>"] * len(secrets))
    writer.all_read = kind == "all"
    first = [segment for number in range(len(secrets)) for segment in [("a ", "a "), (secrets[number], "<NAME>")]]
    texts = [writer.literal(first), *(writer.literal([*writer.segments(), ("a", "a")]) for _ in range(2))]
    if kind == "list":
        inner = writer.object([(('"t"', '"t"'), texts[1]), (writer.name(), writer.value())])
        members = [(('"t"', '"t"'), texts[0]), (('"a"', '"a"'), inner)]
    elif kind == "members":
        writer.all_read = True
        members = [(('"m"', '"m"'), writer.object([(writer.name(), text) for text in texts]))]
        writer.all_read = False
    else:
        entries = [writer.object([(('"t"', '"t"'), text), (writer.name(), writer.value())]) for text in texts]
        members = [(('"m"', '"m"'), writer.array(entries))]
    more = [(writer.name(), writer.value()) for _ in range(draw(st.integers(0, 2)))]
    value, event = writer.object([*more, *members])
    return case_pipeline(SEVERAL[kind], LABELS), value.encode(), event.encode(), secrets


def _side(segments: list[tuple[str, str]], side: int) -> str:
    return "".join(segment[side] for segment in segments)


def _distinct(secrets: list[str]) -> bool:
    """Whether no value is within another, or within one beside itself."""
    folded = [fold(secret) for secret in secrets]
    return all(
        index == other or value not in other_value
        for index, value in enumerate(folded)
        for other, other_value in enumerate(folded)
    )


def _event(writer: _Writer, steps: tuple[str | int, ...], text: list[tuple[str, str]]) -> tuple[str, str]:
    """Write an event with ``text`` at ``steps``, other members around it, and values that repeated names hide."""
    written = writer.literal(text)
    for step in reversed(steps):
        if isinstance(step, int):
            written = writer.array([writer.value(1) for _ in range(step)] + [written])
            continue
        name = writer.literal([(step, step)])
        hidden = [
            (writer.literal([(step, step)]), (f'["{UNREAD}", {writer.value(1)[0]}]', "null"))
            for _ in range(writer.draw(_REPEATS))
        ]
        members = [(writer.name(), writer.value()) for _ in range(writer.draw(st.integers(0, 2)))]
        behind = [(writer.name(), writer.value()) for _ in range(writer.draw(st.integers(0, 2)))]
        written = writer.object([*members, *hidden, (name, written), *behind])
    return written


_REPEATS = st.sampled_from([0, 0, 0, 1, 2])
