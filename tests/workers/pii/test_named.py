"""Entities that are found only if a task names them: dates, postcodes and vehicle registrations."""

from __future__ import annotations

import pytest

from tests.workers.pii.reading import RECOGNIZERS
from tests.workers.pii.vectors import OTHERS
from workers.pii.recognizers import ONLY_IF_NAMED, Recognizers


class Deadline:
    """A recogniser of the user's for an entity that also comes with the product."""

    name, entity, digits, hint, context, against = "deadline", "DATE_TIME", 0, None, None, None

    def find(self, text: str) -> list[object]:
        return []


def strings(entity: str, text: str, least: float = 0.5) -> list[str]:
    findings = [each for each in Recognizers([entity]).find(text) if each.score >= least]
    longest = [a for a in findings if not any(b != a and b.start <= a.start and a.end <= b.end for b in findings)]
    return [text[each.start : each.end] for each in longest]


@pytest.mark.parametrize("entity", sorted(ONLY_IF_NAMED))
def test_a_task_without_entities_does_not_find_them(entity: str) -> None:
    sentence, values = OTHERS[entity]
    for value in values:
        assert strings(entity, sentence.format(value)) == [value]
        assert [each for each in RECOGNIZERS.find(sentence.format(value)) if each.label == entity] == []


def test_a_recogniser_of_the_user_does_not_name_them() -> None:
    recognizers = Recognizers(extra=[Deadline()])  # type: ignore[list-item]
    assert "DATE_TIME" in recognizers.entities
    assert recognizers.find("due 2024-02-29") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("built 2024-02-29T13:45:10Z, ok", "2024-02-29T13:45:10Z"),
        ("on\n2024-02-29 13:45\nagain", "2024-02-29 13:45"),
        ("am 29.02.24 in Ulm.", "29.02.24"),
        ("2024/12/31.", "2024/12/31"),
        ("on 21st of December 1999!", "21st of December 1999"),
        ("Sept. 21, 1999", "Sept. 21, 1999"),
        ("from 05-MAY on", "05-MAY"),
        ("born 5/1971", "5/1971"),
        ("due 24/12, at noon", "24/12"),
        ("at 10 am", "10 am"),
        ("seit 13:45 Uhr", "13:45 Uhr"),
        ("born since 13:45", "13:45"),
    ],
)
def test_dates_and_times(text: str, value: str) -> None:
    assert strings("DATE_TIME", text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "on 30/2/2024", "2023-02-29", "2024-13-01", "32.12.2024", "31/4/21", "v1.2.2024.5", "a2024-02-28", "10.20.30",
        "25:10", "12:60", "192.0.2.24", "maybe 5", "mayor 12", "1/2/3/4", "13 am", "202-555-0143", "May I", "0:1",
    ],
)  # fmt: skip
def test_what_is_no_date(text: str) -> None:
    assert strings("DATE_TIME", text, least=0.0) == []


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("DE_KFZ", "Kennzeichen KARL RM 482, KA RMX 482, KA-RM 48277, KARM482"),
        ("DE_PLZ", "PLZ 01000, 99999, 00482, 7613, 761331"),
        ("IN_VEHICLE_REGISTRATION", "vehicle XX 05 MX 4827, KA 05 MX 482, KA 05 MX 0000"),
        ("NG_VEHICLE_REGISTRATION", "plate KJ-482QX, KJA-48QX, KJA-482Q, KJA-482QXY"),
        ("TR_LICENSE_PLATE", "plaka 82 KRM 482, 00 KRM 482, 34 KQRM 482"),
        ("UK_POSTCODE", "postcode QA1 1AA, M1 1CA, 1A1 1AA, SW1A 1A, ABCM11AADEF"),
        ("UK_VEHICLE_REGISTRATION", "registration LK35 RMX, LK00 RMX, LI51 RMX, LK51 RMI, LK5 RM"),
    ],
)
def test_what_is_no_plate_or_postcode(entity: str, text: str) -> None:
    assert strings(entity, text, least=0.0) == []


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("DE_KFZ", "I AM 12"), ("DE_KFZ", "kennzeichen? du bist an 12"), ("DE_PLZ", "76133 times"),
        ("TR_LICENSE_PLATE", "10 A 12"), ("UK_POSTCODE", "M11AE"), ("UK_POSTCODE", "it is m1 1ae"),
        ("UK_VEHICLE_REGISTRATION", "K482 RMX"), ("NG_VEHICLE_REGISTRATION", "KJA482QX"),
    ],
)  # fmt: skip
def test_weak_forms_need_a_word_near_them(entity: str, text: str) -> None:
    assert strings(entity, text) == []
