"""F-coref implemented plainly after its papers, for any trunk: one span of words after the other.

Kirstain, Ram and Levy 2021, "Coreference Resolution without Span Representations": a span is scored from its first and
its last token, and so is a pair of spans. Otmazgin, Cattan and Goldberg 2022, "F-coref": a text is read in segments.
"""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import networkx
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from tests.workers.encoder.parity_references import Annotation, Event, Settings
from tests.workers.tasks import plain

_SETTINGS: dict[str, Any] = {
    "format": "glossator.coreference/1", "max_segment_len": 32, "max_span_length": 5, "top_lambda": 0.4,
    "max_doc_len": None, "activation": "gelu", "layer_norm_eps": 1e-5,
}  # fmt: skip
_INNER = 20
_LAYERS = ("start_mention_mlp", "end_mention_mlp", "start_coref_mlp", "end_coref_mlp")
_LINEAR = ("mention_s2e_classifier", *(f"antecedent_{way}_classifier" for way in ("s2s", "e2e", "s2e", "e2s")))


@cache
def coreference_checkpoint(trunk: Path) -> Path:
    """``trunk`` with a random head of F-coref."""
    folder = trunk.with_name(f"{trunk.name}-coreference")
    shutil.copytree(trunk, folder)
    config = json.loads((trunk / "config.json").read_bytes())
    hidden = config.get("hidden_size") or config["dim"]
    random = torch.Generator().manual_seed(5)
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in _LAYERS:
        shapes |= {f"{layer}.dense.weight": (_INNER, hidden), f"{layer}.dense.bias": (_INNER,)}
        shapes |= {f"{layer}.layer_norm.weight": (_INNER,), f"{layer}.layer_norm.bias": (_INNER,)}
    for name in _LINEAR:
        shapes |= {f"{name}.weight": (_INNER, _INNER), f"{name}.bias": (_INNER,)}
    for name in ("mention_start_classifier", "mention_end_classifier"):
        shapes |= {f"{name}.weight": (1, _INNER), f"{name}.bias": (1,)}
    tensors = {name: torch.randn(shape, generator=random) * 0.4 for name, shape in shapes.items()}
    # The states of a random trunk are much alike. Antisymmetric products depend on their differences, so not all link.
    for way in ("s2s", "e2e"):
        weight = tensors[f"antecedent_{way}_classifier.weight"]
        tensors[f"antecedent_{way}_classifier.weight"] = weight - weight.T
    tensors["antecedent_e2s_classifier.weight"] = -tensors["antecedent_s2e_classifier.weight"].T.contiguous()
    tensors["mention_start_classifier.bias"] -= 4.0
    save_file(tensors, folder / "coreference.safetensors")
    (folder / "coreference.json").write_text(json.dumps(_SETTINGS))
    return folder


def _words(text: str) -> list[tuple[int, int]]:
    """As spaCy splits the texts of the table: punctuation, n't and 's apart, dots and addresses whole."""
    return [match.span() for match in re.finditer(r"\w+@\w+\.\w+|\w+(?=n't)|n't|'s|\.\.+|\w+|[^\w\s]", text)]


@torch.inference_mode()
def _states(folder: Path, words: list[str]) -> tuple[Tensor, list[int | None]]:
    """Return the last hidden states of a text's tokens, each segment run alone, and the words of the tokens."""
    tokenizer, model = plain.loaded(folder, "embedding")
    model.set_attn_implementation("eager")
    encoding = tokenizer(words, is_split_into_words=True).encodings[0]
    size = _SETTINGS["max_segment_len"]
    parts = [
        model(input_ids=torch.tensor([encoding.ids[at : at + size]])).last_hidden_state[0]
        for at in range(0, len(encoding.ids), size)
    ]
    return torch.cat(parts).double(), encoding.word_ids


@torch.inference_mode()
def _linked(states: Tensor, head: dict[str, Tensor]) -> list[set[tuple[int, int]]]:
    """Return clusters of spans (first and last token)."""

    def linear(name: str, rows: Tensor) -> Tensor:
        return functional.linear(rows, head[f"{name}.weight"], head[f"{name}.bias"])

    def layer(name: str) -> Tensor:
        rows = functional.gelu(linear(f"{name}.dense", states))
        norm = head[f"{name}.layer_norm.weight"], head[f"{name}.layer_norm.bias"]
        return functional.layer_norm(rows, rows.shape[-1:], *norm, _SETTINGS["layer_norm_eps"])

    start, end, coref_start, coref_end = map(layer, _LAYERS)
    begins, ends = linear("mention_start_classifier", start), linear("mention_end_classifier", end)
    joint = linear("mention_s2e_classifier", start) @ end.T
    mentions = {
        (i, j): float(begins[i] + ends[j] + joint[i, j])
        for i in range(len(states))
        for j in range(i, min(i + _SETTINGS["max_span_length"], len(states)))
    }
    count = int(len(states) * _SETTINGS["top_lambda"])
    kept = sorted(sorted(mentions, key=mentions.__getitem__, reverse=True)[:count])
    pairs = {
        way: linear(f"antecedent_{way}_classifier", coref_start if way[0] == "s" else coref_end)
        @ (coref_start if way[2] == "s" else coref_end).T
        for way in ("s2s", "e2e", "s2e", "e2s")
    }
    graph = networkx.Graph()
    for n, (i, j) in enumerate(kept):
        scores = {
            (a, b): mentions[i, j] + mentions[a, b]
            + float(pairs["s2s"][i, a] + pairs["e2e"][j, b] + pairs["s2e"][i, b] + pairs["e2s"][j, a])
            for a, b in kept[:n]
        }  # fmt: skip
        antecedent = max(scores, key=scores.__getitem__, default=None)
        if antecedent is not None and scores[antecedent] >= 0:
            graph.add_edge((i, j), antecedent)
    return sorted(networkx.connected_components(graph), key=min)


def clusters(folder: Path, event: Event, _: Settings) -> Annotation:
    """Spans of whole words. A span in two clusters stays in the earlier one; clusters of one span are dropped."""
    text, places = event.text, _words(event.text)
    if not places:
        return {"clusters": []}
    states, word_of = _states(folder, [text[start:end] for start, end in places])
    head = {name: tensor.double() for name, tensor in load_file(folder / "coreference.safetensors").items()}
    taken: set[Any] = set()
    resolved = []
    for cluster in _linked(states, head):
        words = ((word_of[i], word_of[j]) for i, j in cluster)
        spans = {(places[a][0], places[b][1]) for a, b in words if a is not None and b is not None} - taken
        if len(spans) > 1:
            taken |= spans
            resolved.append(sorted(spans))
    return {
        "clusters": [
            {"spans": [{"start": a, "end": b, "text": text[a:b]} for a, b in cluster]} for cluster in sorted(resolved)
        ]
    }
