"""The records that cases give to a pipeline."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from schemas.errors import Problem
from schemas.paths import EVERYWHERE, parse_pattern
from schemas.pipeline.case_checks import INPUTS
from schemas.pipeline.case_files import CaseFile
from schemas.pipeline.cases import Case, CaseRecord
from schemas.pipeline.config import Input, Pipeline
from schemas.pipeline.topics import InputTopics
from schemas.pipeline.trial import put
from schemas.pipeline.wording import did_you_mean
from schemas.record import Assignment, Record
from stream.codecs.formats import codec


def record_of(case: Case, config: Input, offset: int) -> Record:
    """Return the record that ``case`` gives to a pipeline with the input ``config``, at ``offset``."""
    given = case.record or CaseRecord(value=_value(case, config), headers=_headers(config))
    value = orjson.dumps(given.value) if isinstance(given.value, dict) else given.value and given.value.encode()
    return Record(
        Assignment(given.topic or InputTopics(config.topics, ()).example, 0),
        offset,
        None if given.key is None else given.key.encode(),
        b"" if given.value == "" else value,
        [(name, None if text is None else text.encode()) for name, text in given.headers.items()],
        -1 if given.timestamp_ms is None else given.timestamp_ms,
    )


def _value(case: Case, config: Input) -> object:
    if case.text is None or config.format == "text":
        value: object = case.event if case.text is None else case.text
    else:
        # Of several texts, the case has the first.
        first = config.paths[0]
        steps = () if first == EVERYWHERE else parse_pattern(first)
        value = put(None, [0 if step is None else step for step in steps] or ["text"], case.text)
    if config.format == "debezium" and isinstance(value, dict):
        value = {"op": "c", **value}
    return value


def _headers(config: Input) -> dict[str, str | None]:
    """Return the headers of a record whose case gives only a text or an event."""
    if config.format != "cloudevents":
        return {}
    return {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/test", "ce_type": "test"}


def unread(pipeline: Pipeline, file: CaseFile) -> Iterator[Problem]:
    """Yield a mistake for each case that the pipeline cannot read although it expects no dead letter."""
    decoder = codec(pipeline.input)
    for index, case in file.cases:
        given = [name for name in INPUTS if name in case.model_fields_set]
        if len(given) != 1 or "dead_letter" in case.expect.model_fields_set:
            continue
        record = record_of(case, pipeline.input, 0)
        failure = decoder.decode(record).failure
        if failure is None or record.value is None:
            continue
        fields = case.event or (case.record.value if case.record else None)
        paths = [f"$.{name}" for name in fields] if isinstance(fields, dict) else []
        hint = did_you_mean(pipeline.input.paths[0], paths) if "no text" in failure.message else ""
        path = (index, *(("record", "value") if case.record else given))
        yield file.problem(path, f"would be a dead letter, which the case does not expect: {failure.message}{hint}")
