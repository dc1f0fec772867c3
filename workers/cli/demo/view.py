"""What the demo shows: speed, lag, how full micro-batches are, and the last events with their annotations."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable, Mapping
from io import StringIO
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

import click
from rich import box, live
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.table import Table
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from stream.telemetry.stats import Stats
from workers.cli.demo.stream import Book
from workers.cli.views.events import FLAG, described, highlighted, readable, span_style, tone_style

_RATE_OVER = 3.0
"""Seconds over which the rate is averaged."""
_LONGEST = 300
"""Characters of a text that are shown."""
_SURE = 0.6
"""The lowest score with which a subject is shown; many posts have none of the subjects."""
_LEGEND = ("PERSON", "LOCATION", "ORGANIZATION", "MISC")
_DEAD = "\N{MULTIPLICATION X}"
DETAILS = ("private", "mentions", "about", "again", "tongue", "grammar")
"""Tasks whose annotations are written out for one event at a time."""
HEIGHT = 9 + len(DETAILS)
"""Lines of the view in addition to its rows."""
_HELD = 4.0
"""Seconds for which that event stays on screen."""
_MEANING = "lag: not read yet; in flight: read, not written yet; micro-batch: how full"
"""What the numbers above it mean."""
Row = tuple[Text, Text, Text, Text]
"""Sentiment, subject, marked text, flags."""


class View:
    """The live view, to be rendered by rich: it draws ``book``, ``stats`` and the events it was given.

    ``detailed`` is the event whose annotations are written out.
    """

    def __init__(self, book: Book, stats: Stats, events: int | None, rows: int) -> None:
        """``events``: how many there will be, None if until Ctrl-C; ``rows``: how many of the last ones are shown."""
        self._book = book
        self._stats = stats
        self._events = events
        self.detailed: Mapping[str, Any] = {"annotations": {}}
        self._last: deque[Row] = deque(maxlen=rows)
        self._detailed_until = 0.0
        self._details = details(self.detailed)
        self._arrivals: deque[float] = deque()
        self._latest = 0.0
        self._finished = False

    def enriched(self, event: Mapping[str, Any]) -> None:
        """Show an enriched event."""
        self._arrived()
        self._last.append(row(event))
        if telling(event) and self._latest >= self._detailed_until:
            self.detailed = event
            self._details = details(event)
            self._detailed_until = self._latest + _HELD

    def dead(self, reason: str) -> None:
        """Show a dead letter."""
        self._arrived()
        self._last.append(dead_row(reason))

    def _arrived(self) -> None:
        self._latest = time.monotonic()
        self._arrivals.append(self._latest)
        while self._arrivals[0] < self._latest - _RATE_OVER:
            self._arrivals.popleft()

    def finish(self) -> None:
        """Show the rate of the whole run from now on."""
        self._finished = True

    @property
    def seconds(self) -> float:
        """Seconds between the first record that was sent and the last event that came back."""
        started = self._book.started
        return 0.0 if started is None else max(self._latest - started, 0.0)

    @property
    def rate(self) -> float:
        """Recent events per second; of the whole run once it is finished."""
        book = self._book
        if self._finished:
            return (len(book.enriched) + len(book.dead)) / self.seconds if self.seconds else 0.0
        now = time.monotonic()
        recent = sum(1 for arrival in self._arrivals if arrival > now - _RATE_OVER)
        return recent / min(_RATE_OVER, max(now - (book.started or now), 1.0))

    def __rich__(self) -> RenderableType:
        book, stats = self._book, self._stats
        numbers = Table.grid(padding=(0, 3))
        numbers.add_row(
            _number("events/s", f"{self.rate:,.1f}"),
            _number("lag", f"{stats.lag:,}"),
            _number("in flight", f"{stats.in_flight:,}"),
            _bar("micro-batch", stats.fill),
        )
        progress = Table.grid(expand=True, padding=(0, 3))
        progress.add_column(ratio=1)
        progress.add_row(
            ProgressBar(total=self._events or max(book.sent, 1), completed=len(book.enriched) + len(book.dead)),
            _number("in", f"{book.sent:,}"),
            _number("enriched", f"{len(book.enriched):,}"),
            _number("dead letters", f"{len(book.dead):,}"),
        )
        table = Table(box=None, expand=True, padding=(0, 1, 0, 0), header_style="dim underline")
        table.add_column("tone", width=8, no_wrap=True)
        table.add_column("subject", width=10, no_wrap=True, overflow="ellipsis")
        table.add_column("text, with its entities", ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_column("safety", width=12, no_wrap=True, overflow="ellipsis")
        for cells in self._last:
            table.add_row(*cells)
        for _ in range((self._last.maxlen or 0) - len(self._last)):
            table.add_row("", "", "", "")
        more = Table(box=None, show_header=False, expand=True, padding=(0, 1, 0, 0))
        more.add_column(width=8, no_wrap=True, style="dim")
        more.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for name, words in self._details:
            more.add_row(name, words)
        foot = Table.grid(expand=True)
        foot.add_column()
        foot.add_column(justify="right", style="dim")
        legend = Text("  ").join(Text(f" {label} ", span_style(label)) for label in _LEGEND)
        foot.add_row(legend, "Ctrl-C ends the stream")
        meaning = Text(_MEANING, "dim", no_wrap=True, overflow="ellipsis")
        rule = Rule("the other tasks, for one of these posts", style="dim")
        return Panel(
            Group(numbers, meaning, progress, table, rule, more, foot),
            title="[bold]glossator demo[/]  posts in, models in between, enriched posts out",
            title_align="left",
            box=box.ROUNDED,
            border_style="cyan",
        )


class Screen(Protocol):
    """Shows events as they arrive, during a ``with`` block."""

    def enriched(self, event: Mapping[str, Any]) -> None:
        """Show an enriched event."""

    def dead(self, reason: str) -> None:
        """Show a dead letter."""

    def refresh(self) -> None:
        """Draw what has changed."""

    def __enter__(self) -> Screen: ...
    def __exit__(self, *raised: object) -> None: ...


class Live:
    """The view on a terminal, drawn by ``refresh`` on the thread that changes it.

    Terminals disagree on the width of an emoji, and a line that one finds too long would wrap and shift all others. So
    the view has the whole screen, lines are cut instead of wrapped, and the final state is printed at the end.
    """

    def __init__(self, view: View, console: Console) -> None:
        self._view = view
        self._console = console
        self._live = live.Live(view, console=console, auto_refresh=False, screen=True)
        self.enriched = view.enriched
        self.dead = view.dead

    def refresh(self) -> None:
        """Draw the view."""
        self._live.refresh()

    def __enter__(self) -> Live:
        self._live.start()
        self._wrap(False)
        return self

    def __exit__(self, *raised: object) -> None:
        self._live.stop()
        self._console.print(self._view)
        self._wrap(True)

    def _wrap(self, on: bool) -> None:
        self._console.file.write("\x1b[?7h" if on else "\x1b[?7l")  # DECAWM of the VT100
        self._console.file.flush()


class Lines:
    """Prints one line per event, and sometimes the details of one, for output that is not a terminal."""

    def __init__(self, view: View) -> None:
        self._view = view

    def enriched(self, event: Mapping[str, Any]) -> None:
        """Print an enriched event."""
        self._view.enriched(event)
        click.echo(plain(row(event), named(event)))
        if self._view.detailed is event:
            for name, words in filter(itemgetter(1), details(event)):
                click.echo(f"    {name:8}  {words.plain}")

    def dead(self, reason: str) -> None:
        """Print a dead letter."""
        self._view.dead(reason)
        click.echo(plain(dead_row(reason)))

    def refresh(self) -> None:
        """Do nothing: lines are printed at once."""

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *raised: object) -> None:
        pass


def row(event: Mapping[str, Any]) -> Row:
    """Return the row of an enriched event."""
    annotations = event["annotations"]
    tone, subject = annotations.get("tone"), annotations.get("subject")
    sure = subject and subject["score"] >= _SURE
    flagged = [label["label"] for label in annotations.get("safety", {}).get("labels", ()) if label["flagged"]]
    return (
        Text(readable(tone["label"]), tone_style(tone["label"])) if tone else Text(),
        Text(readable(subject["label"]) if sure else "", "dim"),
        highlighted(event.get("text", ""), named(event), _LONGEST),
        Text(f"{FLAG} {readable(', '.join(flagged))}" if flagged else "", "bold red"),
    )


def telling(event: Mapping[str, Any]) -> bool:
    """Whether the details of an event are worth showing."""
    annotations = event["annotations"]
    return bool(annotations.get("private", {}).get("spans") or annotations.get("mentions", {}).get("clusters"))


def details(event: Mapping[str, Any]) -> list[tuple[str, Text]]:
    """Return the text and the annotations of the tasks in ``DETAILS``, each with its name; empty if it did not run."""
    annotations = event["annotations"]
    lines = [("text", highlighted(event.get("text", "")))]
    lines += [(name, described(annotations[name]) if name in annotations else Text()) for name in DETAILS]
    for _, words in lines:
        words.truncate(_LONGEST, overflow="ellipsis")
    return lines


def dead_row(reason: str) -> Row:
    """Return the row of a dead letter."""
    return Text(f"{_DEAD} dead", "bold red"), Text(), Text(readable(reason), "italic red"), Text()


def named(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the named entities of an event."""
    spans: list[dict[str, Any]] = event["annotations"].get("entities", {}).get("spans", [])
    return spans


