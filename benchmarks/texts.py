"""The texts for benchmarks."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import orjson

DEMO = Path(__file__).parents[1] / "workers" / "cli" / "demo" / "demo.jsonl"


def texts_from(file: Path | None, count: int) -> list[str]:
    """Return ``count`` texts of a file of JSON lines, by default the demo's.

    If the file has fewer, they are repeated with a number, so that no two texts are equal.
    """
    source = file or DEMO
    data = source.read_bytes()
    events = [orjson.loads(line) for line in (gzip.decompress(data) if source.suffix == ".gz" else data).splitlines()]
    bodies = [event.get("value", event) for event in events]  # the demo's lines are complete records
    values = [body.get("text") for body in bodies if isinstance(body, dict)]
    texts = [text for text in values if isinstance(text, str) and text.strip()]
    repeats = itertools.count()
    chosen = (text if n == 0 else f"{n}. {text}" for n in repeats for text in texts)
    return list(itertools.islice(chosen, count))
