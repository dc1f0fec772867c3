"""The texts benchmarks run on."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import orjson

DEMO = Path(__file__).parents[1] / "workers" / "cli" / "demo.jsonl"


def texts_from(file: Path | None, count: int) -> list[str]:
    """``count`` texts of a file of JSON lines (repeated if it has fewer), numbered apart so that none is equal
    to another when they are repeated; by default the demo's."""
    source = file or DEMO
    opened = gzip.open(source) if source.suffix == ".gz" else source.open("rb")
    with opened as lines:
        events = [orjson.loads(line) for line in lines]
    texts = [event["text"] for event in events if isinstance(event.get("text"), str) and event["text"].strip()]
    repeats = itertools.count()
    chosen = (text if n == 0 else f"{n}. {text}" for n in repeats for text in texts)
    return list(itertools.islice(chosen, count))
