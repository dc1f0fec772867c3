"""A real Schema Registry answers as the client expects, and knows the schemas that events are written in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient

from schemas.errors import SettingError, UnknownSchemaError
from schemas.pipeline.registry import Registry
from stream.registry.client import Registered, RegistryClient
from tests.apicurio import NoApicurioError, apicurio
from tests.stream.output.formats.test_registered import ANNOTATIONS, encoder_of, event_of, pipeline_with

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TEXT = json.dumps({"type": "record", "name": "x.A", "fields": [{"name": "t", "type": "string"}]})


def test_a_real_registry(tmp_path: Path) -> None:
    try:
        with apicurio(tmp_path) as url:
            _require_what_the_client_expects(url)
            _require_events_to_be_written_and_read(url)
    except NoApicurioError as error:
        pytest.skip(str(error))


def _require_what_the_client_expects(url: str) -> None:
    client = RegistryClient(Registry(url=url))
    number = client.register("a", Registered("AVRO", TEXT), "backward")
    assert client.latest("a")[0] == number
    assert client.subjects(number) == ["a"]
    for unknown in (number + 1000, 0, 2**31 - 1, "00000000-0000-0000-0000-000000000001"):
        with pytest.raises(UnknownSchemaError):
            client.schema(unknown)
    with pytest.raises(UnknownSchemaError):
        client.latest("b")
    with pytest.raises(SettingError, match="not compatible"):
        client.register("a", Registered("AVRO", TEXT.replace("string", "int")))
    with pytest.raises(SettingError, match="not valid"):
        client.register("b", Registered("AVRO", '{"type": "recrod"}'))
    user = json.dumps({"type": "record", "name": "x.B", "fields": [{"name": "a", "type": "x.A"}]})
    with SchemaRegistryClient({"url": url}) as confluent:
        confluent.register_schema("b", Schema(user, "AVRO", [SchemaReference("x.A", "a", 1)]))
    read = RegistryClient(Registry(url=url)).latest("b")[1]
    assert json.loads(read.text) == json.loads(user)
    assert [name for name, _ in read.references] == ["x.A"]


def _require_events_to_be_written_and_read(url: str) -> None:
    for form in ("avro", "protobuf", "json_schema"):
        config = pipeline_with(
            url, form, auto_register=True, compatibility="full", subject="topic_record", record=f"a.{form}"
        )
        encoder = encoder_of(config)
        encoder.prepare()
        event, record = event_of(config)
        value, _ = encoder.encode(event, None, [], record)
        again = json.loads(encoder_of(config).decode(value))
        assert again["id"] == json.loads(event)["id"]
        assert again["annotations"]["tone"] == ANNOTATIONS["tone"]