def plain(cells: Row, spans: Iterable[Mapping[str, Any]] = ()) -> str:
    """Return a row as a line without colors, with the spans after the text."""
    tone, subject, text, flags = (cell.plain for cell in cells)
    listed = " ".join(f"[{readable(span['label'])} {readable(span['text'])}]" for span in spans)
    return "  ".join(part for part in (f"{tone:8}", f"{subject:10}", text, listed, flags) if part)


def save_svg(view: RenderableType, path: Path, width: int = 118) -> None:
    """Write the view as a picture. Raises OSError if the file cannot be written."""
    console = Console(record=True, width=width, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(view)
    picture = console.export_svg(title="make demo", theme=_THEME, unique_id="glossator-demo")
    # A picture in a README may not load anything, but rich's fonts come from the network: use any monospaced one.
    picture = re.sub(r"\s*@font-face\s*\{.*?\}", "", picture, flags=re.DOTALL)
    picture = re.sub(r"font-family:\s*Fira Code[^;]*;", f"font-family: {_FONTS};", picture)
    path.write_text(picture)


_FONTS = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_THEME = TerminalTheme(
    (13, 17, 23),
    (201, 209, 217),
    [(13, 17, 23), (255, 123, 114), (63, 185, 80), (210, 153, 34),
     (88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)],
    [(110, 118, 129), (255, 161, 152), (86, 211, 100), (227, 179, 65),
     (121, 192, 255), (210, 168, 255), (86, 212, 221), (240, 246, 252)],
)  # fmt: skip


def _number(name: str, value: str) -> Text:
    return Text.assemble((value, "bold"), (f" {name}", "dim"))


def _bar(name: str, share: float) -> RenderableType:
    full = min(share, 1.0)
    bar = Table.grid(padding=(0, 1))
    bar.add_row(ProgressBar(total=1.0, completed=full, width=10), _number(name, f"{full:4.0%}"))
    return bar
