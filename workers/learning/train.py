"""``glossator train``: turn labelled texts into a pack that a pipeline file can name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import Progress, TaskID
from torch import Tensor, nn

from schemas.errors import ModelError
from schemas.pipeline.config import Compute
from workers.drift.reference import Recorder
from workers.drift.tally import Kind
from workers.encoder.packing import Ints
from workers.heads.pack_heads import ScoreMix
from workers.learning import measuring, transitions
from workers.learning.card import Result, card
from workers.learning.examples import Task
from workers.learning.loading import Sources, load_examples
from workers.learning.metrics import OVERALL, Metric, measure
from workers.learning.splits import split
from workers.learning.states import Adapting, Kept
from workers.learning.targets import targets
from workers.learning.teaching import ADAPTING, KINDS, PACES, teach
from workers.learning.trunks import Base, Windows, make_windows, open_trunk
from workers.learning.writing import CARD, beside, write
from workers.models import adapter

ANNOTATED: dict[Task, Kind] = {
    "sentiment": "classification", "text-classification": "classification", "ner": "spans", "moderation": "moderation",
}  # fmt: skip
RANK = 16
"""The rank of adapters."""


@dataclass(frozen=True)
class Options:
    """The options of ``glossator train``.

    - ``sources``: the labelled texts; ``task``: the task of the head; ``out``: the folder to write.
    - ``trunk``: "starter", a hub id or a checkpoint's folder; ``adapt``: whether to train an adapter too.
    - ``precision``: for moderation, the precision that thresholds should reach on dev.
    - ``seed``: of everything random; ``device``: as in ``compute.device``.
    - ``against``: the model whose head is measured too, for comparison.
    """

    sources: Sources
    task: Task
    out: Path
    trunk: str = "starter"
    adapt: bool = False
    precision: float = 0.9
    seed: int = 0
    device: str = "auto"
    against: str = "starter"


def train(options: Options, progress: Progress) -> Result:
    """Train a head and write the pack to ``options.out``, either completely or not at all.

    ``progress`` shows one bar per phase. Blocks for minutes; an interrupt leaves nothing behind.

    Raises:
        LabelsError: if the texts cannot be used.
        ModelError: if the trunk cannot be loaded or trained.
        DeviceError: if the device is missing or fails.
    """
    labelled = load_examples(options.sources, options.task)
    parts = split(labelled)
    base = open_trunk(options.trunk, Compute(device=options.device))
    with beside(options.out) as folder:
        result = Result(
            options.out, options.trunk, options.adapt, labelled, parts, precision=options.precision, seed=options.seed
        )
        head, weights, learnt = _learn(options, result, base, folder, progress)
        save = partial(write, folder, options.task, base.entry, head, weights)
        save()
        _choose(options, result, head, folder, learnt=learnt, save=save)
        save()
        head.reference = _measure(options, result, folder, progress)
        save()
        (folder / CARD).write_text(card(result), encoding="utf-8")
    return result


def _learn(
    options: Options, result: Result, base: Base, folder: Path, progress: Progress
) -> tuple[ScoreMix, dict[str, Tensor] | None, Tensor | None]:
    """Train and return the head, the tensors of the adapter if one is requested, and the transitions of names."""
    task, labels = options.task, result.labelled.labels
    examples = [*result.parts["train"], *result.parts["dev"]]
    with _bar(progress, "tokenizing", len(examples) + len(result.parts["test"])) as advance:
        windows = make_windows(base.stage, examples, advance)
        # Texts that cannot be tokenized should be reported now, not after training.
        make_windows(base.stage, result.parts["test"], advance)
    numbers = np.arange(len(windows))
    first_dev = len(result.parts["train"])
    chosen: dict[str, Ints] = {
        "train": numbers[windows.owners < first_dev], "dev": numbers[windows.owners >= first_dev],
    }  # fmt: skip
    expected = targets(task, labels, examples, windows, chosen["train"])
    torch.manual_seed(options.seed)
    adapting = _adapting(options, base, windows) if options.adapt else None
    if adapting is None:
        with _bar(progress, "running the trunk", len(examples)) as advance:
            source: Kept | Adapting = Kept(base.stage, windows, KINDS[task], folder, advance)
    else:
        source = adapting
    bar = progress.add_task("training", total=None)
    head, result.dev_loss = teach(
        task, labels, source, expected, parts=chosen, pace=ADAPTING if adapting else PACES[KINDS[task]],
        trunk=adapting.model if adapting else None, seed=options.seed,
        on_plan=lambda steps: progress.update(bar, total=steps),
        on_step=lambda: progress.advance(bar),
        on_epoch=lambda epoch, loss: progress.update(bar, description=f"epoch {epoch}, dev loss {loss:.4f}"),
    )  # fmt: skip
    progress.remove_task(bar)
    learnt = transitions.learn(head, source, expected, chosen["train"], base.info) if task == "ner" else None
    if adapting is None:
        return head, None, learnt
    nn.Module.to(adapting.model, "cpu")
    return head, adapter.extract(adapting.model, adapting.original), learnt


def _adapting(options: Options, base: Base, windows: Windows) -> Adapting:
    model = base.model()
    try:
        return Adapting(model, windows, RANK, base.stage.trunk.device)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(
            f'model "{options.trunk}" cannot take an adapter ({type(error).__name__}); train without --adapt'
        ) from error


def _choose(
    options: Options, result: Result, head: ScoreMix, folder: Path, *, learnt: Tensor | None, save: Callable[[], None]
) -> None:
    """Choose aggregation, transitions and thresholds on dev, by running the whole way from text to annotation."""
    result.temperature = float(head.temperature)
    if options.task == "ner":
        head.aggregation, without = measuring.best_aggregation(
            str(folder), result.labelled, result.parts["dev"], options.device
        )
        result.aggregation = head.aggregation
        if learnt is not None:
            _choose_transitions(options, result, head, folder, learnt=learnt, without=without, save=save)
    if options.task == "moderation":
        chosen = measuring.thresholds(
            str(folder), result.labelled, result.parts["dev"], options.precision, options.device
        )
        head.thresholds = {label: value for label, (value, _) in chosen.items()}
        result.thresholds = head.thresholds
        result.reached = {label: reached for label, (_, reached) in chosen.items()}


def _choose_transitions(
    options: Options, result: Result, head: ScoreMix, folder: Path,
    *, learnt: Tensor, without: Metric, save: Callable[[], None],
) -> None:  # fmt: skip
    """Give ``head`` the transitions ``learnt``, and the aggregation that is best with them, unless dev loses by that.

    They usually help, but a dev split of fifty texts cannot show that: so a loss counts only beyond the standard error.
    ``without``: span F1 on dev without them.
    """
    head.transitions = learnt
    save()
    aggregation, with_them = measuring.best_aggregation(
        str(folder), result.labelled, result.parts["dev"], options.device, measuring.OF_WORDS
    )
    # A 95 % interval is as wide as 3.92 standard errors. If there is nothing to compare, they are kept.
    result.transitions = not with_them.value < without.value - (without.high - without.low) / 3.92
    if result.transitions:
        head.aggregation = result.aggregation = aggregation
    else:
        head.transitions = None


def _measure(options: Options, result: Result, folder: Path, progress: Progress) -> Mapping[str, Any] | None:
    """Measure the head on test, and the one to compare with.

    Returns how the head's annotations of dev and test are distributed, with which the stream's will be compared.
    """
    test, dev, labels = result.parts["test"], result.parts["dev"], result.labelled.labels
    trained = measuring.load_chain(str(folder), options.task, options.device)
    recorder = Recorder(ANNOTATED[options.task])
    with _bar(progress, "measuring on test", len(test) + len(dev)) as advance:
        (annotations,) = measuring.annotate(trained, test, advance, partial(recorder.see, "variant0"))
        measuring.annotate(trained, dev, advance, partial(recorder.see, "variant0"))
    result.metrics = measure(options.task, labels, test, annotations)
    _compare(options, result, progress)
    reference = recorder.reference()
    return None if reference is None else reference.model_dump()


def _compare(options: Options, result: Result, progress: Progress) -> None:
    """Measure the head to compare with, in the labels that it gives."""
    test, labels = result.parts["test"], result.labelled.labels
    result.against = options.against
    try:
        baseline, missing = measuring.load_baseline(options.against, options.task, labels, options.device)
    except ModelError as error:
        result.against_note = f"no comparison with {options.against}: {error}"
        return
    with _bar(progress, f"measuring {options.against}", len(test)) as advance:
        (annotations,) = measuring.annotate(baseline, test, advance)
    measured = measure(options.task, [label for label in labels if label not in missing], test, annotations)
    if missing:
        lacking = ", ".join(sorted(missing))
        result.against_note = f"{options.against} does not give {lacking}: only the others are compared"
        measured = [metric for metric in measured if metric.name not in OVERALL]
    result.baseline = measured


@contextmanager
def _bar(progress: Progress, name: str, total: int) -> Iterator[Callable[[int], None]]:
    bar: TaskID = progress.add_task(name, total=total)
    yield lambda count: progress.advance(bar, count)
    progress.remove_task(bar)
