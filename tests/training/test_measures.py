"""Metrics against values computed by hand, and the measures on labelled sets of a few lines."""

from __future__ import annotations

import gzip
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch

from schemas.document import Annotation
from schemas.errors import ModelError
from tests.workers import tiny
from training.data import Data
from training.evaluate import FAMILIES, as_json, as_table
from training.measures import base, clusters, documents, frozen, functions, known, metrics, pairs, texts, words
from training.measures.base import Bench, Measured, accuracy, calibration, interval, mean, summed


class Told(Bench):
    """Replaces a model by given annotations: per task, in the order of the texts of all its sets."""

    def __init__(self, folder: Path, said: Mapping[str, list[Annotation]], limit: int | None = None) -> None:
        super().__init__("none", Data(folder), limit)
        self.said = {task: iter(annotations) for task, annotations in said.items()}
        self.asked: list[Mapping[str, Any]] = []

    def annotate(
        self, task: Mapping[str, Any], texts: Sequence[str], fields: Sequence[Mapping[str, Any]] | None = None
    ) -> list[Annotation]:
        self.asked += fields or []
        return list(itertools.islice(self.said[task["task"]], len(texts)))


Write: TypeAlias = Callable[..., Path]


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "ROUNDS", 10)


@pytest.fixture
def folder(tmp_path: Path) -> Write:
    def write(**sets: list[dict[str, Any]]) -> Path:
        for name, examples in sets.items():
            task, _, rest = name.partition("__")
            (tmp_path / task).mkdir(exist_ok=True)
            with gzip.open(tmp_path / task / f"{rest.replace('__', '.')}.jsonl.gz", "wt") as lines:
                lines.writelines(json.dumps(example) + "\n" for example in examples)
        return tmp_path

    return write


def span(start: int, end: int, label: str = "") -> dict[str, Any]:
    return {"start": start, "end": end, "label": label}


def values(lines: Any) -> dict[str, float]:
    return {line.key: line.value for line in lines}


def test_f_weighs_recall_with_the_square_of_beta() -> None:
    # Precision 1/2, recall 1/4: F1 = 2/6, F2 = 5 * 1/8 / (4 * 1/2 + 1/4).
    assert metrics.f_score(1, 2, 4) == pytest.approx(1 / 3)
    assert metrics.f2(1, 2, 4) == pytest.approx(5 / 18)
    assert math.isnan(metrics.f_score(0, 0, 0))


def test_spans_count_when_start_end_and_label_are_equal() -> None:
    gold = {(0, 4, "PERSON"), (10, 14, "LOCATION")}
    assert metrics.span_counts(gold, {(0, 4, "PERSON"), (10, 15, "LOCATION"), (10, 14, "PERSON")}) == (1, 3, 2)


def test_loose_counts_join_neighbours_and_forgive_a_tenth() -> None:
    text = "12, Mill Lane, Leeds. Ann"
    gold = [(0, 2, "ADDRESS"), (4, 13, "ADDRESS"), (15, 20, "PLACE"), (22, 25, "PERSON")]
    assert metrics.loose_counts(text, gold, [(0, 14, "ADDRESS"), (15, 20, "AGE"), (22, 25, "PERSON")]) == (2, 3, 3)
    assert metrics.loose_counts(text, gold, [(0, 13, "ADDRESS"), (15, 19, "PLACE")]) == (1, 2, 3)
    assert metrics.loose_counts(text, [], []) == (0, 0, 0)


def test_touching_is_no_overlap() -> None:
    gold = [(0, 4, "A"), (4, 8, "B"), (8, 9, "C")]
    assert metrics.touched(gold, [(2, 4, "X"), (9, 12, "X")]) == 1


@pytest.mark.parametrize(
    ("token", "label"),
    [
        ((0, 3), "AUX"),  # can of cannot
        ((3, 6), "AUX"),  # not of cannot
        ((7, 17), "X"),  # the word of its first character, though the other overlaps it more
        ((6, 12), "Y"),  # no word has its first character
        ((20, 22), None),
    ],
)
def test_a_token_has_the_label_of_the_word_over_it(token: Any, label: Any) -> None:
    assert metrics.over_token([(0, 6, "AUX"), (7, 8, "X"), (8, 17, "Y")], *token) == label


