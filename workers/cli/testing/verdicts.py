"""Compares what has become of a case's record with what the case expects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from schemas.document import Failure
from schemas.errors import Problem
from schemas.pipeline.cases import Case
from schemas.pipeline.expectations import MISSING, Difference, Differences, differences
from schemas.record import Outbound
from workers.process.offline import Processed


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as expected.

    - ``problem``: what differs, at the place of the expectation.
    - ``expected``, ``actual``: the values, as in ``Difference``; MISSING where there is none.
    """

    problem: Problem
    expected: Any = MISSING
    actual: Any = MISSING


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one case.

    - ``case``: the case's name, as a problem at the place of the case.
    - ``findings``: what is not as expected; empty if the case has passed.
    """

    case: Problem
    findings: list[Finding]


def judge(case: Case, processed: Processed) -> Iterator[Difference]:
    """Yield what is not as ``case`` expects; paths begin below ``expect``."""
    expect, failure = case.expect, processed.document.failure
    kinds = [outbound.kind for outbound in processed.outbounds]
    for index, text in enumerate(expect.nowhere or ()):
        places = ", ".join(_places(text, processed.outbounds))
        if places:
            yield Difference(("nowhere", index), f"is in {places}", MISSING, MISSING)
    if expect.dead_letter is not None or "dead_letter" in kinds:
        yield from _letter(case, failure if "dead_letter" in kinds else None)
    elif expect.tombstone is not None or _is_tombstone(processed):
        outcome = "forwarded" if "tombstone" in kinds else "skipped"
        if expect.tombstone is None:
            yield Difference((), f"is a tombstone and was {outcome}", MISSING, MISSING)
        elif outcome != expect.tombstone:
            yield Difference(("tombstone",), "differs", expect.tombstone, outcome)
    else:
        yield from _event(case, processed)


def _letter(case: Case, failure: Failure | None) -> Differences:
    expect = case.expect.dead_letter
    if failure is None:
        yield Difference(("dead_letter",), "there is no dead letter", MISSING, MISSING)
        return
    task = "" if failure.task is None else f', task "{failure.task}"'
    if expect is None:
        yield Difference((), f"became a dead letter at {failure.stage}{task}: {failure.message}", MISSING, MISSING)
        return
    for name in ("stage", "task"):
        if name in expect.model_fields_set:
            yield from differences(getattr(expect, name), getattr(failure, name), ("dead_letter", name))
    if expect.reason is not None and expect.reason not in failure.message:
        yield Difference(("dead_letter", "reason"), "is not a part of it", expect.reason, failure.message)


def _event(case: Case, processed: Processed) -> Differences:
    expect = case.expect
    annotations = orjson.loads(orjson.dumps(processed.document.annotations))
    for name, expected in expect.annotations.items():
        path = ("annotations", name)
        if name in annotations:
            yield from differences(expected, annotations[name], path)
        else:
            yield Difference(path, "there is no annotation: the task's condition (when) was not true", MISSING, MISSING)
    for index, name in enumerate(expect.absent):
        if name in annotations:
            yield Difference(("absent", index), "there is an annotation", MISSING, annotations[name])
    if "notices" in expect.model_fields_set:
        document = processed.document
        replaced = [] if document.replaced is None else [document.replaced.notice()]
        yield from differences(expect.notices, [*replaced, *document.notices], ("notices",))
    if expect.routes is not None and Counter(expect.routes) != Counter(processed.routed):
        yield Difference(("routes",), "differs", expect.routes, list(processed.routed))
    for topic, value in expect.outputs.items():
        path = ("outputs", topic)
        records = [_published(outbound) for outbound in processed.outbounds if outbound.topic == topic]
        if not records:
            if value is not None:
                yield Difference(path, "nothing is published to this topic", MISSING, MISSING)
            continue
        # Several routes may send to one topic; one of their records must fit.
        by_record = [list(differences(value, record, path)) for record in records]
        yield from min(by_record, key=len)


def _is_tombstone(processed: Processed) -> bool:
    document = processed.document
    return document.record is not None and (document.record.value is None or document.deletes)


def _published(outbound: Outbound) -> dict[str, Any]:
    """Return a record as ``Published`` describes it."""
    headers = {name: None if value is None else _text(value) for name, value in outbound.headers}
    key = None if outbound.key is None else _text(outbound.key)
    return {**orjson.loads(outbound.value or b"{}"), "key": key, "headers": headers}


def _places(text: str, outbounds: Sequence[Outbound]) -> Iterator[str]:
    """Yield where in the records to send ``text`` is."""
    for outbound in outbounds:
        of_record = f"of a record for {outbound.topic}"
        if text in _text(outbound.key):
            yield f"the key {of_record}"
        if any(text in name or text in _text(value) for name, value in outbound.headers):
            yield f"a header {of_record}"
        # JSON may write a text with escapes.
        try:
            strings = list(_strings(orjson.loads(outbound.value or b"null")))
        except orjson.JSONDecodeError:
            strings = []
        if any(text in string for string in [*strings, _text(outbound.value)]):
            yield f"the value {of_record}"


def _strings(value: Any) -> Iterator[str]:
    """Yield every string in a value of JSON, the names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield name
            yield from _strings(member)
    elif isinstance(value, list):
        for entry in value:
            yield from _strings(entry)


def _text(value: str | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""
