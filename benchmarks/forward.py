"""The packed forward against padded batches of 32, one text at a time, and the bare matrix products.

All of them compute the last hidden states of the same tokens with the same model. They take turns in rounds, so that
other load on the machine affects all of them alike; ratios are medians over the rounds. Padded batches and one at a
time use the model of transformers with its default attention, on texts in their original order. The matrix products
are those of the model's linear layers in the shapes of the packed forwards, with nothing in between; on a CPU, with
weights laid out for oneDNN. They run side by side if the packed forwards do.

    python -m benchmarks.forward --texts posts.jsonl.gz --count 512
    python -m benchmarks.forward --texts posts.jsonl.gz --count 512 --dtype bfloat16
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel

from benchmarks.report import report
from benchmarks.texts import texts_from
from schemas.pipeline.config import Compute
from workers.encoder.linear import ReorderedLinear
from workers.encoder.packing import PackedBatch, flat_starts, pack
from workers.encoder.tokenization import Cut, Tokenization
from workers.encoder.trunk import Trunk
from workers.encoder.tuning import tune
from workers.models.checkpoints import load_model, load_tokenizer, resolve
from workers.models.device import choose_device
from workers.models.packs import STARTER, STARTER_FOLDER, HeadPack

Rows = tuple[torch.Tensor, torch.Tensor]


def padded(model: PreTrainedModel, sequences: list[list[int]], size: int) -> Iterator[Rows]:
    """Yield (input_ids, attention_mask) of batches of ``size``, as a transformers pipeline makes them."""
    for first in range(0, len(sequences), size):
        batch = sequences[first : first + size]
        longest = max(map(len, batch))
        rows = [ids + [model.config.pad_token_id] * (longest - len(ids)) for ids in batch]
        mask = [[1] * len(ids) + [0] * (longest - len(ids)) for ids in batch]
        yield torch.tensor(rows, device=model.device), torch.tensor(mask, device=model.device)


def run_plain(model: PreTrainedModel, batches: list[Rows]) -> None:
    for ids, mask in batches:
        model(input_ids=ids, attention_mask=mask)


def run_together(trunk: Trunk, works: Sequence[Callable[[], object]]) -> None:
    """Run ``works`` as a worker runs forwards: side by side, if that was measured to be faster."""
    if trunk.pool is None:
        for work in works:
            work()
    else:
        for future in [trunk.pool.submit(work) for work in works]:
            future.result()


def matrix_products(model: PreTrainedModel, batches: list[PackedBatch]) -> list[Callable[[], object]]:
    """Return, for each packed forward, what computes the product of every linear layer once, on prepared inputs."""
    linear = [module for module in cast(nn.Module, model.encoder).modules() if isinstance(module, nn.Linear)]
    sizes = sorted({layer.in_features for layer in linear})
    layers: list[tuple[int, nn.Module]] = [
        (layer.in_features, ReorderedLinear(layer) if layer.weight.device.type == "cpu" else layer) for layer in linear
    ]

    @torch.inference_mode()
    def run(values: dict[int, torch.Tensor]) -> None:
        for size, layer in layers:
            layer(values[size])

    inputs = [{n: torch.randn(len(batch.tokens), n).to(linear[0].weight) for n in sizes} for batch in batches]
    return [partial(run, values) for values in inputs]


def seconds(work: Callable[[], None]) -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="lines of JSON with a text field, maybe gzipped")
    parser.add_argument("--count", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default=None, help="hub id or folder; default: the starter trunk")
    parser.add_argument("--forward-tokens", type=int, help="tokens per packed forward; default: measured")
    parser.add_argument("--threads", type=int, help="threads; default: torch's own choice")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default=None, help="default: float32 on a CPU")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    device, dtype = choose_device(Compute(dtype=options.dtype or "auto"))
    checkpoint = resolve(options.model or HeadPack.open(STARTER, STARTER_FOLDER).trunk().model)
    ordinary = load_model(checkpoint, "embedding")
    nn.Module.to(ordinary, device=device, dtype=dtype)
    trunk = Trunk(load_model(checkpoint, "embedding"), device, dtype)
    tokenizer = load_tokenizer(checkpoint)
    capacity = min(limit for limit in (tokenizer.limit, trunk.capacity, 512) if limit)
    tokenization = Tokenization(tokenizer.tokenizer, Cut(capacity, capacity // 4))

    encoded: Any = tokenization.encode(texts_from(options.texts, options.count))
    windows = [window for text in encoded for window in text]
    sequences = [window.ids for window in windows]
    lengths = np.array([len(ids) for ids in sequences])
    starts, flat = flat_starts(lengths), np.concatenate([np.array(ids) for ids in sequences])
    tune(trunk, 16_384)
    trunk.forward_tokens = options.forward_tokens or trunk.forward_tokens
    batches = pack(lengths, starts, np.arange(len(lengths)), trunk.forward_tokens, padded=not trunk.packed)
    forwards = [partial(trunk.forward, batch, flat) for batch in batches]
    products = matrix_products(ordinary, batches)
    ways: dict[str, Callable[[], None]] = {
        "packed": lambda: run_together(trunk, forwards),
        "padded batches of 32": lambda: run_plain(ordinary, list(padded(ordinary, sequences, 32))),
        "one at a time": lambda: run_plain(ordinary, list(padded(ordinary, sequences, 1))),
        "matrix products alone": lambda: run_together(trunk, products),
    }
    for work in ways.values():
        work()
    rounds = [{way: seconds(work) for way, work in ways.items()} for _ in range(options.rounds)]
    tokens = int(starts[-1])
    figures = {
        "sequences": float(len(sequences)),
        "tokens": float(tokens),
        "tokens a forward": float(trunk.forward_tokens),
        "forwards at a time": float(trunk.pool.forwards if trunk.pool else 1),
        "threads": float(torch.get_num_threads()),
    }
    figures |= {f"{way}, tokens/s": tokens / statistics.median(times[way] for times in rounds) for way in ways}
    for way in list(ways)[1:]:
        figures[f"packed / {way}"] = statistics.median(times[way] / times["packed"] for times in rounds)
    report(
        "forward",
        f"Packed forward on {device} in {trunk.precision} (targets: >= 2 one at a time, >= 0.8 of products)",
        figures,
    )


if __name__ == "__main__":
    main()
