"""One card a head: the words of training/card_texts/, filled with what was measured."""

from __future__ import annotations

from pathlib import Path

from training.report import Answer, Measured
from workers.starter.heads import StarterHead

_WORDS = Path(__file__).parent / "card_texts"
_MARKS = {True: "good", False: "**bad**", None: ""}


def card(name: str, head: StarterHead, measured: Measured) -> str:
    """The card in Markdown."""
    rows = "\n".join(f"| {score.what} | {score.value:.3f} | {score.count:,} |" for score in measured.scores)
    return (
        (_WORDS / f"{name}.md")
        .read_text(encoding="utf-8")
        .replace("{facts}", "\n".join(f"- {fact}" for fact in _facts(head)))
        .replace("{scores}", f"| Measure | Score | Examples |\n|---|---:|---:|\n{rows}")
        .replace("{answers}", _answers(measured.answers))
    )


def _facts(head: StarterHead) -> list[str]:
    mix = ", ".join(f"{share:.2f}" for share in head.mix.tolist())
    layers = [layer for layer in (head.reduce, head.hidden, head.out) if layer is not None]
    shape = ", ".join(f"{layer.in_features} → {layer.out_features}" for layer in layers)
    facts = [
        f"labels: {', '.join(f'`{label}`' for label in head.labels)}",
        f"scalar mix of the embeddings and 6 layers: {mix}",
        f"linear layers: {shape}" + (", GELU before the last" if head.hidden is not None else ""),
        f"temperature {float(head.temperature):.2f}, found on the dev files",
        f"revision `{head.revision}`",
    ]
    if head.pooling:
        facts.append(f"reads the {' and the '.join(head.pooling)} of the sequence's tokens")
    if head.context:
        facts.append(f"sees {head.context} piece(s) on each side")
    if head.thresholds:
        facts.append("thresholds: " + ", ".join(f"{label} {limit:.2f}" for label, limit in head.thresholds.items()))
    if head.aggregation:
        facts.append(f"recommended aggregation: `{head.aggregation}`")
    return facts


def _answers(answers: list[Answer]) -> str:
    rows = "\n".join(f"| {answer.text} | {answer.says} | {_MARKS[answer.good]} |" for answer in answers)
    judged = [answer.good for answer in answers if answer.good is not None]
    summary = f"{sum(judged)} of {len(judged)} as a person would say.\n\n" if judged else ""
    return f"{summary}| Text | Answer | |\n|---|---|---|\n{rows}"
