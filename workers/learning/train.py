"""From a file of labelled texts to a pack that a pipeline file can name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import Progress, TaskID
from torch import Tensor, nn

from schemas.errors import ModelError
from schemas.pipeline.config import Compute
from workers.encoder.packing import Ints
from workers.heads.pack_heads import StarterHead
from workers.learning import measuring
from workers.learning.card import Result, card
from workers.learning.examples import Task, read
from workers.learning.metrics import measure
from workers.learning.splits import split
from workers.learning.states import Adapting, Kept
from workers.learning.targets import targets
from workers.learning.teaching import ADAPTING, KINDS, PACES, teach
from workers.learning.trunks import Base, Windows, open_trunk, windows
from workers.learning.writing import CARD, beside, write
from workers.models import adapter

RANK = 16


@dataclass(frozen=True)
class Options:
    """What ``glossator train`` was asked. ``against``: the model whose head is measured beside the new one."""

    file: Path
    task: Task
    out: Path
    trunk: str = "starter"
    adapt: bool = False
    precision: float = 0.9
    seed: int = 0
    device: str = "auto"
    control: str | None = None
    against: str = "starter"


def train(options: Options, progress: Progress) -> Result:
    """Trains and writes ``options.out``, whole or not at all. Raises LabelsError, ModelError and DeviceError."""
    labelled = read(options.file, options.task, options.control)
    parts = split(labelled)
    base = open_trunk(options.trunk, Compute(device=options.device))
    with beside(options.out) as folder:
        result = Result(
            options.out, options.trunk, options.adapt, labelled, parts, precision=options.precision, seed=options.seed
        )
        head, own = _learn(options, result, base, folder, progress)
        write(folder, options.task, base.entry, head, own)
        _choose(options, result, head, folder, progress)
        write(folder, options.task, base.entry, head, own)
        _measure(options, result, folder, progress)
        (folder / CARD).write_text(card(result), encoding="utf-8")
    return result


def _learn(
    options: Options, result: Result, base: Base, folder: Path, progress: Progress
) -> tuple[StarterHead, dict[str, Tensor] | None]:
    """The head, and the adapter if one was asked for."""
    task, labels = options.task, result.labelled.labels
    examples = [*result.parts["train"], *result.parts["dev"]]
    with _bar(progress, "tokenising", len(examples) + len(result.parts["test"])) as advance:
        own = windows(base.stage, examples, advance)
        # What could not be measured shall be refused now, not when all is learnt.
        windows(base.stage, result.parts["test"], advance)
    places = np.arange(len(own))
    first_dev = len(result.parts["train"])
    chosen: dict[str, Ints] = {"train": places[own.owners < first_dev], "dev": places[own.owners >= first_dev]}
    wanted = targets(task, labels, examples, own, chosen["train"])
    torch.manual_seed(options.seed)
    adapting = _adapting(options, base, own) if options.adapt else None
    if adapting is None:
        with _bar(progress, "reading with the trunk", len(examples)) as advance:
            source: Kept | Adapting = Kept(base.stage, own, KINDS[task], folder, advance)
    else:
        source = adapting
    bar = progress.add_task("learning", total=None)
    head, result.dev_loss = teach(
        task, labels, source, wanted, parts=chosen, pace=ADAPTING if adapting else PACES[KINDS[task]],
        trunk=adapting.model if adapting else None, seed=options.seed,
        on_plan=lambda steps: progress.update(bar, total=steps),
        on_step=lambda: progress.advance(bar),
        on_epoch=lambda epoch, loss: progress.update(bar, description=f"epoch {epoch}, dev loss {loss:.4f}"),
    )  # fmt: skip
    progress.remove_task(bar)
    if adapting is None:
        return head, None
    nn.Module.to(adapting.model, "cpu")
    return head, adapter.extract(adapting.model, adapting.original)


def _adapting(options: Options, base: Base, own: Windows) -> Adapting:
    model = base.model()
    try:
        return Adapting(model, own, RANK, base.stage.trunk.device)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(
            f'model "{options.trunk}" cannot take an adapter ({type(error).__name__}); train without --adapt'
        ) from error


def _choose(options: Options, result: Result, head: StarterHead, folder: Path, progress: Progress) -> None:
    """Sets what only the whole way from text to annotation can tell: aggregation and thresholds."""
    result.temperature = float(head.temperature)
    if options.task == "ner":
        head.aggregation = measuring.best_aggregation(
            str(folder), result.labelled, result.parts["dev"], options.device
        )  # fmt: skip
        result.aggregation = head.aggregation
    if options.task == "moderation":
        found = measuring.thresholds(
            str(folder), result.labelled, result.parts["dev"], options.precision, options.device
        )
        head.thresholds = {label: value for label, (value, _) in found.items()}
        result.thresholds = head.thresholds
        result.reached = {label: reached for label, (_, reached) in found.items()}


def _measure(options: Options, result: Result, folder: Path, progress: Progress) -> None:
    test, labels = result.parts["test"], result.labelled.labels
    made = measuring.chain(str(folder), options.task, options.device)
    with _bar(progress, "measuring on test", len(test)) as advance:
        (found,) = measuring.annotated(made, test, advance)
    result.own = measure(options.task, labels, test, found)
    result.against = options.against
    try:
        other = measuring.chain(options.against, options.task, options.device)
    except ModelError as error:
        result.why_not = f"no comparison with {options.against}: {error}"
        return
    if not set(labels) <= measuring.labels_of(other, options.task):
        result.why_not = f"no comparison with {options.against}, whose head does not know all of these labels"
        return
    with _bar(progress, f"measuring {options.against}", len(test)) as advance:
        (found,) = measuring.annotated(other, test, advance)
    result.other = measure(options.task, labels, test, found)


@contextmanager
def _bar(progress: Progress, name: str, total: int) -> Iterator[Callable[[int], None]]:
    bar: TaskID = progress.add_task(name, total=total)
    yield lambda count: progress.advance(bar, count)
    progress.remove_task(bar)
