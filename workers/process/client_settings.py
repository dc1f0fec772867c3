"""Mistakes in a pipeline file that only the Kafka client can find."""

from __future__ import annotations

from schemas.errors import Problem
from schemas.pipeline.loader import PipelineFile
from stream.kafka.client import check_settings


def client_problems(file: PipelineFile) -> list[Problem]:
    """Return a problem for each setting in the ``kafka`` section that the client would reject."""
    return [file.problem(("kafka", name), message) for name, message in check_settings(file.pipeline.kafka)]
