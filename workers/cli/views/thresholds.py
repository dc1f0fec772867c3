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


def table(found: Sequence[Calibration]) -> Table:
    """Return one row per attribute: what the old threshold does, and what the new one does."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    labelled = any(each.judged is not None for each in found)
    shown = Table("attribute", box=box.SIMPLE_HEAD)
    columns = ["rows", "old", "flags", "new [95 %]", "flags", "agree", "only old", "only new"]
    for column in [*columns, *(["precision", "recall"] if labelled else [])]:
        shown.add_column(Text(column), justify="right", no_wrap=True)
    for each in found:
        # As Text, because a name is not markup.
        shown.add_row(*map(Text, (_name(each), *_cells(each))))
    return shown


def _name(each: Calibration) -> str:
    return each.attribute if each.label == each.attribute else f"{each.attribute} -> {each.label}"


def _cells(each: Calibration) -> Iterator[str]:
    yield f"{each.rows:,}"
    yield f"{each.old_threshold:g}"
    yield _share(each.old_flagged, each.rows)
    if each.threshold is None:
        yield "none"
        return
    written = repr(each.threshold)  # not :g, which makes 1 of 0.9999996
    digits = max(3, len(f"{Decimal(written):f}".partition(".")[2]))
    yield f"{written} [{each.low:.{digits}f}, {each.high:.{digits}f}]"
    yield _share(each.flagged, each.rows)
    yield f"{each.agreement:.1%}"
    yield f"{each.old_flagged - each.both:,}"
    yield f"{each.flagged - each.both:,}"
    if (judged := each.judged) is not None:
        yield f"{_share(judged.old_right, each.old_flagged)}, {_share(judged.right, each.flagged)}"
        yield f"{_share(judged.old_right, judged.positives)}, {_share(judged.right, judged.positives)}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def lines(found: Sequence[Calibration], task: str | None) -> Iterator[str]:
    """Yield what is to be known about the attributes, and the lines to paste into a moderation of the pipeline file."""
    for each in found:
        if each.problem is not None:
            yield f"{each.attribute}: no threshold: {each.problem}"
        for note in each.notes:
            yield f"{each.attribute}: {note}"
    if any(each.judged is not None and each.threshold is not None for each in found):
        yield "Precision and recall: of the old threshold, and of the new one."
    thresholds = as_threshold(found)
    for label in thresholds:
        names = [each.attribute for each in found if each.label == label and each.threshold is not None]
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


def as_threshold(found: Sequence[Calibration]) -> dict[str, float]:
    """Return the value of ``threshold:`` for the attributes that have one; of several with one label, the lowest."""
    thresholds: dict[str, float] = {}
    for each in found:
        if each.threshold is not None:
            thresholds[each.label] = min(each.threshold, thresholds.get(each.label, math.inf))
    return thresholds


def as_data(file: Path, match: str, rows: int, found: Sequence[Calibration]) -> dict[str, Any]:
    """Return everything as JSON."""
    return {
        "file": str(file), "match": match, "rows": rows, "attributes": [_data(each) for each in found],
        "threshold": as_threshold(found),
    }  # fmt: skip


def _data(each: Calibration) -> dict[str, Any]:
    made: dict[str, Any] = {
        "attribute": each.attribute, "label": each.label, "rows": each.rows,
        "old": {
            "threshold": each.old_threshold, "flagged": each.old_flagged,
            "rate": _ratio(each.old_flagged, each.rows),
        },
        "new": None, "problem": each.problem, "notes": each.notes,
    }  # fmt: skip
    if each.threshold is not None:
        made["new"] = {
            "threshold": each.threshold, "interval": [each.low, each.high], "flagged": each.flagged,
            "rate": _ratio(each.flagged, each.rows),
        }  # fmt: skip
        made |= {"agreement": each.agreement, "both": each.both}
        made |= {"only_old": each.old_flagged - each.both, "only_new": each.flagged - each.both}
    if (judged := each.judged) is not None:
        sides = (("old", judged.old_right, each.old_flagged), ("new", judged.right, each.flagged))
        for side, right, flagged in sides[: 1 if each.threshold is None else 2]:
            made[side] |= {"precision": _ratio(right, flagged), "recall": _ratio(right, judged.positives)}
    return made


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
