"""References for the tasks that read pairs or compare vectors; see ``parity_references.py``."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np

from tests.workers.encoder.parity_references import Annotation, Event, Settings, labels_of, named, pipe, read
from tests.workers.tasks import plain, squad_reference
from tests.workers.tasks.plain import Window, softmax

# Pairs


def _row(windows: list[Window], column: int) -> np.ndarray:
    """The scores of the window with the highest score in ``column``: one window that says it is enough."""
    return max((softmax(window.rows) for window in windows), key=lambda row: float(row[column]))


def inference(folder: Path, event: Event, settings: Settings) -> Annotation:
    """Laban et al. 2022: the part of a long premise that entails most decides."""
    labels = labels_of(folder)
    premise = event.far if "premise" in settings else event.text

    def judged(hypothesis: str) -> Annotation:
        return named(labels, _row(read(folder, "sequence", premise, hypothesis), labels.index("entailment")))

    if "hypotheses" not in settings:
        return judged(event.other)
    return {"hypotheses": [{"hypothesis": hypothesis, **judged(hypothesis)} for hypothesis in settings["hypotheses"]]}


def paraphrase(folder: Path, event: Event, settings: Settings) -> Annotation:
    column = labels_of(folder).index("paraphrase")
    score = float(_row(read(folder, "sequence", event.text, event.other), column)[column])
    return {"paraphrase": score >= 0.5, "score": score}


def aspects(folder: Path, event: Event, settings: Settings) -> Annotation:
    """Sun et al. 2019: pairs of the text and each aspect; the mean over windows, weighted by tokens."""
    entries = []
    for aspect in settings["aspects"]:
        windows = read(folder, "sequence", event.text, aspect)
        row = plain.mean(windows, [softmax(window.rows) for window in windows])
        entries.append({"aspect": aspect, **named(labels_of(folder), row)})
    return {"aspects": entries}


def zero_shot(folder: Path, event: Event, settings: Settings) -> Annotation:
    """The pipeline's scores; for several windows, its arithmetic on the window that entails each label most."""
    labels, template, multi = settings["labels"], settings["template"], settings["multi_label"]
    windows = [read(folder, "sequence", event.text, template.format(label)) for label in labels]
    # The pipeline refuses an empty text.
    if event.text and all(len(of_label) == 1 for of_label in windows):
        said = pipe("zero-shot-classification", folder, "sequence")(
            event.text, labels, hypothesis_template=template, multi_label=multi
        )
        scores = dict(zip(said["labels"], said["scores"], strict=True))
        return named(labels, np.array([scores[label] for label in labels]))
    if multi:
        entailed = [max(softmax(window.rows[[0, 2]])[1] for window in of_label) for of_label in windows]
        return named(labels, np.array(entailed))
    return named(labels, softmax(np.array([max(window.rows[2] for window in of_label) for of_label in windows])))


def answers(folder: Path, event: Event, settings: Settings) -> Annotation:
    """Devlin et al. 2018 and SQuAD 2.0, one pair of tokens after the other."""
    entries = []
    n_best, may_be_null = settings.get("n_best", 1), settings.get("unanswerable", True)
    for question in settings.get("questions", [event.other]):
        windows = read(folder, "span", question, event.text, "only_second")
        best, null, listed = squad_reference.answers(
            event.text, [window.encoding for window in windows], [window.rows for window in windows], n_best,
            settings.get("max_answer_tokens", 30), 0.0, may_be_null,
        )  # fmt: skip
        texts = [
            {"start": start, "end": end, "score": score, "text": event.text[start:end]} for start, end, score in listed
        ]
        made = {"question": question, "answer": texts[0] if best else None, "null_score": null}
        entries.append(made | ({"alternatives": texts} if n_best > 1 else {}))
    return {"answers": entries}


# Vectors


@cache
def _vector(folder: Path, text: str, pooling: str = "mean") -> np.ndarray:
    """The feature-extraction pipeline; for a long text the mean of its windows' vectors, weighted by tokens."""
    windows = read(folder, "embedding", text)
    if len(windows) == 1:
        states = [np.array(pipe("feature-extraction", folder, "embedding")(text)[0])]
    else:
        states = [window.rows for window in windows]
    return plain.mean(windows, [state.mean(axis=0) if pooling == "mean" else state[0] for state in states])


def embedding(folder: Path, event: Event, settings: Settings) -> Annotation:
    vector = _vector(folder, event.text, settings.get("pooling", "mean"))[: settings.get("dimensions")]
    return {"vector": (vector / np.linalg.norm(vector) if settings.get("normalize", True) else vector).tolist()}


def similarity(folder: Path, event: Event, settings: Settings) -> Annotation:
    """Reimers and Gurevych 2019: the cosine of two vectors."""

    def cosine(other: str) -> float:
        return plain.cosine(_vector(folder, event.text), _vector(folder, other))

    if "against" in settings:
        return {"score": cosine(event.far)}
    if "references" in settings:
        return named(settings["references"], np.array([cosine(other) for other in settings["references"].values()]))
    # The latest first, so that it wins over others that are as similar.
    recent = {other: cosine(other) for other in event.before[: -settings["window"] - 1 : -1]}
    if not recent:
        return {"duplicate_of": None, "score": None}
    nearest = max(recent, key=recent.__getitem__)
    id_ = f"text-{hashlib.sha256(nearest.encode()).hexdigest()[:16]}-{settings['config']}"
    return {"duplicate_of": id_ if recent[nearest] >= settings["threshold"] else None, "score": recent[nearest]}
