"""Deliberate faults that random weights could hide: the checks that should find them do find them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from transformers import AttentionInterface

import workers.encoder.attention
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from tests.workers.tasks import plain, test_pairs, test_question_task
from tests.workers.tasks.events import TEXT, event, run
from workers.chain.chain import Chain
from workers.chain.forward import Forwards
from workers.chain.stage import Stage
from workers.encoder.attention import PACKED
from workers.encoder.tokenization import Tokenization
from workers.encoder.trunk import Trunk
from workers.tasks.pairs import Nli, ZeroShot
from workers.tasks.question_answering import QuestionAnswering

LONG = "Angela Merkel praised the awful coffee in Paris. " * 12
Patch = pytest.MonkeyPatch
Check = Callable[[], None]


def heads_that_share_a_trunk() -> None:
    """Two heads of one forward, each compared with its own checkpoint."""
    folders = [tiny.checkpoint("bert", "sequence", seed, trunk=0) for seed in (1, 2)]
    made = Chain.load(pipeline(*(
        {"name": f"head{n}", "task": "text-classification", "model": str(folder)} for n, folder in enumerate(folders)
    )))  # fmt: skip
    assert len(made.stages) == 1
    (annotated,) = run(made, event())
    for n, folder in enumerate(folders):
        (window,) = plain.read(folder, "sequence", TEXT)
        assert list(annotated[f"head{n}"]["scores"].values()) == pytest.approx(plain.softmax(window.rows), abs=1e-4)


def a_model_with_local_attention() -> None:
    folder = tiny.checkpoint("modernbert", "embedding")
    made = Chain.load(pipeline({"name": "t", "task": "embedding", "model": str(folder), "normalize": False}))
    text = "the quick brown fox jumps over the lazy dog, again"
    assert made.stages[0].trunk.packed
    (annotated,) = run(made, event(text))
    (window,) = plain.read(folder, "embedding", text)
    assert len(window.rows) > 20  # longer than the window of 12, otherwise it would not matter
    assert annotated["t"]["vector"] == pytest.approx(window.rows.mean(axis=0), abs=1e-4)


def tokens_of_a_long_text() -> None:
    """The label and position of every token, over windows without overlap."""
    folder = tiny.checkpoint("bert", "token", labels=("A", "B", "C"))
    made = Chain.load(pipeline({
        "name": "t", "task": "token-classification", "model": str(folder), "aggregation": "none", "stride": 0,
    }))  # fmt: skip
    (annotated,) = run(made, event(LONG))
    windows = plain.read(folder, "token", LONG, stride=0)
    assert len(windows) > 2
    wanted = [
        (start, end, "ABC"[int(row.argmax())], pytest.approx(float(plain.softmax(row).max()), abs=1e-4))
        for window in windows
        for (start, end), row, special in zip(
            window.encoding.offsets, window.rows, window.encoding.special_tokens_mask, strict=True
        )
        if not special
    ]
    assert [(span["start"], span["end"], span["label"], span["score"]) for span in annotated["t"]["spans"]] == wanted


def answers_in_a_long_text() -> None:
    model = test_question_task.folder()
    made = test_question_task.chain(model, questions=["who?"], n_best=4, max_answer_tokens=6)
    (annotated,) = run(made, event(LONG))
    test_question_task.check(annotated["t"]["answers"][0], model, LONG, "who?")


def swapped_outputs(patch: Patch) -> None:
    original: Any = Forwards._attempt
    patch.setattr(Forwards, "_attempt", lambda *arguments: original(*arguments)[::-1])


def swapped_readings(patch: Patch) -> None:
    original: Any = Stage.readings
    patch.setattr(
        Stage, "readings", lambda stage, job, reads, task, output: original(stage, job, reads, task, 1 - output)
    )  # fmt: skip


def no_local_attention(patch: Patch) -> None:
    original = workers.encoder.attention.packed_attention

    def everywhere(*arguments: Any, sliding_window: Any = None, **rest: Any) -> Any:
        return original(*arguments, **rest)

    # The fixture undoes it; the registry is transformers' own mapping.
    patch.setitem(AttentionInterface._global_mapping, PACKED, everywhere)


def no_local_attention_and_nobody_looks(patch: Patch) -> None:
    """As before, and the probe that would make the model padded finds nothing wrong."""
    no_local_attention(patch)

    def believes(trunk: Trunk, tolerance: float) -> bool:
        trunk._model.set_attn_implementation(PACKED)
        return True

    patch.setattr(Trunk, "_packs", believes)


def no_token_types(patch: Patch) -> None:
    original = Trunk.forward
    patch.setattr(
        Trunk, "forward", lambda trunk, batch, ids, types=None, every=False: original(trunk, batch, ids, None, every)
    )  # fmt: skip


class Shifted:
    """A window whose offsets are one code point too high."""

    def __init__(self, window: Any) -> None:
        self._window = window

    def __getattr__(self, name: str) -> Any:
        return getattr(self._window, name)

    def __len__(self) -> int:
        return len(self._window)

    @property
    def offsets(self) -> list[tuple[int, int]]:
        return [(start + (end > 0), end + (end > 0)) for start, end in self._window.offsets]

    def token_to_chars(self, token: int) -> tuple[int, int] | None:
        annotated = self._window.token_to_chars(token)
        return annotated and (annotated[0] + 1, annotated[1] + 1)


def later_windows(patch: Patch, change: Callable[[Any], Any]) -> None:
    original: Any = Tokenization.encode

    def encode(tokenization: Tokenization, inputs: Any) -> Any:
        return [[first, *map(change, rest)] for first, *rest in original(tokenization, inputs)]

    patch.setattr(Tokenization, "encode", encode)


def shifted_offsets(patch: Patch) -> None:
    later_windows(patch, Shifted)


def shifted_scores(patch: Patch) -> None:
    """The scores of later windows are shifted by one token."""
    original: Any = Stage.readings

    def readings(*arguments: Any) -> Any:
        made = original(*arguments)
        for reading in made:
            reading.scores[1:] = [np.roll(table, 1, axis=0) for table in reading.scores[1:]]
        return made

    patch.setattr(Stage, "readings", readings)


def a_stride_of_one_too_many(patch: Patch) -> None:
    original = Tokenization.__init__
    patch.setattr(
        Tokenization, "__init__",
        lambda made, tokenizer, cut, *more: original(made, tokenizer, cut._replace(stride=cut.stride + 1), *more),
    )  # fmt: skip


def a_window_forgotten(patch: Patch) -> None:
    original: Any = Tokenization.encode
    patch.setattr(
        Tokenization, "encode", lambda made, inputs: [windows[:-1] or windows for windows in original(made, inputs)]
    )  # fmt: skip


def turned_round(patch: Patch, task: type) -> None:
    original = task.inputs  # type: ignore[attr-defined]
    patch.setattr(task, "inputs", lambda made, document: [pair[::-1] for pair in original(made, document)])


def nli() -> None:
    test_pairs.test_nli_equals_transformers("bert")


def nli_without_types() -> None:
    """RoBERTa has no token types: only the order of the pair distinguishes the texts."""
    test_pairs.test_nli_equals_transformers("roberta")


def zero_shot() -> None:
    test_pairs.test_zero_shot_equals_the_pipeline("bert", False)


def questions() -> None:
    model = test_question_task.folder()
    (annotated,) = run(test_question_task.chain(model, questions=["who?"], n_best=4, max_answer_tokens=6), event())
    test_question_task.check(annotated["t"]["answers"][0], model, TEXT, "who?")


MUTANTS: dict[str, tuple[Callable[[Patch], None], Check]] = {
    "heads swapped where they compute": (swapped_outputs, heads_that_share_a_trunk),
    "heads swapped where they are read": (swapped_readings, heads_that_share_a_trunk),
    "no local attention": (no_local_attention, a_model_with_local_attention),
    "no local attention, unnoticed at load": (no_local_attention_and_nobody_looks, a_model_with_local_attention),
    "no token types, nli": (no_token_types, nli),
    "no token types, zero-shot": (no_token_types, zero_shot),
    "no token types, questions": (no_token_types, questions),
    "offsets of later windows, spans": (shifted_offsets, tokens_of_a_long_text),
    "offsets of later windows, answers": (shifted_offsets, answers_in_a_long_text),
    "scores of later windows, spans": (shifted_scores, tokens_of_a_long_text),
    "scores of later windows, answers": (shifted_scores, answers_in_a_long_text),
    "stride, spans": (a_stride_of_one_too_many, tokens_of_a_long_text),
    "stride, answers": (a_stride_of_one_too_many, answers_in_a_long_text),
    "last window, spans": (a_window_forgotten, tokens_of_a_long_text),
    "last window, answers": (a_window_forgotten, answers_in_a_long_text),
    "premise and hypothesis, nli": (lambda patch: turned_round(patch, Nli), nli),
    "premise and hypothesis without types": (lambda patch: turned_round(patch, Nli), nli_without_types),
    "premise and hypothesis, zero-shot": (lambda patch: turned_round(patch, ZeroShot), zero_shot),
    "question and context": (lambda patch: turned_round(patch, QuestionAnswering), questions),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_fault_is_found(name: str, monkeypatch: Patch) -> None:
    mutate, check = MUTANTS[name]
    with monkeypatch.context() as patch:
        mutate(patch)
        with pytest.raises(AssertionError):
            check()
    check()
