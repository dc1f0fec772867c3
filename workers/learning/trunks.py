"""The trunk that a head is trained on, which tokenizes and computes as it will in the pipeline."""

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
from workers.encoder.reading import HeadInfo
from workers.learning.examples import Example
from workers.models.adapter import merge
from workers.models.checkpoints import load_model, resolve
from workers.models.library import Library
from workers.models.packs import STARTER, HeadPack

CHUNK = 64
"""Texts that are tokenized together, and that go through the trunk together."""


@dataclass(frozen=True)
class Base:
    """A trunk to train on.

    - ``name``: "starter", a hub id, or a checkpoint's folder.
    - ``entry``: the trunk's entry in a pack's manifest.
    - ``stage``: tokenizes and computes; it has no outputs yet.
    - ``info``: how its tokenizer marks words; there is no head yet, so it says nothing about one.
    """

    name: str
    entry: dict[str, Any]
    stage: Stage
    info: HeadInfo

    def model(self) -> PreTrainedModel:
        """Load the model again, in float32 on the CPU and with its adapters merged, to attach another adapter.

        Raises:
            ModelError: if it cannot be loaded.
        """
        if self.name == STARTER:
            under = HeadPack.open(STARTER, _starter().folder).trunk()
            model = load_model(resolve(under.model, under.revision), "embedding")
            for adapter in under.adapters:
                merge(model, adapter)
        else:
            model = load_model(resolve(self.name), "embedding")
        if hasattr(model, "pooler"):
            model.pooler = None  # type: ignore[assignment]  # no head uses it
        return model


def open_trunk(name: str, compute: Compute) -> Base:
    """Load the trunk ``name``: "starter", a hub id, or the folder of a checkpoint.

    Raises:
        ModelError: if it cannot be loaded, or is a pack.
        DeviceError: if the device is missing.
    """
    if name != STARTER and HeadPack.find(name) is not None:
        raise ModelError(f'model "{name}" is a pack, not a trunk; name the trunk that it was trained on (see its card)')
    config = EmbeddingTask(name="trunk", task="embedding", model=name, pooling="mean")
    try:
        planned = plan([config], Library(compute))
    except ModelError as error:
        # The task exists only here.
        raise ModelError(error.failures.get(config.name, str(error))) from error
    (stage,), (task,) = planned.stages, planned.tasks
    stage = Stage(stage.trunk, stage.tokenization)
    return Base(name, _entry(name, stage), stage, task.task.head)


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


def _starter() -> HeadPack:
    pack = HeadPack.find(STARTER)
    assert pack is not None
    return pack


@dataclass(frozen=True)
class Windows:
    """Tokenized texts: W windows of all texts, in their order, with L tokens in all.

    - ``documents``: the texts; ``encodings`` [W]: the windows; ``owners`` [W]: the number of each window's text.
    - ``starts`` [W+1]: where each window's tokens start in ``ids``, then L.
    - ``ids`` [L]: token ids; ``types`` [L]: token types, or None if the trunk has none.
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
        """How many windows each window's text has, ``[W]``."""
        counts: Ints = np.bincount(self.owners, minlength=len(self.documents))[self.owners]
        return counts

    def tokens(self, chosen: Ints) -> Ints:
        """Return the positions in ``ids`` of all tokens of the ``chosen`` windows, window after window."""
        sizes = self.starts[chosen + 1] - self.starts[chosen]
        starts = flat_starts(sizes)
        positions: Ints = np.arange(starts[-1]) - np.repeat(starts[:-1], sizes) + np.repeat(self.starts[chosen], sizes)
        return positions


def make_windows(
    stage: Stage, examples: Sequence[Example], advance: Callable[[int], object] = lambda _: None
) -> Windows:
    """Tokenize the texts of ``examples``; ``advance`` is told how many have been tokenized since its last call.

    Raises:
        LabelsError: if texts cannot be tokenized; the message names their rows, 20 at most.
    """
    documents = [Document(None, example.text) for example in examples]
    encodings: list[Encoding] = []
    counts, ids, types = [], [np.empty(0, np.int64)], []
    mistakes: list[str] = []
    for first, part in chunks(documents):
        stage.prepare(part, 0, [{"": (document.text,)} for document in part])
        job = stage.pack(part, 0)
        mistakes += [
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
    if mistakes:
        raise LabelsError("\n".join(mistakes[:20]))
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
    """Yield ``CHUNK`` texts at a time, with the number of the first."""
    for first in range(0, len(documents), CHUNK):
        yield first, documents[first : first + CHUNK]
