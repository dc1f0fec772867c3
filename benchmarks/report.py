"""Reports of benchmarks: a table for people, JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


def report(name: str, title: str, figures: Mapping[str, float]) -> None:
    """Print ``figures`` and write them to ``benchmarks/results/<name>.json``."""
    table = Table("", "", title=title, show_header=False)
    for label, figure in figures.items():
        table.add_row(label, f"{figure:,.3f}" if abs(figure) < 100 else f"{figure:,.0f}")
    Console().print(table)
    RESULTS.mkdir(exist_ok=True)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    (RESULTS / f"{name}.json").write_text(json.dumps({"title": title, **machine, "figures": dict(figures)}, indent=2))
