"""Which libraries a pipeline needs that are not installed here, found without importing them or loading a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec

from schemas.errors import ModelError, SettingError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.formats import OutputFormat
from schemas.pipeline.outputs import Output, Route
from schemas.pipeline.tree import Path
from stream.output.redaction.operators import libraries
from stream.registry.client import require_libraries as require_client
from stream.registry.client import require_protobuf, require_validation
from stream.telemetry.traces import require_libraries as require_opentelemetry
from workers.pii.checks import require_libraries


def missing_libraries(pipeline: Pipeline) -> Iterator[tuple[Path, str]]:
    """Yield a place in the file and a message for each extra of glossator that it needs and that is not installed."""
    sections: list[tuple[Path, Callable[[], None]]] = []
    if pipeline.registry is not None:
        sections.append((("registry",), require_client))
    if pipeline.input.validates:
        sections.append((("input", "validate"), require_validation))
    if pipeline.telemetry.traces is not None:
        sections.append((("telemetry", "traces"), require_opentelemetry))
    for place, require in (*_of_tasks(pipeline), *libraries(pipeline), *sections, *_of_formats(pipeline)):
        try:
            require()
        except (SettingError, ModelError) as error:
            yield place, str(error)


def _of_formats(pipeline: Pipeline) -> Iterator[tuple[Path, Callable[[], None]]]:
    """Yield the first place that chooses Protobuf, and what raises SettingError if its library is missing."""
    output = pipeline.output
    routes = enumerate(output.routes or ())
    chosen: list[tuple[Path, Output | Route]] = [(("output",), output)]
    chosen += [(("output", "routes", index), route) for index, route in routes]
    if pipeline.input.encoded_as == "protobuf":
        yield ("input", "encoding" if pipeline.input.format == "debezium" else "format"), require_protobuf
        return
    for place, fields in chosen:
        if isinstance(fields.format, OutputFormat) and fields.format.name == "protobuf":
            yield (*place, "format"), require_protobuf
            return


def _of_tasks(pipeline: Pipeline) -> Iterator[tuple[Path, Callable[[], None]]]:
    """Yield the first task that needs each library, and what raises ModelError if it is missing."""
    needed: dict[str, Callable[[], None]] = {"pii": require_libraries, "language": _require_langid}
    for index, task in enumerate(pipeline.tasks):
        if (task.task == "pii" or (task.task == "language" and task.model is None)) and task.task in needed:
            yield ("tasks", index), needed.pop(task.task)


def _require_langid() -> None:
    if find_spec("py3langid") is None:
        raise ModelError("py3langid is not installed, which detects languages: pip install 'glossator[language]'")
