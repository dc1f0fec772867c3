"""Decisions of reviewers in a topic: which of them count, how they become rows, and what is said about the others."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import LabelsError
from schemas.pipeline.config import Input
from schemas.record import Assignment, Record
from stream.codecs.formats import codec
from stream.output.units import Unit
from tests.thoroughness import examples
from workers.learning.decisions import Decisions
from workers.learning.examples import Labelled, Task
from workers.learning.loading import Sources, load_examples
from workers.learning.rows import Mistakes

SECRET = "Blumenkohl"


class Topic:
    """A topic of one partition that is made and read record by record."""

    def __init__(
        self, task: Task = "moderation", path: str = "$.decision", max_rows: int = 1000, unit: Unit = "code_point"
    ) -> None:
        source = Input(topics=["posts"], text="$.body")
        self.decisions = Decisions("posts.review", task, codec(source).decode, path=path, unit=unit, max_rows=max_rows)
        self.task: Task = task
        self.offset = 0

    def put(self, value: Any, key: bytes | None = None, at: int = 0) -> None:
        raw = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
        self.decisions.add(Record(Assignment("posts.review", 0), self.offset, key, raw, [], at))
        self.offset += 1

    def decide(self, number: int, decision: Any, text: str | None = None, **record: Any) -> None:
        self.put(enriched(number, text, decision=decision), **record)

    def load(self, file: Path | None = None, known: Sequence[str] = (), skip_bad: bool = False) -> Labelled:
        return load_examples(Sources(file, None, self.decisions, tuple(known), skip_bad), self.task)

    def refused(self, **options: Any) -> list[str]:
        with pytest.raises(LabelsError) as caught:
            self.load(**options)
        assert SECRET not in str(caught.value)
        return str(caught.value).splitlines()


def enriched(number: int, text: str | None = None, config: str = "00000000", **more: Any) -> dict[str, Any]:
    source = {"topic": "posts", "partition": 0, "offset": number, "key": None, "timestamp_ms": None}
    return {
        "schema": "glossator.event/1", "id": f"posts-0-{number}-{config}", "source": source,
        "text": f"text {number}" if text is None else text, "annotations": {}, **more,
    }  # fmt: skip


def decided(labelled: Labelled) -> dict[str, tuple[str, ...]]:
    return {example.text: example.labels for example in labelled.examples}


def test_the_last_decision_of_an_event_counts_whatever_configuration_has_enriched_it() -> None:
    topic = Topic()
    for number in range(5):
        topic.decide(number, {"labels": ["a", "b"], "by": SECRET})
    topic.put(enriched(0, config="11111111", decision={"labels": ["a"]}))
    topic.decide(1, {"labels": []})
    topic.decide(2, {"labels": None})
    labelled = topic.load()
    assert decided(labelled) == {"text 0": ("a",), "text 1": (), "text 3": ("a", "b"), "text 4": ("a", "b")}
    (note,) = labelled.notes
    assert note == "topic posts.review: 8 records, 8 decisions; left out: 3 replaced by a later decision, 1 withdrawn"


def test_time_orders_decisions_and_offsets_do_if_it_is_equal() -> None:
    topic = Topic("sentiment")
    topic.decide(0, {"label": "late"}, at=2000)
    topic.decide(0, {"label": "early"}, at=1000)
    topic.decide(1, {"label": "early"}, at=1000)
    topic.decide(1, {"label": "late"}, at=1000)
    topic.decide(2, "early")
    topic.decide(3, "early")
    assert decided(topic.load()) == {
        "text 0": ("late",),
        "text 1": ("late",),
        "text 2": ("early",),
        "text 3": ("early",),
    }


def test_a_tombstone_deletes_what_came_before_it_with_its_key() -> None:
    topic = Topic("sentiment")
    for number in range(6):
        topic.decide(number, ("a", "b")[number % 2], key=b"gone" if number < 2 else b"%d" % number)
    topic.put(None, key=b"gone")
    topic.decide(1, "a", key=b"gone")
    topic.put(None)
    assert set(decided(topic.load())) == {"text 1", *(f"text {number}" for number in range(2, 6))}
    assert "2 deleted by a tombstone" in topic.decisions.summary()


def test_only_the_latest_are_kept() -> None:
    topic = Topic("sentiment", max_rows=10)
    for number in range(100):
        topic.decide(number, ("a", "b")[number % 2], at=number * 1000)
    assert set(decided(topic.load())) == {f"text {number}" for number in range(90, 100)}
    assert "90 older than the latest 10 decisions" in topic.decisions.summary()


def test_events_of_the_input_have_their_text_where_the_pipeline_file_says() -> None:
    topic = Topic("text-classification", "$.review.subject")
    for number in range(4):
        topic.put({"id": number, "body": f"text {number}", "review": {"subject": ("a", "b")[number % 2]}})
    assert decided(topic.load()) == {f"text {number}": (("a", "b")[number % 2],) for number in range(4)}


@pytest.mark.parametrize(("unit", "start"), [("code_point", 2), ("utf16", 3), ("utf8", 5)])
def test_spans_count_the_unit_of_the_pipeline_s_output(unit: Unit, start: int) -> None:
    topic = Topic("ner", unit=unit)
    for number in range(2):
        topic.decide(number, {"spans": [{"start": start, "end": start + 3, "label": "PERSON"}]}, f"😂 Ann {number}")
    assert [example.spans for example in topic.load().examples] == [((2, 5, "PERSON"),)] * 2


def test_of_equal_texts_the_latest_decision_counts_also_against_a_file(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    rows = [{"text": "Text 0", "label": "a"}, {"text": "1", "label": "a"}, {"text": "2", "label": "a"}]
    file.write_text("\n".join(map(json.dumps, rows)))
    topic = Topic("sentiment")
    topic.decide(0, "b")
    topic.decide(1, "a", "same  TEXT", at=1)
    topic.decide(2, "b", "same text", at=2)
    labelled = topic.load(file)
    assert decided(labelled) == {"text 0": ("b",), "1": ("a",), "2": ("a",), "same text": ("b",)}
    assert labelled.notes[1:] == (
        "1 decision contradicts the label of the file for the same text: the latest decision counts",
        "1 decision contradicts the label of another decision for the same text: the latest decision counts",
        "3 texts of the file, 1 more from decisions",
    )


def test_all_bad_decisions_are_reported_at_once_without_text() -> None:
    topic = Topic("moderation")
    for number in range(6):
        topic.decide(number, {"labels": ["insult", "threat"]})
    topic.decide(6, {"labels": ["insutl"]})
    topic.decide(7, {"labels": [SECRET]})
    topic.decide(8, {"labels": "insult"}, SECRET)
    topic.decide(9, {"lables": ["insult"]}, SECRET)
    topic.put({"title": SECRET, "decision": {"labels": ["insult"]}})
    topic.put({**enriched(11, decision={"labels": []}), "text": None})
    lines = topic.refused(known=["insult", "threat"])
    assert lines == [
        'posts.review[0]@6: unknown label "insutl", did you mean "insult"? known are insult, threat',
        "posts.review[0]@7: unknown label; known are insult, threat",
        'posts.review[0]@8: "labels" must be a list: "labels": ["name", ...]',
        'posts.review[0]@9: no "labels"; rename "lables"',
        "posts.review[0]@10: neither an enriched event nor one of this pipeline's input: there is no text at $.body",
        "posts.review[0]@11: the enriched event has no text; send it to reviewers with text: original",
        "decide about these events again: the last decision counts; or leave them out with --skip-bad",
    ]
    labelled = topic.load(known=["insult", "threat"], skip_bad=True)
    assert len(labelled.examples) == 6
    assert labelled.notes[-1] == "6 rows that cannot be used were left out (--skip-bad)"


def test_a_rare_label_that_resembles_another_is_taken_for_a_misspelling() -> None:
    topic = Topic("sentiment")
    for number in range(6):
        topic.decide(number, ("billing", "delivery")[number % 2])
    topic.decide(6, "biling")
    topic.decide(7, 5)
    line, other, cure = topic.refused()  # also beside other mistakes
    assert other == "posts.review[0]@7: a label must be a string, in quotes"
    topic.decide(7, "delivery", at=1)
    assert line.startswith(
        'posts.review[0]@6: its label occurs only in this row, did you mean "billing"? others are billing, d'
    )
    assert "decide about these events again" in cure
    topic.decide(6, "billing", at=1)
    assert len(topic.load().examples) == 8


@pytest.mark.parametrize(
    ("records", "task", "message"),
    [
        ([], "ner", "the topic has no records"),
        (
            [enriched(1), enriched(2, decison="x"), b"no JSON", b"[1]"],
            "moderation",
            'none of its 4 records has a decision at $.decision, did you mean "decison"?: 2 are enriched events, 2 no '
            'JSON objects; a program of the reviewers has to add {"labels": ["name", ...]} there',
        ),
        (
            [enriched(1, decision={"label": "a"}), enriched(2, decision={"label": "a"})],
            "moderation",
            'none of its 2 decisions has "labels"; they have label, which is for --task sentiment, '
            'text-classification; moderation needs {"labels": ["name", ...]}',
        ),
        ([enriched(1, decision=None)], "moderation", "all its decisions have been withdrawn or deleted"),
    ],
    ids=["empty", "undecided", "for another task", "withdrawn"],
)
def test_a_topic_without_usable_decisions_is_explained(records: list[Any], task: Task, message: str) -> None:
    topic = Topic(task)
    for record in records:
        topic.put(record)
    assert topic.refused()[0] == f"posts.review: {message}"


@settings(max_examples=examples(50))
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["a", "b", None])), min_size=1), st.randoms())
def test_the_order_of_reading_partitions_does_not_matter(
    decided: list[tuple[int, str | None]], rng: random.Random
) -> None:
    """Events keep to a partition, and partitions are read in any order."""
    times = [(time, *entry) for time, entry in enumerate(decided)]
    last: dict[int, str | None] = {event: label for _, event, label in times}
    topic = Topic("sentiment")
    order = sorted(range(6), key=lambda _: rng.random())
    for time, event, label in sorted(times, key=lambda entry: (order[entry[1]], entry[0])):
        topic.decide(event, {"label": label}, at=time)
    kept = {row.fields["text"]: row.fields["label"] for row in topic.decisions.rows(1, Mistakes())}
    assert kept == {f"text {event}": label for event, label in last.items() if label is not None}
