"""Streaming NLP for Kafka: the names a program may import, and the command line.

``python -m glossator`` is the command ``glossator``. A program that runs a worker of its own:

    import glossator

    glossator.prepare_process()  # optional, for speed: changes the environment and the allocator of this process
    pipeline = glossator.load("pipeline.yaml")
    chain = glossator.Chain.load(pipeline)
    chain.warm_up()
    glossator.Worker(pipeline, chain).run()

Without Kafka, texts go through the same chain:

    document = glossator.Document(None, "Angela Merkel loves the wonderful coffee in Paris.")
    chain.run([document])
    event = glossator.EventBuilder(pipeline, chain.models).build(document)  # JSON, as glossator.EnrichedEvent describes

A custom task derives from ``glossator.Task``. Everything outside ``__all__`` may change without notice. Names are
imported when they are first used, because some of them need torch, which takes seconds to import.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib import metadata

    from schemas.document import Annotation, Document
    from schemas.errors import (
        AnnotateError,
        BrokerError,
        ConfigError,
        DeviceError,
        FieldError,
        GlossatorError,
        ModelError,
        PoisonError,
        StuckError,
    )
    from schemas.event import EnrichedEvent
    from schemas.pipeline.config import Pipeline
    from schemas.pipeline.loader import load, parse
    from schemas.pipeline.tasks import CustomTask
    from stream.output.event_builder import EventBuilder
    from workers.chain.chain import Chain
    from workers.encoder.reading import Activation, HeadInfo, HeadKind, Input, Reading, Scores, Side
    from workers.process.environment import prepare_process
    from workers.tasks.base import Reader, Task
    from workers.tasks.scores import merge_windows, numbers
    from workers.worker import Worker

__all__ = [
    "Activation",
    "AnnotateError",
    "Annotation",
    "BrokerError",
    "Chain",
    "ConfigError",
    "CustomTask",
    "DeviceError",
    "Document",
    "EnrichedEvent",
    "EventBuilder",
    "FieldError",
    "GlossatorError",
    "HeadInfo",
    "HeadKind",
    "Input",
    "ModelError",
    "Pipeline",
    "PoisonError",
    "Reader",
    "Reading",
    "Scores",
    "Side",
    "StuckError",
    "Task",
    "Worker",
    "load",
    "merge_windows",
    "numbers",
    "parse",
    "prepare_process",
]

_MODULES = {
    "schemas.errors": ("BrokerError", "ConfigError", "DeviceError", "GlossatorError", "PoisonError", "StuckError"),
    "schemas.event": ("EnrichedEvent",),
    "schemas.pipeline.config": ("Pipeline",),
    "schemas.pipeline.loader": ("load", "parse"),
    "stream.output.event_builder": ("EventBuilder",),
    "workers.chain.chain": ("Chain",),
    "workers.process.environment": ("prepare_process",),
    "workers.worker": ("Worker",),
}
"""Where public names come from; all others are in workers.tasks."""

_SOURCES = {name: module for module, names in _MODULES.items() for name in names}
_PACKAGES = ("schemas", "stream", "workers")
_SOFTWARE = 70
"""Exit status of GlossatorError, which cannot be imported before the packages are checked."""


def __getattr__(name: str) -> Any:
    """Import a public name. Raises ImportError if a package of another distribution is in the way."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if (problem := _foreign_package()) is not None:
        raise ImportError(problem)
    value = getattr(importlib.import_module(_SOURCES.get(name, "workers.tasks")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})


def main() -> None:
    """Run the command line. Ends the process with status 70 if a package of another distribution is in the way."""
    if _verb(sys.argv[1:]) == "run":
        _stop_at_once()
    if (problem := _foreign_package()) is not None:
        sys.stderr.write(f"glossator: {problem}\n")
        raise SystemExit(_SOFTWARE)
    from workers.cli.main import cli

    cli(prog_name="glossator")


def _verb(arguments: list[str]) -> str:
    """Return the verb of a command line; empty if there is none. The options before it take no values."""
    return next((argument for argument in arguments if not argument.startswith("-")), "")


def _stop_at_once() -> None:
    """Let SIGTERM and SIGINT end the process with status 0 until the verb has its own handlers, and ignore SIGHUP.

    The imports before that take a while. The pipeline file is read after them, so there is nothing to reload yet.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: os._exit(0))


def _foreign_package() -> str | None:
    """Describe the first of our packages that is not ours but another distribution's; None if all are ours.

    Our packages have common names, and installing another distribution with one of them into the same environment
    hides ours or overwrites its files. Nothing of the packages is imported here.
    """
    for package in _PACKAGES:
        file = _file_of(package)
        if file is None:
            return f'the package "{package}" of glossator is missing; install glossator again'
        if file.parent.parent != Path(__file__).resolve().parent or _overwritten(file):
            return (
                f'the package "{package}" at {file.parent} does not belong to glossator{_owner(file)}; install '
                "glossator in its own environment, for example with pipx install glossator or uv tool install glossator"
            )
    return None


def _file_of(package: str) -> Path | None:
    """Return the ``__init__.py`` that ``import package`` runs or has run, without importing it; None without one."""
    if (module := sys.modules.get(package)) is not None:
        file, folders = getattr(module, "__file__", None), getattr(module, "__path__", ())
    elif (spec := importlib.util.find_spec(package)) is not None:
        file, folders = spec.origin, spec.submodule_search_locations or ()
    else:
        return None
    for folder in folders:  # a namespace package has no file
        file = file or f"{folder}/__init__.py"
    return Path(file).resolve() if file else None


def _overwritten(file: Path) -> bool:
    """Whether ``file`` differs from what our distribution installed there.

    False for an editable install and a source checkout, whose files no RECORD lists.
    """
    from base64 import urlsafe_b64encode
    from hashlib import sha256
    from importlib import metadata

    try:
        recorded = _recorded(metadata.distribution("glossator"), file)
    except metadata.PackageNotFoundError:
        return False
    if recorded is None or recorded.hash is None:
        return False
    digest = sha256(file.read_bytes()).digest() if file.is_file() else b""
    return urlsafe_b64encode(digest).rstrip(b"=").decode() != recorded.hash.value


def _owner(file: Path) -> str:
    """Name the distribution that installed ``file``, where its metadata tells."""
    from importlib import metadata

    for distribution in metadata.distributions():
        if distribution.name != "glossator" and _recorded(distribution, file) is not None:
            return f" but to {distribution.name} {distribution.version}"
    return ""


def _recorded(distribution: metadata.Distribution, file: Path) -> metadata.PackagePath | None:
    """Return the entry for ``file`` in the RECORD of ``distribution``."""
    for entry in distribution.files or ():
        if entry.parts[-2:] == file.parts[-2:] and Path(str(entry.locate())).resolve() == file:
            return entry
    return None


if __name__ == "__main__":
    main()
