"""Names: BIO over PERSON, LOCATION, ORGANIZATION and MISC, one label a wordpiece.

Every piece learns: the first of a span B-, all others of it I-. A target is the set of labels
that the annotation permits, so that "no name we mark" may still be MISC in the sets that do not
mark MISC, and a piece nobody may learn from permits everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress
from tokenizers import Encoding
from torch import Tensor

from training.data import Data
from training.features import Trunk
from training.fit import Batch, fit, new_head
from training.scores import Span, span_f1, temperature
from workers.starter.heads import StarterHead

TYPES = {"PER": "PERSON", "LOC": "LOCATION", "ORG": "ORGANIZATION", "MISC": "MISC"}
LABELS = ["O", *(f"{bio}-{name}" for name in TYPES.values() for bio in "BI")]
MARKS_MISC = {"wnut17", "wikigold"}
TRAIN = ("uner_ewt", "btc", "wnut17", "wikigold")
TOKENS_PER_BATCH = 2048


class Split:
    """One file of examples with its hidden states and targets."""

    def __init__(self, name: str, data: Data, trunk: Trunk) -> None:
        self.set = name.partition(".")[0]
        self.examples = data.read(f"ner/{name}")
        self.encodings, self.states, self.starts = trunk.tokens(f"ner/{name}", [e["text"] for e in self.examples])
        self.gold: list[set[Span]] = [
            {(span["start"], span["end"], TYPES[span["label"]]) for span in example["spans"]}
            for example in self.examples
        ]
        self.allowed = np.concatenate(
            [self._targets(*pair) for pair in zip(self.examples, self.encodings, strict=True)]
        )

    def _targets(self, example: dict[str, Any], encoding: Encoding) -> NDArray[np.bool_]:
        allowed = np.zeros((len(encoding), len(LABELS)), dtype=bool)
        outside = [0] if self.set in MARKS_MISC else [0, LABELS.index("B-MISC"), LABELS.index("I-MISC")]
        owner = np.full(len(example["text"]) + 1, -1)
        for number, span in enumerate(example["spans"]):
            owner[span["start"] : span["end"]] = number
        last = -1
        for index, ((start, end), special) in enumerate(
            zip(encoding.offsets, encoding.special_tokens_mask, strict=True)
        ):
            number = max(owner[start:end], default=-1)
            if special or (self.set == "btc" and is_handle(example["text"], start)):
                allowed[index] = True
            elif number < 0:
                allowed[index, outside] = True
            else:
                name = TYPES[example["spans"][number]["label"]]
                allowed[index, LABELS.index(f"{'I' if number == last else 'B'}-{name}")] = True
            last = number
        return allowed

    def batches(self, random: np.random.Generator) -> Iterator[Batch]:
        """Shuffled packs of about 2,048 pieces: seven hidden states, starts, permitted labels."""
        pack: list[int] = []
        size = 0
        for index in random.permutation(len(self.examples)):
            pack.append(int(index))
            size += len(self.encodings[index])
            if size >= TOKENS_PER_BATCH:
                yield self.packed(pack)
                pack, size = [], 0
        if pack:
            yield self.packed(pack)

    def packed(self, indices: Iterable[int]) -> Batch:
        slices = [slice(self.starts[index], self.starts[index + 1]) for index in indices]
        states = torch.from_numpy(np.concatenate([self.states[part] for part in slices]))
        starts = torch.tensor([0, *np.cumsum([part.stop - part.start for part in slices])])
        allowed = torch.from_numpy(np.concatenate([self.allowed[part] for part in slices]))
        return states, starts, allowed

    @torch.no_grad()
    def logits(self, head: StarterHead) -> NDArray[np.float32]:
        """``[T, labels]`` for the whole split, computed in packs of 200 texts."""
        out = []
        for first in range(0, len(self.examples), 200):
            states, starts, _ = self.packed(range(first, min(first + 200, len(self.examples))))
            out.append(run(head, states, starts).numpy())
        return np.concatenate(out)

    def found(self, head: StarterHead, aggregation: str) -> list[set[Span]]:
        scores = torch.from_numpy(self.logits(head)).softmax(1).numpy()
        return [
            decode(encoding, scores[self.starts[index] : self.starts[index + 1]], aggregation)
            for index, encoding in enumerate(self.encodings)
        ]

    def f1(self, found: list[set[Span]], *, handles: bool = True) -> float:
        """Span F1 over the names this set marks; without ``handles``, spans that begin with @ count nowhere."""
        texts = [example["text"] for example in self.examples]

        def keep(spans: set[Span], text: str) -> set[Span]:
            return {
                span
                for span in spans
                if (span[2] != "MISC" or self.set in MARKS_MISC) and (handles or not is_handle(text, span[0]))
            }

        return span_f1(*([keep(*pair) for pair in zip(side, texts, strict=True)] for side in (self.gold, found)))


def is_handle(text: str, start: int) -> bool:
    """Whether the piece at ``start`` is the @ or a part of the name of a user handle."""
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    if start < len(text) and text[start] == "@":
        return start + 1 < len(text) and (text[start + 1].isalnum() or text[start + 1] == "_")
    return start > 0 and text[start - 1] == "@"


def run(head: StarterHead, states: Tensor, starts: Tensor) -> Tensor:
    logits: Tensor = head([layer.unsqueeze(0) for layer in states.float().unbind(1)], starts)
    return logits


def partial_loss(head: StarterHead, states: Tensor, starts: Tensor, allowed: Tensor) -> Tensor:
    """Negative log of the probability of all permitted labels together."""
    logs = run(head, states, starts).log_softmax(1)
    learn = ~allowed.all(1)
    return -logs[learn].masked_fill(~allowed[learn], -torch.inf).logsumexp(1).mean()


def decode(encoding: Encoding, scores: NDArray[np.float32], aggregation: str) -> set[Span]:
    """Spans as transformers' token classification pipeline joins them: simple, first, average or max."""
    content = [index for index, special in enumerate(encoding.special_tokens_mask) if not special]
    if aggregation == "simple":
        words = [[index] for index in content]
    else:
        words = []
        for index in content:
            if encoding.tokens[index].startswith("##") and words:
                words[-1].append(index)
            else:
                words.append([index])
    spans: list[tuple[int, int, str]] = []
    before = "O"
    for word in words:
        rows = scores[word]
        if aggregation == "average":
            row = rows.mean(0)
        elif aggregation == "max":
            row = rows[rows.max(1).argmax()]
        else:
            row = rows[0]
        label = LABELS[int(row.argmax())]
        start, end = encoding.offsets[word[0]][0], encoding.offsets[word[-1]][1]
        if label == "O":
            pass
        elif label[0] == "I" and before[2:] == label[2:]:
            spans[-1] = (spans[-1][0], end, label[2:])
        else:
            spans.append((start, end, label[2:]))
        before = label
    return set(spans)


