"""The plan: which tasks share a stage, and at which level each stage runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from schemas.conditions import Condition
from schemas.document import Document
from schemas.errors import ModelError
from schemas.pipeline import dependencies, ensembles
from schemas.pipeline.tasks import AnyTask
from workers.chain.forward import Output
from workers.chain.stage import Stage
from workers.encoder.panics import is_panic, no_panic_report
from workers.encoder.reading import HeadInfo
from workers.encoder.tokenization import CheckpointTokenizer, Cut, Tokenization, choose_cut
from workers.encoder.trunk import Trunk
from workers.models.library import Library, Model
from workers.tasks.base import Task
from workers.tasks.ensemble import Ensemble
from workers.tasks.registry import task_class

_UNSUITABLE = (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a task needs of other tasks: their annotations for its condition, for its inputs, or to combine them.

    - ``condition``: decides whether the task runs for an event; None if it always does.
    - ``requires``: the names of the tasks whose spans it reads, all of which must have run.
    - ``members``: the names of the tasks that it combines, any of which must have run.
    """

    condition: Condition | None = None
    requires: tuple[str, ...] = ()
    members: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: AnyTask) -> Needs:
        """Return the needs of a task of the pipeline file. Raises ValueError for a condition that is not CEL."""
        raw = config.model_dump()
        requires = tuple(name for _, name in dependencies.spans_needed(raw))
        return cls(dependencies.condition(raw), requires, tuple(name for _, name in ensembles.members(raw)))

    @property
    def for_condition(self) -> frozenset[str]:
        """The tasks whose annotations the condition uses."""
        return self.condition.tasks if self.condition else frozenset()


@dataclass(frozen=True, slots=True)
class Planned:
    """A task and its place in the plan.

    - ``stage``, ``output``: the stage that computes its scores, and which of its outputs; None for a task without a
      model.
    - ``level``: the level whose forwards must have run before it can annotate; -1 if it needs none.
    - ``condition``, ``requires``, ``members``: as in ``Needs``.
    - ``rides``: another task makes its stage read every event's text anyway, so this one's inputs are computed with
      it, and the condition only decides whether the annotation is made. What fails for it does not concern events that
      do not want it.
    - ``key``: a hash of model, revision and settings for the cache; None if its annotations must not be cached.
    """

    task: Task
    stage: int | None
    output: int
    level: int
    condition: Condition | None
    requires: tuple[str, ...]
    rides: bool
    key: bytes | None
    members: tuple[str, ...] = ()

    @property
    def conditional(self) -> bool:
        """Whether there may be events that the task does not run for."""
        return self.condition is not None or bool(self.requires or self.members)

    @property
    def undecided(self) -> bool:
        """Whether its condition can be evaluated only after the forward that it rides on."""
        return self.rides and bool(self.needs)

    @property
    def shadow(self) -> bool:
        """Whether its annotation is not published, only compared with that of another task."""
        return self.task.config.shadow is not None

    @property
    def tolerated(self) -> bool:
        """Whether a failure of its inputs or scores is not, or not yet, a failure of the event."""
        return self.undecided or self.shadow

    @property
    def needs(self) -> frozenset[str]:
        """The tasks that must have annotated before it is known whether, and on what, this one runs."""
        return (self.condition.tasks if self.condition else frozenset()) | {*self.requires, *self.members}

    def runs_for(self, document: Document) -> bool:
        """Decide whether the task runs for ``document``, whose earlier annotations are there. Raises ConditionError."""
        if not self.conditional:
            return True
        if any(name not in document.annotations for name in self.requires):
            return False
        if self.members and not any(name in document.annotations for name in self.members):
            return False
        return self.condition is None or self.condition.holds_for(document)


