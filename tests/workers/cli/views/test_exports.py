"""Enriched events in the formats of other tools."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from typing import Any

from workers.cli.views.exports import Csv, Displacy, Export, LabelStudio

TEXT = 'Zoë & <b>"Bob"</b> 🙂 met\nAda in Rome.'


def span(text: str, label: str, score: float = 0.9) -> dict[str, Any]:
    start = TEXT.index(text)
    return {"start": start, "end": start + len(text), "label": label, "score": score, "text": text}


EVENT: dict[str, Any] = {
    "schema": "glossator.event/1",
    "id": "posts-0-1-01234567",
    "pipeline": {"name": "social", "config": "01234567"},
    "source": {"topic": "posts", "partition": 0, "offset": 1, "key": "k", "timestamp_ms": None},
    "text": TEXT,
    "annotations": {
        "entities": {"spans": [span("Zoë", "PERSON"), span("Ada in Rome", "EVENT"), span("Rome", "LOCATION")]},
        "tone": {"label": "neutral", "score": 0.8, "scores": {"neutral": 0.8, "positive": 0.2}},
        "safety": {
            "flagged": True,
            "labels": [
                {"label": "hate", "score": 0.9, "flagged": True},
                {"label": "insult", "score": 0.8, "flagged": True},
                {"label": "threat", "score": 0.1, "flagged": False},
            ],
        },
        "meaning": {"vector": [1, 2]},
    },
    "models": {},
    "notices": [],
}


def exported(export: Export, *events: dict[str, Any]) -> str:
    return export.head() + "".join(map(export.event, events)) + export.tail()


class Page(HTMLParser):
    """What a browser would see: the text of the page's body, the entities, and tags that are not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.entities: list[tuple[str, str]] = []
        self.text = ""
        self._entity = self._label = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.text += "\n"
        elif tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "mark":
            self.entities.append((self._entity, self._label))
            self._entity = self._label = ""

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["span"]:
            self._label += data
        elif "div" in self.open:
            self.text += data
            if self.open[-1] == "mark":
                self._entity += data


def test_displacy_marks_entities_and_escapes_the_text() -> None:
    page = Page(exported(Displacy(), EVENT))
    assert page.open == []
    assert page.text == TEXT
    assert page.entities == [("Zoë", "PERSON"), ("Ada in Rome", "EVENT")]
    attack = {**EVENT, "id": '"><script>', "text": "<script>alert(1)</script>", "annotations": {}}
    assert "<script>" not in exported(Displacy(), attack)


def test_label_studio_gets_tasks_with_predictions() -> None:
    [first, second] = json.loads(exported(LabelStudio(), EVENT, {**EVENT, "annotations": {}}))
    assert first["data"] == {"text": TEXT, "glossator_id": "posts-0-1-01234567"}
    [prediction] = first["predictions"]
    assert prediction["model_version"] == "01234567"
    regions = [result for result in prediction["result"] if result["type"] == "labels"]
    assert [(TEXT[r["value"]["start"] : r["value"]["end"]], r["value"]["labels"]) for r in regions] == [
        ("Zoë", ["PERSON"]), ("Ada in Rome", ["EVENT"]), ("Rome", ["LOCATION"]),
    ]  # fmt: skip
    assert all(r["value"]["text"] == TEXT[r["value"]["start"] : r["value"]["end"]] for r in regions)
    choices = {r["from_name"]: r["value"]["choices"] for r in prediction["result"] if r["type"] == "choices"}
    assert choices == {"tone": ["neutral"], "safety": ["hate", "insult"]}
    assert second["predictions"][0]["result"] == []
    assert json.loads(exported(LabelStudio())) == []


def test_csv_has_a_row_per_event_and_a_column_per_task() -> None:
    tasks = ("tone", "safety", "meaning", "absent")
    written = exported(Csv(tasks), EVENT, {**EVENT, "source": None, "annotations": {}})
    first, second = csv.DictReader(io.StringIO(written, newline=""))
    assert first == {
        "id": "posts-0-1-01234567", "topic": "posts", "partition": "0", "offset": "1", "timestamp_ms": "", "text": TEXT,
        "tone": "neutral", "safety": "hate insult", "meaning": '{"vector":[1,2]}', "absent": "",
    }  # fmt: skip
    assert (second["topic"], second["tone"], second["text"]) == ("", "", TEXT)