def test_spearman_compares_ranks_and_ties_share_theirs() -> None:
    ascending = np.array([1.0, 2.0, 3.0, 4.0])
    assert metrics.spearman(ascending, np.array([1.0, 10.0, 100.0, 1000.0])) == pytest.approx(1)
    # Differences of ranks 0, 1, 1, 0: 1 - 6 * 2 / (4 * 15).
    assert metrics.spearman(ascending, np.array([1.0, 3.0, 2.0, 4.0])) == pytest.approx(0.8)
    # Ranks 1.5, 1.5, 3, 4 against 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5.
    assert metrics.spearman(ascending, np.array([0.0, 0.0, 1.0, 2.0])) == pytest.approx(4.5 / math.sqrt(22.5))


def test_answers_are_compared_as_squad_does() -> None:
    assert metrics.normalised("The  U.S. , an island!") == "us island"
    assert metrics.exact_match("the Beatles", ["Wings", "Beatles."]) == 1
    assert metrics.exact_match("Beatles band", ["Beatles"]) == 0
    # Two words of three, of two: F1 = 2 * 2 / 5.
    assert metrics.token_f1("John F. Kennedy", ["Nixon", "the John Kennedy"]) == pytest.approx(0.8)
    assert metrics.token_f1("", ["Nixon"]) == 0
    assert metrics.token_f1("the", ["a"]) == 1


GOLD = [frozenset({(0, 1), (2, 3), (4, 5)}), frozenset({(6, 7), (8, 9)})]
FOUND = [frozenset({(0, 1), (2, 3)}), frozenset({(4, 5), (6, 7), (8, 9)}), frozenset({(10, 11), (12, 13)})]


def test_muc_counts_links() -> None:
    # The first gold cluster is split in two; so is the second found one, and the third has no counterpart.
    assert clusters.muc(GOLD, FOUND) == (1 + 1, 2 + 1, 1 + 1 + 0, 1 + 2 + 1)


def test_b_cubed_counts_mentions() -> None:
    recall = 4 / 3 + 1 / 3 + 4 / 2
    precision = 4 / 2 + 1 / 3 + 4 / 3
    assert clusters.b_cubed(GOLD, FOUND) == pytest.approx((recall, 5, precision, 7))


def test_ceaf_pairs_clusters() -> None:
    # Dice: 2 * 2 / 5 for the first pair, 2 * 2 / 5 for the second.
    assert clusters.ceaf(GOLD, FOUND) == pytest.approx((1.6, 2, 1.6, 3))
    assert clusters.ceaf(GOLD, []) == (0, 2, 0, 0)


def test_conll_is_the_mean_of_three_f1() -> None:
    counts = [*clusters.muc(GOLD, FOUND), *clusters.b_cubed(GOLD, FOUND), *clusters.ceaf(GOLD, FOUND)]
    # Each F1 as 2 * hits / total, where the numerators are equal.
    b_cubed = 2 * (11 / 15) * (11 / 21) / (11 / 15 + 11 / 21)
    assert clusters.conll(*counts) == pytest.approx((4 / 7 + b_cubed + 3.2 / 5) / 3)
    perfect = [*clusters.muc(GOLD, GOLD), *clusters.b_cubed(GOLD, GOLD), *clusters.ceaf(GOLD, GOLD)]
    assert clusters.conll(*perfect) == pytest.approx(1)


@pytest.mark.parametrize("shape", [(1, 1), (2, 4), (4, 2), (5, 5), (3, 6)])
def test_the_best_pairing_is_the_best_of_all(shape: Any) -> None:
    random = np.random.default_rng(shape)
    for _ in range(20):
        # Many zeros and ties, as clusters have.
        profit = np.maximum(0, random.integers(-3, 4, shape)).astype(float)
        wide = profit if shape[0] <= shape[1] else profit.T
        rows = range(len(wide))
        best = max(sum(wide[rows, list(taken)]) for taken in itertools.permutations(range(wide.shape[1]), len(wide)))
        assert clusters.assigned(profit) == pytest.approx(best)


def test_intervals_hold_the_value_and_grow_with_doubt() -> None:
    hits = np.tile([1, 1, 1, 0], 25)
    many = interval(mean(hits), len(hits), rounds=200)
    few = interval(mean(hits[:20]), 20, rounds=200)
    assert many[0] < 0.75 < many[1]
    assert few[1] - few[0] > many[1] - many[0] > 0.05
    assert interval(mean([1, 1]), 2, rounds=5) == (1, 1)
    assert all(map(math.isnan, interval(summed(np.zeros((0, 2)), metrics.ratio), 0)))


