"""Points a pipeline at the topics of a benchmark."""

from __future__ import annotations

import uuid

from schemas.pipeline.config import Pipeline
from tests.kafka.cluster import Cluster


def redirected(pipeline: Pipeline, kafka: Cluster, topic: str, partitions: int) -> Pipeline:
    """Return ``pipeline`` with ``topic`` of ``kafka`` as input, new topics for output, and a new group.

    ``partitions``: of each output topic.
    """
    out = kafka.create_topic(f"bench.{uuid.uuid4().hex[:8]}.out", partitions)
    return pipeline.model_copy(update={
        "pipeline": out,
        "kafka": {"bootstrap.servers": kafka.bootstrap_servers},
        "input": pipeline.input.model_copy(update={"topics": [topic]}),
        "output": pipeline.output.model_copy(
            update={"topic": out, "dead_letter": kafka.create_topic(f"{out}.dead", partitions)}
        ),
    })  # fmt: skip
