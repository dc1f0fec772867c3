"""Values that tasks use from an event."""

from __future__ import annotations

import pytest

from schemas.errors import FieldError
from stream.codecs.json import JsonCodec
from tests.stream.output.test_event_builder import pipeline, record
from workers.tasks import fields


def test_a_task_cannot_use_a_value_that_the_codec_has_replaced() -> None:
    value = rb'{"text": "x", "bad": "\ud83d", "all": ["a", "\udc00"], "good": "fine"}'
    document = JsonCodec(pipeline().input, keep_fields=True).decode(record(value))
    assert fields.text(document, "$.good") == "fine"
    assert fields.text(document, "$.all[0]") == "a"
    for path in ("$.bad", "$.all", "$.all[1]"):
        with pytest.raises(FieldError, match="cannot represent"):
            fields.texts(document, path)
