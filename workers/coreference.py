"""F-coref's head: the hidden states of a document -> clusters of spans that mean the same.

The model is F-coref (Otmazgin, Cattan and Goldberg 2022, "F-coref: Fast, Accurate and Easy to Use
Coreference Resolution"), which scores spans from their first and last token alone, after s2e-coref
(Kirstain, Ram and Levy 2021, "Coreference Resolution without Span Representations"). What is scored
here is what fastcoref 2.1.6 scores; the matrices it lays out whole are gone through in rows.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers.activations import ACT2FN

from schemas.errors import ForwardError, ModelError

FORMAT = "glossator.coreference/1"
SETTINGS = "coreference.json"
WEIGHTS = "coreference.safetensors"
MAX_TOKENS = 65_536
"""Tokens of the longest document: time grows with their square, memory does not."""

_ROWS = 256
_NONE = float("-inf")

Span: TypeAlias = tuple[int, int]
"""Half-open: the first token, and the one after the last."""


class CoreferenceHead(nn.Module):
    """Scores spans, keeps the best, and links each to the best of those before it, or to none.

    - ``max_segment_len``: tokens the trunk sees at a time; see ``segments``.
    - ``max_tokens``: tokens a document may have.
    """

    def __init__(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """A head after its ``coreference.json`` and the tensors of FCorefModel without its trunk.

        Raises KeyError, TypeError, ValueError or RuntimeError when they do not fit.
        """
        super().__init__()
        self.max_segment_len = int(settings["max_segment_len"])
        self.max_span_length = int(settings["max_span_length"])
        self.top_lambda = float(settings["top_lambda"])
        self.max_tokens = min(int(settings["max_doc_len"] or MAX_TOKENS), MAX_TOKENS)
        if min(self.max_segment_len, self.max_span_length, self.max_tokens) < 1 or not 0 < self.top_lambda <= 1:
            raise ValueError("settings out of range")
        inner, hidden = tensors["start_mention_mlp.dense.weight"].shape
        self.start_mention_mlp = _layers(hidden, inner, settings)
        self.end_mention_mlp = _layers(hidden, inner, settings)
        self.start_coref_mlp = _layers(hidden, inner, settings)
        self.end_coref_mlp = _layers(hidden, inner, settings)
        self.mention_start_classifier = nn.Linear(inner, 1)
        self.mention_end_classifier = nn.Linear(inner, 1)
        self.mention_s2e_classifier = nn.Linear(inner, inner)
        self.antecedent_s2s_classifier = nn.Linear(inner, inner)
        self.antecedent_e2e_classifier = nn.Linear(inner, inner)
        self.antecedent_s2e_classifier = nn.Linear(inner, inner)
        self.antecedent_e2s_classifier = nn.Linear(inner, inner)
        self.load_state_dict(dict(tensors))
        self.requires_grad_(False)
        self.eval()

    def forward(self, states: Tensor) -> list[list[Span]]:
        """The clusters of a document, as ``clusters`` orders them.

        ``states``: the last hidden states ``[T, H]`` of the document's segments laid end to end, any float type.
        The document has the special tokens of one sequence, at its two ends, and they count: a span may begin or
        end with one, which no text answers to. Spans are of the T tokens, and computed in float32.
        Raises ForwardError for more than ``max_tokens``, and for scores that are no numbers.
        """
        if len(states) > self.max_tokens:
            raise ForwardError(f"{len(states)} tokens, and coreference is resolved in at most {self.max_tokens}")
        spans, scores = self.candidates(states)
        if not scores.isfinite().all():
            raise ForwardError("the model returned a score that is not a number")
        links: list[tuple[int, int]] = []
        for at, block in self.antecedent_scores(states, spans, scores):
            best, antecedents = block.max(dim=1)
            # No antecedent at all scores 0, and loses a tie.
            rows = (best >= 0).nonzero().flatten()
            links += zip((rows + at).tolist(), antecedents[rows].tolist(), strict=True)
        named: list[Span] = [(start, end) for start, end in spans.tolist()]
        return clusters((named[mention], named[antecedent]) for mention, antecedent in links)

    def candidates(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """The ``top_lambda * T`` best spans, in text order: int64 ``[k, 2]``, and their scores, ``[k]``."""
        # In float32, as the reference multiplies.
        count = int(torch.tensor(len(states)) * self.top_lambda)
        scores = self.mention_scores(states).flatten()
        best = scores.topk(count).indices.sort().values
        starts = best // self.max_span_length
        return torch.stack([starts, starts + best % self.max_span_length + 1], dim=1), scores[best]

    def mention_scores(self, states: Tensor) -> Tensor:
        """``[T, max_span_length]``: of the span that starts at a token and has 1, 2, ... of them; -inf past the end."""
        width, parts = self.max_span_length, [states.new_empty((0, self.max_span_length), dtype=torch.float32)]
        for at in range(0, len(states), _ROWS):
            near = states[at : at + _ROWS + width - 1].float()
            starts, ends = self.start_mention_mlp(near[:_ROWS]), self.end_mention_mlp(near)
            scores = self.mention_s2e_classifier(starts) @ ends.T
            scores += self.mention_start_classifier(starts) + self.mention_end_classifier(ends).T
            rows, columns = scores.shape
            scores = nn.functional.pad(scores, (0, rows + width - 1 - columns), value=_NONE)
            index = torch.arange(rows, device=states.device)[:, None] + torch.arange(width, device=states.device)
            parts.append(scores.gather(1, index))
        return torch.cat(parts)

    def antecedent_scores(self, states: Tensor, spans: Tensor, scores: Tensor) -> Iterator[tuple[int, Tensor]]:
        """How well each candidate is explained by each before it, some rows at a time.

        Yields the number of the first row and ``[rows, columns]``: a row for each candidate from there on, a column
        for each up to the last of them, -inf where the column's is not before the row's.
        """
        starts = self.start_coref_mlp(states[spans[:, 0]].float())
        ends = self.end_coref_mlp(states[spans[:, 1] - 1].float())
        # The four bilinear terms of the papers as one product.
        to_starts = self.antecedent_s2s_classifier(starts) + self.antecedent_e2s_classifier(ends)
        to_ends = self.antecedent_s2e_classifier(starts) + self.antecedent_e2e_classifier(ends)
        queries, keys = torch.cat([to_starts, to_ends], dim=1), torch.cat([starts, ends], dim=1)
        for at in range(0, len(spans), _ROWS):
            end = min(at + _ROWS, len(spans))
            block = queries[at:end] @ keys[:end].T + scores[at:end, None] + scores[:end]
            yield at, block.masked_fill(torch.ones_like(block, dtype=torch.bool).triu(at), _NONE)


def segments(length: int, max_segment: int) -> list[Span]:
    """How F-coref cuts a document of ``length`` tokens, its special tokens included, for the trunk.

    The document is tokenised whole, so that its special tokens stand at its two ends alone; every ``max_segment``
    tokens a new segment begins, the last one has what is left, and none gets special tokens or overlaps of its own.
    Each is a sequence for the trunk, with positions from the start.
    """
    return [(start, min(start + max_segment, length)) for start in range(0, length, max_segment)]


def clusters(links: Iterable[tuple[Span, Span]]) -> list[list[Span]]:
    """What is linked, directly or not, together: each cluster in text order, and they by their first span.

    ``links``: mentions and their antecedents, in any order. A span without a link is in no cluster.
    """
    cluster_of: dict[Span, list[Span]] = {}
    for pair in links:
        smaller, larger = sorted((cluster_of.setdefault(span, [span]) for span in pair), key=len)
        if smaller is not larger:
            larger += smaller
            cluster_of.update(dict.fromkeys(smaller, larger))
    unique = {id(cluster): cluster for cluster in cluster_of.values()}
    return sorted(sorted(cluster) for cluster in unique.values())


def load_head(folder: Path, device: torch.device | str = "cpu") -> CoreferenceHead:
    """The head that ``training.coreference`` wrote into a checkpoint, in float32 on ``device``.

    Raises ModelError when its files are missing, broken or of another format.
    """
    try:
        settings = json.loads((folder / SETTINGS).read_bytes())
        written = settings["format"]
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder} has no {SETTINGS}: convert an F-coref checkpoint with python -m training.coreference"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / SETTINGS} cannot be read") from error
    if written != FORMAT:
        raise ModelError(f"{folder / SETTINGS} is written in {written}, and this version reads {FORMAT}")
    try:
        return CoreferenceHead(settings, load_file(folder / WEIGHTS)).to(device)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{folder / WEIGHTS} is missing or does not fit {SETTINGS}") from error


def _layers(hidden: int, inner: int, settings: Mapping[str, Any]) -> nn.Sequential:
    """FCorefModel's FullyConnectedLayer, which normalises after its activation."""
    layers: dict[str, nn.Module] = {
        "dense": nn.Linear(hidden, inner),
        "activation": ACT2FN[settings["activation"]],
        "layer_norm": nn.LayerNorm(inner, eps=float(settings["layer_norm_eps"])),
    }
    return nn.Sequential(OrderedDict(layers))
