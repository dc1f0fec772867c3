"""Plain transformers as a reference: a checkpoint's tokenizer and model, one sequence at a time, without our code."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import transformers

from tests.workers import tiny

_AUTO = {
    "sequence": transformers.AutoModelForSequenceClassification,
    "token": transformers.AutoModelForTokenClassification,
    "span": transformers.AutoModelForQuestionAnswering,
    "embedding": transformers.AutoModel,
}


class Window(NamedTuple):
    """``rows``: the logits ``[labels]``, of tokens ``[tokens, labels]``, of a trunk the states ``[tokens, width]``.

    ``weight``: its tokens without special ones; ``encoding``: the Rust tokenizer's, with offsets.
    """

    rows: np.ndarray
    weight: int
    encoding: Any


@cache
def loaded(folder: Path, kind: str) -> tuple[Any, Any]:
    return transformers.AutoTokenizer.from_pretrained(folder), _AUTO[kind].from_pretrained(folder).eval()


@torch.inference_mode()
def read(
    folder: Path,
    kind: str,
    first: str,
    second: str | None = None,
    *,
    cut: str | bool = "only_first",
    max_length: int = tiny.LENGTH,
    stride: int | None = None,
) -> list[Window]:
    """Return the windows of a text or a pair; ``cut``: the text that is cut. The default stride is a quarter."""
    tokenizer, model = loaded(folder, kind)
    made = tokenizer(
        first, second, truncation=cut if second is not None else True, max_length=max_length,
        stride=max_length // 4 if stride is None else stride, return_overflowing_tokens=True,
    )  # fmt: skip
    windows = []
    for encoding in made.encodings:
        inputs = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask}
        if "token_type_ids" in tokenizer.model_input_names:
            inputs["token_type_ids"] = encoding.type_ids
        output = model(**{name: torch.tensor([values]) for name, values in inputs.items()})
        if kind == "span":
            rows = torch.stack((output.start_logits, output.end_logits), dim=-1)
        else:
            rows = output.last_hidden_state if kind == "embedding" else output.logits
        weight = len(encoding.ids) - sum(encoding.special_tokens_mask)
        windows.append(Window(rows[0].double().numpy(), weight, encoding))
    return windows


def softmax(rows: np.ndarray) -> np.ndarray:
    shares = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def mean(windows: list[Window], rows: list[np.ndarray]) -> np.ndarray:
    """Merge the rows of all windows, weighted by length; a text without tokens weighs one."""
    return np.average(np.stack(rows), axis=0, weights=[max(1, window.weight) for window in windows])


def vector(folder: Path, text: str) -> np.ndarray:
    """The mean of the states, special tokens included; over windows weighted by length."""
    windows = read(folder, "embedding", text)
    return mean(windows, [window.rows.mean(axis=0) for window in windows])


def cosine(vector: np.ndarray, other_vector: np.ndarray) -> float:
    return float(vector @ other_vector / np.linalg.norm(vector) / np.linalg.norm(other_vector))
