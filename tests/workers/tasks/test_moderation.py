"""Moderation: thresholds, taxonomy, and what is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.annotations import Moderation as Contract
from schemas.document import Document
from schemas.errors import ModelError
from schemas.pipeline.tasks import ModerationTask
from tests.workers.tasks import small
from workers.encoder.reading import HeadInfo, Reading
from workers.tasks.moderation import Moderation

TOXIC = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")


def task(labels: tuple[str, ...], multi_label: bool = True, calibrated: Any = None, **more: Any) -> Moderation:
    return Moderation(
        ModerationTask(name="mod", model="m", task="moderation", **more), HeadInfo(labels, multi_label, calibrated)
    )


def said(made: Moderation, *rows: list[float]) -> dict[str, Any]:
    windows = small.windows_of("bert", "the " * (6 * len(rows)), 8, 0)[: len(rows)]
    assert len(windows) == len(rows)
    return made.annotate(Document(None, "the"), [Reading(windows, [np.array(row, np.float32) for row in rows])])


def flags(made: Moderation, *rows: list[float]) -> dict[str, bool]:
    return {label["label"]: label["flagged"] for label in said(made, *rows)["labels"]}


def test_labels_have_the_standard_names_and_come_highest_first() -> None:
    assert said(task(TOXIC), [0.9, 0.1, 0.5, 0.2, 0.3, 0.0]) == {
        "flagged": True,
        "labels": [
            {"label": "toxicity", "score": 0.9, "flagged": True},
            {"label": "profanity", "score": 0.5, "flagged": True},
            {"label": "harassment", "score": 0.3, "flagged": False},
            {"label": "violence", "score": 0.2, "flagged": False},
            {"label": "severe_toxicity", "score": 0.1, "flagged": False},
            {"label": "hate", "score": 0.0, "flagged": False},
        ],
    }


def test_taxonomy_model_keeps_the_models_names_and_a_map_gives_ones_own() -> None:
    assert set(flags(task(TOXIC, taxonomy="model"), [0.0] * 6)) == set(TOXIC)
    mapped = task(TOXIC, taxonomy={"toxic": "rude", "insult": "rude"})
    annotation = said(mapped, [0.2, 0.0, 0.0, 0.0, 0.4, 0.0])
    assert annotation["labels"][0] == {"label": "rude", "score": 0.4, "flagged": False}
    assert len(annotation["labels"]) == 5


UNBIASED = (
    "toxicity", "severe_toxicity", "obscene", "identity_attack", "insult", "threat", "sexual_explicit", "male",
    "female", "homosexual_gay_or_lesbian", "christian", "jewish", "muslim", "black", "white",
    "psychiatric_or_mental_illness",
)  # fmt: skip
"""The labels of unitary/unbiased-toxic-roberta."""
KOALA = ("H", "H2", "HR", "OK", "S", "S3", "SH", "V", "V2")
"""The labels of KoalaAI/Text-Moderation."""
NAMES = (
    (TOXIC, "perspective", ["TOXICITY", "SEVERE_TOXICITY", "PROFANITY", "THREAT", "INSULT", "IDENTITY_ATTACK"]),
    (UNBIASED, "perspective",
     ["TOXICITY", "SEVERE_TOXICITY", "PROFANITY", "IDENTITY_ATTACK", "INSULT", "THREAT", "SEXUALLY_EXPLICIT"]),
    (("non-offensive", "offensive"), "perspective", ["TOXICITY"]),
    (("non-hate", "hate"), "perspective", ["IDENTITY_ATTACK"]),
    (("hate speech", "offensive language", "neither"), "perspective", ["IDENTITY_ATTACK", "TOXICITY"]),
    (TOXIC, "openai", ["harassment/threatening", "harassment", "hate"]),
    (KOALA, "openai",
     ["hate", "hate/threatening", "harassment", "sexual", "sexual/minors", "self-harm", "violence",
      "violence/graphic"]),
    (UNBIASED, "mlcommons", ["hate", "sexual_content"]),
    (UNBIASED, "standard",
     ["toxicity", "severe_toxicity", "profanity", "hate", "harassment", "violence", "sexual"]),
    (UNBIASED, "model", list(UNBIASED)),
)  # fmt: skip


@pytest.mark.parametrize(("labels", "taxonomy", "names"), NAMES)
def test_labels_of_common_checkpoints_get_the_names_of_a_taxonomy(
    labels: tuple[str, ...], taxonomy: str, names: list[str]
) -> None:
    row = [1 - number / 100 for number in range(len(labels))]
    made = task(labels, multi_label=labels in {TOXIC, UNBIASED}, taxonomy=taxonomy)
    assert [label["label"] for label in said(made, row)["labels"]] == names


def test_what_a_closed_taxonomy_lacks_is_remarked() -> None:
    assert task(TOXIC, taxonomy="perspective").remarks == [
        "the model cannot give SEXUALLY_EXPLICIT, so no event has them"
    ]
    absent, ignored = task(UNBIASED, taxonomy="openai").remarks
    assert absent.startswith("the model cannot give hate/threatening, illicit, illicit/violent, self-harm, ")
    assert ignored.startswith("the model's labels toxicity, severe_toxicity, obscene, male, female, ")
    assert task(TOXIC).remarks == []
    assert len(task(UNBIASED).remarks) == 1


def test_a_model_that_cannot_serve_a_taxonomy_at_all_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"no label with a counterpart in taxonomy openai \(harassment, .*it has: spam"
    ):
        task(("spam", "ok"), taxonomy="openai")


def test_of_labels_that_share_a_name_the_highest_score_stands_and_any_flag_counts() -> None:
    made = task(("hate", "hateful"), threshold={"hate": 0.2, "hateful": 0.9})
    assert said(made, [0.3, 0.8]) == {"flagged": True, "labels": [{"label": "hate", "score": 0.8, "flagged": True}]}


@given(st.floats(0, 1, width=32), st.floats(0, 1, width=32))
def test_flagged_from_the_threshold_on(score: float, threshold: float) -> None:
    annotation = said(task(("spam",), threshold=threshold), [score])
    assert (
        annotation["flagged"] is annotation["labels"][0]["flagged"] is (annotation["labels"][0]["score"] >= threshold)
    )
    assert annotation["labels"][0]["score"] == pytest.approx(score, abs=1e-6)


def test_where_a_threshold_comes_from() -> None:
    labels, calibrated = ("toxic", "insult", "threat"), {"toxic": 0.1, "insult": 0.1}
    row = [0.3, 0.3, 0.3]
    for threshold, flagged in (
        (None, [True, True, False]),
        (0.3, [True, True, True]),
        ({"toxic": 0.4}, [False, True, False]),
        ({"toxicity": 0.4, "default": 0.2}, [False, True, True]),
        ({"toxicity": 0.4, "toxic": 0.2}, [True, True, False]),
    ):
        made = task(labels, calibrated=calibrated, threshold=threshold, taxonomy="standard")
        by_label = flags(made, row)
        assert [by_label[name] for name in ("toxicity", "harassment", "violence")] == flagged, threshold


@pytest.mark.parametrize("clean", ["neither", "Non-Toxic", "OK", "nothate"])
def test_a_clean_label_is_left_out_and_means_softmax(clean: str) -> None:
    made = task((clean, "offensive"), multi_label=False)
    assert made.activation() == "softmax"
    assert said(made, [0.9, 0.1])["labels"] == [{"label": "harassment", "score": 0.1, "flagged": False}]
    assert task((clean, "offensive"), multi_label=True).activation() == "sigmoid"


def test_without_a_clean_label_every_label_stands_for_itself() -> None:
    assert task(TOXIC, multi_label=False).activation() == "sigmoid"


def test_labels_that_say_nothing_must_be_named() -> None:
    unnamed = ("LABEL_0", "LABEL_1")
    with pytest.raises(ModelError, match="has labels without a meaning"):
        task(unnamed, multi_label=False)
    made = task(unnamed, multi_label=False, taxonomy={"LABEL_0": "clean", "LABEL_1": "toxicity"})
    assert made.activation() == "softmax"
    assert said(made, [0.2, 0.8])["labels"] == [{"label": "toxicity", "score": 0.8, "flagged": True}]


def test_windows_are_merged_as_asked() -> None:
    rows = ([0.9], [0.1])
    assert said(task(("spam",)), *rows)["labels"][0]["score"] == pytest.approx(0.9)
    assert said(task(("spam",), merge="mean"), *rows)["labels"][0]["score"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"threshold": {"insullt": 0.5}}, r'no label "insullt" to set a threshold for, did you mean "insult"\? '),
        ({"threshold": {"neutral": 0.5}}, r'no label "neutral" to set a threshold for'),
        ({"taxonomy": {"toxik": "bad"}}, r'no label "toxik" to set a taxonomy for, did you mean "toxic"'),
    ],
)
def test_labels_the_head_lacks_are_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        task(("toxic", "insult", "neutral"), **settings)


def test_a_head_with_nothing_to_flag_is_refused() -> None:
    for labels in (("neutral",), ()):
        with pytest.raises(ModelError, match="no label that can be flagged"):
            task(labels)


def judged(made: Moderation, text: str, *rows: tuple[list[float], float]) -> dict[str, Any]:
    """The annotation of a text; ``rows``: for it and each sentence, the scores and the unknown share."""
    (window,) = small.windows_of("bert", "the")
    readings = [Reading([window], [np.array(row, np.float32)], unknown) for row, unknown in rows]
    assert len(readings) == len(made.inputs(Document(None, text)))
    return made.annotate(Document(None, text), readings)


def test_sentences_are_read_alone_and_have_scores_of_their_own() -> None:
    made = task(("toxic", "insult"), taxonomy="perspective", threshold={"INSULT": 0.7, "default": 0.5}, sentences=True)
    text = " What kind of idiot name is foo? Sorry, I like your name."
    assert made.inputs(Document(None, text)) == (text, "What kind of idiot name is foo?", "Sorry, I like your name.")
    annotation = judged(made, text, ([0.75, 0.25], 0.0), ([0.875, 0.5], 0.0), ([0.125, 0.0625], 0.0))
    assert annotation["labels"][0] == {"label": "TOXICITY", "score": 0.75, "flagged": True}
    assert annotation["sentences"] == [
        {"start": 1, "end": 32, "flagged": True, "scores": {"TOXICITY": 0.875, "INSULT": 0.5}},
        {"start": 33, "end": 57, "flagged": False, "scores": {"TOXICITY": 0.125, "INSULT": 0.0625}},
    ]
    Contract.model_validate(annotation, strict=True)


def test_a_sentence_that_the_model_cannot_read_has_no_scores() -> None:
    made = task(("toxic",), sentences=True, max_unknown=0.5)
    annotation = judged(made, "One. Two.", ([0.5], 0.4), ([0.25], 0.75), ([0.125], 0.5))
    assert [(sentence["start"], sentence["end"]) for sentence in annotation["sentences"]] == [(5, 9)]


def test_without_sentences_none_are_read() -> None:
    assert task(("toxic",)).inputs(Document(None, "One. Two.")) == ("One. Two.",)
    assert "sentences" not in said(task(("toxic",)), [0.5])


def test_the_highest_score_of_a_text_and_its_views_counts_for_each_label() -> None:
    made = task(("toxic", "insult"), disguises=True, threshold=0.5)
    text = "a f00l and an 1d10t"
    assert made.inputs(Document(None, text)) == (text, "a fool and an idiot", "a fool and an ldlot")
    annotation = judged(made, text, ([0.125, 0.25], 0.0), ([0.0, 0.75], 0.0), ([0.25, 0.0], 0.0))
    assert annotation == {
        "flagged": True,
        "labels": [
            {"label": "harassment", "score": 0.75, "flagged": True},
            {"label": "toxicity", "score": 0.25, "flagged": False},
        ],
    }


def test_each_sentence_is_read_with_its_own_views() -> None:
    made = task(("toxic",), disguises=True, sentences=True)
    text = "You are kind. You are a f-o-o-l. Bye."
    assert made.inputs(Document(None, text)) == (
        text, "You are kind. You are a fool. Bye.",
        "You are kind.", "You are a f-o-o-l.", "You are a fool.", "Bye.",
    )  # fmt: skip
    rows = [([score], 0.0) for score in (0.125, 0.625, 0.0, 0.25, 0.75, 0.375)]
    annotation = judged(made, text, *rows)
    assert annotation["flagged"] and annotation["labels"][0]["score"] == 0.625
    assert [
        (text[sentence["start"] : sentence["end"]], sentence["scores"]["toxicity"])
        for sentence in annotation["sentences"]
    ] == [("You are kind.", 0.0), ("You are a f-o-o-l.", 0.75), ("Bye.", 0.375)]


@pytest.mark.parametrize(
    ("symbols", "settings", "read"),
    [
        ("", {}, False),
        ("", {"disguises": True}, True),
        ("\N{FIRE}", {}, True),
        ("\N{FIRE}", {"disguises": False}, False),
        ("\N{FIRE}", {"long_text": "truncate"}, False),
    ],
)
def test_disguises_are_read_with_the_starter_or_if_asked(symbols: str, settings: dict[str, Any], read: bool) -> None:
    config = ModerationTask(name="mod", model="m", task="moderation", **settings)
    made = Moderation(config, HeadInfo(("toxic",), True, symbols=symbols))
    assert (len(made.inputs(Document(None, "you 1d10t"))) > 1) is read
