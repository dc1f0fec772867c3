"""F-coref's head: the hidden states of a document -> clusters of spans that refer to the same thing.

The model is F-coref (Otmazgin, Cattan and Goldberg 2022, "F-coref: Fast, Accurate and Easy to Use Coreference
Resolution"). It scores spans by their first and last token only, after s2e-coref (Kirstain, Ram and Levy 2021,
"Coreference Resolution without Span Representations"). The scores are those of fastcoref 2.1.6, but its matrices are
computed some rows at a time.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
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
"""The most tokens of a document: time grows with their square, memory does not."""

_TOKENS = 8_192
"""The most tokens of short documents processed together; ``_ROWS`` or ``_CANDIDATES`` of them at a time."""
_ROWS = 2_048
_CANDIDATES = 128
_LONGEST_SPAN = 1_000
_NONE = float("-inf")

Span: TypeAlias = tuple[int, int]
"""A half-open span: the first token, and the one after the last."""


class CoreferenceHead(nn.Module):
    """Scores spans, keeps the best, and links each of them to the best one before it, or to none.

    - ``max_segment_len``: how many tokens the trunk sees at a time; see ``segments``.
    - ``max_tokens``: the most tokens of a document.
    """

    def __init__(self, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Build the head from its ``coreference.json`` and the tensors of FCorefModel without its trunk.

        Raises KeyError, TypeError, ValueError or RuntimeError if they do not fit together.
        """
        super().__init__()
        self.max_segment_len = int(settings["max_segment_len"])
        self.max_span_length = int(settings["max_span_length"])
        self.top_lambda = float(settings["top_lambda"])
        self.max_tokens = min(int(settings["max_doc_len"] or MAX_TOKENS), MAX_TOKENS)
        if min(self.max_segment_len, self.max_span_length, self.max_tokens) < 1 or not 0 < self.top_lambda <= 1:
            raise ValueError("settings out of range")
        if self.max_span_length > _LONGEST_SPAN:
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

    def forward(self, documents: Sequence[Tensor]) -> list[list[list[Span]]]:
        """Find the clusters of each document, in the order of ``clusters``; computed in float32.

        Args:
            documents: for each document the last hidden states ``[T, H]`` of its segments laid end to end, of any
                float type. A document has special tokens only at its two ends.

        Returns:
            For each document its clusters, as spans of its T tokens. A span may begin or end with a special token,
            which has no text.

        Raises:
            ForwardError: if a document has more than ``max_tokens``, or a score is not a number.
        """
        resolved: list[list[list[Span]]] = []
        for group in _groups(documents):
            if (most := max(map(len, group))) > self.max_tokens:
                raise ForwardError(f"{most} tokens, and coreference is resolved in at most {self.max_tokens}")
            resolved += self._resolve(group)
        return resolved

    def _resolve(self, documents: Sequence[Tensor]) -> list[list[list[Span]]]:
        """Resolve several documents at once: most are too short for matrix products of their own."""
        lengths = [len(document) for document in documents]
        states = torch.cat(list(documents))
        spans, scores, counts = self.candidates(states, lengths)
        if not scores.isfinite().all():
            raise ForwardError("the model returned a score that is not a number")
        links: list[tuple[int, int]] = []
        for at, first, block in self.antecedent_scores(states, spans, scores, counts):
            best, antecedents = block.max(dim=1)
            # Having no antecedent scores 0, and loses a tie.
            rows = (best >= 0).nonzero().flatten()
            links += zip((rows + at).tolist(), (antecedents[rows] + first).tolist(), strict=True)
        candidates: list[Span] = [(start, end) for start, end in spans.tolist()]
        resolved: list[list[list[Span]]] = [[] for _ in lengths]
        starts = [0, *accumulate(lengths)][:-1]
        for cluster in clusters((candidates[mention], candidates[antecedent]) for mention, antecedent in links):
            number = bisect_right(starts, cluster[0][0]) - 1
            resolved[number].append([(start - starts[number], end - starts[number]) for start, end in cluster])
        return resolved

    def candidates(self, states: Tensor, lengths: Sequence[int]) -> tuple[Tensor, Tensor, list[int]]:
        """Return the ``top_lambda * T`` best spans of each document, in text order.

        Args:
            states: ``[sum(lengths), H]``, the documents laid end to end.
            lengths: the tokens of each document.

        Returns:
            The spans, int64 ``[k, 2]``; their scores ``[k]``; and how many of them each document has.
        """
        # In float32, like the product in the reference implementation.
        counts: list[int] = (torch.tensor(lengths) * self.top_lambda).int().tolist()
        scores = self.mention_scores(states, lengths)
        starts_at = [0, *accumulate(lengths)]
        best = torch.cat([
            scores[start:end].flatten().topk(count, sorted=False).indices.sort().values + start * self.max_span_length
            for start, end, count in zip(starts_at, starts_at[1:], counts, strict=False)
        ])  # fmt: skip
        starts = best // self.max_span_length
        return torch.stack([starts, starts + best % self.max_span_length + 1], dim=1), scores.flatten()[best], counts

    def mention_scores(self, states: Tensor, lengths: Sequence[int]) -> Tensor:
        """Score every span of at most ``max_span_length`` tokens.

        ``states`` ``[T, H]`` and ``lengths`` are as in ``candidates``. Returns ``[T, max_span_length]``: for each token
        the scores of the spans that start there and have 1, 2, ... tokens; -inf past the end of the document.
        """
        width, parts = self.max_span_length, [states.new_empty((0, self.max_span_length), dtype=torch.float32)]
        ends_at = _repeated(list(accumulate(lengths)), lengths, states.device)
        for at in range(0, len(states), _ROWS):
            near = states[at : at + _ROWS + width - 1].float()
            starts, ends = self.start_mention_mlp(near[:_ROWS]), self.end_mention_mlp(near)
            rows = len(starts)
            scores = band(self.mention_s2e_classifier(starts), ends, width) + self.mention_start_classifier(starts)
            of_ends = nn.functional.pad(self.mention_end_classifier(ends).flatten(), (0, rows + width - 1 - len(ends)))
            index = torch.arange(at, at + rows, device=states.device)[:, None]
            past = index + torch.arange(width, device=states.device) >= ends_at[at : at + rows, None]
            parts.append((scores + of_ends.unfold(0, width, 1)).masked_fill(past, _NONE))
        return torch.cat(parts)

    def antecedent_scores(
        self, states: Tensor, spans: Tensor, scores: Tensor, counts: Sequence[int]
    ) -> Iterator[tuple[int, int, Tensor]]:
        """Score each candidate with each candidate before it in its document, some rows at a time.

        ``spans``, ``scores`` and ``counts`` are the results of ``candidates``. Yields blocks: the number of the first
        row, the number of the first column, and the scores ``[rows, columns]``. Rows are mentions, columns are their
        possible antecedents; the score is -inf if the column is not before the row, or in another document.
        """
        keys = torch.cat([
            self.start_coref_mlp(states[spans[:, 0]].float()), self.end_coref_mlp(states[spans[:, 1] - 1].float()),
        ], dim=1)  # fmt: skip
        # The four bilinear terms of the papers as one product.
        to_starts, to_ends = (
            [self.antecedent_s2s_classifier, self.antecedent_e2s_classifier],
            [self.antecedent_s2e_classifier, self.antecedent_e2e_classifier],
        )
        weight = torch.cat([torch.cat([part.weight for part in pair], dim=1) for pair in (to_starts, to_ends)])
        bias = torch.cat([pair[0].bias + pair[1].bias for pair in (to_starts, to_ends)])
        queries = nn.functional.linear(keys, weight, bias)
        index = torch.arange(len(spans), device=states.device)
        begins_at = _repeated([0, *accumulate(counts)][:-1], counts, states.device)
        for at in range(0, len(spans), _CANDIDATES):
            end, first = min(at + _CANDIDATES, len(spans)), int(begins_at[at])
            block = torch.addmm(scores[first:end], queries[at:end], keys[first:end].T) + scores[at:end, None]
            columns = index[first:end]
            outside = (columns >= index[at:end, None]) | (columns < begins_at[at:end, None])
            yield at, first, block.masked_fill_(outside, _NONE)


