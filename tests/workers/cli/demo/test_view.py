"""The demo's view: what it shows, as a picture and as lines."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from schemas.record import Assignment, Record
from stream.telemetry.stats import Stats
from workers.cli.demo.stream import Book
from workers.cli.demo.view import HEIGHT, Lines, Live, View, save_svg

EVENT: dict[str, Any] = {
    "text": "Ada went to Évora",
    "annotations": {
        "entities": {"spans": [{"start": 0, "end": 3, "label": "PERSON", "score": 0.998, "text": "Ada"}]},
        "tone": {"label": "positive", "score": 0.9, "scores": {"positive": 0.9, "negative": 0.1}},
        "subject": {"label": "travel", "score": 0.7, "scores": {"travel": 0.7, "food": 0.3}},
        "grammar": {"spans": [{"start": 4, "end": 8, "label": "VERB", "score": 0.9, "text": "went"}]},
        "private": {"spans": [{"start": 12, "end": 17, "label": "LOCATION", "score": 0.8, "text": "Évora"}]},
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


def drawn(view: View, width: int = 118) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(view)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_it_shows_the_numbers_and_the_last_events(view: View) -> None:
    for _ in range(20):
        view.enriched({"text": "long gone", "annotations": {}})
    for _ in range(7):
        view.enriched(EVENT)
    view.dead("the text is empty")
    shown = drawn(view)
    for what in (
        "1,234 lag",
        "56 in flight",
        "43% micro-batch",
        "micro-batch: how full",
        "tone",
        "5 in",
        "2 enriched",
        "1 dead letters",
    ):
        assert what in shown
    assert "long gone" not in shown
    assert len(re.findall("positive +travel +Ada went to Évora +⚑ insult", shown)) == 7
    assert re.search("✕ dead +the text is empty", shown)
    assert re.search("grammar +went VERB 0.90", shown)


def test_the_details_of_an_event_stay_long_enough_to_be_read(view: View) -> None:
    nothing = {**EVENT["annotations"], "private": {"spans": []}}
    view.enriched({"text": "nothing to tell", "annotations": nothing})
    assert not re.search("text +nothing to tell", drawn(view))
    view.enriched(EVENT)
    view.enriched({**EVENT, "text": "too soon"})
    shown = drawn(view)
    assert re.search("text +Ada went to Évora", shown)
    assert re.search("private +Évora LOCATION 0.80", shown)
    assert not re.search("text +too soon", shown)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_it_fits_a_terminal_and_cuts_what_does_not(width: int, height: int) -> None:
    book = Book()
    view = View(book, Stats(lag=99_999, in_flight=9_999, fill=1), events=999_999, rows=height - HEIGHT)
    long = "It was the best of times, " * 40
    grammar = {"spans": [{"start": 0, "end": 2, "label": "PRON", "score": 0.9, "text": "It"}] * 400}
    event = {**EVENT, "text": long, "annotations": {**EVENT["annotations"], "grammar": grammar}}
    for _ in range(height):
        view.enriched(event)
    lines = drawn(view, width).splitlines()
    assert len(lines) == height
    assert {len(line) for line in lines} == {width}
    assert re.search("grammar +It PRON 0.90  It PRON", "".join(lines))
    assert sum("⚑ insult" in line for line in lines) == height - HEIGHT


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
        "positive  travel      Ada went to Évora  [PERSON Ada]  ⚑ insult",
        "    text      Ada went to Évora",
        "    private   Évora LOCATION 0.80",
        "    grammar   went VERB 0.90",
        "✕ dead                the text is empty",
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


def test_the_rate_is_never_above_that_of_the_stream_and_whole_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events come back in bunches, and the first bunch after a while: neither may look like speed."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    book = Book()
    view = View(book, Stats(), events=None, rows=8)
    assert (view.rate, view.seconds) == (0.0, 0.0)
    labels: list[tuple[str, bytes]] = []
    for step in range(1, 5):
        labels += [book.sending(10) for _ in range(15)]
        now[0] += 1.0
        if step % 2:
            continue
        for number in range((step - 2) * 15, step * 15):
            book.saw(Record(Assignment("out", 0), number, None, b"", [labels[number]]), dead=False)
            view.enriched(EVENT)
        assert 0 < view.rate <= 15 * 4 / 3
    view.finish()
    assert view.rate == pytest.approx(60 / 4.0)
    now[0] += 60
    assert view.rate == pytest.approx(60 / 4.0)
