"""The library: loads the models that tasks name, each of them once, and shares what is equal."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedModel

from schemas.errors import ModelError
from schemas.pipeline.config import Compute
from schemas.pipeline.tasks import AnyTask, CustomTask
from workers.encoder.reading import HeadInfo, HeadKind
from workers.encoder.symbols import unknown_symbols
from workers.encoder.tokenization import CheckpointTokenizer
from workers.encoder.trunk import Trunk, base_model, fingerprint
from workers.heads import fcoref
from workers.heads.base import Head
from workers.heads.checkpoint import CheckpointHead
from workers.heads.coreference import ClusterHead
from workers.heads.embedding import EmbeddingHead
from workers.models.adapter import merge
from workers.models.checkpoints import Checkpoint, load_model, load_tokenizer, pooling_of, resolve
from workers.models.device import choose_device, chooses_precision
from workers.models.inspection import require_finite
from workers.models.packs import STARTER, HeadPack, PackTrunk

log = logging.getLogger("glossator")

Progress = Callable[[str], None]
"""Called with one line of text for every model that is loaded."""


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model, as one task uses it.

    - ``trunk``, ``head``: on the library's device; the same objects for every task that uses the same weights.
    - ``tokenizer``: its ``tokenizer`` is one object for all models whose tokenizers are equal.
    - ``revision``: 12 hex digits that identify the weights, as shown in the enriched event.
    """

    trunk: Trunk
    head: Head
    tokenizer: CheckpointTokenizer
    revision: str

    @property
    def info(self) -> HeadInfo:
        """What a task is told about its head."""
        head, tokenizer = self.head, self.tokenizer
        return HeadInfo(
            head.labels, head.multi_label, head.thresholds, tokenizer.word_aware, tokenizer.unk_id, head.aggregation,
            tokenizer.symbols, head.reference, window_margin=head.window_margin, vote=head.vote,
            transitions=head.transitions,
        )  # fmt: skip


