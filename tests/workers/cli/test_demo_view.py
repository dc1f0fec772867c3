"""The demo's view: what it shows, as a picture and as lines."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from schemas.record import Assignment, Record
from stream.telemetry import Stats
from workers.cli.demo_stream import Book
from workers.cli.demo_view import Lines, Live, View, save_svg

EVENT: dict[str, Any] = {
    "text": "Ada went to Évora",
    "annotations": {
        "entities": {"spans": [{"start": 0, "end": 3, "label": "PERSON", "score": 0.998, "text": "Ada"}]},
        "tone": {"label": "positive", "score": 0.9, "scores": {"positive": 0.9, "negative": 0.1}},
        "subject": {"label": "travel", "score": 0.7, "scores": {"travel": 0.7, "food": 0.3}},
        "grammar": {"spans": [{"start": 4, "end": 8, "label": "VERB", "score": 0.9, "text": "went"}]},
        "safety": {"flagged": True, "labels": [{"label": "insult", "score": 0.8, "flagged": True}]},
    },
    "notices": [],
}


@pytest.fixture
def view() -> View:
    book = Book()
    labels = [book.sending(10) for _ in range(5)]
    for number, label in enumerate(labels[:3]):
        book.saw(Record(Assignment("out", 0), number, None, b"", [label]), dead=number == 2)
    return View(book, Stats(lag=1234, in_flight=56, fill=0.43), events=5, rows=8)


def drawn(view: View) -> str:
    console = Console(file=io.StringIO(), width=118, color_system=None)
    console.print(view)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_it_shows_the_numbers_and_the_last_events(view: View) -> None:
    for _ in range(20):
        view.enriched({**EVENT, "text": "long gone"})
    for _ in range(7):
        view.enriched(EVENT)
    view.dead("the text is empty")
    shown = drawn(view)
    for what in ("1,234 lag", "56 in flight", "43% micro-batch", "5 in", "2 enriched", "1 dead letters"):
        assert what in shown
    assert "long gone" not in shown
    assert len(re.findall("positive +travel +Ada went to Évora +⚑ insult", shown)) == 7
    assert re.search("✕ dead +the text is empty", shown)
    assert re.search("grammar +went VERB 0.90", shown)


def test_before_the_first_event_it_shows_as_many_lines(view: View) -> None:
    empty = drawn(view)
    view.enriched(EVENT)
    assert len(drawn(view).splitlines()) == len(empty.splitlines())


def test_the_picture_needs_nothing_from_the_network(view: View, tmp_path: Path) -> None:
    view.enriched(EVENT)
    save_svg(view, tmp_path / "demo.svg")
    picture = (tmp_path / "demo.svg").read_text()
    assert "Évora" in picture
    assert "url(http" not in picture
    assert "@font-face" not in picture
    assert "Fira" not in picture


def test_without_a_terminal_an_event_is_a_line(view: View, capsys: pytest.CaptureFixture[str]) -> None:
    with Lines(view) as lines:
        lines.enriched(EVENT)
        lines.dead("the text is empty")
        lines.refresh()
    assert capsys.readouterr().out.splitlines() == [
        "positive   travel           Ada went to Évora  [PERSON Ada]  ⚑ insult",
        "✕ dead                      the text is empty",
    ]
    assert "Ada went" in drawn(view)


def test_on_a_terminal_it_is_drawn_at_every_refresh(view: View) -> None:
    console = Console(file=io.StringIO(), width=118, height=40, force_terminal=True)
    assert isinstance(console.file, io.StringIO)
    with Live(view, console) as live:
        live.enriched(EVENT)
        assert "went to" not in console.file.getvalue()
        live.refresh()
        assert "went to" in console.file.getvalue()
