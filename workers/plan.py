"""The tasks of a pipeline file planned into stages, with every model loaded once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from transformers import PreTrainedModel

from schemas.config import AnyTask, Compute, EmbeddingTask, Pipeline
from schemas.errors import DeviceError, ModelError
from workers.encoder import Trunk
from workers.heads import CheckpointHead, EmbeddingHead, Head, LayersHead, base_model, pooling_of
from workers.models import Checkpoint, load_model, resolve
from workers.stage import Output, Stage
from workers.starter.heads import load_head, trunk_folder, trunk_max_tokens
from workers.tasks.base import HeadInfo, HeadKind, Task
from workers.tasks.registry import task_class
from workers.tokenization import CheckpointTokenizer, Tokenization, load_tokenizer, settle

STARTER = "starter"
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Planned:
    """A task, its stage and which of the stage's outputs it reads."""

    task: Task
    stage: int
    output: int


class Planner:
    """Loads what the tasks name. Tasks that name the same model share its trunk, and those that also cut
    texts alike share a stage: one tokenisation, one forward."""

    def __init__(self, compute: Compute, on_progress: Progress | None = None) -> None:
        """Raises DeviceError when the device asked for is not there."""
        self.device, self.dtype = place(compute)
        self.stages: list[Stage] = []
        self.tasks: list[Planned] = []
        self.models: dict[str, dict[str, str]] = {}
        self._forward_tokens = compute.forward_tokens
        self._say = on_progress or (lambda _: None)
        self._checkpoints: dict[tuple[str, str | None], Checkpoint] = {}
        self._tokenizers: dict[Path, CheckpointTokenizer] = {}
        self._trunks: dict[Path, Trunk] = {}
        self._heads: dict[tuple[Path, str], Head] = {}

    def add(self, config: AnyTask) -> None:
        """Loads what ``config`` needs and finds its place. Raises ModelError naming the task."""
        chosen = task_class(config.task)
        try:
            if config.model == STARTER:
                self._say("loading the starter models")
                checkpoint = self._checkpoint(str(trunk_folder()), None)
                head, revision = self._starter_head(config)
            else:
                self._say(f"loading {config.model}")
                checkpoint = self._checkpoint(config.model, config.revision)
                head, revision = self._head(config, checkpoint, chosen.head_kind), checkpoint.revision
            tokenizer = self._tokenizer(checkpoint)
            if config.model == STARTER:
                tokenizer = replace(tokenizer, limit=trunk_max_tokens())
            place = self._stage(config, tokenizer, self._trunk(checkpoint))
        except ModelError as error:
            raise ModelError(f'task "{config.name}": {error}') from error
        stage = self.stages[place]
        info = HeadInfo(
            head.labels,
            head.multi_label,
            head.thresholds,
            tokenizer.word_aware,
            tokenizer.unk_id,
            head.aggregation,
        )
        task = chosen(config, info)
        output = Output(head, task.activation(), chosen.head_kind == "token")
        if output not in stage.outputs:
            stage.outputs.append(output)
        stage.tasks.append(config.name)
        self.tasks.append(Planned(task, place, stage.outputs.index(output)))
        self.models[config.name] = {"model": config.model, "revision": revision}

    def _checkpoint(self, name: str, revision: str | None) -> Checkpoint:
        key = (name, revision)
        if key not in self._checkpoints:
            self._checkpoints[key] = resolve(name, revision)
        return self._checkpoints[key]

    def _head(self, config: AnyTask, checkpoint: Checkpoint, kind: HeadKind) -> Head:
        if isinstance(config, EmbeddingTask):
            pooling = config.pooling or pooling_of(checkpoint)
            return self._heads.setdefault((checkpoint.folder, pooling), EmbeddingHead(pooling))
        if (checkpoint.folder, kind) not in self._heads:
            model = load_model(checkpoint, kind)
            trunk = base_model(model)
            head = CheckpointHead(model, kind, checkpoint)
            head.place(self.device, self.dtype)
            self._heads[checkpoint.folder, kind] = head
            if checkpoint.folder not in self._trunks:
                self._trunks[checkpoint.folder] = self._new_trunk(trunk)
        return self._heads[checkpoint.folder, kind]

    def _starter_head(self, config: AnyTask) -> tuple[Head, str]:
        if config.revision is not None:
            raise ModelError('model "starter" has no revisions to choose from')
        module = load_head(config.task, self.device)
        return LayersHead(module), module.revision

    def _trunk(self, checkpoint: Checkpoint) -> Trunk:
        if checkpoint.folder not in self._trunks:
            self._trunks[checkpoint.folder] = self._new_trunk(load_model(checkpoint, "embedding"))
        return self._trunks[checkpoint.folder]

    def _new_trunk(self, model: PreTrainedModel) -> Trunk:
        trunk = Trunk(model, self.device, self.dtype)
        if self._forward_tokens is not None:
            trunk.forward_tokens = self._forward_tokens
        return trunk

    def _tokenizer(self, checkpoint: Checkpoint) -> CheckpointTokenizer:
        if checkpoint.folder not in self._tokenizers:
            self._tokenizers[checkpoint.folder] = load_tokenizer(checkpoint)
        return self._tokenizers[checkpoint.folder]

    def _stage(self, config: AnyTask, tokenizer: CheckpointTokenizer, trunk: Trunk) -> int:
        cut = settle(config, tokenizer, trunk.capacity)
        for index, stage in enumerate(self.stages):
            own = stage.tokenization
            if stage.trunk is trunk and (own.max_length, own.stride, own.truncate) == cut:
                return index
        self.stages.append(Stage(trunk, Tokenization(tokenizer.tokenizer, *cut)))
        return len(self.stages) - 1


def plan(pipeline: Pipeline, on_progress: Progress | None = None) -> Planner:
    """Everything ``pipeline`` needs, loaded. Raises ModelError and DeviceError."""
    planner = Planner(pipeline.compute, on_progress)
    for config in pipeline.tasks:
        planner.add(config)
    return planner


def place(compute: Compute) -> tuple[torch.device, torch.dtype]:
    """Where and in what precision to compute: CUDA in bfloat16 where there is one, else the CPU in float32."""
    name = compute.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
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
