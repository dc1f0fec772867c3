"""Custom tasks: found by name, run like any other task, and harmless if they break."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.document import Annotation, Document
from schemas.errors import AnnotateError, FieldError, ModelError
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from tests.workers.tasks import plain
from tests.workers.tasks.events import SECRET, TEXT, event, fails_alone, run
from workers.chain.chain import Chain
from workers.encoder.reading import Activation, HeadInfo, Reading
from workers.tasks.base import Task

HERE = "tests.workers.tasks.test_custom"


class Shout(Task):
    """Without a model: the text in capitals, followed by the option ``end``."""

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        assert not readings
        if SECRET in document.text:
            raise KeyError(document.text)
        if "refused" in document.text:
            raise AnnotateError("refused on purpose")
        return {"custom": document.text.upper() + (self.config.options or {}).get("end", "")}  # type: ignore[attr-defined]

    def reference(self) -> dict[str, str]:
        return {"model": "shout", "revision": "1"}


class Silent(Shout):
    """Has no reference, although it has no model."""

    def reference(self) -> None:  # type: ignore[override]
        return None


class Best(Task):
    """With a model: the best label of two inputs, the text and the event's ``other``."""

    head_kind = "sequence"

    def inputs(self, document: Document) -> Sequence[str]:
        if "other" not in document.fields:
            raise FieldError("there is no other")
        return (document.text, document.fields["other"])

    def activation(self) -> Activation:
        return "softmax"

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        rows = [reading.scores[0] for reading in readings]
        return {"custom": [self.head.labels[int(row.argmax())] for row in rows]}


class Strange:
    """Not a task."""


class Broken(Shout):
    """Fails without an option."""

    def __init__(self, config: Any, head: HeadInfo) -> None:
        super().__init__(config, head)
        self.size = (config.options or {})["size"]


class Choosy(Task):
    """Checks its options."""

    def __init__(self, config: Any, head: HeadInfo) -> None:
        super().__init__(config, head)
        if (config.options or {}).get("size") != 1:
            raise ModelError("size must be 1")

    def annotate(self, document: Document, readings: Sequence[Reading]) -> Annotation:
        return {"custom": None}

    def reference(self) -> dict[str, str]:
        return {"model": "choosy", "revision": "1"}


def chain(use: str = f"{HERE}:Shout", *others: dict[str, Any], **settings: Any) -> Chain:
    return Chain.load(pipeline({"name": "t", "task": "custom", "use": use, **settings}, *others))


def test_a_class_without_a_model() -> None:
    made = chain(options={"end": "!", "deep": {"er": [1, None]}})
    (annotations,) = run(made, event())
    assert annotations["t"] == {"custom": TEXT.upper() + "!"}
    assert made.models == {"t": {"model": "shout", "revision": "1"}}
    assert made.stages == []


def test_a_class_with_a_model_shares_its_forward() -> None:
    folder = tiny.checkpoint("bert", "sequence")
    other = {"name": "tone", "task": "text-classification", "model": str(folder)}
    made = chain(f"{HERE}:Best", other, model=str(folder))
    assert [list(stage.tasks) for stage in made.stages] == [["t", "tone"]]
    (annotations,) = run(made, event(other="the quick brown fox"))
    rows = [plain.read(folder, "sequence", text)[0].rows for text in (TEXT, "the quick brown fox")]
    assert annotations["t"] == {"custom": [tiny.LABELS["sequence"][int(np.argmax(row))] for row in rows]}
    fails_alone(made, {"other": "fox"}, event(SECRET), "fields", "there is no other")


def test_conditions_can_speak_of_it_and_it_can_have_one() -> None:
    tone = {"name": "tone", "task": "text-classification", "model": str(tiny.checkpoint("bert", "sequence")),
            "when": 't.custom == "FOX"'}  # fmt: skip
    made = chain(f"{HERE}:Shout", tone, when='text != "dogs"')
    annotated = run(made, event("fox"), event("dogs"), event("coffee"))
    assert [list(annotations) for annotations in annotated] == [["t", "tone"], [], ["t"]]


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        (
            f"{SECRET} again",
            "KeyError",
            "KeyError at stage annotate; its message is withheld because it may quote the text",
        ),
        ("refused", "AnnotateError", "refused on purpose"),
    ],
)
def test_what_it_raises_fails_its_event_alone(text: str, error: str, says: str) -> None:
    bad = event(text)
    fails_alone(chain(), {}, bad, "annotate", says)
    assert bad.failure is not None
    assert bad.failure.error == error


def test_an_entry_point_of_an_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    usable = EntryPoint("shout", f"{HERE}:Shout", "glossator.tasks")
    broken = EntryPoint("broken", "no.such.module:Task", "glossator.tasks")
    stranger = EntryPoint("shout", f"{HERE}:Strange", "another.group")
    every = EntryPoints([usable, broken, stranger])
    monkeypatch.setattr("workers.tasks.registry.entry_points", every.select)
    (annotations,) = run(chain("shout"), event("fox"))
    assert annotations["t"] == {"custom": "FOX"}
    with pytest.raises(ModelError, match=r'^task "t": "broken" cannot be imported: ModuleNotFoundError'):
        chain("broken")
    with pytest.raises(ModelError, match=r'^task "t": no installed package offers a task "nothing"'):
        chain("nothing")


@pytest.mark.parametrize(
    ("use", "says"),
    [
        ("no.such.module:Task", '"no.such.module:Task" cannot be imported: ModuleNotFoundError'),
        (f"{HERE}:Nothing", "cannot be imported: AttributeError"),
        (f"{HERE}:", "cannot be imported"),
        (":Shout", "cannot be imported: ValueError"),
        (f"{HERE}:Strange", "is not a subclass of workers.tasks.Task"),
        (f"{HERE}:TEXT", "is not a subclass of workers.tasks.Task"),
        (f"{HERE}:chain", "is not a subclass of workers.tasks.Task"),
        (HERE, "no installed package offers a task"),
        (f"{HERE}:Silent", "custom needs a model"),
        (f"{HERE}:Best", "custom needs a model"),
        (f"{HERE}:Choosy", "size must be 1"),
        ("workers.tasks:Task", "TypeError: Can't instantiate abstract class Task"),
        (f"{HERE}:Broken", "KeyError: 'size'"),
    ],
)
def test_what_is_no_task_is_one_clear_line_at_load(use: str, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        chain(use)
    assert str(caught.value).startswith('task "t": ')
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_module_that_fails_is_not_called_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_tasks.py").write_text("raise ValueError('no setting')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelError, match=r'^task "t": "own_tasks:Mine" cannot be imported: ValueError: no setting'):
        chain("own_tasks:Mine")


@pytest.mark.parametrize(("use", "missing"), [("custom_task:Stars", "custom_task"), ("no.such.module:Task", "no")])
def test_a_module_that_is_not_found_gets_a_hint_where_it_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, use: str, missing: str
) -> None:
    monkeypatch.delitem(sys.modules, missing, raising=False)  # the tests of the examples import one of them
    with pytest.raises(ModelError) as caught:
        chain(use)
    hint = f"; set the environment variable PYTHONPATH to the folder that contains {missing}, or install its package"
    assert str(caught.value).endswith(hint)


def test_a_module_that_lacks_another_one_gets_no_such_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lacking_tasks.py").write_text("import no_such_library")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModelError, match=r"No module named 'no_such_library'$"):
        chain("lacking_tasks:Mine")


def test_options_it_understands_are_fine() -> None:
    assert run(chain(f"{HERE}:Choosy", options={"size": 1}), event())[0]["t"] == {"custom": None}