def test_counts_are_summed_before_they_are_divided() -> None:
    statistic = summed([(1, 1), (0, 3)], metrics.ratio)
    assert statistic(np.array([0, 1])) == pytest.approx(1 / 4)
    assert statistic(np.array([0, 0, 1])) == pytest.approx(2 / 5)


def test_calibration_is_the_gap_between_sureness_and_truth() -> None:
    # Bins of a fifteenth: [0.8, 0.8667) with 0.81 and 0.85, and 0.1.
    figure = calibration("t", "s", [0.81, 0.85, 0.1], [True, False, False])
    assert figure.value == pytest.approx((2 * abs(0.83 - 0.5) + 0.1) / 3)


def test_parts_of_speech(folder: Write) -> None:
    data = folder(pos__ewt__test=[
        {"text": "I cannot go", "offsets": [[0, 1], [2, 5], [5, 8], [9, 11]], "tags": ["PRON", "AUX", "PART", "VERB"]},
    ])  # fmt: skip
    said = {"spans": [span(0, 1, "PRON"), span(2, 8, "AUX"), span(9, 11, "NOUN")]}
    assert values(words.pos(Told(data, {"pos": [said]}))) == {"pos ewt.test accuracy": 0.5}


def test_names_with_and_without_what_a_set_does_not_mark(folder: Write) -> None:
    text = "@ann in Rome"
    data = folder(
        ner__uner_ewt__test=[
            {"id": "a-1", "text": "Rome", "spans": [span(0, 4, "LOC")]},
            {"id": "a-2", "text": "Pia", "spans": [span(0, 3, "PER")]},
            {"id": "b-1", "text": "Oslo", "spans": [span(0, 4, "LOC")]},
        ],
        ner__wikigold__test=[{"id": "a-1", "text": "Rome", "spans": [span(0, 4, "LOC")]}],
        ner__btc__test=[{"text": text, "spans": [span(0, 4, "PER"), span(8, 12, "LOC")]}],
    )
    location: Annotation = {"spans": [span(0, 4, "LOCATION"), span(0, 2, "MISC")]}
    said: list[Annotation] = [
        location, {"spans": []}, location,
        # The two sentences of the first document are one text: with a space between them, and with a line break.
        {"spans": [span(0, 4, "LOCATION"), span(5, 8, "PERSON")]}, location,
        {"spans": [span(0, 4, "LOCATION"), span(5, 8, "PERSON")]}, {"spans": []},
        location, location, location,
        {"spans": [span(1, 4, "PERSON"), span(8, 12, "LOCATION")]},
    ]  # fmt: skip
    assert values(words.ner(Told(data, {"ner": said}))) == {
        "ner uner_ewt.test span F1": pytest.approx(4 / 5),
        "ner uner_ewt.test span F1 10 sentences at a time": 1,
        "ner uner_ewt.test span F1 10 sentences at a time, one a line": pytest.approx(4 / 5),
        "ner wikigold.test span F1": pytest.approx(2 / 3),
        "ner wikigold.test span F1 10 sentences at a time": pytest.approx(2 / 3),
        "ner wikigold.test span F1 10 sentences at a time, one a line": pytest.approx(2 / 3),
        "ner btc.test span F1 without handles": 1,
        "ner btc.test span F1 with handles": pytest.approx(1 / 2),
    }


def test_personal_data(folder: Write) -> None:
    data = folder(
        pii__presidio_synth__test=[
            {"text": "a" * 40, "spans": [span(0, 5, "GPE"), span(10, 20, "US_SSN"), span(30, 32, "AGE")]}
        ],
        pii__presidio_large__test=[{"text": "b" * 40, "spans": [span(0, 5, "DOMAIN_NAME")]}],
    )
    said = [
        {"spans": [span(0, 5, "LOCATION"), span(10, 19, "US_SSN")]},
        {"spans": [span(0, 5, "URL"), span(8, 10, "AGE")]},
    ]
    figures = values(words.pii(Told(data, {"pii": said})))
    # The age in the second text is not marked, so it does not count as found.
    assert figures["pii presidio.test span F2"] == pytest.approx(5 * 2 / (4 * 4 + 3))
    assert figures["pii presidio.test recall of overlaps of any type"] == pytest.approx(3 / 4)
    assert figures["pii presidio.test recall checked numbers"] == 0
    assert figures["pii presidio.test recall LOCATION"] == 1
    assert figures["pii presidio.test recall AGE"] == 0


