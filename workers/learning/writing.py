"""A pack written so that there is a whole one or none: first beside its place, then renamed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from workers.heads.pack_heads import StarterHead
from workers.learning.examples import Task
from workers.learning.fit import tensors
from workers.learning.teaching import entry
from workers.models.packs import FORMAT, MANIFEST

HEAD, ADAPTER, CARD = "head.safetensors", "adapter.safetensors", "card.md"
FILES = {MANIFEST, HEAD, ADAPTER, CARD}
SERVES: dict[Task, list[str]] = {
    "sentiment": ["sentiment", "text-classification"], "text-classification": ["text-classification"],
    "ner": ["ner", "token-classification"], "moderation": ["moderation"],
}  # fmt: skip


def objection(out: Path, *, force: bool) -> str | None:
    """Why ``out`` must not be written; None if it is not there, is empty, or with ``force`` is a pack."""
    if not out.exists() and not out.is_symlink():
        parent = out.absolute().parent
        if not parent.is_dir():
            return f"{parent} is no folder, so {out.name} cannot be made in it"
        return None if os.access(parent, os.W_OK) else f"nothing may be written in {parent}"
    if not out.is_dir() or out.is_symlink():
        return f"{out} is there and is no folder"
    inside = {path.name for path in out.iterdir()}
    if inside and (MANIFEST not in inside or inside - FILES):
        return f"{out} is not empty and holds other files than a pack's"
    if inside and not force:
        return f"{out} holds a pack already; --force replaces it"
    return None


@contextmanager
def beside(out: Path) -> Iterator[Path]:
    """A folder next to ``out`` that takes its place when the block ends well, and is gone when it does not."""
    out = out.absolute()
    part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield part
        for left in part.iterdir():
            if left.name not in FILES:
                left.unlink()
        part.chmod(0o777 & ~_umask())
        old = part.with_name(part.name + ".old")
        if out.exists():
            out.rename(old)
        part.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write(
    folder: Path, task: Task, trunk: Mapping[str, Any], head: StarterHead, adapter: Mapping[str, Tensor] | None
) -> None:
    """Writes ``glossator.json`` and the tensors into ``folder``. ``trunk``: what the manifest says of it."""
    under = {**trunk, "adapter": _write(folder / ADAPTER, adapter)} if adapter is not None else dict(trunk)
    own = _write(folder / HEAD, tensors(head))
    manifest = {
        "format": FORMAT,
        "trunk": under,
        "heads": {task: {"file": own["file"], **entry(head, own["sha256"]), "tasks": SERVES[task], "card": CARD}},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _write(file: Path, values: Mapping[str, Tensor]) -> dict[str, str]:
    content = save(dict(values))
    file.write_bytes(content)
    return {"file": file.name, "sha256": hashlib.sha256(content).hexdigest()}


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