@dataclass(slots=True)
class StagePlan:
    """A stage to be built.

    - ``trunk``, ``tokenizer``, ``cut``, ``level``: what tasks must agree in to share it.
    - ``outputs``: the heads, equal ones once. ``tasks``: task name -> the index of its output.
    - ``conditional``: whether every task has a condition.
    - ``reads_every_text``: whether a task without a condition reads the text of the event.
    - ``tolerated``: the tasks that are ``Planned.tolerated``.
    """

    trunk: Trunk
    tokenizer: CheckpointTokenizer
    cut: Cut
    level: int
    outputs: list[Output] = field(default_factory=list)
    tasks: dict[str, int] = field(default_factory=dict)
    conditional: bool = True
    reads_every_text: bool = False
    tolerated: set[str] = field(default_factory=set)

    def add(self, name: str, output: Output) -> int:
        """Add a task and return the index of its output."""
        if output not in self.outputs:
            self.outputs.append(output)
        self.tasks[name] = self.outputs.index(output)
        return self.tasks[name]

    def build(self) -> Stage:
        """Build the stage."""
        tokenizer = self.tokenizer
        tokenization = Tokenization(tokenizer.tokenizer, self.cut, tokenizer.types, tokenizer.symbols, tokenizer.unk_id)
        return Stage(
            self.trunk, tokenization, self.outputs, self.tasks,
            level=self.level, conditional=self.conditional, tolerated=self.tolerated,
        )  # fmt: skip


class Placement:
    """Places tasks one by one, each after all it needs. Loads nothing and computes nothing.

    Tasks share a stage if they have the same trunk and tokenizer, cut their inputs alike and run at the same level.
    """

    def __init__(self) -> None:
        """Start without tasks."""
        self.tasks: list[Planned] = []
        self.stages: list[StagePlan] = []

    def add_without_model(self, task: Task, needs: Needs, key: bytes | None) -> None:
        """Place a task that has no model: it runs as soon as all it needs is there."""
        level = self._available({*needs.requires, *needs.members, *needs.for_condition})
        self.tasks.append(Planned(task, None, 0, level, needs.condition, needs.requires, False, key, needs.members))

    def add(self, task: Task, needs: Needs, key: bytes | None, model: Model, cut: Cut) -> None:
        """Place a task with a model: in the first stage that can serve it, or in a new one."""
        inputs_from = self._available(needs.requires) + 1
        decided_from = self._available(needs.for_condition) + 1
        conditional = needs.condition is not None or self._any_conditional(needs.requires)
        # Only a task whose single input is the text can ride, or be ridden on.
        reads_text = type(task).inputs is Task.inputs
        fitting = [
            index
            for index, stage in enumerate(self.stages)
            if stage.trunk is model.trunk
            and stage.cut == cut
            and stage.tokenizer.tokenizer is model.tokenizer.tokenizer
            and stage.tokenizer.symbols == model.tokenizer.symbols
        ]
        place = self._to_ride_on(fitting, inputs_from) if conditional and reads_text else None
        rides = place is not None
        if place is None:
            place = self._at_level(max(inputs_from, decided_from), fitting, model, cut)
            stage = self.stages[place]
            stage.conditional = stage.conditional and conditional
            stage.reads_every_text = stage.reads_every_text or (reads_text and not conditional)
        stage = self.stages[place]
        level = max(stage.level, decided_from - 1)
        output = stage.add(task.name, Output(model.head, task.activation()))
        planned = Planned(task, place, output, level, needs.condition, needs.requires, rides, key)
        self.tasks.append(planned)
        if planned.tolerated:
            stage.tolerated.add(task.name)

    def _to_ride_on(self, fitting: Sequence[int], inputs_from: int) -> int | None:
        """Return the first fitting stage that reads every text, and not before the task's inputs are known."""
        stages = self.stages
        return next((n for n in fitting if stages[n].reads_every_text and stages[n].level >= inputs_from), None)

    def _at_level(self, level: int, fitting: Sequence[int], model: Model, cut: Cut) -> int:
        """Return the first fitting stage at ``level``, or a new one."""
        place = next((index for index in fitting if self.stages[index].level == level), None)
        if place is None:
            place = len(self.stages)
            self.stages.append(StagePlan(model.trunk, model.tokenizer, cut, level))
        return place

    def _available(self, names: Iterable[str]) -> int:
        """Return the level after whose forwards all of ``names`` can annotate; -1 if they need none."""
        return max((planned.level for planned in self.tasks if planned.task.name in set(names)), default=-1)

    def _any_conditional(self, names: Iterable[str]) -> bool:
        """Whether there may be events that one of ``names`` does not run for."""
        required = [planned for planned in self.tasks if planned.task.name in set(names)]
        return any(planned.condition or self._any_conditional(planned.requires) for planned in required)


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
        """``every``: go on after a failure, and raise all in ``raise_if_any``."""
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
