"""Plots of what was measured, as PNG files. Runs in the environment of the peers, which has matplotlib.

cd benchmarks && ../.venv-peers/bin/python -m peers.plots results/peers.json
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

Rows = list[dict[str, Any]]
_BLUE, _GREY = "#2563eb", "#9ca3af"


def throughput(rows: Rows, folder: Path) -> None:
    for group in dict.fromkeys(row["group"] for row in rows):
        duels = [row for row in rows if row["group"] == group and not row["void"] and "peer" in row]
        if not duels:
            continue
        rates = {"glossator": statistics.median(row["glossator"]["tokens/s"] for row in duels)}
        rates |= {row["candidate"]: row["peer"]["tokens/s"] for row in duels}
        names = sorted(rates, key=rates.__getitem__)
        figure, axes = pyplot.subplots(figsize=(8, 0.5 * len(names) + 1.2))
        axes.barh(names, [rates[name] for name in names], color=[
            _BLUE if name.startswith("glossator") else _GREY for name in names
        ])  # fmt: skip
        axes.bar_label(axes.containers[0], fmt="{:,.0f}", padding=4)
        axes.set_xlabel("tokens per second")
        axes.margins(x=0.15)
        _save(figure, folder / f"throughput-{group}.png")


def latency(rows: Rows, folder: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(8, 4))
    for name in dict.fromkeys((row["candidate"], row["linger"]) for row in rows):
        line = sorted((row["load"], row["p99 ms"]) for row in rows if (row["candidate"], row["linger"]) == name)
        label = name[0] if name[1] is None else f"{name[0]}, linger {name[1]} ms"
        axes.plot([load * 100 for load, _ in line], [delay for _, delay in line], marker="o", label=label)
    axes.set_xlabel("load, % of the candidate's capacity")
    axes.set_ylabel("99th percentile, ms")
    axes.set_yscale("log")
    axes.legend()
    _save(figure, folder / "latency.png")


def scale(rows: Rows, folder: Path) -> None:
    kinds = list(dict.fromkeys(row["of"] for row in rows))
    figure, grid = pyplot.subplots(1, len(kinds), figsize=(3.2 * len(kinds), 3), squeeze=False)
    for kind, axes in zip(kinds, grid[0], strict=True):
        line = sorted((row["value"], row["events/s"]) for row in rows if row["of"] == kind)
        axes.plot([value for value, _ in line], [rate for _, rate in line], marker="o", color=_BLUE)
        axes.set_title(kind)
        axes.set_ylim(bottom=0)
        if kind == "events":
            axes.set_xscale("log")
    grid[0][0].set_ylabel("events per second")
    _save(figure, folder / "scale.png")


def _save(figure: Any, file: Path) -> None:
    figure.tight_layout()
    figure.savefig(file, dpi=120)
    pyplot.close(figure)
    print(file)


def main() -> None:
    results = Path(sys.argv[1])
    rows: dict[str, Rows] = {}
    for key, row in json.loads(results.read_text())["rows"].items():
        rows.setdefault(json.loads(key)[0], []).append(row)
    for draw in (throughput, latency, scale):
        if draw.__name__ in rows:
            draw(rows[draw.__name__], results.parent)


if __name__ == "__main__":
    main()
