"""Labelled texts on disk: gzipped JSON lines, one flat object per line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any


class Data:
    """A folder of ``<task>/<set>.<split>.jsonl.gz``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, name: str) -> list[dict[str, Any]]:
        """Return the examples of a file, such as ``ner/btc.train``. Raises FileNotFoundError."""
        with gzip.open(self.folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def texts(self, name: str) -> list[str]:
        return [example["text"] for example in self.read(name)]
