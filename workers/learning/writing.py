"""Writing of a pack so that it is complete or absent: into a folder next to its place, which is then renamed."""

from __future__ import annotations

import errno
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

from schemas.errors import OutputError
from workers.heads.pack_heads import ScoreMix
from workers.learning.examples import Task
from workers.learning.fit import tensors
from workers.learning.teaching import entry
from workers.models.packs import FORMAT, MANIFEST

HEAD, ADAPTER, CARD = "head.safetensors", "adapter.safetensors", "card.md"
FILES = {MANIFEST, HEAD, ADAPTER, CARD}
"""The only files that a pack may contain."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
SERVES: dict[Task, list[str]] = {
    "sentiment": ["sentiment", "text-classification"], "text-classification": ["text-classification"],
    "ner": ["ner", "token-classification"], "moderation": ["moderation"],
}  # fmt: skip


def objection(out: Path, *, force: bool) -> str | None:
    """Return why ``out`` must not be written, or None.

    It may be written if it does not exist, is an empty folder, or, with ``force``, contains a pack and nothing else.
    Missing parents are not in the way: ``beside`` creates them.
    """
    if not out.exists() and not out.is_symlink():
        parent = next(path for path in out.absolute().parents if path.exists())
        if not parent.is_dir():
            return f"{parent} is not a folder, so {out} cannot be created"
        return None if os.access(parent, os.W_OK) else f"{parent} is not writable"
    if not out.is_dir() or out.is_symlink():
        return f"{out} exists and is not a folder"
    names = {path.name for path in out.iterdir()}
    if names and (MANIFEST not in names or names - FILES):
        return f"{out} contains other files than those of a pack"
    if names and not force:
        return f"{out} contains a pack; --force replaces it"
    return None


@contextmanager
def beside(out: Path) -> Iterator[Path]:
    """Yield a new folder next to ``out``, which replaces ``out`` at the end; an exception removes it instead.

    Missing parents of ``out`` are created. Files that are not part of a pack are deleted at the end. Raises OutputError
    if the folder cannot be created, or the disk is full.
    """
    out = out.absolute()
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {error.strerror}") from None
    try:
        yield part
        for path in part.iterdir():
            if path.name not in FILES:
                path.unlink()
        part.chmod(0o777 & ~_umask())
        old = part.with_name(part.name + ".old")
        if out.exists():
            out.rename(old)
        part.rename(out)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        if error.errno in _FULL:
            raise OutputError(f"{out} cannot be written: {error.strerror}") from None
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write(
    folder: Path, task: Task, trunk: Mapping[str, Any], head: ScoreMix, adapter: Mapping[str, Tensor] | None
) -> None:
    """Write ``glossator.json`` and the tensors into ``folder``, replacing earlier ones.

    ``trunk`` is the trunk's entry in the manifest; ``adapter`` are the adapter's tensors, if there is one.
    """
    trunk_entry = {**trunk, "adapter": _write(folder / ADAPTER, adapter)} if adapter is not None else dict(trunk)
    file = _write(folder / HEAD, tensors(head))
    manifest = {
        "format": FORMAT,
        "trunk": trunk_entry,
        "heads": {task: {"file": file["file"], **entry(head, file["sha256"]), "tasks": SERVES[task], "card": CARD}},
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
