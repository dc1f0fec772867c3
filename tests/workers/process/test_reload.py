"""A changed pipeline file takes over completely or not at all."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ConfigError, ModelError
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import load
from stream.output.event_builder import EventBuilder
from tests.noop import NoopChain
from workers.chain.chain import Chain
from workers.process.reload import Reloader, fixed

OLD = """\
pipeline: p
kafka: {bootstrap.servers: "b:1"}
input: {topics: [in]}
tasks: [{name: tone, task: sentiment, model: starter}]
output: {topic: out}
"""
NEW = OLD.replace("name: tone", "name: mood")


class FakeChain(NoopChain):
    """Calls ``on_warm_up``; remembers whether it has taken over."""

    def __init__(self, on_warm_up: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._on_warm_up = on_warm_up
        self.taken_over = False

    def warm_up(self) -> None:
        self._on_warm_up()

    def take_over(self) -> None:
        self.taken_over = True


class Scene:
    """A reloader of a file, the chains that loading makes, and what the worker was given."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, watch: bool = False, text: str = OLD) -> None:
        self.file = folder / "pipeline.yaml"
        self.file.write_text(text)
        self.next: FakeChain | Exception = FakeChain()
        self.loaded = 0
        self.swapped: list[tuple[Pipeline, Any]] = []
        monkeypatch.setattr(Chain, "load", self._load)
        first: Any = FakeChain()
        self.reloader = Reloader(self.file, load(self.file), first, lambda *pair: self.swapped.append(pair), watch)

    def _load(self, pipeline: Pipeline, before: Any = None) -> FakeChain:
        self.loaded += 1
        if isinstance(self.next, Exception):
            raise self.next
        return self.next


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(tmp_path, monkeypatch)


def test_new_tasks_take_over(scene: Scene) -> None:
    scene.file.write_text(NEW)
    scene.reloader.reload()
    ((pipeline, chain),) = scene.swapped
    assert [task.name for task in pipeline.tasks] == ["mood"]
    assert chain.taken_over
    scene.reloader.reload()
    assert scene.loaded == 1, "the same file was loaded again"


def test_the_log_names_the_configuration_as_ids_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HASH_KEY", "ab" * 32)
    redact = "redact: {key: hash, keys: {hash: {env: HASH_KEY}}}"
    first, second = (f"{text.replace('topic: out', 'topic: out, text: none')}{redact}\n" for text in (OLD, NEW))
    routed = second.replace("text: none", 'text: none, routes: [{when: "true", drop: true}]')
    scene = Scene(tmp_path, monkeypatch, text=first)
    ids = []
    with caplog.at_level(logging.INFO, "glossator"):
        for text in (first, second, routed):
            scene.file.write_text(text)
            scene.reloader.reload()
            ids.append(EventBuilder(load(scene.file), {}).config)
    assert ids[0] != ids[1] == ids[2]
    changes = [record.message.split(" after ")[0] for record in caplog.records if " after " in record.message]
    assert changes == [f"configuration {ids[0]} -> {ids[1]}", f"configuration {ids[1]} (event ids stay the same)"]


def test_a_file_that_means_the_same_loads_nothing(scene: Scene) -> None:
    scene.file.write_text(f"# a comment\n{OLD}")
    scene.reloader.reload()
    assert (scene.loaded, scene.swapped) == (0, [])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense: 1\n", "nonsense: unknown field"),
        (NEW.replace("topics: [in]", "topics: [other]"), "topics: has changed, which needs a restart"),
        (NEW.replace('"b:1"', '"b:1", securty.protocol: SSL'), "securty.protocol"),
    ],
)
def test_a_mistake_or_a_change_that_needs_a_restart_loads_nothing(scene: Scene, text: str, says: str) -> None:
    scene.file.write_text(text)
    with pytest.raises(ConfigError, match=says):
        scene.reloader.reload()
    assert (scene.loaded, scene.swapped) == (0, [])


