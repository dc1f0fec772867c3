"""Which head of a pack a custom task gets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.document import Document
from schemas.errors import ModelError
from schemas.pipeline.tasks import CustomTask
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain
from workers.models.packs import STARTER, STARTER_FOLDER, HeadPack
from workers.tasks import Activation, Annotation, HeadInfo, Reading, Task, merge_windows


class Shares(Task):
    head_kind = "sequence"

    def __init__(self, config: CustomTask, head: HeadInfo) -> None:
        super().__init__(config, head)

    def activation(self) -> Activation:
        return "softmax"

    def annotate(self, document: Document, readings: list[Reading]) -> Annotation:  # type: ignore[override]
        (reading,) = readings
        scores = merge_windows(reading.windows, reading.scores, "mean").tolist()
        return {"custom": dict(zip(self.head.labels, scores, strict=True))}


def _only(name: str) -> HeadPack:
    starter = HeadPack.open(STARTER, STARTER_FOLDER)
    return replace(starter, manifest={**starter.manifest, "heads": {name: starter.manifest["heads"][name]}})


ENTRY = {"name": "shares", "task": "custom", "use": f"{__name__}:Shares", "model": "starter"}


def test_the_only_head_of_the_kind_serves_a_custom_task(monkeypatch: pytest.MonkeyPatch) -> None:
    pack = _only("sentiment")
    monkeypatch.setattr(HeadPack, "find", lambda model: pack)
    chain = Chain.load(pipeline(ENTRY, {"name": "tone", "task": "sentiment", "model": "starter"}))
    document = Document(None, "Angela Merkel loves the wonderful coffee in Paris.")
    chain.run([document])
    assert document.failure is None
    scores = document.annotations["tone"]["scores"]
    assert document.annotations["shares"]["custom"] == pytest.approx(scores, abs=1e-5)
    assert len(chain.stages) == 1


def test_several_heads_of_the_kind_or_none_are_refused_in_words() -> None:
    with pytest.raises(ModelError, match=r"the starter pack has several heads of kind sequence \(sentiment, moder"):
        Chain.load(pipeline(ENTRY))
    with pytest.raises(ModelError, match="has no head of kind token, and a custom task needs a model with exactly one"):
        _only("sentiment").only_head("token")
