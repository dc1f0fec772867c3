"""Do two candidates say the same about the same events? If not, their speeds are not comparable. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

TOLERANCE = 1e-3
"""The largest difference of a score in float32."""

Annotation = Mapping[str, Any]
Outputs = Mapping[str, Mapping[str, Annotation]]
"""Event -> task -> annotation."""


class Agreement(NamedTuple):
    """``void`` says why two outputs are not the same, and is empty if they are; ``difference``: the largest of a score.

    ``labels``: the share of annotations with the same label or spans.
    """

    void: str
    difference: float
    labels: float


def compare(expected: Outputs, actual: Outputs, tolerance: float = TOLERANCE) -> Agreement:
    """Compare the events of ``actual`` with the same ones of ``expected``, which may have more.

    Two labels may differ if both have the same score within ``tolerance``: then either is right.
    """
    if not actual:
        return Agreement("no output", 0.0, 0.0)
    reasons: dict[str, int] = {}
    differences, equal, total = [0.0], 0, 0
    for event, answer in actual.items():
        if event not in expected:
            reasons["unknown event"] = reasons.get("unknown event", 0) + 1
            continue
        for task, annotation in expected[event].items():
            total += 1
            reason, difference, same = _compare_annotation(annotation, answer.get(task), tolerance)
            differences.append(difference)
            equal += same
            if reason:
                reasons[f"{task}: {reason}"] = reasons.get(f"{task}: {reason}", 0) + 1
    void = "; ".join(f"{reason} ({count} of {len(actual)} events)" for reason, count in reasons.items())
    return Agreement(void, max(differences), equal / total if total else 0.0)


def _compare_annotation(expected: Annotation, actual: Annotation | None, tolerance: float) -> tuple[str, float, bool]:
    """Return why they differ (empty if they do not), the largest difference of a score, whether labels are equal."""
    if actual is None:
        return "missing", 0.0, False
    if "spans" in expected:
        return _compare_spans(expected["spans"], actual.get("spans", []), tolerance)
    if "vector" in expected:
        if len(expected["vector"]) != len(actual.get("vector", ())):
            return "other length", 0.0, False
        return _judge(_largest(expected["vector"], actual["vector"]), tolerance, "vector differs")
    scores, others = expected["scores"], actual.get("scores", {})
    if scores.keys() != others.keys():
        return "other labels", 0.0, False
    difference = _largest(list(scores.values()), [others[label] for label in scores])
    same = expected["label"] == actual["label"]
    if not same and scores[expected["label"]] - scores[actual["label"]] > tolerance:
        return "label differs", difference, False
    reason, difference, _ = _judge(difference, tolerance, "score differs")
    return reason, difference, same


def _compare_spans(expected: list[Annotation], actual: list[Annotation], tolerance: float) -> tuple[str, float, bool]:
    places = [[(span["start"], span["end"], span["label"]) for span in spans] for spans in (expected, actual)]
    if places[0] != places[1]:
        return "spans differ", 0.0, False
    return _judge(
        _largest([span["score"] for span in expected], [span["score"] for span in actual]), tolerance, "score differs"
    )


def _judge(difference: float, tolerance: float, reason: str) -> tuple[str, float, bool]:
    return (reason if difference > tolerance else ""), difference, True


def _largest(expected: list[float], actual: list[float]) -> float:
    return max((abs(a - b) for a, b in zip(expected, actual, strict=True)), default=0.0)
