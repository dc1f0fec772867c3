"""A changed pipeline file takes over while the worker goes on: no rebalance, nothing lost, or nothing changed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from schemas.errors import ConfigError, GlossatorError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.identity import config_hash
from schemas.pipeline.loader import load_file
from stream.kafka.settings import client_problems
from workers.chain.cache import Cache
from workers.chain.chain import Chain

log = logging.getLogger("glossator")

_FREE = frozenset({"tasks", "compute", "input", "output"})
_FREE_INPUT = frozenset({"text", "max_characters", "max_bytes", "format"})
_FREE_OUTPUT = frozenset({"text", "offset_unit"})
_FREE_COMPUTE = frozenset({"device", "dtype", "attention", "cache"})
"""Threads are the process's, and the forward size belongs to trunks that may stay."""


class Reloader(threading.Thread):
    """Reads the file again when asked (``ask``, from SIGHUP), or with ``watch`` when it has changed.

    A file with mistakes, models that do not load or fail on a plain sentence, or a change that needs a restart
    (``fixed``) leave everything as it is, and the log says so. Otherwise the new models are loaded and warmed up
    beside the old ones, which takes memory for both, and ``swap`` is given the new chain. Trunks whose weights
    stay the same stay.
    """

    def __init__(
        self, file: Path, pipeline: Pipeline, chain: Chain, swap: Callable[[Pipeline, Chain], None], watch: bool
    ) -> None:
        super().__init__(name="reload", daemon=True)
        self._file = file
        self._pipeline = pipeline
        self._chain = chain
        self._swap = swap
        self._watch = watch
        self._seen = self._content()
        self._asked = threading.Event()

    @property
    def cache(self) -> Cache | None:
        """Of the chain that runs now."""
        return self._chain.cache

    def ask(self) -> None:
        """From any thread, or a signal handler."""
        self._asked.set()

    def run(self) -> None:
        while True:
            if self._asked.wait(1.0 if self._watch else None):
                self._asked.clear()
            elif (content := self._content()) == self._seen or content is None:
                continue
            self._seen = self._content()
            try:
                self.reload()
            except Exception as error:
                what = str(error) if isinstance(error, GlossatorError) else type(error).__qualname__
                log.error("the configuration stays as it was: %s", what)

    def reload(self) -> None:
        """One attempt. Raises what speaks against the file."""
        began = time.monotonic()
        found = load_file(self._file)
        new, old = found.pipeline, self._pipeline
        problems = client_problems(found)
        for path in fixed(old, new):
            problems.append(found.problem(path, "has changed, which needs a restart"))
        if problems:
            raise ConfigError(problems)
        if new == old:
            log.info("the pipeline file says what it said before")
            return
        chain = Chain.load(new, before=self._chain)
        chain.warm_up()
        chain.take_over()
        self._swap(new, chain)
        self._pipeline, self._chain = new, chain
        log.info(
            "configuration %s -> %s after %.1f s, from the next micro-batch on: %s", config_hash(old), config_hash(new),
            time.monotonic() - began, ", ".join(f"{name} = {ref['model']}@{ref['revision']}"
                                                for name, ref in chain.models.items()),
        )  # fmt: skip

    def _content(self) -> bytes | None:
        """What stands for the file's content; None while it cannot be read, as between two steps of an editor."""
        try:
            return sha256(self._file.read_bytes()).digest()
        except OSError:
            return None


def fixed(old: Pipeline, new: Pipeline) -> list[tuple[str, ...]]:
    """The fields that differ and cannot change while the worker is a member of its group."""
    changed: list[tuple[str, ...]] = [
        (name,) for name in Pipeline.model_fields if name not in _FREE and getattr(old, name) != getattr(new, name)
    ]
    for section, free in (("input", _FREE_INPUT), ("output", _FREE_OUTPUT), ("compute", _FREE_COMPUTE)):
        one, other = getattr(old, section), getattr(new, section)
        changed += [
            (section, name)
            for name in type(one).model_fields
            if name not in free and getattr(one, name) != getattr(other, name)
        ]
    return changed