def test_reviews_are_judged_by_the_poles(folder: Write) -> None:
    data = folder(
        sentiment__cad__test=[{"text": "a", "label": "positive"}],
        sentiment__tweeteval_sentiment__test=[{"text": "a", "label": "positive"}, {"text": "b", "label": "neutral"}],
    )
    scores = {"negative": 0.2, "neutral": 0.5, "positive": 0.3}
    said = {"label": "neutral", "score": 0.5, "scores": scores}
    figures = values(texts.sentiment(Told(data, {"sentiment": [said] * 3})))
    assert figures["sentiment cad.test accuracy"] == 1
    assert figures["sentiment cad.test ECE, 15 bins"] == pytest.approx(0.5)
    # Neutral: precision 1/2, recall 1; the other two classes 0.
    assert figures["sentiment tweeteval_sentiment.test macro F1"] == pytest.approx(2 / 9)


def flags(harassment: float, hate: float) -> Annotation:
    labels = {"harassment": harassment, "hate": hate}
    return {"labels": [{"label": name, "score": score, "flagged": score >= 0.5} for name, score in labels.items()]}


def test_moderation_takes_the_worst_flag_for_the_class(folder: Write) -> None:
    classes = ["neither", "offensive_language", "hate_speech"]
    data = folder(
        moderation__davidson__test=[{"text": "a", "label": label} for label in classes],
        moderation__tweeteval_offensive__test=[
            {"text": "a", "label": label} for label in ("offensive", "not-offensive", "offensive")
        ],
        moderation__tweeteval_hate__test=[{"text": "a", "label": "hate"}, {"text": "b", "label": "not-hate"}],
    )  # fmt: skip
    davidson = [flags(0.1, 0.1), flags(0.9, 0.1), flags(0.9, 0.8)]
    offensive, hate = [flags(0.4, 0.9), flags(0.3, 0.9), flags(0.2, 0.9)], [flags(0.9, 0.5), flags(0.9, 0.5)]
    figures = values(texts.moderation(Told(data, {"moderation": davidson + offensive + hate})))
    assert figures["moderation davidson.test macro F1"] == 1
    assert figures["moderation davidson.test ECE, 15 bins harassment"] == pytest.approx((0.1 + 0.2) / 3)
    assert figures["moderation tweeteval_offensive.test AUROC"] == pytest.approx(0.5)
    assert figures["moderation tweeteval_hate.test AUROC"] == pytest.approx(0.5)


def test_a_model_of_other_labels_is_refused() -> None:
    with pytest.raises(ModelError, match="LABEL_0, LABEL_1"):
        texts.pole({"scores": {"LABEL_0": 0.9, "LABEL_1": 0.1}})
    with pytest.raises(ModelError, match='none is "hate"'):
        texts.score_of({"labels": [{"label": "spam", "score": 0.5}]}, "hate")


def test_each_aspect_is_asked_by_itself(folder: Write) -> None:
    aspects = [{"term": "food", "label": "neutral", **span(4, 8)}, {"term": "food here", **span(4, 13)}]
    aspects = [{**aspect, "label": label} for aspect, label in zip(aspects, ("neutral", "positive"), strict=True)]
    data = folder(absa__mams_atsa__test=[{"text": "The food here", "aspects": aspects}])
    said = [{"aspects": [{"label": label, "score": 1.0}]} for label in ("neutral", "negative")]
    bench = Told(data, {"aspect-sentiment": said})
    assert values(pairs.aspect_sentiment(bench))["aspect-sentiment mams_atsa.test accuracy"] == 0.5
    assert bench.asked == [{"aspects": [{"start": 4, "end": end}]} for end in (8, 13)]


def test_answers(folder: Write) -> None:
    examples = [{"context": "in Rome", "question": "where", "answers": [{"text": "Rome", "start": 3}]}] * 2
    said: list[Any] = [{"answers": [{"answer": {"text": "in Rome", "score": 0.9}}]}, {"answers": [{"answer": None}]}]
    figures = values(pairs.question_answering(Told(folder(qa__qed__dev=examples), {"question-answering": said})))
    assert figures == {
        "question-answering qed.dev token F1": pytest.approx(1 / 3),
        "question-answering qed.dev exact match": 0,
    }