def band(queries: Tensor, keys: Tensor, width: int) -> Tensor:
    """Multiply query i with the keys i, i + 1, ... i + width - 1.

    ``queries`` is ``[n, D]``, ``keys`` ``[m, D]``; returns ``[n, width]``. Keys past the last one count as zeros.
    """
    near = nn.functional.pad(keys, (0, 0, 0, len(queries) + width - 1 - len(keys))).unfold(0, width, 1)
    return torch.bmm(queries.unsqueeze(1), near).squeeze(1)


def segments(length: int, max_segment: int) -> list[Span]:
    """Return the segments in which the trunk reads a document of ``length`` tokens, special tokens included.

    F-coref tokenizes a document as a whole, so special tokens are only at its two ends. A new segment begins every
    ``max_segment`` tokens, without overlap and without more special tokens; the last one may be shorter. Each segment
    is a sequence for the trunk, whose positions start at 0.
    """
    return [(start, min(start + max_segment, length)) for start in range(0, length, max_segment)]


def clusters(links: Iterable[tuple[Span, Span]]) -> list[list[Span]]:
    """Group spans that are linked, directly or indirectly.

    ``links``: mentions and their antecedents, in any order. Spans are in text order in each cluster, and clusters are
    sorted by their first span. A span without a link is in no cluster.
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
    """Load the head that ``training.coreference`` wrote into a checkpoint, in float32 on ``device``.

    Raises ModelError if its files are missing, broken or in another format.
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
        raise ModelError(f"{folder / SETTINGS} has the format {written}, and this version reads {FORMAT}")
    try:
        return CoreferenceHead(settings, load_file(folder / WEIGHTS)).to(device)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{folder / WEIGHTS} is missing or does not fit {SETTINGS}") from error


def _groups(documents: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Yield runs of documents with at most ``_TOKENS`` tokens in total; a longer document is alone."""
    group: list[Tensor] = []
    size = 0
    for document in documents:
        if group and size + len(document) > _TOKENS:
            yield group
            group, size = [], 0
        group.append(document)
        size += len(document)
    if group:
        yield group


def _repeated(values: Sequence[int], times: Sequence[int], device: torch.device) -> Tensor:
    return torch.tensor(values, device=device).repeat_interleave(torch.tensor(times, device=device))


def _layers(hidden: int, inner: int, settings: Mapping[str, Any]) -> nn.Sequential:
    """FCorefModel's FullyConnectedLayer, which normalises after its activation."""
    layers: dict[str, nn.Module] = {
        "dense": nn.Linear(hidden, inner),
        "activation": ACT2FN[settings["activation"]],
        "layer_norm": nn.LayerNorm(inner, eps=float(settings["layer_norm_eps"])),
    }
    return nn.Sequential(OrderedDict(layers))
