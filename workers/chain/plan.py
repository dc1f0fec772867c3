"""The plan of a pipeline: its models loaded, its tasks placed into stages, and the stages built."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from schemas.errors import ModelError
from schemas.pipeline import dependencies, ensembles
from schemas.pipeline.tasks import AnyTask
from workers.chain.placement import Needs, Placement, Planned
from workers.chain.stage import Stage
from workers.encoder.panics import is_panic, no_panic_report
from workers.encoder.reading import HeadInfo
from workers.encoder.tokenization import choose_cut
from workers.models.library import Library
from workers.tasks.base import Task
from workers.tasks.ensemble import Ensemble
from workers.tasks.registry import task_class

_UNSUITABLE = (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned and loaded pipeline.

    - ``stages``: in the order in which they were needed; ``Planned.stage`` indexes them.
    - ``tasks``: every task after those it needs.
    - ``models``: task name -> ``model`` and ``revision``, as the enriched event shows them.
    """

    stages: list[Stage]
    tasks: list[Planned]
    models: dict[str, dict[str, str]]


class Failures:
    """What is wrong with the models of tasks; the first failure is raised at once, or all of them at the end."""

    def __init__(self, every: bool) -> None:
        """``every``: continue after a failure, and raise all in ``raise_if_any``."""
        self._every = every
        self._messages: dict[str, str] = {}

    @contextmanager
    def of(self, task: str) -> Iterator[None]:
        """Note that ``task`` is to blame for a ModelError in the block, whose message does not name it."""
        try:
            yield
        except ModelError as error:
            self.add(task, str(error))

    def add(self, task: str, message: str) -> None:
        """Add a failure of ``task``, the first one of which counts. Raises ModelError unless all are wanted."""
        self._messages.setdefault(task, message)
        if not self._every:
            self.raise_if_any()

    def raise_if_any(self) -> None:
        """Raise ModelError with a line for each task that has failed."""
        if self._messages:
            lines = (f'task "{task}": {message}' for task, message in self._messages.items())
            raise ModelError("\n".join(lines), self._messages)


def plan(tasks: Sequence[AnyTask], library: Library, every: bool = False) -> Plan:
    """Load what ``tasks`` need, place them, and build their stages.

    Raises ModelError naming the task, with ``every`` after all have been tried and naming all that failed; and
    DeviceError.
    """
    failures = Failures(every)
    placement = Placement()
    models: dict[str, dict[str, str]] = {}
    order = _planning_order(tasks)
    for config in order:
        with failures.of(config.name), _suitable(config):
            models[config.name] = _place(config, library, placement)
    configs = {config.name: config for config in order}
    stages: dict[int, Stage] = {}
    for index, stage_plan in enumerate(placement.stages):
        first = next(iter(stage_plan.tasks))
        with failures.of(first), _suitable(configs[first]), no_panic_report():
            stages[index] = stage_plan.build()
    for planned in placement.tasks:
        if planned.stage in stages:
            try:
                planned.task.learn(partial(stages[planned.stage].read, planned.output))
            except ModelError as error:
                failures.add(planned.task.name, f"cannot work with its settings: {error}")
    by_name = {planned.task.name: planned.task for planned in placement.tasks}
    for task in by_name.values():
        if isinstance(task, Ensemble) and by_name.keys() >= task.members.keys():
            with failures.of(task.name):
                task.combine({name: by_name[name] for name in task.members})
    failures.raise_if_any()
    return Plan([stages[index] for index in sorted(stages)], placement.tasks, models)


def _place(config: AnyTask, library: Library, placement: Placement) -> dict[str, str]:
    """Make the task of ``config``, with its model if it needs one, and place it. Returns its model and revision."""
    task_type = task_class(config)
    needs = Needs.of(config)
    if task_type.head_kind is None or config.model is None:
        task = task_type(config, HeadInfo())
        reference = task.reference()
        if reference is None:
            raise ModelError(f"{config.task} needs a model")
        placement.add_without_model(task, needs, _key(task, config, reference))
        return reference
    model = library.load(config, task_type.head_kind)
    task = task_type(config, model.info)
    cut = choose_cut(config, model.tokenizer, model.trunk.capacity, task.windowed, task.paired)
    reference = {"model": config.model, "revision": model.revision}
    placement.add(task, needs, _key(task, config, reference), model, model.head.cut or cut)
    return reference


@contextmanager
def _suitable(config: AnyTask) -> Iterator[None]:
    """Turn the ways in which unsuitable models fail into ModelError."""
    try:
        yield
    except ModelError:
        raise
    except BaseException as error:
        # Architectures that lack something every encoder has fail in ways of their own, and tokenizers panic.
        if not isinstance(error, _UNSUITABLE) and not is_panic(error):
            raise
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise ModelError(f'model "{config.model}" cannot be used here ({reason})') from error


def _planning_order(tasks: Sequence[AnyTask]) -> list[AnyTask]:
    """Every task after those it needs, and those that run for every event first, so that others can ride on them."""
    order = [tasks[index] for index in dependencies.in_order([task.model_dump() for task in tasks])]
    return sorted(order, key=lambda task: not _always_runs(task, tasks))


def _always_runs(task: AnyTask, tasks: Sequence[AnyTask]) -> bool:
    """Whether neither ``task`` nor any task whose annotation it uses has a condition."""
    raw = task.model_dump()
    required = {name for _, name in (*dependencies.spans_needed(raw), *ensembles.members(raw))}
    return task.when is None and all(_always_runs(other, tasks) for other in tasks if other.name in required)


def _key(task: Task, config: AnyTask, reference: dict[str, str]) -> bytes | None:
    if not task.cacheable:
        return None
    settings = config.model_dump(mode="json", exclude={"name", "when", "shadow"})
    return hashlib.sha256(json.dumps([reference, settings], sort_keys=True).encode()).digest()