class Library:
    """Loads models onto one device, and shares them between tasks.

    Trunks whose weights are equal bit by bit are one trunk in memory, whatever their names are; so are tokenizers
    whose settings are equal, and heads of one kind of one checkpoint. Use it from one thread.
    """

    def __init__(self, compute: Compute, on_progress: Progress | None = None, trunks: Iterable[Trunk] = ()) -> None:
        """Create an empty library.

        Args:
            compute: the device, precision and forward size to use.
            on_progress: called before each model is loaded.
            trunks: trunks of another chain, to be shared where they are equal, on the same device and of the same
                precision.

        Raises:
            DeviceError: if the configured device does not exist.
        """
        self.device, self.dtype = choose_device(compute)
        self._compute = compute
        self._on_progress = on_progress or (lambda _: None)
        self._checkpoints: dict[tuple[str, str | None], Checkpoint] = {}
        self._packs: dict[str, tuple[HeadPack, PackTrunk] | None] = {}
        self._tokenizers: dict[Path, CheckpointTokenizer] = {}
        self._backends: dict[bytes, Tokenizer] = {}
        self._symbols: dict[Path, str] = {}
        self._trunks: dict[tuple[Path, str], Trunk] = {}
        # Weights that were tuned for a precision that the file asked for cannot be converted any more.
        chooses = chooses_precision(compute, self.device)
        self._shared = [
            trunk for trunk in trunks
            if (trunk.device, trunk.dtype) == (self.device, self.dtype)
            and not (chooses and trunk.tuned and trunk.reason is None)
        ]  # fmt: skip
        self._heads: dict[tuple[Path, str], Head] = {}

    def load(self, config: AnyTask, kind: HeadKind) -> Model:
        """Load the model of ``config``, which must name one, with a head of ``kind``.

        Raises ModelError if it is missing or unsuitable. Architectures that lack something every encoder has raise
        ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError or ValueError of their own.
        """
        name = config.model
        assert name is not None
        if name not in self._packs:
            pack = HeadPack.find(name)
            self._packs[name] = (pack, pack.trunk()) if pack else None
        opened = self._packs[name]
        model = self._of_pack(config, kind, *opened) if opened else self._of_checkpoint(config, kind, name)
        model.trunk.name = model.trunk.name or name
        return model

    def _of_checkpoint(self, config: AnyTask, kind: HeadKind, name: str) -> Model:
        checkpoint = self._checkpoint(name, config.revision, f"loading {name}")
        # The head goes first: loading it may bring the trunk along.
        head = self._head(config, checkpoint, kind)
        tokenizer = self._tokenizer(checkpoint)
        return Model(self._trunk(checkpoint), head, tokenizer, checkpoint.revision)

    def _of_pack(self, config: AnyTask, kind: HeadKind, pack: HeadPack, base: PackTrunk) -> Model:
        if config.revision is not None:
            raise ModelError(f'model "{pack.name}" has no revisions to choose from')
        message = "loading the starter models" if pack.name == STARTER else f"loading {pack.name}"
        checkpoint = self._checkpoint(base.model, base.revision, message)
        if kind == "embedding":
            head, revision = self._head(config, checkpoint, kind), base.key[:12] or checkpoint.revision
        else:
            custom = isinstance(config, CustomTask)
            module = pack.only_head(kind, self.device) if custom else pack.head(config.task, self.device)
            head, revision = module.as_head(), module.revision
        tokenizer = self._tokenizer(checkpoint)
        if base.splits_symbols:
            tokenizer = replace(tokenizer, symbols=self._symbols_of(checkpoint, tokenizer))
        if base.max_tokens:
            tokenizer = replace(tokenizer, limit=base.max_tokens)
        return Model(self._trunk(checkpoint, base), head, tokenizer, revision)

    def _checkpoint(self, name: str, revision: str | None, message: str) -> Checkpoint:
        key = (name, revision)
        if key not in self._checkpoints:
            self._on_progress(message)
            self._checkpoints[key] = resolve(name, revision)
        return self._checkpoints[key]

    def _head(self, config: AnyTask, checkpoint: Checkpoint, kind: HeadKind) -> Head:
        # A custom task has no such setting.
        pooling = getattr(config, "pooling", None) or pooling_of(checkpoint) if kind == "embedding" else None
        key = (checkpoint.folder, pooling or kind)
        if key not in self._heads:
            self._heads[key] = EmbeddingHead(pooling) if pooling else self._scoring_head(checkpoint, kind)
        return self._heads[key]

    def _scoring_head(self, checkpoint: Checkpoint, kind: HeadKind) -> Head:
        if kind == "coreference":
            module = fcoref.load_head(checkpoint.folder, self.device)
            require_finite(checkpoint.name, module.named_parameters())
            return ClusterHead(module)
        model = load_model(checkpoint, kind)
        trunk = base_model(model)
        head = CheckpointHead(model, kind, checkpoint.name)
        head.place(self.device)
        key = (checkpoint.folder, "")
        if key not in self._trunks:
            self._trunks[key] = self._new_trunk(trunk)
        return head

    def _trunk(self, checkpoint: Checkpoint, base: PackTrunk | None = None) -> Trunk:
        key = (checkpoint.folder, base.key if base else "")
        if key not in self._trunks:
            model = load_model(checkpoint, "embedding")
            for adapter in base.adapters if base else ():
                merge(model, adapter)
            self._trunks[key] = self._new_trunk(model)
        return self._trunks[key]

    def _new_trunk(self, model: PreTrainedModel) -> Trunk:
        """Make a trunk of ``model``, or return the one that has exactly the same weights."""
        digest = fingerprint(model)
        for trunk in (*self._trunks.values(), *self._shared):
            if trunk.fingerprint == digest:
                break
        else:
            trunk = Trunk(model, self.device, self.dtype, digest)
            if self._compute.forward_tokens is not None:
                trunk.forward_tokens = self._compute.forward_tokens
        if self._compute.attention == "flash" and self.device.type == "cuda" and not trunk.packed:
            log.warning("compute.attention is flash, but this model cannot use it: its sequences are padded")
        return trunk

    def _symbols_of(self, checkpoint: Checkpoint, tokenizer: CheckpointTokenizer) -> str:
        if checkpoint.folder not in self._symbols:
            self._symbols[checkpoint.folder] = unknown_symbols(tokenizer.tokenizer)
        return self._symbols[checkpoint.folder]

    def _tokenizer(self, checkpoint: Checkpoint) -> CheckpointTokenizer:
        if checkpoint.folder not in self._tokenizers:
            tokenizer = load_tokenizer(checkpoint)
            digest = hashlib.sha256(tokenizer.tokenizer.to_str().encode()).digest()
            backend = self._backends.setdefault(digest, tokenizer.tokenizer)
            self._tokenizers[checkpoint.folder] = replace(tokenizer, tokenizer=backend)
        return self._tokenizers[checkpoint.folder]
