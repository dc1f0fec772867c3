"""Applies a changed pipeline file while the worker keeps running: without a rebalance, and completely or not at all."""

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
from schemas.pipeline.redaction import Redact
from stream.kafka.checking import client_mistakes
from stream.output.redaction.keys import load_keys
from workers.chain.cache import Cache
from workers.chain.chain import Chain
from workers.process.start_lines import log_plan

log = logging.getLogger("glossator")

_FREE = frozenset({"tasks", "compute", "input", "output", "redact"})
"""Sections that may change while the worker runs, in part: the fields are below. ``tasks`` may change completely."""
_FREE_INPUT = frozenset({"text", "max_characters", "max_bytes", "format", "encoding"})
_FREE_OUTPUT = frozenset({"text", "format", "offset_unit", "routes"})
"""Routes may change, but not go to topics that the worker did not look up when it started."""
_FREE_REDACT = frozenset(Redact.model_fields) - {"keys"}
"""Not the keys, with which dead letters are encrypted, too."""
_FREE_COMPUTE = frozenset({"device", "dtype", "attention", "cache"})
"""Not ``threads``, which belongs to the process, and not ``forward_tokens``, which belongs to trunks that may stay."""


class Reloader(threading.Thread):
    """A thread that reloads the pipeline file when ``ask`` is called, and with ``watch`` when the file has changed.

    If the file has mistakes, if its models cannot be loaded or fail on a plain sentence, or if a change needs a restart
    (``fixed``), nothing changes and the log gives the reason. Otherwise the new models are loaded and warmed up while
    the old ones work, which takes memory for both, and ``swap`` gets the new chain. Trunks whose weights have not
    changed are kept.
    """

    def __init__(
        self, file: Path, pipeline: Pipeline, chain: Chain, swap: Callable[[Pipeline, Chain], None], watch: bool
    ) -> None:
        """``pipeline`` and ``chain`` are what the worker uses now; ``swap`` is ``Worker.swap``."""
        super().__init__(name="reload", daemon=True)
        self._file = file
        self._pipeline = pipeline
        self._chain = chain
        self._config = _config(pipeline)
        self._swap = swap
        self._watch = watch
        self._seen = self._content()
        self._asked = threading.Event()

    @property
    def cache(self) -> Cache | None:
        """The cache of the chain in use."""
        return self._chain.cache

    def ask(self) -> None:
        """Reload the file soon. Any thread or a signal handler may call it."""
        self._asked.set()

    def run(self) -> None:
        """Wait for reasons to reload; called by the thread itself."""
        while True:
            if self._asked.wait(1.0 if self._watch else None):
                self._asked.clear()
            elif (content := self._content()) == self._seen or content is None:
                continue
            self._seen = self._content()
            try:
                self.reload()
            except Exception as error:
                reason = str(error) if isinstance(error, GlossatorError) else type(error).__qualname__
                log.error("the configuration is unchanged: %s", reason)

    def reload(self) -> None:
        """Reload the file once.

        Raises ConfigError, SettingError, ModelError or DeviceError; then nothing has changed.
        """
        began = time.monotonic()
        file = load_file(self._file, check=client_mistakes)
        new, old = file.pipeline, self._pipeline
        if problems := [file.problem(path, "has changed, which needs a restart") for path in fixed(old, new)]:
            raise ConfigError(problems)
        if new == old:
            log.info("the pipeline file has not changed in meaning")
            return
        before, config = self._config, _config(new)
        chain = Chain.load(new, before=self._chain)
        chain.warm_up()
        chain.take_over()
        self._swap(new, chain)
        self._pipeline, self._chain, self._config = new, chain, config
        log.info(
            "configuration %s after %.1f s, from the next micro-batch on: %s",
            f"{before} -> {config}" if config != before else f"{config} (event ids stay the same)",
            time.monotonic() - began,
            ", ".join(f"{name} = {ref['model']}@{ref['revision']}" for name, ref in chain.models.items()),
        )  # fmt: skip
        log_plan(chain)

    def _content(self) -> bytes | None:
        """Return a digest of the file, or None while it cannot be read, for example while an editor replaces it."""
        try:
            return sha256(self._file.read_bytes()).digest()
        except OSError:
            return None


def _config(pipeline: Pipeline) -> str:
    """Return the hash of the configuration as it is in ids of events. Raises SettingError if a key cannot be read."""
    return config_hash(pipeline, load_keys(pipeline).fingerprint)


def fixed(old: Pipeline, new: Pipeline) -> list[tuple[str | int, ...]]:
    """Return the paths of the fields that differ and cannot change while the worker is a member of its group."""
    changed: list[tuple[str | int, ...]] = [
        (name,) for name in Pipeline.model_fields if name not in _FREE and getattr(old, name) != getattr(new, name)
    ]
    free_fields = {"input": _FREE_INPUT, "output": _FREE_OUTPUT, "compute": _FREE_COMPUTE, "redact": _FREE_REDACT}
    for section, free in free_fields.items():
        before, after = getattr(old, section), getattr(new, section)
        if before is None or after is None:
            changed += [(section,)] if before != after else []
            continue
        changed += [
            (section, name)
            for name in type(before).model_fields
            if name not in free and getattr(before, name) != getattr(after, name)
        ]
    known = {*old.output.topics, None}
    changed += [
        ("output", "routes", index, "topic")
        for index, route in enumerate(new.output.routes or ())
        if route.topic not in known
    ]
    return changed
