"""Choose by how much an answer must exceed "no answer" with each window of a document.

python -m training.windows --data ../shared/data

The smallest margin that refuses enough on documents of both lengths; the larger it is, the more right answers are lost.
"""

from __future__ import annotations

from pathlib import Path

import click
import transformers

from schemas.pipeline.config import Pipeline
from training.data import Data
from training.measures.documents import FITTED, HELD_OUT, PASSAGES, QUESTIONS, documents
from training.measures.metrics import token_f1
from workers.chain.chain import Chain
from workers.models.packs import STARTER
from workers.tasks.answers import decode

LENGTHS = {PASSAGES: QUESTIONS, 90: 10}
"""Passages of a document -> how many questions are asked."""
MARGINS = [round(step / 10, 1) for step in range(31)]
REFUSED = 0.87
"""The least share of the questions without an answer that must be refused on documents of each length."""


@click.command(help=__doc__)
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", default=STARTER, show_default=True, help="As in the pipeline file.")
def main(*, data: Path, model: str) -> None:
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    examples = Data(data).read("qa/qed.dev")
    task = {"name": "answers", "task": "question-answering", "model": model, "question": "$.question"}
    pipeline = {
        "pipeline": "windows", "kafka": {"bootstrap.servers": "localhost:9092"}, "input": {"topics": ["in"]},
        "tasks": [task], "output": {"topic": "out"},
    }  # fmt: skip
    chain = Chain.load(Pipeline.model_validate(pipeline))
    enough = list(MARGINS)
    for half, name in ((FITTED, "to choose on"), (HELD_OUT, "held out")):
        for passages, questions in LENGTHS.items():
            shares = _shares(chain, examples, half, questions, passages)
            for margin, (f1, refused) in shares.items():
                click.echo(f"{name}, {passages} passages, {margin}: F1 {f1:.3f}, refused {refused:.2f}")
            if half == FITTED:
                enough = [margin for margin in enough if margin is not None and shares[margin][1] >= REFUSED]
    click.echo(f"chosen: {min(enough)}" if enough else "no margin refuses enough")


def _shares(
    chain: Chain, examples: list[dict[str, object]], half: int, questions: int, passages: int
) -> dict[float | None, tuple[float, float]]:
    """Return margin -> (token F1 of the answered questions, share of the others that is refused)."""
    margins = [None, *MARGINS]
    scores: dict[float | None, list[float]] = {margin: [] for margin in margins}
    refused: dict[float | None, list[bool]] = {margin: [] for margin in margins}
    for asked in documents(examples, half, questions, passages):
        (reading,) = chain.stages[0].read(0, [(asked.question, asked.document)])
        for margin in margins:
            best = decode(
                asked.document, reading.windows, reading.scores, n_best=1, max_answer_tokens=30, null_threshold=0.0,
                can_be_unanswerable=True, window_margin=margin,
            ).best  # fmt: skip
            if asked.answers:
                answer = "" if best is None else asked.document[best.start : best.end]
                scores[margin].append(token_f1(answer, asked.answers))
            else:
                refused[margin].append(best is None)
    return {
        margin: (sum(scores[margin]) / len(scores[margin]), sum(refused[margin]) / len(refused[margin]))
        for margin in margins
    }


if __name__ == "__main__":
    main()
