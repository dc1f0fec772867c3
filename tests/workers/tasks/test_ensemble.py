"""Ensembles: how the annotations of members become one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.annotations import Classification, Moderation
from schemas.document import Document
from schemas.errors import AnnotateError, ModelError
from schemas.pipeline.tasks import ClassificationTask, CustomTask, Ensemble, ModerationTask, TaskConfig
from workers.encoder.reading import HeadInfo
from workers.tasks.base import Task
from workers.tasks.ensemble import ClassificationEnsemble, ModerationEnsemble

LABELS = ("hate", "spam", "threat")
NAMES = ("one", "two", "three")


class Member(Task):
    """A task with labels, and thresholds if it is a moderation."""

    def __init__(self, labels: tuple[str, ...], thresholds: dict[str, float] | None = None) -> None:
        super().__init__(TaskConfig(name="m"), HeadInfo())
        self.labels = list(labels)
        self.thresholds = thresholds or {}

    def annotate(self, document: Document, readings: Any) -> Any:
        raise AssertionError


class Foreign(Member):
    """A task of the user's."""

    def __init__(self) -> None:
        super().__init__(())
        self.config = CustomTask(name="m", task="custom", use="a:B")


def moderation(rule: str, members: dict[str, Any], weights: Any = None, **more: Any) -> ModerationEnsemble:
    ensemble = Ensemble(of=list(members), rule=rule, weights=weights)  # type: ignore[arg-type]
    made = ModerationEnsemble(ModerationTask(name="e", task="moderation", ensemble=ensemble, **more), HeadInfo())
    made.combine(members)
    return made


def classification(rule: str, members: dict[str, Any], weights: Any = None) -> ClassificationEnsemble:
    ensemble = Ensemble(of=list(members), rule=rule, weights=weights)  # type: ignore[arg-type]
    config = ClassificationTask(name="e", task="sentiment", ensemble=ensemble)
    made = ClassificationEnsemble(config, HeadInfo())
    made.combine(members)
    return made


def flagged(**labels: tuple[float, bool]) -> dict[str, Any]:
    return {
        "flagged": any(flag for _, flag in labels.values()),
        "labels": [{"label": label, "score": score, "flagged": flag} for label, (score, flag) in labels.items()],
    }


def said(made: Task, **annotations: dict[str, Any]) -> Any:
    document = Document(None, "a text")
    document.annotations = annotations
    return made.annotate(document, ())


def table(annotation: dict[str, Any]) -> dict[str, tuple[float, bool]]:
    return {entry["label"]: (entry["score"], entry["flagged"]) for entry in annotation["labels"]}


QUICK = flagged(hate=(0.6, True), spam=(0.3, False))
CAREFUL = flagged(hate=(0.4, False), threat=(0.9, True))
MEMBERS = {
    "quick": Member(("hate", "spam"), {"hate": 0.5, "spam": 0.5}),
    "careful": Member(("hate", "threat"), {"hate": 0.7, "threat": 0.2}),
}


@pytest.mark.parametrize(
    ("rule", "more", "expected"),
    [
        ("last", {}, {"threat": (0.9, True), "hate": (0.4, False), "spam": (0.3, False)}),
        ("max", {}, {"threat": (0.9, True), "hate": (0.6, True), "spam": (0.3, False)}),
        # The mean of the scores against the mean of the thresholds: 0.5 against 0.6.
        ("mean", {}, {"threat": (0.9, True), "hate": (0.5, False), "spam": (0.3, False)}),
        # 0.55 against 0.55
        ("mean", {"weights": {"quick": 3.0}}, {"threat": (0.9, True), "hate": (0.55, True), "spam": (0.3, False)}),
        ("last", {"threshold": 0.35}, {"threat": (0.9, True), "hate": (0.4, True), "spam": (0.3, False)}),
        ("max", {"threshold": {"default": 0.3, "hate": 0.7}},
         {"threat": (0.9, True), "hate": (0.6, False), "spam": (0.3, True)}),
        ("last", {"threshold": {"spam": 0.3}}, {"threat": (0.9, True), "hate": (0.4, False), "spam": (0.3, True)}),
    ],
)  # fmt: skip
def test_labels_are_combined_one_by_one(rule: str, more: Any, expected: dict[str, tuple[float, bool]]) -> None:
    made = said(moderation(rule, MEMBERS, **more), careful=CAREFUL, quick=QUICK)
    assert list(table(made).items()) == list(expected.items())
    assert made["flagged"] is any(flag for _, flag in expected.values())
    Moderation.model_validate(made, strict=True)


@pytest.mark.parametrize("rule", ["max", "mean", "last"])
def test_a_member_that_did_not_run_has_no_say(rule: str) -> None:
    assert table(said(moderation(rule, MEMBERS), quick=QUICK)) == table(QUICK)
    assert table(said(moderation(rule, MEMBERS), careful=CAREFUL)) == table(CAREFUL)


scores = st.floats(0, 1).map(lambda score: round(score, 6))
by_member = st.dictionaries(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(LABELS), scores), min_size=1)


