"""What one field of the pipeline file means for another. Each rule names the place that is wrong.

The rules read the plain mapping and not the models, so that they speak even while some other
field is still wrong; a value of the wrong type is the models' business and passes here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from schemas.labels import LANGUAGES, PATTERNED, REGIONS
from schemas.pipeline import dependencies
from schemas.pipeline.config import TIMEOUT_MS, Backpressure, Output
from schemas.pipeline.wording import did_you_mean

Found: TypeAlias = Iterator[tuple[tuple[str | int, ...], str]]
"""(path in the file, what is wrong there)."""

# What a setting of the client must not be, because a promise rests on it.
RESERVED: dict[str, str] = {
    "group.id": "it is the pipeline's name",
    "enable.auto.commit": "offsets are committed after delivery reports",
    "enable.auto.offset.store": "offsets are stored in order after delivery reports",
    "auto.offset.reset": 'a group must never skip silently; use "input.start"',
    "enable.idempotence": "without it a retry can duplicate or reorder",
    "max.in.flight": "idempotence needs at most 5",
    "max.in.flight.requests.per.connection": "idempotence needs at most 5",
    "acks": "fewer than all replicas can lose events",
    "request.required.acks": "fewer than all replicas can lose events",
    "transactional.id": "it is made of the pipeline and the slot",
    "isolation.level": "aborted events must not be read",
    "enable.partition.eof": "it tells the worker that a partition is worked off",
    "delivery.report.only.error": "offsets wait for every delivery report",
    "enable.gapless.guarantee": "a refused event is dead-lettered, not fatal",
    "dr_msg_cb": "callbacks are the worker's",
    "plugin.library.paths": "no foreign code is loaded from configuration",
    "test.mock.num.brokers": "the embedded broker is for demo and tests only",
}
# Fields of a task of which exactly one says where its other text comes from.
_CHOICES = {
    "nli": ("hypothesis", "hypotheses"),
    "similarity": ("against", "references", "window"),
    "question-answering": ("questions", "question"),
}
# Settings the KIP-848 group protocol takes over to the broker's side.
CLASSIC_ONLY = ("partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms", "group.protocol.type")


def cross_problems(raw: Mapping[str, Any]) -> Found:
    """Every mistake between fields in ``raw``, the file as plain Python values."""
    yield from _kafka(_table(raw.get("kafka")))
    yield from _topics(_table(raw.get("input")), _table(raw.get("output")))
    tasks = [_table(task) for task in _list(raw.get("tasks"))]
    yield from _tasks(tasks)
    for path, message in dependencies.problems(tasks, _table(raw.get("input")).get("format", "json") != "text"):
        yield ("tasks", *path), message
    yield from _marks(_table(raw.get("backpressure")))
    yield from _transactions(raw)


def _kafka(settings: Mapping[str, Any]) -> Found:
    if settings and not settings.get("bootstrap.servers"):
        yield ("kafka",), 'needs "bootstrap.servers", for example localhost:9092'
    for setting in settings:
        if setting in RESERVED:
            yield ("kafka", setting), f"cannot be set: {RESERVED[setting]}"
        elif settings.get("group.protocol") == "consumer" and setting in CLASSIC_ONLY:
            yield ("kafka", setting), "cannot be set with group.protocol=consumer: the broker decides it (KIP-848)"


def _transactions(raw: Mapping[str, Any]) -> Found:
    if raw.get("delivery") != "exactly_once":
        return
    every, timeout = raw.get("commit_interval_ms"), _table(raw.get("kafka")).get("transaction.timeout.ms", TIMEOUT_MS)
    if isinstance(every, int) and isinstance(timeout, int) and every >= timeout:
        message = f"must be less than kafka's transaction.timeout.ms ({timeout}), or no transaction is ever committed"
        yield ("commit_interval_ms",), message


def _topics(source: Mapping[str, Any], output: Mapping[str, Any]) -> Found:
    topics = _list(source.get("topics"))
    for index, topic in enumerate(topics):
        if topic in topics[:index]:
            yield ("input", "topics", index), "appears twice"
    if source.get("format") == "text" and source.get("text", "$") != "$":
        yield ("input", "text"), "has no meaning with format: text, where the whole value is the text"
    topic, dead = output.get("topic"), output.get("dead_letter")
    if isinstance(topic, str):
        if topic in topics:
            yield ("output", "topic"), "is an input topic too: the pipeline would read what it wrote, without end"
        if dead is None:
            default = Output.model_construct(topic=topic).dead_letter_topic
            if default in topics:
                yield ("output", "topic"), "its dead letters would go to an input topic; set dead_letter"
            if len(default) > 249:
                yield ("output", "topic"), 'leaves no room for ".dead" behind it; set dead_letter'
    if isinstance(dead, str):
        if dead in topics:
            yield ("output", "dead_letter"), "is an input topic too: bad events would come back without end"
        if dead == topic:
            yield ("output", "dead_letter"), "is the output topic too; dead letters need a topic of their own"


def _tasks(tasks: list[Mapping[str, Any]]) -> Found:
    names: dict[str, int] = {}
    for index, task in enumerate(tasks):
        name = task.get("name")
        if isinstance(name, str) and names.setdefault(name, index) != index:
            yield ("tasks", index, "name"), f"the name of tasks[{names[name]}] too; each task needs its own"
        if task.get("model") == "starter" and task.get("revision") is not None:
            yield ("tasks", index, "revision"), "has no meaning with model: starter, which is part of this installation"
        for name in ("long_text", "max_length", "stride"):
            if task.get("task") == "coreference" and task.get(name) is not None:
                yield ("tasks", index, name), "has no meaning with coreference, whose model cuts texts its own way"
        stride, longest = task.get("stride"), task.get("max_length")
        if stride is not None and task.get("long_text") == "truncate":
            yield ("tasks", index, "stride"), "has no meaning with long_text: truncate, which makes no windows"
        # Two special tokens and at least two new ones a window, or windows make no headway.
        elif isinstance(stride, int) and isinstance(longest, int) and 8 <= longest < stride + 4:
            yield ("tasks", index, "stride"), f"must be at most {longest - 4}, four less than max_length"

        if (
            len(chosen := _CHOICES.get(str(task.get("task")), ()))
            and sum(task.get(name) is not None for name in chosen) != 1
        ):
            yield ("tasks", index), f"needs exactly one of {', '.join(chosen)}"
        for path, message in _names(task):
            yield ("tasks", index, *path), message


def _names(task: Mapping[str, Any]) -> Found:
    """Names of a task's lists that nothing here knows. What a model knows is seen when it is loaded."""
    alone = task.get("model") is None
    if task.get("task") == "language" and alone:
        for place, _ in _unknown(task, "languages", LANGUAGES):
            yield place, f"is no language that the library knows; it knows {', '.join(LANGUAGES)}"
    if task.get("task") == "pii":
        for place, name in _unknown(task, "regions", REGIONS):
            # By their letters, codes are like too many others; this slip is one of meaning.
            hint = ', did you mean "GB"?' if name == "UK" else ""
            yield place, f"is no country whose phone numbers are known (ISO 3166){hint}"
    if task.get("task") == "pii" and alone and task.get("spans") is None and task.get("recognizers") is None:
        found = f"; they find {', '.join(PATTERNED)}; names and places need a model, or the spans of another task"
        for place, name in _unknown(task, "entities", PATTERNED):
            yield place, "is nothing that patterns find" + (did_you_mean(name, PATTERNED) or found)


def _unknown(task: Mapping[str, Any], field: str, known: Sequence[str]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for index, name in enumerate(_list(task.get(field))):
        if isinstance(name, str) and name not in known:
            yield (field, index), name


def _marks(marks: Mapping[str, Any]) -> Found:
    fields = Backpressure.model_fields
    low, high = (marks.get(name, fields[name].default) for name in ("low_events", "high_events"))
    if isinstance(low, int) and isinstance(high, int) and low >= high:
        place = "low_events" if "low_events" in marks else "high_events"
        yield ("backpressure", place), f"low_events ({low}) must be below high_events ({high})"


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