def train(data: Data, trunk: Trunk, progress: Progress, *, aggregation: str = "max", **options: Any) -> StarterHead:
    """A head fitted on the train files, its epoch and temperature chosen on the dev files."""
    splits = [Split(f"{name}.train", data, trunk) for name in TRAIN]
    dev = [Split(f"{name}.dev", data, trunk) for name in TRAIN]
    random = np.random.default_rng(0)
    torch.manual_seed(0)

    def batches() -> Iterator[Batch]:
        pending = [(split, split.batches(random)) for split in splits]
        while pending:
            sizes = np.array([len(split.examples) for split, _ in pending])
            choice = int(random.choice(len(pending), p=sizes / sizes.sum()))
            batch = next(pending[choice][1], None)
            if batch is None:
                del pending[choice]
            else:
                yield batch

    def score(head: StarterHead) -> float:
        return float(np.mean([split.f1(split.found(head, aggregation), handles=False) for split in dev]))

    settings = {"epochs": 10, "rate": 2e-3, "decay": 0.01, "dropout": 0.2} | options
    shape = {
        name: settings.pop(name, default) for name, default in {"hidden": 128, "reduce": 128, "context": 2}.items()
    }
    head = new_head(LABELS, trunk.layers, trunk.size, kind="token", aggregation=aggregation, **shape)
    steps = sum(sum(1 for _ in split.batches(random)) for split in splits)
    fit(head, batches, partial_loss, score, steps=steps + 8, progress=progress, name="ner", **settings)
    calibrate(head, dev)
    return head


def calibrate(head: StarterHead, dev: list[Split]) -> None:
    logits, targets = [], []
    for split in dev:
        if split.set in MARKS_MISC:
            one = split.allowed.sum(1) == 1
            logits.append(torch.from_numpy(split.logits(head)[one]))
            targets.append(torch.from_numpy(split.allowed[one].astype(np.float32)))
    head.temperature.fill_(temperature(torch.cat(logits), torch.cat(targets), multi_label=False))


@torch.no_grad()
def probabilities(head: StarterHead, states: NDArray[np.float16]) -> NDArray[np.float32]:
    """``[T, labels]`` of one text's hidden states ``[T, layers, size]``."""
    scores: NDArray[np.float32] = run(head, torch.tensor(states), torch.tensor([0, len(states)])).softmax(1).numpy()
    return scores