@given(
    given_scores=by_member, order=st.permutations(NAMES), rule=st.sampled_from(["max", "mean", "last"]),
    weights=st.dictionaries(st.sampled_from(NAMES), st.floats(0.001, 1000)),
)  # fmt: skip
def test_the_score_is_within_those_of_the_members(
    given_scores: dict[str, dict[str, float]], order: list[str], rule: str, weights: dict[str, float]
) -> None:
    members = {name: Member(LABELS, dict.fromkeys(LABELS, 0.5)) for name in order}
    made = moderation(rule, members, weights if rule == "mean" else None)
    annotations = {
        name: flagged(**{label: (score, score >= 0.5) for label, score in labels.items()})
        for name, labels in given_scores.items()
    }
    combined = table(said(made, **annotations))
    assert combined.keys() == {label for labels in given_scores.values() for label in labels}
    for label, (score, flag) in combined.items():
        having = {name: given_scores[name][label] for name in order if label in given_scores.get(name, {})}
        assert min(having.values()) - 1e-6 <= score <= max(having.values()) + 1e-6
        assert flag == (score >= 0.5)  # with equal thresholds every rule flags by the score
        if rule == "last":
            assert score == list(having.values())[-1]
        elif rule == "max":
            assert score == max(having.values())
        else:
            total = sum(weights.get(name, 1.0) for name in having)
            mean = sum(weights.get(name, 1.0) * value for name, value in having.items()) / total
            assert score == pytest.approx(mean, abs=1e-6)
    listed = [score for score, _ in combined.values()]
    assert listed == sorted(listed, reverse=True)


@given(
    rows=st.dictionaries(st.sampled_from(NAMES), st.tuples(scores, scores), min_size=1),
    rule=st.sampled_from(["max", "mean", "last"]),
)
def test_classifications_are_combined_over_their_labels(rows: dict[str, tuple[float, float]], rule: str) -> None:
    members = {name: Member(("no", "yes")) for name in NAMES}
    annotations = {
        name: {"label": "", "score": 0.0, "scores": {"yes": yes, "no": no}} for name, (no, yes) in rows.items()
    }
    made = said(classification(rule, members), **annotations)
    Classification.model_validate(made, strict=True)
    assert list(made["scores"]) == ["no", "yes"]
    ran = [rows[name] for name in NAMES if name in rows]
    columns = list(zip(*ran, strict=True))
    wanted = {
        "max": [max(column) for column in columns],
        "mean": [sum(column) / len(column) for column in columns],
        "last": list(ran[-1]),
    }[rule]
    assert list(made["scores"].values()) == pytest.approx(wanted, abs=1e-6)
    assert made["score"] == max(made["scores"].values()) == made["scores"][made["label"]]


def test_members_of_a_classification_need_the_same_labels() -> None:
    classification("max", {"one": Member(("a", "b")), "two": Member(("b", "a")), "mine": Foreign()})
    with pytest.raises(ModelError, match="must have the same labels; one has a, b; two has a, c"):
        classification("max", {"one": Member(("a", "b")), "two": Member(("a", "c"))})


def test_members_of_a_moderation_need_labels_in_common_unless_the_highest_counts() -> None:
    members = {"one": Member(("a",)), "two": Member(("b",))}
    for rule in ("mean", "last"):
        with pytest.raises(ModelError, match=f'"one" shares no label .* rule: {rule} needs'):
            moderation(rule, members)
    made = moderation("max", members)
    assert made.labels == ["a", "b"]
    assert [remark.split(" with")[0] for remark in made.remarks] == ['"one" shares no label', '"two" shares no label']
    assert moderation("last", members | {"both": Member(("b", "a"))}).labels == ["a", "b"]
    moderation("last", members | {"mine": Foreign()})


def test_a_threshold_for_a_label_that_no_member_has_is_refused() -> None:
    with pytest.raises(ModelError, match='no label "hat" to set a threshold for, did you mean "hate"'):
        moderation("last", MEMBERS, threshold={"hat": 0.5})
    moderation("last", MEMBERS | {"mine": Foreign()}, threshold={"hat": 0.5})


def test_a_custom_member_counts_and_must_make_the_right_annotation() -> None:
    made = moderation("mean", MEMBERS | {"mine": Foreign()})
    mine = flagged(hate=(0.6, True), rude=(0.5, False))
    combined = table(said(made, mine=mine, quick=QUICK))
    # A custom task has no thresholds, so 0.5 counts.
    assert combined == {"hate": (0.6, True), "rude": (0.5, True), "spam": (0.3, False)}
    wrong: tuple[dict[str, Any], ...] = ({"custom": 1}, {"labels": {}})
    for annotation in wrong:
        with pytest.raises(AnnotateError, match='task "mine" has no "labels" to combine'):
            said(made, mine=annotation, quick=QUICK)


def test_an_ensemble_can_be_a_member() -> None:
    inner = moderation("last", MEMBERS)
    outer = moderation("max", {"inner": inner, "other": Member(("hate",), {"hate": 0.1})})
    assert outer.labels == ["hate", "spam", "threat"]
    combined = table(said(outer, inner=said(inner, quick=QUICK, careful=CAREFUL), other=flagged(hate=(0.2, True))))
    assert combined == {"threat": (0.9, True), "hate": (0.4, True), "spam": (0.3, False)}


@given(mean_of=st.lists(scores, min_size=2, max_size=2))
def test_the_mean_of_an_ensemble_uses_its_thresholds(mean_of: list[float]) -> None:
    """A member that is an ensemble is flagged by its own threshold, which its mean with others must use."""
    assume(len(set(mean_of)) == 2)
    inner = moderation("max", MEMBERS, threshold={"hate": mean_of[0]})
    outer = moderation("mean", {"inner": inner, "other": Member(("hate",), {"hate": mean_of[1]})})
    score = round(sum(mean_of) / 2, 6)
    combined = table(said(outer, inner=flagged(hate=(score, False)), other=flagged(hate=(score, False))))
    assert combined["hate"] == (score, True)
