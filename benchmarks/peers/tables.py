"""The rows as tables: for a terminal, or as Markdown for ``docs/performance.md``."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.peers.candidates import TITLES
from benchmarks.peers.figures import cost_per_million
from benchmarks.peers.rows import Row, Rows

Lines = list[list[str]]
_THROUGHPUT = (
    "candidate", "events/s", "tokens/s", "spread", "CPU ms an event", "peak MiB", "USD per million",
    "glossator in float32 is faster by", "equal labels", "largest difference of a score",
)  # fmt: skip


def tables(rows: Rows, price: float) -> dict[str, tuple[Sequence[str], Lines]]:
    """Return title -> (the heads of the columns, the lines) of everything that was measured."""
    made: dict[str, tuple[Sequence[str], Lines]] = {}
    heads: Sequence[str]
    for group, title in TITLES.items():
        duels = [row for row in rows.of("throughput") if row["group"] == group]
        if duels:
            made[f"Throughput: {title}"] = (_THROUGHPUT, _throughput(duels, price))
    if lines := [
        [row["candidate"], "" if row["linger"] is None else str(row["linger"]), f"{row['load']:.0%}",
         f"{row['events/s']:,.0f}", f"{row['p50 ms']:,.0f}", f"{row['p99 ms']:,.0f}",
         "" if row["forward ms"] is None else f"{row['forward ms']:,.0f}", str(row["events"])]
        for row in rows.of("latency")
    ]:  # fmt: skip
        heads = (
            "candidate",
            "linger, ms",
            "load",
            "events/s",
            "p50, ms",
            "p99, ms",
            "mean forward, ms",
            "events measured",
        )
        made["Latency: four tasks, one trunk"] = (heads, lines)
    if lines := [
        [row["of"], f"{row['value']:g}", f"{row['events']:,}", f"{row['events/s']:,.0f}",
         f"{row['CPU ms an event']:,.2f}", f"{row['peak MiB']:,.0f}",
         f"{cost_per_million(row['events/s'], price):,.2f}"]
        for row in rows.of("scale")
    ]:  # fmt: skip
        heads = ("varied", "value", "events", "events/s", "CPU ms an event", "peak MiB", "USD per million")
        made["Scale"] = (heads, lines)
    return made


def _throughput(duels: list[Row], price: float) -> Lines:
    """Return a line for glossator in float32, with the medians over its duels, and one for each of the others."""
    valid = [row for row in duels if not row["void"]]
    lines = []
    if valid:
        names = valid[0]["glossator"]
        middle = {name: statistics.median(row["glossator"][name] for row in valid) for name in names}
        lines.append(["glossator float32", *_cells(middle, price), "", "", ""])
    for row in duels:
        if row["void"]:
            lines.append([row["candidate"], f"void: {row['void'].splitlines()[0]}", *[""] * 8])
        else:
            ratio = f"{row['ratio']:.2f} ({row['lowest ratio']:.2f} to {row['highest ratio']:.2f})"
            agreement = [f"{row['equal labels']:.1%}", f"{row['largest difference']:.1g}"]
            lines.append([row["candidate"], *_cells(row["peer"], price), ratio, *agreement])
    return lines


def _cells(figures: Mapping[str, float], price: float) -> list[str]:
    return [
        f"{figures['events/s']:,.1f}", f"{figures['tokens/s']:,.0f}", f"± {figures['spread']:.0%}",
        f"{figures['CPU ms an event']:,.1f}", f"{figures['peak MiB']:,.0f}",
        f"{cost_per_million(figures['events/s'], price):,.2f}",
    ]  # fmt: skip


def show(rows: Rows, price: float) -> None:
    """Print all tables."""
    for title, (heads, lines) in tables(rows, price).items():
        table = Table(*heads, title=title)
        for line in lines:
            table.add_row(*line)
        Console(width=160).print(table)


def markdown(rows: Rows, price: float) -> str:
    """Return all tables as Markdown."""
    parts = []
    for title, (heads, lines) in tables(rows, price).items():
        text = [f"### {title}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        parts.append("\n".join([*text, *(f"| {' | '.join(line)} |" for line in lines)]))
    return "\n\n".join(parts)
