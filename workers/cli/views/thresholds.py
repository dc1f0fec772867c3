"""Calibrated thresholds: as a table with what to paste, and as JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workers.learning.thresholds import Calibration

if TYPE_CHECKING:
    from rich.table import Table


def table(calibrations: Sequence[Calibration]) -> Table:
    """Return one row per attribute: what the old threshold does, and what the new one does."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    labelled = any(entry.judged is not None for entry in calibrations)
    shown = Table("attribute", box=box.SIMPLE_HEAD)
    columns = ["rows", "old", "flags", "new [95 %]", "flags", "agree", "only old", "only new"]
    for column in [*columns, *(["precision", "recall"] if labelled else [])]:
        shown.add_column(Text(column), justify="right", no_wrap=True)
    for entry in calibrations:
        # As Text, because a name is not markup.
        shown.add_row(*map(Text, (_name(entry), *_cells(entry))))
    return shown


def _name(entry: Calibration) -> str:
    return entry.attribute if entry.label == entry.attribute else f"{entry.attribute} -> {entry.label}"


def _cells(entry: Calibration) -> Iterator[str]:
    yield f"{entry.rows:,}"
    yield f"{entry.old_threshold:g}"
    yield _share(entry.old_flagged, entry.rows)
    if entry.threshold is None:
        yield "none"
        return
    written = repr(entry.threshold)  # not :g, which makes 1 of 0.9999996
    digits = max(3, len(f"{Decimal(written):f}".partition(".")[2]))
    yield f"{written} [{entry.low:.{digits}f}, {entry.high:.{digits}f}]"
    yield _share(entry.flagged, entry.rows)
    yield f"{entry.agreement:.1%}"
    yield f"{entry.old_flagged - entry.both:,}"
    yield f"{entry.flagged - entry.both:,}"
    if (judged := entry.judged) is not None:
        yield f"{_share(judged.old_right, entry.old_flagged)}, {_share(judged.right, entry.flagged)}"
        yield f"{_share(judged.old_right, judged.positives)}, {_share(judged.right, judged.positives)}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def lines(calibrations: Sequence[Calibration], task: str | None) -> Iterator[str]:
    """Yield what is to be known about the attributes, and the lines to paste into a moderation of the pipeline file."""
    for entry in calibrations:
        if entry.problem is not None:
            yield f"{entry.attribute}: no threshold: {entry.problem}"
        for note in entry.notes:
            yield f"{entry.attribute}: {note}"
    if any(entry.judged is not None and entry.threshold is not None for entry in calibrations):
        yield "Precision and recall: of the old threshold, and of the new one."
    thresholds = as_threshold(calibrations)
    for label in thresholds:
        names = [entry.attribute for entry in calibrations if entry.label == label and entry.threshold is not None]
        if len(names) > 1:
            yield f"{label}: the lowest of the thresholds for {', '.join(names)}"
    if thresholds:
        yield f"In the pipeline file, {'in a task of kind moderation' if task is None else f'in the task {task}'}:"
        yield "    threshold:"
        for label, threshold in thresholds.items():
            yield f"      {_yaml(label)}: {threshold!r}"


def _yaml(name: str) -> str:
    """Return a key of a YAML mapping: plain, or as a JSON string, which is also one of YAML."""
    plain = re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) and name.lower() not in {"true", "false", "null"}
    return name if plain else json.dumps(name)


def as_threshold(calibrations: Sequence[Calibration]) -> dict[str, float]:
    """Return the value of ``threshold:`` for the attributes that have one; of several with one label, the lowest."""
    thresholds: dict[str, float] = {}
    for entry in calibrations:
        if entry.threshold is not None:
            thresholds[entry.label] = min(entry.threshold, thresholds.get(entry.label, math.inf))
    return thresholds


def as_data(file: Path, match: str, rows: int, calibrations: Sequence[Calibration]) -> dict[str, Any]:
    """Return everything as JSON."""
    return {
        "file": str(file), "match": match, "rows": rows, "attributes": [_data(entry) for entry in calibrations],
        "threshold": as_threshold(calibrations),
    }  # fmt: skip


def _data(entry: Calibration) -> dict[str, Any]:
    made: dict[str, Any] = {
        "attribute": entry.attribute, "label": entry.label, "rows": entry.rows,
        "old": {
            "threshold": entry.old_threshold, "flagged": entry.old_flagged,
            "rate": _ratio(entry.old_flagged, entry.rows),
        },
        "new": None, "problem": entry.problem, "notes": entry.notes,
    }  # fmt: skip
    if entry.threshold is not None:
        made["new"] = {
            "threshold": entry.threshold, "interval": [entry.low, entry.high], "flagged": entry.flagged,
            "rate": _ratio(entry.flagged, entry.rows),
        }  # fmt: skip
        made |= {"agreement": entry.agreement, "both": entry.both}
        made |= {"only_old": entry.old_flagged - entry.both, "only_new": entry.flagged - entry.both}
    if (judged := entry.judged) is not None:
        sides = (("old", judged.old_right, entry.old_flagged), ("new", judged.right, entry.flagged))
        for side, right, flagged in sides[: 1 if entry.threshold is None else 2]:
            made[side] |= {"precision": _ratio(right, flagged), "recall": _ratio(right, judged.positives)}
    return made


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
