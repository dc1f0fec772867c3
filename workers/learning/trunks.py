"""The trunk that a head is learnt on: it tokenises and computes as it will in the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Encoding
from transformers import PreTrainedModel

from schemas.document import Document
from schemas.errors import LabelsError, ModelError
from schemas.pipeline.config import Compute
from schemas.pipeline.tasks import EmbeddingTask
from workers.chain.plan import plan
from workers.chain.stage import Stage
from workers.encoder.packing import Ints, flat_starts
from workers.learning.examples import Example
from workers.models.adapter import merge
from workers.models.checkpoints import load_model, resolve
from workers.models.library import Library
from workers.models.packs import STARTER, Pack

CHUNK = 64
"""Texts that are tokenised together, and that go through the trunk together."""


@dataclass(frozen=True)
class Base:
    """A trunk and what a pack's manifest says of it. ``stage``: tokenises and computes; it has no heads yet."""

    name: str
    entry: dict[str, Any]
    stage: Stage

    def model(self) -> PreTrainedModel:
        """The bare model in float32 on the CPU, what adapters it has merged: to put another one on."""
        if self.name == STARTER:
            under = Pack.read(STARTER, _starter().folder).trunk()
            model = load_model(resolve(under.model, under.revision), "embedding")
            for adapter in under.adapters:
                merge(model, adapter)
        else:
            model = load_model(resolve(self.name), "embedding")
        if hasattr(model, "pooler"):
            model.pooler = None  # type: ignore[assignment]  # no head of ours reads it
        return model


def open_trunk(name: str, compute: Compute) -> Base:
    """``name``: ``starter``, a hub id, or the folder of a checkpoint. Raises ModelError and DeviceError."""
    if name != STARTER and Pack.find(name) is not None:
        raise ModelError(f'model "{name}" is a pack, not a trunk; name what it was trained on (see its card)')
    config = EmbeddingTask(name="trunk", task="embedding", model=name, pooling="mean")
    (stage,) = plan([config], Library(compute)).stages
    stage = Stage(stage.trunk, stage.tokenization)
    return Base(name, _entry(name, stage), stage)


def _entry(name: str, stage: Stage) -> dict[str, Any]:
    if name == STARTER:
        return {"starter": _starter().trunk().key}
    checkpoint = resolve(name)
    local = Path(name).expanduser().is_dir()
    return {
        "model": str(checkpoint.folder.resolve()) if local else name,
        "revision": None if local else checkpoint.folder.name,
        "weights": checkpoint.revision,
        "max_tokens": stage.tokenization.cut.max_length,
    }


def _starter() -> Pack:
    pack = Pack.find(STARTER)
    assert pack is not None
    return pack


@dataclass(frozen=True)
class Windows:
    """Texts as the trunk reads them: W windows of all texts in their order, L tokens together.

    - ``documents``: the texts, tokenised; ``encodings`` [W]; ``owners`` [W]: which text each window is from.
    - ``starts`` [W+1]: where each window's tokens begin; ``ids`` [L]; ``types`` [L], None where the trunk has none.
    """

    documents: list[Document]
    encodings: list[Encoding]
    owners: Ints
    starts: Ints
    ids: Ints
    types: Ints | None

    def __len__(self) -> int:
        return len(self.encodings)

    @property
    def shares(self) -> Ints:
        """How many windows the text of each window has, ``[W]``."""
        counts: Ints = np.bincount(self.owners, minlength=len(self.documents))[self.owners]
        return counts

    def tokens(self, chosen: Ints) -> Ints:
        """Where the tokens of the ``chosen`` windows lie, window after window."""
        sizes = self.starts[chosen + 1] - self.starts[chosen]
        own = flat_starts(sizes)
        places: Ints = np.arange(own[-1]) - np.repeat(own[:-1], sizes) + np.repeat(self.starts[chosen], sizes)
        return places


def windows(stage: Stage, examples: Sequence[Example], advance: Callable[[int], object] = lambda _: None) -> Windows:
    """Raises LabelsError for texts that cannot be read; ``advance`` is told how many more have been."""
    documents = [Document(None, example.text) for example in examples]
    encodings: list[Encoding] = []
    counts, ids, types = [], [np.empty(0, np.int64)], []
    wrong: list[str] = []
    for first, part in chunks(documents):
        stage.prepare(part, 0, [{"": (document.text,)} for document in part])
        job = stage.pack(part, 0)
        wrong += [
            f"{example.row.place}: {failure.message}"
            for example, document in zip(examples[first:], part, strict=False)
            if (failure := document.failure or job.failure(document.text)) is not None
        ]
        encodings += job.windows
        counts += [last - begin for begin, last in job.places.values()]
        ids.append(job.ids)
        if job.types is not None:
            types.append(job.types)
        advance(len(part))
    if wrong:
        raise LabelsError("\n".join(wrong[:20]))
    lengths = np.fromiter(map(len, encodings), np.int64, len(encodings))
    owners = np.repeat(np.arange(len(documents)), counts)
    return Windows(
        documents,
        encodings,
        owners,
        flat_starts(lengths),
        np.concatenate(ids),
        np.concatenate(types) if types else None,
    )


def chunks(documents: list[Document]) -> Iterator[tuple[int, list[Document]]]:
    """``CHUNK`` texts at a time, and the number of the first."""
    for first in range(0, len(documents), CHUNK):
        yield first, documents[first : first + CHUNK]
