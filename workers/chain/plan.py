"""The tasks of a pipeline file planned into stages, with every model loaded once."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from transformers import PreTrainedModel

from schemas.conditions import Condition
from schemas.errors import DeviceError, ModelError
from schemas.pipeline import dependencies
from schemas.pipeline.config import Compute, Pipeline
from schemas.pipeline.tasks import AnyTask, EmbeddingTask, SimilarityTask
from workers.chain.stage import Output, Per, Stage
from workers.encoder.reading import HeadInfo, HeadKind
from workers.encoder.tokenization import CheckpointTokenizer, Cut, Tokenization, load_tokenizer, settle
from workers.encoder.trunk import Trunk, base_model, fingerprint
from workers.heads import fcoref
from workers.heads.base import Head
from workers.heads.checkpoint import CheckpointHead
from workers.heads.coreference import ClusterHead, ClusterMixHead
from workers.heads.embedding import EmbeddingHead
from workers.heads.pack_heads import ClusterMix, LayersHead
from workers.models.adapter import merge
from workers.models.checkpoints import Checkpoint, load_model, pooling_of, resolve
from workers.models.packs import STARTER, Pack, PackTrunk
from workers.tasks.base import Task
from workers.tasks.registry import task_class

log = logging.getLogger("glossator")

_PER: dict[HeadKind, Per] = {
    "sequence": "sequence", "token": "token", "span": "token", "embedding": "sequence", "coreference": "input",
}  # fmt: skip

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Planned:
    """A task and its place in the plan.

    - ``stage``, ``output``: whose forward it reads and which head of it; None for a task without a model.
    - ``level``: the forwards of this level must have run before it can annotate; -1 if none need to.
    - ``condition``: when it runs at all; ``requires``: the tasks whose spans it reads.
    - ``rides``: its stage reads every event's text for another task's sake anyway, so it joins in, and its
      condition only decides whether the annotation is made.
    - ``key``: model, revision and settings in a hash, for the cache; None if the task cannot be cached.
    """

    task: Task
    stage: int | None
    output: int
    level: int
    condition: Condition | None
    requires: tuple[str, ...]
    rides: bool
    key: bytes | None

    @property
    def conditional(self) -> bool:
        return self.condition is not None or bool(self.requires)

    @property
    def needs(self) -> frozenset[str]:
        """The tasks that must have annotated before this one is decided."""
        spoken_of = self.condition.tasks if self.condition else frozenset()
        return spoken_of | frozenset(self.requires)


class Planner:
    """Loads what the tasks name and settles who shares what.

    Tasks whose trunks hold the same weights share one trunk in memory; of these, tasks of one level that cut
    their inputs alike share a stage: one tokenisation, one forward.
    """

    def __init__(self, compute: Compute, on_progress: Progress | None = None, trunks: Iterable[Trunk] = ()) -> None:
        """``trunks``: loaded before, to be shared. Raises DeviceError when the device asked for is not there."""
        self.device, self.dtype = place(compute)
        self.stages: list[Stage] = []
        self.tasks: list[Planned] = []
        self.models: dict[str, dict[str, str]] = {}
        self._compute = compute
        self._say = on_progress or (lambda _: None)
        self._checkpoints: dict[tuple[str, str | None], Checkpoint] = {}
        self._tokenizers: dict[Path, CheckpointTokenizer] = {}
        self._trunks: dict[tuple[Path, str], Trunk] = {}
        self._packs: dict[str, tuple[Pack, PackTrunk] | None] = {}
        self._shared = [trunk for trunk in trunks if (trunk.device, trunk.dtype) == (self.device, self.dtype)]
        self._heads: dict[tuple[Path, str], Head] = {}

    def add(self, config: AnyTask) -> None:
        """Loads what ``config`` needs and finds its place, after all it requires. Raises ModelError naming the task."""
        try:
            chosen = task_class(config)
            raw = config.model_dump()
            condition = dependencies.condition(raw)
            requires = tuple(name for _, name in dependencies.spans_needed(raw))
            if chosen.head_kind is None or config.model is None:
                self._add_plain(config, chosen, condition, requires)
            else:
                self._add_model(config, chosen, config.model, condition, requires)
        except ModelError as error:
            raise ModelError(f'task "{config.name}": {error}') from error
        except (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError) as error:
            # An architecture that cannot do what all encoders do says so in its own way.
            what = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise ModelError(f'task "{config.name}": model "{config.model}" cannot be used here ({what})') from error

    def _add_plain(
        self, config: AnyTask, chosen: type[Task], condition: Condition | None, requires: tuple[str, ...]
    ) -> None:
        task = chosen(config, HeadInfo())
        reference = task.reference()
        if reference is None:
            raise ModelError(f"{config.task} needs a model")
        level = max(self._available(requires), self._available(_tasks_of(condition)))
        key = _key(task, config, reference)
        self.tasks.append(Planned(task, None, 0, level, condition, requires, False, key))
        self.models[config.name] = reference

    def _add_model(
        self, config: AnyTask, chosen: type[Task], model: str, condition: Condition | None, requires: tuple[str, ...]
    ) -> None:
        kind = chosen.head_kind
        assert kind is not None
        checkpoint, head, revision, under = self._load(config, kind, model)
        tokenizer = self._tokenizer(checkpoint)
        if under and under.max_tokens:
            tokenizer = replace(tokenizer, limit=under.max_tokens)
        trunk = self._trunk(checkpoint, under)
        info = HeadInfo(
            head.labels, head.multi_label, head.thresholds, tokenizer.word_aware, tokenizer.unk_id, head.aggregation
        )
        task = chosen(config, info)
        cut = settle(config, tokenizer, trunk.capacity, task.windowed, task.paired)
        if isinstance(head, ClusterHead):
            cut = Cut(head.segment, 0, segments=True)
        inputs_after, decided_after = self._available(requires), self._available(_tasks_of(condition))
        conditional = condition is not None or self._conditional(requires)
        place, rides = self._stage(
            trunk, tokenizer, cut, inputs_from=inputs_after + 1, decided_from=decided_after + 1,
            conditional=conditional, reads_text=chosen.inputs is Task.inputs,
        )  # fmt: skip
        stage = self.stages[place]
        output = Output(head, task.activation(), _PER[kind])
        if output not in stage.outputs:
            stage.outputs.append(output)
        stage.tasks[config.name] = stage.outputs.index(output)
        reference = {"model": model, "revision": revision}
        level = max(stage.level, decided_after)
        key = _key(task, config, reference)
        self.tasks.append(Planned(task, place, stage.tasks[config.name], level, condition, requires, rides, key))
        self.models[config.name] = reference

    def _available(self, names: Iterable[str]) -> int:
        """The level after whose forwards all of ``names`` can have annotated; -1 before any."""
        return max((planned.level for planned in self.tasks if planned.task.name in set(names)), default=-1)

    def _conditional(self, names: Iterable[str]) -> bool:
        """Whether one of ``names`` may not have run."""
        required = [planned for planned in self.tasks if planned.task.name in set(names)]
        return any(planned.condition or self._conditional(planned.requires) for planned in required)

    def _load(self, config: AnyTask, kind: HeadKind, model: str) -> tuple[Checkpoint, Head, str, PackTrunk | None]:
        """Where the trunk is from, the head, its revision, and what a pack says of its trunk."""
        if model not in self._packs:
            found = Pack.find(model)
            self._packs[model] = (found, found.trunk()) if found else None
        known = self._packs[model]
        if known is None:
            checkpoint = self._checkpoint(model, config.revision, f"loading {model}")
            return checkpoint, self._head(config, checkpoint, kind), checkpoint.revision, None
        if config.revision is not None:
            raise ModelError(f'model "{model}" has no revisions to choose from')
        pack, under = known
        said = "loading the starter models" if model == STARTER else f"loading {model}"
        checkpoint = self._checkpoint(under.model, under.revision, said)
        if kind == "embedding":
            return checkpoint, self._head(config, checkpoint, kind), under.key[:12] or checkpoint.revision, under
        module = pack.head(config.task, self.device)
        head = ClusterMixHead(module) if isinstance(module, ClusterMix) else LayersHead(module)
        return checkpoint, head, module.revision, under

    def _checkpoint(self, name: str, revision: str | None, said: str) -> Checkpoint:
        key = (name, revision)
        if key not in self._checkpoints:
            self._say(said)
            self._checkpoints[key] = resolve(name, revision)
        return self._checkpoints[key]

    def _head(self, config: AnyTask, checkpoint: Checkpoint, kind: HeadKind) -> Head:
        if isinstance(config, EmbeddingTask | SimilarityTask):
            pooling = config.pooling or pooling_of(checkpoint)
            return self._heads.setdefault((checkpoint.folder, pooling), EmbeddingHead(pooling))
        if (checkpoint.folder, kind) not in self._heads:
            self._heads[checkpoint.folder, kind] = self._new_head(checkpoint, kind)
        return self._heads[checkpoint.folder, kind]

    def _new_head(self, checkpoint: Checkpoint, kind: HeadKind) -> Head:
        if kind == "embedding":
            return EmbeddingHead(pooling_of(checkpoint))
        if kind == "coreference":
            return ClusterHead(fcoref.load_head(checkpoint.folder, self.device))
        model = load_model(checkpoint, kind)
        trunk = base_model(model)
        head = CheckpointHead(model, kind, checkpoint.name)
        head.place(self.device, self.dtype)
        if (checkpoint.folder, "") not in self._trunks:
            self._trunks[checkpoint.folder, ""] = self._new_trunk(trunk)
        return head

    def _trunk(self, checkpoint: Checkpoint, under: PackTrunk | None) -> Trunk:
        key = (checkpoint.folder, under.key if under else "")
        if key not in self._trunks:
            model = load_model(checkpoint, "embedding")
            for adapter in under.adapters if under else ():
                merge(model, adapter)
            self._trunks[key] = self._new_trunk(model)
        return self._trunks[key]

    def _new_trunk(self, model: PreTrainedModel) -> Trunk:
        """A trunk of ``model``, or the one whose weights are the same to the last bit."""
        print_ = fingerprint(model)
        for trunk in (*self._trunks.values(), *self._shared):
            if trunk.fingerprint == print_:
                break
        else:
            trunk = Trunk(model, self.device, self.dtype, print_)
            if self._compute.forward_tokens is not None:
                trunk.forward_tokens = self._compute.forward_tokens
        if self._compute.attention == "flash" and self.device.type == "cuda" and not trunk.packed:
            log.warning("compute.attention is flash, but this model cannot use it: its sequences are padded")
        return trunk

    def _tokenizer(self, checkpoint: Checkpoint) -> CheckpointTokenizer:
        if checkpoint.folder not in self._tokenizers:
            self._tokenizers[checkpoint.folder] = load_tokenizer(checkpoint)
        return self._tokenizers[checkpoint.folder]

    def _stage(
        self,
        trunk: Trunk,
        tokenizer: CheckpointTokenizer,
        cut: Cut,
        *,
        inputs_from: int,
        decided_from: int,
        conditional: bool,
        reads_text: bool,
    ) -> tuple[int, bool]:
        """(the stage, whether the task rides on it): the first whose forward can serve, or a new one.

        ``inputs_from``, ``decided_from``: the levels from which on the inputs and the condition are known.
        ``reads_text``: its only input is the text, and so what an unconditional task may read anyway.
        """
        level = max(inputs_from, decided_from)
        fitting = [
            index
            for index, stage in enumerate(self.stages)
            if stage.trunk is trunk and stage.tokenization.cut == cut and stage.tokenization.of(tokenizer.tokenizer)
        ]
        if conditional and reads_text:
            for index in fitting:
                if self.stages[index].reads_every_text and self.stages[index].level >= inputs_from:
                    return index, True
        place = next((index for index in fitting if self.stages[index].level == level), len(self.stages))
        if place == len(self.stages):
            self.stages.append(Stage(trunk, Tokenization(tokenizer.tokenizer, cut, tokenizer.types), level))
        stage = self.stages[place]
        stage.conditional = stage.conditional and conditional
        stage.reads_every_text = stage.reads_every_text or (reads_text and not conditional)
        return place, False


def plan(pipeline: Pipeline, on_progress: Progress | None = None, trunks: Iterable[Trunk] = ()) -> Planner:
    """Everything ``pipeline`` needs, loaded. ``trunks``: see ``Planner``. Raises ModelError and DeviceError."""
    planner = Planner(pipeline.compute, on_progress, trunks)
    tasks = pipeline.tasks
    order = [tasks[index] for index in dependencies.in_order([task.model_dump() for task in tasks])]
    # What runs for every event comes first, so that what runs for some can ride on its forwards.
    always = [task for task in order if _always(task, tasks)]
    for config in [*always, *(task for task in order if task not in always)]:
        planner.add(config)
    for planned in planner.tasks:
        if planned.stage is not None:
            try:
                planned.task.learn(partial(planner.stages[planned.stage].read, planned.output))
            except ModelError as error:
                raise ModelError(f'task "{planned.task.name}" cannot work with its settings: {error}') from error
    return planner


def _always(task: AnyTask, tasks: Sequence[AnyTask]) -> bool:
    """Whether ``task`` and all whose spans it reads have no condition."""
    required = {name for _, name in dependencies.spans_needed(task.model_dump())}
    return task.when is None and all(_always(other, tasks) for other in tasks if other.name in required)


def _tasks_of(condition: Condition | None) -> frozenset[str]:
    return condition.tasks if condition else frozenset()


def _key(task: Task, config: AnyTask, reference: Mapping[str, str]) -> bytes | None:
    if not task.cacheable:
        return None
    settings = config.model_dump(mode="json", exclude={"name", "when"})
    return hashlib.sha256(json.dumps([reference, settings], sort_keys=True).encode()).digest()


def place(compute: Compute) -> tuple[torch.device, torch.dtype]:
    """Where and in what precision to compute: CUDA in bfloat16 where there is one, else the CPU in float32."""
    name = compute.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if compute.attention == "flash" and device.type == "cpu":
        log.warning(
            "compute.attention is flash, which needs a CUDA device: on this CPU sequences of equal length go together"
        )
    if device.type == "cuda":
        if not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count():
            raise DeviceError(f"compute.device is {name}, but torch sees {torch.cuda.device_count()} CUDA devices")
        # cuDNN's attention compiles a plan per shape, and every packed batch has a shape of its own.
        torch.backends.cuda.enable_cudnn_sdp(False)
    if compute.dtype != "auto":
        return device, getattr(torch, compute.dtype)
    if device.type == "cpu":
        return device, torch.float32
    return device, torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16
