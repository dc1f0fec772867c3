"""Which letters a replay can send."""

from __future__ import annotations

from contextlib import closing

import pytest

from schemas.record import Assignment, Record
from stream.output.letters import Letter
from stream.output.replay import Replay, Selection
from tests.noop import pipeline


@pytest.mark.parametrize(
    ("topic", "to", "obstacle"),
    [
        ("posts", None, ""),
        ("p-a", None, ""),
        ("p-gone", None, "its event is from a topic that does not exist any more; send it elsewhere with --to"),
        ("p-gone", "elsewhere", ""),
        ("p-out", None, "its event is from a topic that this pipeline does not read; send it elsewhere with --to"),
        ("q", None, "its event is from a topic that this pipeline does not read; send it elsewhere with --to"),
    ],
)
def test_letters_go_back_to_topics_that_a_pattern_matches(
    monkeypatch: pytest.MonkeyPatch, topic: str, to: str | None, obstacle: str
) -> None:
    config = pipeline(input={"topics": ["posts", "^p-"]}, output={"topic": "p-out"})
    asked: list[list[str]] = []
    monkeypatch.setattr("stream.output.replay.check_topics", lambda _, topics, __: asked.append([*topics]))
    monkeypatch.setattr("stream.output.replay.existing_topics", lambda _: {"posts", "p-a", "p-out", "q"})
    monkeypatch.setattr("stream.kafka.reader.Reader.committed", lambda *_: {})
    monkeypatch.setattr("stream.kafka.reader.Reader.open", lambda *_: None)
    letter = Letter(Record(Assignment("p-out.dead", 0), 0, None, b"{}", [
        ("__glossator.errors.topic", topic.encode()), ("__glossator.errors.partition", b"0"),
        ("__glossator.errors.offset", b"0"),
    ]))  # fmt: skip
    with closing(Replay(config, Selection(lambda _: True, to=to), 1.0, False, {})) as replay:
        replay.open(again=False)
        assert replay._obstacle(letter) == obstacle
    assert asked == [[to] if to else ["posts"]], "a pattern is no topic to wait for"
