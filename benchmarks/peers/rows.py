"""The rows that were measured, in a JSON file, so that a run can resume where an earlier one stopped."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Rows:
    """Rows by key. Each is saved as soon as it is added; the file is replaced as a whole, so it is never half written.

    A key consists of the part and what is measured, such as ``("latency", "glossator", 10, 0.7)``.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._rows: dict[str, Row] = json.loads(file.read_text())["rows"] if file.exists() else {}

    def __contains__(self, key: tuple[Any, ...]) -> bool:
        return _name(key) in self._rows

    def __getitem__(self, key: tuple[Any, ...]) -> Row:
        return self._rows[_name(key)]

    def add(self, key: tuple[Any, ...], row: Row) -> None:
        """Save ``row`` under ``key``, with the time and the version of the code."""
        self._rows[_name(key)] = {**row, "time": datetime.now(UTC).isoformat(timespec="seconds"), "commit": _commit()}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        waiting = self._file.with_suffix(".new")
        waiting.write_text(json.dumps({"machine": machine(), "rows": self._rows}, indent=1))
        waiting.replace(self._file)

    def of(self, part: str) -> Iterator[Row]:
        """Yield the rows whose key begins with ``part``, in the order in which they were first added."""
        for key, row in self._rows.items():
            if json.loads(key)[0] == part:
                yield row


def machine() -> dict[str, Any]:
    """Describe the machine that the figures are from."""
    import torch
    import transformers

    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor(), "cores": os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(), "python": platform.python_version(),
        "torch": str(torch.__version__), "transformers": transformers.__version__,
    }  # fmt: skip


def _name(key: tuple[Any, ...]) -> str:
    return json.dumps(key)


def _commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip()
