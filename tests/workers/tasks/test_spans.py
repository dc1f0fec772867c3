"""Spans against transformers' own pipeline, and their properties for any scores."""

from __future__ import annotations

import warnings
from copy import copy
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import TokenClassificationPipeline

from schemas.document import Document
from schemas.errors import ModelError
from schemas.pipeline.tasks import SpanTask
from tests.thoroughness import examples
from tests.workers import tiny
from tests.workers.tasks import small
from tests.workers.tasks.small import FAMILIES, Family
from workers.encoder.reading import HeadInfo, Reading
from workers.tasks.base import Task
from workers.tasks.registry import task_class
from workers.tasks.spans import Spans

BIO = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
PLAIN = ("LOC", "O", "PER", "X-PER", "ORG")
JOINING = ("simple", "first", "average", "max")
LONG, SHORT, STRIDE = tiny.LENGTH, 16, 5

thorough = settings(deadline=None, max_examples=examples(50))


def task(labels: tuple[str, ...], family: Family = "bert", **more: Any) -> Spans:
    config = SpanTask(name="found", model="m", **{"task": "token-classification", **more})
    return Spans(config, small.head(family, labels))


@cache
def reference(family: Family, labels: tuple[str, ...], max_length: int) -> TokenClassificationPipeline:
    network = copy(small.model(family, "token"))
    network.config = copy(network.config)
    network.config.id2label = dict(enumerate(labels))
    return TokenClassificationPipeline(model=network, tokenizer=small.tokenizer(family, max_length), device="cpu")


def annotate(spans: Spans, family: Family, labels: tuple[str, ...], text: str, max_length: int) -> list[dict[str, Any]]:
    network = reference(family, labels, max_length).model
    windows = small.windows_of(family, text, max_length, STRIDE)
    if max_length == LONG:  # where the pipeline truncates
        windows = windows[:1]
    scores = [small.logits(network, window).softmax(-1).numpy() for window in windows]
    return spans.annotate(Document(None, text), [Reading(windows, scores)])["spans"]