def test_models_that_cannot_be_loaded_or_fail_change_nothing_and_the_next_try_does(scene: Scene) -> None:
    def fail() -> None:
        raise ModelError("it fails on a plain sentence")

    scene.file.write_text(NEW)
    for chain in (ModelError("there is no such folder"), FakeChain(fail)):
        scene.next = chain
        with pytest.raises(ModelError):
            scene.reloader.reload()
        assert scene.swapped == []
        assert isinstance(chain, Exception) or not chain.taken_over
    scene.next = FakeChain()
    scene.reloader.reload()
    assert len(scene.swapped) == 1


def test_the_thread_survives_every_failure_and_withholds_foreign_messages(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Over(BaseException):
        pass

    outcomes = iter([ModelError("no such model"), ValueError("secret"), Over()])

    def reload() -> None:
        scene.reloader.ask()  # for the next turn
        raise next(outcomes)

    monkeypatch.setattr(scene.reloader, "reload", reload)
    scene.reloader.ask()
    with caplog.at_level(logging.ERROR, "glossator"), pytest.raises(Over):
        scene.reloader.run()
    assert [record.message for record in caplog.records] == [
        "the configuration is unchanged: no such model",
        "the configuration is unchanged: ValueError",
    ]


def test_watching_sees_a_change_and_waits_while_the_file_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Over(BaseException):
        pass

    scene = Scene(tmp_path, monkeypatch, watch=True)
    texts = iter([None, OLD, NEW])
    reloads: list[str] = []

    def wait(timeout: float | None) -> bool:
        assert timeout is not None
        for text in texts:
            if text is None:
                scene.file.unlink()
            else:
                scene.file.write_text(text)
            return False
        raise Over

    monkeypatch.setattr(scene.reloader._asked, "wait", wait)
    monkeypatch.setattr(scene.reloader, "reload", lambda: reloads.append(scene.file.read_text()))
    with pytest.raises(Over):
        scene.reloader.run()
    assert reloads == [NEW]


def test_redaction_may_change_but_not_its_keys() -> None:
    base: dict[str, Any] = {
        "pipeline": "p", "kafka": {"bootstrap.servers": "b:1"}, "input": {"topics": ["in"]},
        "tasks": [{"name": "pii", "task": "pii"}], "output": {"topic": "out", "text": "redacted"},
    }  # fmt: skip
    keys = {"hash": {"env": "HASH_KEY"}}
    before = Pipeline.model_validate({**base, "redact": {"keys": keys}})
    other = {"default": "hash", "labels": {"PERSON": "mask"}, "fields": {"$.a": "remove"}, "key": "hash"}
    assert fixed(before, Pipeline.model_validate({**base, "redact": {**other, "keys": keys}})) == []
    other_keys = {"hash": {"env": "OTHER_KEY"}}
    assert fixed(before, Pipeline.model_validate({**base, "redact": {"keys": other_keys}})) == [("redact", "keys")]


def test_what_needs_a_restart() -> None:
    def changed(**sections: dict[str, Any]) -> list[tuple[str | int, ...]]:
        base: dict[str, Any] = {
            "pipeline": "p", "kafka": {"bootstrap.servers": "b:1"}, "input": {"topics": ["in"]},
            "tasks": [{"name": "tone", "task": "sentiment", "model": "starter"}], "output": {"topic": "out"},
        }  # fmt: skip
        other = {**base, **{name: {**base.get(name, {}), **fields} for name, fields in sections.items()}}
        return fixed(Pipeline.model_validate(base), Pipeline.model_validate(other))

    assert changed() == []
    assert changed(input={"max_bytes": 5000}, compute={"cache": 5}) == []
    assert changed(input={"start": "latest"}) == [("input", "start")]
    assert changed(output={"topic": "other"}) == [("output", "topic")]
    assert (
        changed(output={"routes": [{"when": "tone.score > 0.5", "topic": "out", "key": "$.id"}, {"drop": True}]}) == []
    )
    new = {"routes": [{"topic": "out", "copy": True, "name": "a"}, {"topic": "new"}]}
    assert changed(output=new) == [("output", "routes", 1, "topic")]
    assert changed(compute={"threads": 3}) == [("compute", "threads")]
    assert changed(redact={"default": "mask"}) == [("redact",)], "the base has none"
    assert changed(kafka={"bootstrap.servers": "c:1"}, batching={"max_events": 7}) == [("kafka",), ("batching",)]