def test_vectors_are_compared_by_their_cosines(folder: Write) -> None:
    rows = [("a", "a", 5.0), ("a", "b", 0.0), ("a", "c", 2.0)]
    data = folder(
        similarity__stsb_nomsrpar__test=[
            {"text1": first, "text2": second, "score": score} for first, second, score in rows
        ]
    )
    # Each text once, in the order a, b, c.
    said = [{"vector": [1.0, 0.0]}, {"vector": [0.0, 1.0]}, {"vector": [0.6, 0.8]}]
    assert values(pairs.embedding(Told(data, {"embedding": said}))) == {
        "embedding stsb_nomsrpar.test Spearman": pytest.approx(1)
    }


def test_only_unseen_intents_are_asked_for(folder: Write) -> None:
    labels = [f"intent_{number}" for number in range(20)]
    data = folder(
        zero_shot__clinc150__train=[{"text": "a", "label": label} for label in [*labels, "oos"]],
        zero_shot__clinc150__test=[{"text": "a", "label": label} for label in labels],
    )
    said = [{"label": "intent 3", "score": 1.0}] * 20
    (first, _) = pairs.zero_shot(Told(data, {"zero-shot": said}))
    assert first.n == 15
    assert first.value in {0, 1 / 15}


def test_pronouns_and_names(folder: Write) -> None:
    def gap(pronoun: str, a: bool, b: bool) -> dict[str, Any]:
        text = f"Ann met Bea when {pronoun} left"
        places = {"pronoun": [17, 17 + len(pronoun)], "a": [0, 3], "b": [8, 11]}
        return {"text": text, "a_coref": a, "b_coref": b, **places}

    def clustered(*places: tuple[int, int]) -> Annotation:
        return {"clusters": [{"spans": [span(*place) for place in places]}]}

    data = folder(
        coref__gap__test=[gap("she", True, False), gap("he", False, True), gap("her", False, False)],
        coref__litbank__test=[{"text": "x", "clusters": [[[0, 1], [2, 3]], [[4, 5]]]}],
    )
    said = [
        clustered((0, 3), (17, 20)),
        clustered((0, 3), (8, 11), (17, 19)),
        # A longer span is not the name, and a cluster without the pronoun does not count.
        {"clusters": [*clustered((0, 7), (17, 20))["clusters"], *clustered((8, 11), (12, 16))["clusters"]]},
        clustered((0, 1), (2, 3)),
    ]
    figures = values(clusters.coreference(Told(data, {"coreference": said})))
    assert figures["coreference gap.test precision"] == pytest.approx(2 / 3)
    assert figures["coreference gap.test recall"] == 1
    assert figures["coreference gap.test F1 feminine"] == 1
    assert figures["coreference gap.test F1 masculine"] == pytest.approx(2 / 3)
    assert figures["coreference gap.test bias (feminine / masculine F1)"] == pytest.approx(3 / 2)
    assert figures["coreference gap.test F1 where a span that overlaps the name is enough"] == pytest.approx(4 / 6)
    assert figures["coreference gap.test F1 of linking every name"] == pytest.approx(4 / 8)
    assert figures["coreference litbank.test CoNLL F1"] == pytest.approx(1)
    # B³: recall 2/3; CEAFe: recall 1/2.
    both = (1 + 4 / 5 + 2 / 3) / 3
    assert figures["coreference litbank.test CoNLL F1 singletons of the gold count"] == pytest.approx(both)


def test_balanced_accuracy_weighs_flags_and_passes_alike(tmp_path: Path) -> None:
    """Everything is flagged: all that should be is right, and nothing else."""
    said: list[Annotation] = [{"flagged": True, "labels": []}] * 2000
    figures = values(functions.moderation(Told(tmp_path, {"moderation": said})))
    assert figures["moderation own functional cases balanced accuracy"] == 0.5
    assert figures["moderation own functional cases accuracy insult, flagged"] == 1
    assert figures["moderation own functional cases accuracy figurative violence, not flagged"] == 0
    assert figures["moderation own disguised cases accuracy harmless, not flagged"] == 0
    assert functions.balanced(1, 4, 3, 4) == pytest.approx(0.5)


def passages(count: int) -> list[dict[str, Any]]:
    return [
        {"title": f"page {number}", "context": f"It was built in {number}.", "question": f"when {number}?",
         "answers": [{"text": str(number), "start": 16}]}
        for number in range(count)
    ]  # fmt: skip


