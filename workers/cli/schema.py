"""``glossator schema``: prints the schema of enriched events."""

from __future__ import annotations

import json
from pathlib import Path

import click

from schemas.errors import ConfigError, OutputError
from schemas.event import json_schema
from workers.cli.output import require_stdout
from workers.cli.statuses import exit_statuses

EPILOG = """\b
Example:
  glossator schema --format json > event.schema.json
  glossator schema --format avro pipeline.yaml > event.avsc
  glossator schema --format protobuf pipeline.yaml > event.proto

\b
The Avro or Protobuf schema is that of the pipeline's own events: each task has a
field. What a worker with auto_register: true registers is the same.

""" + exit_statuses({0: "the schema is printed"}, ConfigError, OutputError)


@click.command(epilog=EPILOG)
@click.argument("pipeline", type=click.Path(path_type=Path), required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "json_schema", "avro", "protobuf"]),
    default="json",
    show_default=True,
    help="json, json_schema: JSON Schema, the same for all pipelines. avro, protobuf: need PIPELINE.",
)
@click.option(
    "--record",
    metavar="NAME",
    help="With avro, protobuf: the full name of the event's type. Default: that of the file's output.format, or "
    "glossator.EnrichedEvent.",
)
def schema(pipeline: Path | None, form: str, record: str | None) -> None:
    """Print the schema of the events that PIPELINE publishes."""
    require_stdout()
    if form not in ("avro", "protobuf"):
        if record is not None:
            raise click.UsageError("--record can only be used with --format avro or --format protobuf")
        click.echo(json.dumps(json_schema(), indent=2))
        return
    if pipeline is None:
        raise click.UsageError(f"--format {form} needs PIPELINE, whose tasks are fields of the schema")

    from pydantic import ValidationError

    from schemas.pipeline.event_proto import proto_schema
    from schemas.pipeline.event_schema import avro_schema
    from schemas.pipeline.fields import FULL_NAME
    from schemas.pipeline.formats import RegisteredFormat
    from schemas.pipeline.loader import load
    from schemas.pipeline.wording import PATTERNS

    if record is not None:
        try:
            RegisteredFormat(record=record)
        except ValidationError:
            raise click.BadParameter(
                f"{PATTERNS[FULL_NAME]}, of at most 200 characters", param_hint="--record"
            ) from None
    config = load(pipeline)
    chosen = config.output.format_of(None)
    options = None if chosen is None else getattr(chosen, form)
    name = (options or RegisteredFormat()).record if record is None else record
    if form == "protobuf":
        click.echo(proto_schema(config, name), nl=False)
    else:
        click.echo(json.dumps(avro_schema(config, name), indent=2))
