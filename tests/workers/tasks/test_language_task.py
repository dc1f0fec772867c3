"""Languages by the library and by a model, through the chain."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest

from schemas.errors import ModelError
from schemas.labels import LANGUAGES
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from tests.workers.tasks import plain
from tests.workers.tasks.events import TEXT, event, run
from workers.chain.chain import Chain
from workers.tasks.language_detector import Detector

CODES = ("en", "de", "fr", "ja")
ENGLISH = "the coffee was good and the train was on time this morning"
GERMAN = "der Kaffee war gut und der Zug kam heute Morgen pünktlich"
LONG = "Das Café in Zürich schließt schon um fünf Uhr, again and again. " * 6


def chain(*others: dict[str, Any], **settings: Any) -> Chain:
    return Chain.load(pipeline({"name": "t", "task": "language", **settings}, *others))


@cache
def library() -> Chain:
    """Shared, because every new one loads its model."""
    return chain()


def folder(labels: tuple[str, ...] = CODES) -> Any:
    return tiny.checkpoint("bert", "sequence", 3, labels)


def test_the_library_needs_no_model_and_says_what_it_is() -> None:
    made = library()
    english, german = run(made, event(ENGLISH), event(GERMAN))
    assert (english["t"]["label"], german["t"]["label"]) == ("en", "de")
    assert made.stages == []
    assert made.models == {"t": {"model": "py3langid", "revision": version("py3langid")}}


@pytest.mark.parametrize("top", [2, 100])
@pytest.mark.parametrize("model", [False, True])
def test_the_likeliest_stand_first(top: int, model: bool) -> None:
    settings = {"model": str(folder())} if model else {"languages": list(CODES)}
    (annotations,) = run(chain(top=top, **settings), event(ENGLISH))
    scores = list(annotations["t"]["scores"].values())
    assert len(scores) == min(top, 4)
    assert scores == sorted(scores, reverse=True)
    assert (annotations["t"]["label"], annotations["t"]["score"]) == (next(iter(annotations["t"]["scores"])), scores[0])
    if top > 3:
        assert sum(scores) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("text", ["", "  ", "12345 !?", "\N{PILE OF POO}"])
def test_what_is_in_no_language(text: str) -> None:
    assert run(library(), event(text))[0]["t"] == {"label": "und", "score": 0.0, "scores": {"und": 0.0}}


def test_below_the_threshold_the_language_is_undetermined() -> None:
    annotated = run(library(), event("good day sir"), event("Мне нужен возврат денег"), event(ENGLISH))
    assert [annotations["t"]["label"] for annotations in annotated] == ["und", "und", "en"]
    assert annotated[0]["t"]["score"] == 0.0
    assert len(annotated[0]["t"]["scores"]) == 3
    assert "und" not in annotated[0]["t"]["scores"]
    (free,) = run(chain(threshold=0.0), event("good day sir"))
    assert free["t"]["label"] == next(iter(free["t"]["scores"]))
    assert free["t"]["scores"] == annotated[0]["t"]["scores"]
    assert run(chain(threshold=1.0), event(TEXT))[0]["t"]["label"] == "und"


def test_a_models_answer_has_no_threshold_unless_the_file_sets_one() -> None:
    (free,) = run(chain(model=str(folder()), top=4), event())
    (strict,) = run(chain(model=str(folder()), top=4, threshold=1.0), event())
    assert free["t"]["label"] in CODES
    assert strict["t"] == {"label": "und", "score": 0.0, "scores": free["t"]["scores"]}


def test_of_chosen_languages_none_is_written_so() -> None:
    made = chain(languages=["en", "de", "fr"])
    annotated = run(made, event("Πού είναι η παραγγελία μου;"), event("شكرا"), event("wo ist meine Bestellung"))
    assert [annotations["t"]["label"] for annotations in annotated] == ["und", "und", "de"]
    assert set(annotated[2]["t"]["scores"]) == {"en", "de", "fr"}


def test_a_model_whose_labels_are_codes() -> None:
    for text in (TEXT, LONG):
        windows = plain.read(folder(), "sequence", text)
        row = plain.mean(windows, [plain.softmax(window.rows) for window in windows])
        (annotations,) = run(chain(model=str(folder()), top=4), event(text))
        assert annotations["t"]["scores"] == pytest.approx(dict(zip(CODES, row.tolist(), strict=True)), abs=1e-4)
        assert annotations["t"]["label"] == CODES[int(np.argmax(row))]


def test_of_the_languages_asked_for_the_scores_add_up_to_one() -> None:
    (window,) = plain.read(folder(), "sequence", TEXT)
    shares = plain.softmax(window.rows)[[3, 1]]
    (annotations,) = run(chain(model=str(folder()), languages=["ja", "de"]), event())
    assert annotations["t"]["scores"] == pytest.approx(
        dict(zip(("ja", "de"), shares / shares.sum(), strict=True)), abs=1e-4
    )


def test_a_language_that_is_not_known_is_refused_at_load() -> None:
    with pytest.raises(ModelError, match=r'^task "t": model ".*" has no label "xx"; it has: en, de, fr, ja'):
        chain(model=str(folder()), languages=["en", "xx"])
    with pytest.raises(ModelError, match=r'^task "t": py3langid does not know xx'):
        chain(languages=["en", "xx"])


def test_the_languages_that_a_file_may_name_are_the_librarys() -> None:
    assert set(Detector(LANGUAGES).known) == set(LANGUAGES)


def test_it_decides_who_comes_next() -> None:
    tone = {"name": "tone", "task": "text-classification", "model": str(tiny.checkpoint("bert", "sequence")),
            "when": 't.label == "de"'}  # fmt: skip
    annotated = run(chain(tone), event(ENGLISH), event(GERMAN), event("12345"))
    assert [list(annotations) for annotations in annotated] == [["t"], ["t", "tone"], ["t"]]


def test_a_text_that_cannot_be_told_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    detect = Detector.detect

    def spoiled(self: Detector, texts: Any, top: int | None = None) -> Any:
        if GERMAN in texts:
            raise RuntimeError
        return detect(self, texts, top)

    monkeypatch.setattr(Detector, "detect", spoiled)
    documents = [event(ENGLISH), event(GERMAN), event(ENGLISH)]
    library().run(documents)
    assert [document.failure and document.failure.task for document in documents] == [None, "t", None]
    assert [document.annotations["t"]["label"] for document in documents if document.failure is None] == ["en", "en"]


def test_only_the_texts_that_are_wanted_are_read_and_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    detect, read = Detector.detect, list[list[str]]()

    def seen(self: Detector, texts: Any, top: int | None = None) -> Any:
        read.append(list(texts))
        return detect(self, texts, top)

    made = chain(when="size(text) > 10")
    monkeypatch.setattr(Detector, "detect", seen)
    annotated = run(made, event(ENGLISH), event("short"), event(GERMAN))
    assert [list(annotations) for annotations in annotated] == [["t"], [], ["t"]]
    assert read == [[ENGLISH, GERMAN]]
