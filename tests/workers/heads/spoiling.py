"""Ways to spoil the folder of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

Spoil: TypeAlias = Callable[[Path], object]
"""Changes a folder so that it cannot be loaded."""


def write(name: str, content: bytes) -> Spoil:
    """Replace a file."""
    return lambda folder: (folder / name).write_bytes(content)


def remove(*names: str) -> Spoil:
    """Delete files."""

    def spoil(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return spoil
