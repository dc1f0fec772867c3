"""Where each task goes: which stage computes its scores, and at which level it annotates. Loads nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.conditions import Condition
from schemas.document import Document
from schemas.pipeline import dependencies, ensembles
from schemas.pipeline.tasks import AnyTask
from workers.chain.forward import Output
from workers.chain.stage import Stage
from workers.encoder.tokenization import CheckpointTokenizer, Cut, Tokenization
from workers.encoder.trunk import Trunk
from workers.models.library import Model
from workers.tasks.base import Task


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
