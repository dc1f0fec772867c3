from __future__ import annotations

from typing import Any

from benchmarks.peers.agreement import compare


def tone(negative: float, positive: float) -> dict[str, Any]:
    scores = {"negative": negative, "positive": positive}
    best = max(scores, key=scores.__getitem__)
    return {"tone": {"label": best, "score": scores[best], "scores": scores}}


def entities(*spans: tuple[int, int, str, float]) -> dict[str, Any]:
    names = ("start", "end", "label", "score")
    return {"entities": {"spans": [dict(zip(names, span, strict=True)) for span in spans]}}


def test_equal_outputs_agree_and_the_largest_difference_is_known() -> None:
    expected = {"a": tone(0.2, 0.8), "b": tone(0.6, 0.4)}
    agreement = compare(expected, {"a": tone(0.2003, 0.7997)})
    assert agreement.void == ""
    assert round(agreement.difference, 6) == 0.0003
    assert agreement.labels == 1


def test_a_different_label_voids() -> None:
    agreement = compare({"a": tone(0.2, 0.8), "b": tone(0.2, 0.8)}, {"a": tone(0.2, 0.8), "b": tone(0.8, 0.2)})
    assert agreement.void == "tone: label differs (1 of 2 events)"
    assert agreement.labels == 0.5


def test_either_label_is_right_if_their_scores_are_equal_within_the_tolerance() -> None:
    agreement = compare({"a": tone(0.4999, 0.5001)}, {"a": tone(0.5001, 0.4999)})
    assert agreement.void == ""
    assert agreement.labels == 0


def test_a_score_beyond_the_tolerance_voids() -> None:
    assert compare({"a": tone(0.2, 0.8)}, {"a": tone(0.202, 0.798)}).void == "tone: score differs (1 of 1 events)"
    assert compare({"a": tone(0.2, 0.8)}, {"a": tone(0.202, 0.798)}, 0.01).void == ""


def test_spans_must_be_the_same() -> None:
    expected = {"a": entities((0, 3, "PER", 0.9))}
    assert compare(expected, {"a": entities((0, 3, "PER", 0.9001))}).void == ""
    for spans in ([], [(0, 4, "PER", 0.9)], [(0, 3, "LOC", 0.9)]):
        assert "spans differ" in compare(expected, {"a": entities(*spans)}).void
    assert "score differs" in compare(expected, {"a": entities((0, 3, "PER", 0.8))}).void


def test_vectors_must_be_the_same() -> None:
    expected = {"a": {"vector": {"vector": [0.6, 0.8]}}}
    assert compare(expected, {"a": {"vector": {"vector": [0.6, 0.8005]}}}).void == ""
    assert "vector differs" in compare(expected, {"a": {"vector": {"vector": [0.8, 0.6]}}}).void
    assert "other length" in compare(expected, {"a": {"vector": {"vector": [0.6]}}}).void


def test_a_missing_annotation_other_labels_an_unknown_event_or_no_output_voids() -> None:
    expected = {"a": tone(0.2, 0.8)}
    assert "tone: missing" in compare(expected, {"a": {}}).void
    other = {"tone": {"label": "x", "score": 1.0, "scores": {"x": 1.0}}}
    assert "tone: other labels" in compare(expected, {"a": other}).void
    assert "unknown event" in compare(expected, {"b": tone(0.2, 0.8)}).void
    assert compare(expected, {}).void == "no output"
