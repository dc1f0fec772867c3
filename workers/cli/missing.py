"""What a pipeline needs and this machine lacks: files, folders, keys and libraries. The worker's may have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from schemas.errors import Problem, SettingError
from schemas.pipeline.loader import PipelineFile
from stream.kafka.checking import absent_files, absent_libraries
from stream.output.redaction.keys import HOW_TO_MAKE, needed_keys, read_key
from workers.cli.libraries import missing_libraries
from workers.drift.reference import read_references

_NO_FILE = "there is no such file on this machine"


def missing(file: PipelineFile) -> Iterator[Problem]:
    """Yield a notice for each thing that is missing on this machine, which need not be the worker's."""
    yield from _of_tasks(file)
    yield from _references(file)
    yield from _schemas_and_certificates(file)
    for name, message in (*absent_files(file.pipeline.kafka), *absent_libraries(file.pipeline.kafka)):
        yield file.problem(("kafka", name), message)
    for path, _, source in needed_keys(file.pipeline):
        try:
            read_key(source, if_missing=HOW_TO_MAKE)
        except ValueError as error:
            yield file.problem(path, f"{error}; every worker needs this key")
    for place, message in missing_libraries(file.pipeline):
        yield file.problem(place, f"on this machine, {message}")


def _of_tasks(file: PipelineFile) -> Iterator[Problem]:
    for index, task in enumerate(file.pipeline.tasks):
        model, recognizers = task.model, getattr(task, "recognizers", None)
        if model is not None and model.startswith((".", "/", "~")) and not Path(model).expanduser().is_dir():
            yield file.problem(("tasks", index, "model"), "there is no such folder on this machine")
        if recognizers is not None and not Path(recognizers).is_file():
            yield file.problem(("tasks", index, "recognizers"), _NO_FILE)


def _references(file: PipelineFile) -> Iterator[Problem]:
    drift = file.pipeline.telemetry.drift
    if drift is not None:
        try:
            read_references(Path(drift))
        except SettingError as error:
            yield file.problem(("telemetry", "drift"), f"{error}, on this machine")


def _schemas_and_certificates(file: PipelineFile) -> Iterator[Problem]:
    source, registry = file.pipeline.input, file.pipeline.registry
    paths = {("input", name): getattr(source, name) for name in ("reader_schema", "descriptor_set")}
    if registry is not None:
        paths |= {("registry", name): getattr(registry, name) for name in ("ca", "certificate", "key")}
    for place, path in paths.items():
        if path is not None and not Path(path).exists():
            yield file.problem(place, _NO_FILE)