def expected(pipe: TokenClassificationPipeline, text: str, **more: Any) -> list[dict[str, Any]]:
    """Return the pipeline's entities without overlaps, stripped of white space, and without empty ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of its own heuristic
        entities = pipe(text, **more)
    entities = pipe.aggregate_overlapping_entities([entity for entity in entities if entity["start"] < entity["end"]])
    spans = []
    for entity in entities:
        piece = text[entity["start"] : entity["end"]]
        if bare := piece.strip():
            start = entity["start"] + piece.index(bare)
            label = entity.get("entity_group") or entity["entity"]
            spans.append({"start": start, "end": start + len(bare), "label": label, "text": bare,
                          "score": pytest.approx(float(entity["score"]), abs=1e-4)})  # fmt: skip
    return spans


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("labels", [BIO, PLAIN])
@thorough
@given(text=small.texts, aggregation=st.sampled_from(JOINING))
@example(text="Ada  Lovelace 👩‍👩‍👧‍👦cafe\u0301 wrote", aggregation="average")
def test_equals_the_pipeline(family: Family, labels: tuple[str, ...], text: str, aggregation: str) -> None:
    pipe = reference(family, labels, LONG)
    spans = annotate(task(labels, family, aggregation=aggregation), family, labels, text, LONG)
    assert spans == expected(pipe, text, aggregation_strategy=aggregation)


@pytest.mark.parametrize("family", FAMILIES)
@thorough
@given(text=small.texts, aggregation=st.sampled_from(JOINING))
def test_equals_the_pipeline_in_windows(family: Family, text: str, aggregation: str) -> None:
    pipe = reference(family, BIO, SHORT)
    spans = annotate(task(BIO, family, aggregation=aggregation), family, BIO, text, SHORT)
    assert spans == expected(pipe, text, aggregation_strategy=aggregation, stride=STRIDE)


@pytest.mark.parametrize("family", FAMILIES)
@thorough
@given(text=small.texts)
def test_without_aggregation_equals_the_pipeline(family: Family, text: str) -> None:
    pipe = reference(family, BIO, LONG)
    spans = annotate(task(BIO, family, aggregation="none"), family, BIO, text, LONG)
    assert spans == expected(pipe, text, aggregation_strategy="none")


@pytest.mark.parametrize("family", FAMILIES)
@thorough
@given(
    text=small.texts,
    aggregation=st.sampled_from(("none", *JOINING)),
    threshold=st.sampled_from((0.0, 0.4, 0.9)),
    seed=st.integers(0, 2**32 - 1),
)
def test_spans_slice_the_text_and_never_overlap(
    family: Family, text: str, aggregation: str, threshold: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    windows = small.windows_of(family, text, SHORT, STRIDE)
    tables = [rng.dirichlet(np.full(len(BIO), 0.3), len(window)).astype(np.float32) for window in windows]
    spans_task = task(BIO, family, aggregation=aggregation, threshold=threshold)
    spans = spans_task.annotate(Document(None, text), [Reading(windows, tables)])["spans"]
    end = 0
    for span in spans:
        assert end <= span["start"] < span["end"] <= len(text)
        assert text[span["start"] : span["end"]] == span["text"] == span["text"].strip()
        assert threshold <= span["score"] <= 1
        assert span["label"] in (BIO[1:] if aggregation == "none" else ("PER", "LOC"))
        end = span["end"]


def scripted(text: str, labels: tuple[str, ...], said: list[tuple[str, float]], **more: Any) -> list[dict[str, Any]]:
    """Return the spans if the model gives the tokens of ``text`` the labels and scores ``said``."""
    (window,) = small.windows_of("bert", text, LONG)
    assert len(window) == len(said) + 2, window.tokens
    table = np.zeros((len(window), len(labels)), np.float32)
    table[[0, -1], labels.index("O")] = 1
    for row, (label, score) in zip(table[1:], said, strict=False):
        row[:] = (1 - score) / (len(labels) - 1)
        row[labels.index(label)] = score
    return task(labels, **more).annotate(Document(None, text), [Reading([window], [table])])["spans"]


def brief(spans: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(span["text"], span["label"]) for span in spans]


def test_b_begins_a_new_span_and_i_goes_on() -> None:
    said = [("B-PER", 0.9), ("I-PER", 0.7), ("B-PER", 0.8), ("O", 0.9), ("B-LOC", 0.6)]
    spans = scripted("the the the the the", BIO, said)
    assert brief(spans) == [("the the", "PER"), ("the", "PER"), ("the", "LOC")]
    assert spans[0]["score"] == pytest.approx(0.8)


def test_ner_uses_the_names_of_the_field() -> None:
    labels = (*BIO, "B-ORG", "I-MISC")
    said = [("B-PER", 0.9), ("B-LOC", 0.9), ("B-ORG", 0.9), ("I-MISC", 0.9)]
    assert [label for _, label in brief(scripted("the the the the", labels, said, task="ner"))] == [
        "PERSON", "LOCATION", "ORGANIZATION", "MISC",
    ]  # fmt: skip
    spans = scripted("the the the the", labels, said, task="ner", aggregation="none")
    assert [label for _, label in brief(spans)] == ["B-PERSON", "B-LOCATION", "B-ORGANIZATION", "I-MISC"]


def test_a_span_under_the_threshold_does_not_push_out_a_better_one() -> None:
    text = "the the the"
    (window,) = small.windows_of("bert", text, LONG)
    unsure = np.array([[1, 0, 0], *[[0.4, 0.6, 0]] * 3, [1, 0, 0]], np.float32)
    sure = np.array([[1, 0, 0], [1, 0, 0], [0.05, 0.95, 0], [1, 0, 0], [1, 0, 0]], np.float32)
    labels = ("O", "PER", "LOC")
    for threshold, spans in ((0.0, [(text, "PER")]), (0.9, [("the", "PER")])):
        annotation = task(labels, threshold=threshold).annotate(
            Document(None, text), [Reading([window, window], [unsure, sure])]
        )
        assert brief(annotation["spans"]) == spans


SCHEMES = {
    "BIOES": "B-{0} I-{0} E-{0} S-{0}", "BILOU": "B-{0} I-{0} L-{0} U-{0}", "BMEWO": "B-{0} M-{0} E-{0} W-{0}",
    "BMES behind": "{0}-B {0}-M {0}-E {0}-S", "BIOES with _": "B_{0} I_{0} E_{0} S_{0}",
}  # fmt: skip


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("aggregation", ["simple", "first", "average", "max"])
def test_a_head_that_marks_ends_gives_one_span_for_a_long_name(scheme: str, aggregation: str) -> None:
    begin, inside, end, single = scheme.format("PER").split()
    labels = ("O", begin, inside, end, single, *scheme.format("LOC").split())
    said = [(begin, 0.9), (inside, 0.8), (end, 0.7), ("O", 0.9), (single, 0.6), (begin, 0.9), (end, 0.9)]
    spans = scripted("the the the the the the the", labels, said, aggregation=aggregation)
    assert [(span["start"], span["end"], span["label"]) for span in spans] == [
        (0, 11, "PER"), (16, 19, "PER"), (20, 27, "PER"),
    ]  # fmt: skip
    # The score counts all labels of the kind: the rest is shared among eight labels, three of them of this kind.
    assert spans[1]["score"] == pytest.approx(0.6 + 3 * 0.4 / 8)


def test_labels_that_are_invalid_together_are_decoded_to_the_likeliest_valid_ones() -> None:
    labels = ("O", "B-private_person", "I-private_person", "E-private_person", "S-private_person")
    said = [("B-private_person", 0.9), ("S-private_person", 0.4), ("E-private_person", 0.9), ("O", 0.9)]
    (person,) = scripted("the the the the", labels, said, task="ner")
    assert (person["text"], person["label"]) == ("the the the", "PERSON")
    spans = scripted("the the the the", labels, said, aggregation="none")
    assert [span["label"] for span in spans] == [label for label, _ in said[:3]]
    spans = scripted("the the the the", labels, said, task="ner", aggregation="none")
    assert [span["label"] for span in spans] == ["B-PERSON", "S-PERSON", "E-PERSON"]


@pytest.mark.parametrize("aggregation", ["first", "average", "max"])
def test_words_get_the_labels_that_a_head_has_learnt_to_expect_together(aggregation: str) -> None:
    learnt = np.zeros((5, 5), np.float32)
    learnt[1, 2] = learnt[2, 2] = learnt[3, 4] = learnt[4, 4] = 1.5
    learnt[0, [2, 4]] = learnt[[1, 2], 4] = learnt[[3, 4], 2] = -1.5
    text = "the the the the the"
    (window,) = small.windows_of("bert", text, LONG)
    table = np.full((len(window), len(BIO)), 0.001, np.float32)
    table[:, 0] = 0.996
    table[2] = [0.05, 0.9, 0.02, 0.02, 0.01]
    table[3] = [0.05, 0.01, 0.42, 0.02, 0.5]  # a surname that is a place's, too
    table[5] = [0.5, 0.3, 0.19, 0.005, 0.005]  # not without more of a name beside it
    config = SpanTask.model_validate({"name": "found", "model": "m", "task": "ner", "aggregation": aggregation})
    alone, together = (
        Spans(config, replace(small.head("bert", BIO), transitions=transitions)).annotate(
            Document(None, text), [Reading([window], [table])]
        )["spans"]
        for transitions in (None, learnt)
    )
    assert brief(alone) == [("the", "PERSON"), ("the", "LOCATION")]
    assert brief(together) == [("the the", "PERSON")]
    assert together[0]["start"] == 4
    assert together[0]["score"] == pytest.approx((0.92 + 0.43) / 2, abs=1e-3)


def test_single_tokens_are_those_of_transformers_whatever_follows_what() -> None:
    learnt = np.full((5, 5), 3.0, np.float32)
    head = replace(small.head("bert", BIO), transitions=learnt)
    (window,) = small.windows_of("bert", "the the", LONG)
    table = np.array([[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 1], [1, 0, 0, 0, 0]], np.float32)
    for aggregation, texts in (("none", ["B-PERSON", "I-LOCATION"]), ("simple", ["PERSON", "LOCATION"])):
        config = SpanTask.model_validate({"name": "n", "model": "m", "task": "ner", "aggregation": aggregation})
        spans = Spans(config, head).annotate(Document(None, "the the"), [Reading([window], [table])])["spans"]
        assert [span["label"] for span in spans] == texts


@pytest.mark.parametrize("aggregation", ["first", "average", "max"])
def test_words_of_several_tokens_have_one_position(aggregation: str) -> None:
    labels = ("O", "B-PER", "I-PER", "E-PER", "S-PER")
    text = "coffee coffee Merkel"
    (window,) = small.windows_of("bert", text, LONG)
    tokens = [token for token, word in enumerate(window.word_ids) if word in (0, 1)]
    table = np.full((len(window), len(labels)), 0.01, np.float32)
    table[:, 0] = 0.96
    table[tokens, 0] = 0.01
    for token in tokens:
        table[token, 1 if token == tokens[0] else 3 if token == tokens[-1] else 2] = 0.96
    assert window.word_ids.count(0) > 1
    spans = task(labels, aggregation=aggregation).annotate(Document(None, text), [Reading([window], [table])])["spans"]
    assert brief(spans) == [("coffee coffee", "PER")]


def test_a_span_may_go_on_beyond_its_window() -> None:
    labels = ("O", "B-PER", "I-PER", "E-PER", "S-PER")
    text = " ".join(["the"] * 20)
    first, last = small.windows_of("bert", text, SHORT, STRIDE)[:2]
    for window, place in ((first, (20, first.offsets[-2][1])), (last, (last.offsets[1][0], 63))):
        table = np.full((len(window), len(labels)), 0.01, np.float32)
        for row, (start, end) in zip(table, window.offsets, strict=True):
            row[{20: 1, 60: 3}.get(start, 2 if 20 < start < 60 else 0) if start < end else 0] = 0.96
        (span,) = task(labels).annotate(Document(None, text), [Reading([window], [table])])["spans"]
        assert (span["start"], span["end"], span["label"]) == (*place, "PER")


def test_thresholds_by_label() -> None:
    said = [("B-PER", 0.6), ("O", 0.9), ("B-LOC", 0.6), ("O", 0.9), ("B-LOC", 0.3)]

    def names(threshold: dict[str, float], **more: Any) -> list[str]:
        return [label for _, label in brief(scripted("the the the the the", BIO, said, threshold=threshold, **more))]

    assert names({"PER": 0.7}) == ["LOC", "LOC"]
    assert names({"PER": 0.7, "default": 0.5}) == ["LOC"]
    assert names({"default": 0.5}) == ["PER", "LOC"]
    assert names({}) == ["PER", "LOC", "LOC"]
    for person in ("PERSON", "PER"):  # as in the event, or as the model does
        assert names({person: 0.7}, task="ner") == ["LOCATION", "LOCATION"]
    assert names({"B-PER": 0.7}, aggregation="none") == names({"PER": 0.7}, aggregation="none") == ["B-LOC", "B-LOC"]


def test_a_threshold_for_an_unknown_label_is_refused() -> None:
    with pytest.raises(ModelError, match=r'"m" has no label "PRESON" to set a threshold for, did you mean "PERSON"\?'):
        task(BIO, task="ner", threshold={"PRESON": 0.7})
    with pytest.raises(ModelError, match=r'has no label "DATE" to set a threshold for; it has: PERSON, LOCATION$'):
        task(BIO, task="ner", threshold={"DATE": 0.7})


def test_a_vote_gives_equal_names_the_label_with_the_highest_sum_of_scores() -> None:
    said = [("B-LOC", 0.6), ("O", 0.9), ("B-PER", 0.8), ("B-LOC", 0.7)]
    plain = scripted("the Paris the the", BIO, said)
    assert brief(plain) == [("the", "LOC"), ("the", "PER"), ("the", "LOC")]
    voted = scripted("the Paris the the", BIO, said, vote=True)
    assert voted == [{**span, "label": "LOC"} for span in plain]
    # A name with another text has its own votes; of equal sums, the first label stays.
    said = [("B-PER", 0.6), ("B-LOC", 0.6), ("B-LOC", 0.9)]
    assert brief(scripted("the the Paris", BIO, said, vote=True)) == [("the", "PER"), ("the", "PER"), ("Paris", "LOC")]


def test_a_vote_finds_a_name_at_all_of_its_places_or_at_none() -> None:
    said = [("B-LOC", 0.9), ("O", 0.9), ("O", 0.6), ("B-LOC", 0.8), ("O", 0.9)]
    found = scripted("Paris the Paris Paris the", BIO, said, vote=True)
    assert [(span["start"], span["label"]) for span in found] == [(0, "LOC"), (10, "LOC"), (16, "LOC")]
    assert found[1]["score"] == pytest.approx(1.7 / 3)
    said[3] = ("O", 0.6)
    assert scripted("Paris the Paris Paris the", BIO, said, vote=True) == []


def test_thresholds_come_after_the_vote() -> None:
    said = [("B-LOC", 0.9), ("B-LOC", 0.7), ("B-LOC", 0.6)]
    found = scripted("Paris Paris Paris", BIO, said, vote=True, threshold=0.65)
    assert [span["start"] for span in found] == [0, 6]


def test_a_vote_on_single_tokens_is_only_about_their_labels() -> None:
    said = [("B-LOC", 0.9), ("O", 0.9), ("O", 0.9), ("O", 0.9)]
    found = scripted("Paris Paris Paris Paris", BIO, said, vote=True, aggregation="none")
    assert [(span["text"], span["label"]) for span in found] == [("Paris", "B-LOC")]


@pytest.mark.parametrize(
    ("recommended", "vote", "voted"),
    [(True, None, True), (True, False, False), (False, None, False), (False, True, True)],
)
def test_a_head_may_recommend_the_vote_and_the_file_decides(recommended: bool, vote: bool | None, voted: bool) -> None:
    text, labels = "the the the", [BIO.index("B-LOC"), BIO.index("B-PER"), BIO.index("B-LOC")]
    (window,) = small.windows_of("bert", text, LONG)
    table = np.zeros((len(window), len(BIO)), np.float32)
    table[[0, *range(1, len(labels) + 1), -1], [BIO.index("O"), *labels, BIO.index("O")]] = 1
    config = SpanTask(name="found", model="m", task="token-classification", vote=vote)
    spans_task = Spans(config, replace(small.head("bert", BIO), vote=recommended))
    spans = spans_task.annotate(Document(None, text), [Reading([window], [table])])["spans"]
    assert [span["label"] for span in spans] == ["LOC", "LOC" if voted else "PER", "LOC"]


def test_sentences_are_read_alone_and_spans_are_those_of_the_text() -> None:
    config = SpanTask(name="found", model="m", task="ner", sentences=True)
    made = task_class(config)(config, small.head("bert", BIO))
    text = "the the. Paris the!\n\nthe"
    document = Document(None, text)
    assert made.inputs(document) == ["the the.", "Paris the!", "the"]
    assert made.inputs(Document(None, " ")) == []
    assert made.annotate(Document(None, " "), []) == {"spans": []}
    readings = []
    for sentence, label in (("the the.", "B-PER"), ("Paris the!", "B-LOC"), ("the", "B-PER")):
        (window,) = small.windows_of("bert", sentence, LONG)
        table = np.full((len(window), len(BIO)), 0.01, np.float32)
        table[:, 0] = 0.96
        table[1] = [0.02, *(0.9 if name == label else 0.02 for name in BIO[1:])]
        readings.append(Reading([window], [table]))
    spans = made.annotate(document, readings)["spans"]
    assert [(span["start"], span["end"], span["label"]) for span in spans] == [
        (0, 3, "PERSON"), (9, 14, "LOCATION"), (21, 24, "PERSON"),
    ]  # fmt: skip
    assert all(text[span["start"] : span["end"]] == span["text"] for span in spans)


def test_only_a_task_that_reads_sentences_reads_other_inputs_than_the_text() -> None:
    """Others may share a forward with a task that has no condition."""
    assert Spans.inputs is Task.inputs
    assert task_class(SpanTask(name="found", model="m", task="ner")) is Spans


def test_nothing_found_is_an_empty_list() -> None:
    assert scripted("the the", BIO, [("O", 0.9), ("O", 0.5)]) == []


def test_ner_refuses_a_head_that_has_no_outside() -> None:
    with pytest.raises(ModelError, match=r'model "m" has no label "O".*LABEL_0, LABEL_1'):
        task(("LABEL_0", "LABEL_1"), task="ner")
    with pytest.raises(ModelError, match="no labels"):
        Spans(SpanTask(name="found", model="m", task="token-classification"), HeadInfo(()))
