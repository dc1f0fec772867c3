"""What is wrong with the file of a schema in ``input``: a reader schema of Avro, or a descriptor set of Protobuf."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from schemas.errors import ConfigError, Problem, SettingError
from schemas.pipeline.loader import PipelineFile
from stream.codecs.avro import load_schema
from stream.registry.client import is_installed

_LIBRARIES = {"reader_schema": "fastavro", "descriptor_set": "google.protobuf"}


def schema_problems(file: PipelineFile) -> Iterator[Problem]:
    """Yield what is wrong with the file of a schema, if it and the library for it are on this machine."""
    source = file.pipeline.input
    for name, library in _LIBRARIES.items():
        path = getattr(source, name)
        if path is None or not Path(path).exists() or not is_installed(library):
            continue
        try:
            if name == "reader_schema":
                load_schema(path)
            else:
                from stream.codecs.protobuf import load_reader

                load_reader(source)
        except SettingError as error:
            yield file.problem(error.place or ("input", name), str(error))


def doubtful_fields(file: PipelineFile) -> Iterator[Problem]:
    """Yield a notice for each path of the text at which the message of a descriptor set has no field, or no string."""
    source = file.pipeline.input
    path = source.descriptor_set
    if path is None or not Path(path).exists() or not is_installed("google.protobuf"):
        return
    from stream.codecs.protobuf import doubtful_paths

    try:
        doubts = doubtful_paths(source)
    except SettingError:
        return  # a mistake, not a notice
    for index, message in doubts:
        place = ("input", "text") if isinstance(source.text, str) else ("input", "text", index)
        yield file.problem(place, message)


def require_schema(file: PipelineFile) -> None:
    """Raise ConfigError if the file of a schema is missing or cannot be used: before a worker waits for brokers."""
    source = file.pipeline.input
    problems = [
        file.problem(("input", name), "there is no such file on this machine")
        for name in _LIBRARIES
        if (path := getattr(source, name)) is not None and not Path(path).exists()
    ]
    problems = problems or list(schema_problems(file))
    if problems:
        raise ConfigError(problems)
