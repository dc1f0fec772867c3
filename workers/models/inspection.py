"""Checks the files of a checkpoint before anything is loaded, so that damaged ones cost neither time nor memory."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from schemas.errors import ModelError

Shapes = dict[str, tuple[int, ...]]
"""The shapes of the tensors in a file, by their names."""

_MOST_BYTES = {"config.json": 2**24}
_MOST_BYTES_OTHERWISE = 2**28
_HEADER_BYTES = 100_000_000
"""The largest header that the safetensors library reads."""
_FEW_LAYERS = 64
"""So many layers cost nothing, and models whose layers share their weights may have more layers than tensors."""
_MOST_LAYERS = 1_000
_MOST_LABELS = 10**6
_MOST_WINDOW = 2**16
_MOST = 10**8
_LAYERS = re.compile(r"layer|group|block_sizes")
_SIZES = re.compile(r"size\b|num|dim|heads|embeddings|length")
# A configuration may claim a head or a pooler that the weights lack, which has a message of its own.
_SPARE = 2**24


def require_files(name: str, folder: Path) -> None:
    """Check that what is in the folder of the model ``name`` can be read in a bounded time.

    Raises ModelError for pipes, sockets and devices, and for text files that are larger than any real one.
    """
    for file in (*_entries(folder), *_entries(folder / "1_Pooling")):
        if not file.exists() or file.is_dir():
            continue
        if not file.is_file():
            raise ModelError(f'model "{name}": {file.name} is not a regular file')
        most = _MOST_BYTES.get(file.name, _MOST_BYTES_OTHERWISE)
        if file.suffix in {".json", ".txt"} and file.stat().st_size > most:
            raise ModelError(f'model "{name}": {file.name} has {file.stat().st_size:,} bytes, more than {most:,}')


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def tensor_shapes(name: str, files: Iterable[Path]) -> Shapes:
    """Return the shapes of all tensors in the safetensors of the model ``name``, from the headers of ``files``.

    Raises ModelError if one is no safetensors file.
    """
    shapes: Shapes = {}
    for path in files:
        try:
            with path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                if not 2 <= length <= min(_HEADER_BYTES, path.stat().st_size - 8):
                    raise ValueError
                header = json.loads(file.read(length))
            shapes |= {key: tuple(entry["shape"]) for key, entry in header.items() if key != "__metadata__"}
        except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
            raise ModelError(f'model "{name}" cannot be loaded: {path.name} is not a safetensors file') from error
    return shapes


def require_plausible(name: str, config: Mapping[str, Any], shapes: Shapes) -> None:
    """Check the numbers in the configuration of the model ``name``.

    Raises ModelError for numbers that no model has, or for more layers than its weights have tensors: building such a
    model could take hours, and all memory.
    """
    for path, value in _numbers(config):
        key = path.rpartition(".")[2]
        if _LAYERS.search(key) and not _SIZES.search(key.removeprefix("num")):
            most = max(_FEW_LAYERS, min(_MOST_LAYERS, len(shapes)))
        elif "label" in key:
            most = _MOST_LABELS
        elif "window" in key or key == "local_attention":
            most = _MOST_WINDOW
        elif _SIZES.search(key):
            most = _MOST
        else:
            continue
        if value > most:
            few = most <= _MOST_LAYERS and len(shapes) < most + 1
            reason = f"its weights have {len(shapes)} tensors" if few else f"at most {most:,} is supported"
            raise ModelError(f'model "{name}": its config.json says {path} {value:,}, but {reason}')


def _numbers(config: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, int]]:
    for key, value in config.items():
        if isinstance(value, Mapping) and key not in {"id2label", "label2id", "task_specific_params"}:
            yield from _numbers(value, f"{path}{key}.")
        for number in value if isinstance(value, list) else (value,):
            if isinstance(number, int) and not isinstance(number, bool):
                yield f"{path}{key}", number


def require_fit(name: str, model: nn.Module, shapes: Shapes, prefix: str) -> None:
    """Check that the weights of the model ``name`` have the sizes that its configuration says.

    Args:
        name: as in the pipeline file.
        model: made of the configuration, on the meta device.
        shapes: those of the weights.
        prefix: what the names of the trunk's tensors begin with where they have a head, without the dot.

    Raises:
        ModelError: if a tensor has another shape, or if the configuration describes a much larger model.
    """
    expected = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    for key, shape in shapes.items():
        for candidate in (key, f"{prefix}.{key}", key.removeprefix(f"{prefix}.")):
            if candidate in expected and expected[candidate] != shape:
                raise ModelError(
                    f'model "{name}" cannot be loaded: {key} is {_sizes(shape)} in its weights, '
                    f"and {_sizes(expected[candidate])} by its config.json"
                )
    described, present = (sum(map(math.prod, each.values())) for each in (expected, shapes))
    if described > 2 * present + _SPARE:
        raise ModelError(
            f'model "{name}" cannot be loaded: its config.json describes {described:,} weights, and it has {present:,}'
        )


def require_finite(name: str, tensors: Iterable[tuple[str, Tensor]]) -> None:
    """Check that the weights of the model ``name`` are numbers. Raises ModelError with the name of one that is not."""
    for key, tensor in tensors:
        if not tensor.is_floating_point():
            continue
        # The sum takes a fraction of the time. It can overflow where all weights are numbers.
        if not bool(torch.isfinite(tensor.detach().sum())) and not bool(torch.isfinite(tensor).all()):
            raise ModelError(f'model "{name}": its weights are damaged, {key} has values that are not numbers')


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single number"
