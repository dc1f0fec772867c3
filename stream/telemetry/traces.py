"""Traces of micro-batches, switched off: what a worker calls while nothing is traced, and the choice.

Nothing here imports OpenTelemetry, which is an extra; ``spans.py`` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING

from schemas.errors import SettingError
from schemas.pipeline.config import Pipeline
from schemas.record import Outbound
from stream.microbatch import MicroBatch

if TYPE_CHECKING:  # importing these takes time that lint should not take, or needs the extra
    from stream.telemetry.spans import Step, Traces
    from stream.telemetry.stats import Stats

_LIBRARIES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
"""What the extra ``traces`` installs."""
_NOTHING = nullcontext()


class NoTraces:
    """Traces nothing. Its methods are those of ``Traces``, where they are explained."""

    def begin(self, batch: MicroBatch) -> None:
        """Do nothing."""

    def step(self, batch: MicroBatch, name: Step) -> AbstractContextManager[None]:
        """Return a context manager that does nothing."""
        return _NOTHING

    def sending(self, batch: MicroBatch, outbounds: Sequence[Outbound]) -> None:
        """Do nothing."""

    def landed(self, batch: MicroBatch) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def make_traces(pipeline: Pipeline, stats: Stats, slot: int) -> Traces | NoTraces:
    """Return what traces the micro-batches of a worker, as ``telemetry.traces`` says.

    Raises SettingError if the extra is not installed, or OpenTelemetry refuses a setting from the environment.
    """
    settings = pipeline.telemetry.traces
    if settings is None:
        return NoTraces()
    require_libraries()
    from stream.telemetry.collector import Collector
    from stream.telemetry.spans import Traces

    return Traces(pipeline, settings, stats, Collector(pipeline.pipeline, settings, stats, slot))


def require_libraries() -> None:
    """Raise SettingError if a library of the extra ``traces`` is not installed."""
    for module in _LIBRARIES:
        if not _is_installed(module):
            raise SettingError("OpenTelemetry is not installed, which sends traces: pip install 'glossator[traces]'")


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False