def test_a_document_has_the_passage_that_answers_or_not() -> None:
    examples = passages(100)
    halves = [list(documents.documents(examples, half, 10, 5)) for half in (0, 1)]
    for asked in halves:
        assert len(asked) == 20
        for answered, unanswered in zip(asked[::2], asked[1::2], strict=True):
            assert answered.question == unanswered.question and not unanswered.answers
            assert f"in {answered.answers[0]}." in answered.document
            assert f"in {answered.answers[0]}." not in unanswered.document
            assert len(unanswered.document.split("\n\n")) == 5 == len(answered.document.split("\n\n")) - 1
    assert not {each.question for each in halves[0]} & {each.question for each in halves[1]}
    assert list(documents.documents(examples, 0, 10, 5)) == halves[0]


def test_answers_in_documents_count_apart_from_refusals(folder: Write) -> None:
    data = folder(qa__qed__dev=passages(40))
    asked = list(documents.documents(passages(40), documents.HELD_OUT))
    said: list[Annotation] = [
        {"answers": [{"answer": {"text": each.answers[0]} if each.answers and number % 4 == 0 else None}]}
        for number, each in enumerate(asked)
    ]
    figures = values(documents.question_answering(Told(data, {"question-answering": said})))
    right = sum(number % 4 == 0 for number in range(0, len(asked), 2)) / (len(asked) / 2)
    name = "question-answering qed.dev, documents of 16 passages"
    assert figures[f"{name} token F1 answered there"] == pytest.approx(right)
    assert figures[f"{name} accuracy not answered there"] == 1


def test_a_limit_is_taken_evenly(tmp_path: Path) -> None:
    examples = [{"number": number} for number in range(10)]
    assert [e["number"] for e in Bench("none", Data(tmp_path), 3).thin(examples)] == [0, 3, 6]
    assert len(Bench("none", Data(tmp_path), 30).thin(examples)) == 10


def test_the_bench_runs_what_a_pipeline_would(tmp_path: Path) -> None:
    annotations = Bench("none", Data(tmp_path)).annotate({"task": "pii", "model": None}, ["write to ann@example.org"])
    assert [entry["label"] for entry in annotations[0]["spans"]] == ["EMAIL_ADDRESS"]


def test_a_text_that_fails_stops_the_measuring(tmp_path: Path) -> None:
    recipe = {"task": "similarity", "against": "$.other", "model": str(tiny.checkpoint("mpnet", "embedding"))}
    with pytest.raises(RuntimeError, match="text 0 of similarity failed"):
        Bench("none", Data(tmp_path)).annotate(recipe, ["a text"])


def test_what_a_figure_is_held_against_stands_beside_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    probes = tmp_path / "probe.json"
    probes.write_text('{"nli": {"nli taxinli.test accuracy": 0.4567}, "pos": {"pos ewt.test accuracy": 0.1}}')
    monkeypatch.setattr(known, "PROBES", probes)
    line, plain = accuracy("nli", "taxinli.test", [1, 0]), Measured("pos", "ewt.test", "accuracy", 1, math.nan, 0, 1)
    made = as_json([line, plain])
    assert (made[0]["value"], made[0]["probe"], made[0]["floor"]) == (0.5, 0.4567, 0.55)
    # The stated figures take precedence over computed ones.
    assert (made[1]["value"], made[1]["probe"]) == (None, 0.949)
    assert as_table([line, plain]).row_count == 2


def test_every_floor_and_figure_is_of_a_task_that_is_measured() -> None:
    for key in (*known.FLOORS, *known.ELSEWHERE, *known.STATED):
        assert key.split()[0] in FAMILIES


def test_the_probe_is_fitted_to_each_label_by_itself_or_to_one_of_them() -> None:
    rows = torch.tensor([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])
    best_label = frozen.fit(rows, torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]))
    assert best_label(rows).argmax(1).tolist() == [0, 0, 1, 1]
    both = frozen.fit(rows, torch.tensor([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0], [1.0, 0.0]]), multi_label=True)
    assert (both(rows) > 0).tolist() == [[True, True], [True, True], [True, False], [True, False]]


def test_the_probe_heeds_weights() -> None:
    rows, targets = torch.zeros(3, 1), torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    weighed = frozen.fit(rows, targets, weights=torch.tensor([6.0, 1.0, 1.0]))
    assert weighed(rows).softmax(1)[0].tolist() == pytest.approx([0.75, 0.25], abs=1e-3)


def test_a_pair_is_both_vectors_their_distance_and_their_product() -> None:
    assert frozen.joined(torch.tensor([1.0, 2.0]), torch.tensor([3.0, -1.0])).tolist() == [1, 2, 3, -1, 2, 3, 3, -2]
