"""Operators: what they write, and that they write nothing of the value."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from schemas.labels import PATTERNED
from schemas.pipeline.redaction import Operator, Redact, Remove
from stream.output.redaction.keys import Key, Keys
from stream.output.redaction.operators import Operators
from tests.stream.output.redaction.lib import KEYS, SECRET, one, replaced

LABELS = st.sampled_from(["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "SECRET", "MISC", ""])
VALUES = st.text(min_size=1)


@pytest.mark.parametrize(
    ("operator", "label", "value", "text"),
    [
        ("replace", "PERSON", "Anna", "<PERSON>"),
        ("replace", "", "Anna", "<REDACTED>"),
        ({"replace": {"text": "[gone]"}}, "PERSON", "Anna", "[gone]"),
        ({"replace": {"text": ""}}, "PERSON", "Anna", ""),
        ({"replace": {"numbered": True}}, "PERSON", "Anna", "<PERSON_1>"),
        ({"replace": {"numbered": True}}, "", "Anna", "<REDACTED_1>"),
        ("remove", "PERSON", "Anna", ""),
        ("mask", "PERSON", "Anna", "****"),
        ("mask", "PERSON", "😀né", "***"),
        ("mask", "PERSON", "", ""),
        ({"mask": {"character": "•"}}, "PERSON", "Anna", "••••"),
        ({"mask": {"keep_last": 4}}, "CREDIT_CARD", "4111111111111111", "************1111"),
        ({"mask": {"keep_first": 2}}, "PERSON", "Anna", "An**"),
        ({"mask": {"keep_first": 1, "keep_last": 2}}, "PERSON", "Schmidt", "S****dt"),
        ({"mask": {"keep_last": 4}}, "CREDIT_CARD", "1234567", "*******"),
        ({"mask": {"keep_last": 4}}, "CREDIT_CARD", "12345678", "****5678"),
        ({"mask": {"keep_first": 3, "keep_last": 2}}, "PERSON", "Schmidt", "*******"),
        ("hash", "MISC", "Anna", hmac.new(SECRET, b"Anna", hashlib.sha256).hexdigest()[:32]),
    ],
)
def test_what_is_written(operator: Any, label: str, value: str, text: str) -> None:
    assert replaced(operator, label, value) == text


def test_equal_values_have_one_number_and_labels_count_apart() -> None:
    operator, event = one({"replace": {"numbered": True}})
    written = [
        event.replacement(operator, label, value)
        for label, value in [
            ("PERSON", "Anna Schmidt"), ("PERSON", "Tom"), ("PERSON", "ANNA  Schmidt"), ("LOCATION", "Anna"),
            ("PERSON", "Ａnna Schmidt"), ("PHONE_NUMBER", "+1 202-555-0143"), ("PHONE_NUMBER", "+1 (202) 555 0143"),
            ("SECRET", "abc"), ("SECRET", "ABC"),
        ]
    ]  # fmt: skip
    assert written == [
        "<PERSON_1>", "<PERSON_2>", "<PERSON_1>", "<LOCATION_1>", "<PERSON_1>", "<PHONE_NUMBER_1>", "<PHONE_NUMBER_1>",
        "<SECRET_1>", "<SECRET_2>",
    ]  # fmt: skip


def test_a_group_has_one_number() -> None:
    operator, event = one({"replace": {"numbered": True}})
    mentions = [("Anna Schmidt", 7), ("Tom", None), ("Ms Schmidt", 7), ("ms schmidt", None), ("Tom", 3), ("him", 3)]
    numbers = [event.replacement(operator, "PERSON", value, group) for value, group in mentions]
    assert numbers == [f"<PERSON_{number}>" for number in (1, 2, 1, 1, 2, 2)]


def test_the_next_event_counts_from_one() -> None:
    redact = Redact.model_validate({"default": {"replace": {"numbered": True}}})
    operators = Operators(redact, Keys())
    for value in ("Anna", "Tom"):
        assert operators.event().replacement(redact.default, "PERSON", value) == "<PERSON_1>"


@given(st.lists(st.tuples(LABELS, st.sampled_from(["a", "b", "A", "c d"]), st.none() | st.integers(0, 2))))
def test_numbers_depend_on_the_event_alone(spans: list[tuple[str, str, int | None]]) -> None:
    operator, event = one({"replace": {"numbered": True}})
    again = Operators(Redact(default=operator), Keys()).event()
    written = [event.replacement(operator, *span) for span in spans]
    assert written == [again.replacement(operator, *span) for span in spans]
    for label in {label for label, _, _ in spans}:
        numbers = [int(text[1:-1].rsplit("_", 1)[1]) for (name, _, _), text in zip(spans, written, strict=True)
                   if name == label]  # fmt: skip
        assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))


def test_hashes_join_across_events_labels_and_workers() -> None:
    expected = hmac.new(SECRET, b"anna@example.com", hashlib.sha256).hexdigest()
    assert replaced("hash", "EMAIL_ADDRESS", "Anna@Example.COM") == expected[:32]
    assert replaced({"hash": {"length": 64}}, "PERSON", "anna@example.com") == expected
    assert replaced({"hash": {"length": 16}}, "", "anna@example.com") == expected[:16]
    assert replaced("hash", "", "Anna@Example.COM") != expected[:32]
    phone = hmac.new(SECRET, b"+12025550143", hashlib.sha256).hexdigest()[:32]
    assert replaced("hash", "PHONE_NUMBER", "+1 (202) 555-0143") == phone
    assert replaced("hash", "PERSON", "Anna", Keys(Key(bytes(16)))) != replaced("hash", "PERSON", "Anna")


@pytest.mark.parametrize("operator", ["replace", "remove", "mask", "hash", {"mask": {"character": "-"}}])
@given(LABELS, VALUES)
@example("PERSON", "\ud800\udfff half")
def test_nothing_of_the_value_is_written(operator: Any, label: str, value: str) -> None:
    written = replaced(operator, label, value)
    # What is written in any case, and hex digits, may be in a value by chance.
    assume(not any(value[at : at + 4] in f"<{label or 'REDACTED'}>" for at in range(len(value) - 3)))
    assume(set(value) - set("0123456789abcdef*-"))
    assert not any(part in written for part in quadruples(value) if set(part) - set("0123456789abcdef*-"))


@given(VALUES, st.integers(0, 40), st.integers(0, 40))
def test_a_mask_keeps_half_at_most_and_the_length(value: str, first: int, last: int) -> None:
    value = value.replace("*", "")
    written = replaced({"mask": {"keep_first": first, "keep_last": last}}, "PERSON", value)
    assert len(written) == len(value)
    assert len(value) - written.count("*") in {0, first + last}
    assert 2 * written.count("*") >= len(value)
    assert all(sign in {"*", original} for sign, original in zip(written, value, strict=True))


def quadruples(value: str) -> set[str]:
    return {value[at : at + 4] for at in range(len(value) - 3)}


def test_any_number_of_labels_needs_little_memory() -> None:
    operator, event = one("replace")
    assert [event.replacement(operator, f"L{n}", "x") for n in range(2000)] == [f"<L{n}>" for n in range(2000)]
    assert sum(map(len, event._functions.values())) == 1000


def test_a_foreign_operator_is_refused() -> None:
    _, event = one("replace")
    with pytest.raises(KeyError):
        event.replacement(Operator(remove=Remove()), "PERSON", "Anna")


def test_a_key_that_was_not_loaded_is_no_empty_key() -> None:
    operator, event = one("hash", Keys())
    with pytest.raises(ValueError, match="not loaded"):
        event.replacement(operator, "PERSON", "Anna")


@pytest.mark.parametrize("label", PATTERNED)
def test_every_label_has_every_operator(label: str) -> None:
    for operator in ("replace", "mask", "remove", "hash"):
        assert "4111" not in replaced(operator, label, "4111 1111"), KEYS
