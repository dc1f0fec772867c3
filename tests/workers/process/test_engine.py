"""What a configuration needs is made of its pipeline file as a whole."""

from __future__ import annotations

from typing import Any, cast

import pytest

from schemas.record import Assignment, Record
from tests.noop import NoopChain, pipeline
from workers.process.engine import Engine

RECORD = Record(Assignment("posts", 0), 0, b"k", b'{"text": "a", "id": 7}')


@pytest.mark.parametrize(
    ("routes", "fields"),
    [
        (None, None),
        ([{"when": "size(text) > 5", "drop": True}], None),
        ([{"when": "event.id == 7", "drop": True}], {"text": "a", "id": 7}),
        ([{"topic": "a", "key": "$.id"}], {"text": "a", "id": 7}),
    ],
)
def test_events_are_parsed_if_a_route_reads_them(routes: Any, fields: Any) -> None:
    engine = Engine(pipeline(output={"topic": "out", "routes": routes}), cast(Any, NoopChain()))
    assert engine.codec.decode(RECORD).fields == fields
    assert (engine.router is None) is (routes is None)
