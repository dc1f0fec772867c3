"""The texts benchmarks run on."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import orjson

DEMO = Path(__file__).parents[1] / "workers" / "cli" / "demo" / "demo.jsonl"


def texts_from(file: Path | None, count: int) -> list[str]:
    """``count`` texts of a file of JSON lines (repeated if it has fewer), numbered apart so that none is equal
    to another when they are repeated; by default the demo's."""
    source = file or DEMO
    data = source.read_bytes()
    events = [orjson.loads(line) for line in (gzip.decompress(data) if source.suffix == ".gz" else data).splitlines()]
    bodies = [event.get("value", event) for event in events]  # the demo's lines are whole records
    found = [body.get("text") for body in bodies if isinstance(body, dict)]
    texts = [text for text in found if isinstance(text, str) and text.strip()]
    repeats = itertools.count()
    chosen = (text if n == 0 else f"{n}. {text}" for n in repeats for text in texts)
    return list(itertools.islice(chosen, count))
