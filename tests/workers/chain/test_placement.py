"""Placement: which tasks share a stage, decided without loading a model."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from schemas.conditions import Condition
from schemas.document import Annotation, Document
from workers.chain.placement import Needs, Placement, Planned
from workers.encoder.reading import HeadInfo, Input, Reading
from workers.encoder.tokenization import Cut
from workers.tasks.base import Task

LONG, SHORT = Cut(48, 12), Cut(16, 4)


class Label(Task):
    """Reads the text."""

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        return {}


class Claim(Label):
    """Reads a pair."""

    def inputs(self, document: Document) -> Sequence[Input]:
        return [(document.text, "a claim")]


def model(tokenizer: Any, trunk: Any) -> Any:
    """A model with a new head."""
    return SimpleNamespace(
        trunk=trunk, head=object(), tokenizer=SimpleNamespace(tokenizer=tokenizer, types=True, symbols="")
    )


class Case:
    """A placement with two trunks of one tokenizer."""

    def __init__(self) -> None:
        self.placement, self.tokenizer, self.trunks = Placement(), object(), (object(), object())

    def add(
        self, name: str, kind: type[Task] = Label, *, trunk: int = 0, cut: Cut = LONG, when: str | None = None,
        requires: tuple[str, ...] = (), head: Any = None,
    ) -> Planned:  # fmt: skip
        config: Any = SimpleNamespace(name=name, shadow=None)
        loaded = head or model(self.tokenizer, self.trunks[trunk])
        needs = Needs(Condition(when) if when else None, requires)
        self.placement.add(kind(config, HeadInfo()), needs, None, loaded, cut)
        return self.placement.tasks[-1]

    def stages(self) -> list[tuple[int, list[str], bool]]:
        return [(stage.level, list(stage.tasks), stage.conditional) for stage in self.placement.stages]


def test_trunk_cut_and_tokenizer_decide_who_shares_a_stage() -> None:
    case = Case()
    case.add("a")
    case.add("b")
    case.add("c", trunk=1)
    case.add("d", cut=SHORT)
    case.add("e", head=model(object(), case.trunks[0]))
    assert case.stages() == [(0, ["a", "b"], False), (0, ["c"], False), (0, ["d"], False), (0, ["e"], False)]


def test_equal_outputs_are_in_a_stage_once() -> None:
    case = Case()
    head = model(case.tokenizer, case.trunks[0])
    assert [case.add(name, head=head).output for name in "ab"] == [0, 0]
    assert case.add("c").output == 1
    assert len(case.placement.stages[0].outputs) == 2


def test_a_condition_rides_if_it_can_and_else_waits() -> None:
    case = Case()
    case.add("a")
    rider = case.add("b", when="a.score > 0.5")
    waiting = case.add("c", trunk=1, when="b.score > 0.5")
    pair = case.add("d", Claim, when="a.score > 0.5")
    assert (rider.rides, rider.stage, rider.level) == (True, 0, 0)
    assert (waiting.rides, waiting.stage, waiting.level) == (False, 1, 1)
    assert (pair.rides, pair.stage, pair.level) == (False, 2, 1)
    assert case.stages() == [(0, ["a", "b"], False), (1, ["c"], True), (1, ["d"], True)]


def test_what_requires_spans_runs_after_them_and_only_where_they_are() -> None:
    case = Case()
    case.add("spans", when="event.n == 1")
    needy = case.add("aspects", Claim, requires=("spans",))
    assert (needy.conditional, needy.level) == (True, 1)
    assert case.stages() == [(0, ["spans"], True), (1, ["aspects"], True)]


def test_a_task_without_a_model_takes_no_level() -> None:
    case = Case()
    config: Any = SimpleNamespace(name="language", shadow=None)
    case.placement.add_without_model(Label(config, HeadInfo()), Needs(), None)
    assert case.placement.tasks[-1].level == -1
    case.add("a", when='language.label == "en"')
    assert case.stages() == [(0, ["a"], True)]
