"""Phone numbers beside dates, times, amounts and other numbers."""

from __future__ import annotations

import random

import pytest

from tests.workers.pii.reading import spans, values

SAMPLES = (
    ("202-555-0143 04/21/2026 12:37:30", [(0, 12)]),
    ("+1 202 555 0143 5 min", [(0, 15)]),
    ("07400 123456 07400 123457", [(0, 12), (13, 25)]),
    ("Phone (202)555-0143 04/21/2026", [(6, 19)]),
)
FOUND = (
    ("2022-12-24 202-555-0143", ["202-555-0143"]),
    ("12:37:30 202-555-0143", ["202-555-0143"]),
    ("04/21/2026 202-555-0143 at 12:37", ["202-555-0143"]),
    ("21.04.2026 020 7946 0958", ["020 7946 0958"]),
    ("2023-05-06T17:22:10 202 555 0143", ["202 555 0143"]),
    ("202-555-0143 2026-04-21", ["202-555-0143"]),
    ("+1 202 555 0143 2026", ["+1 202 555 0143"]),
    ("5 +1 202 555 0143", ["+1 202 555 0143"]),
    ("1 2 3 202-555-0143", ["202-555-0143"]),
    ("650-253-0000 100km", ["650-253-0000"]),
    ("(202) 555-0143 (202) 555-0144", ["(202) 555-0143", "(202) 555-0144"]),
    ("202-555-0143/202-555-0144", ["202-555-0143", "202-555-0144"]),
    ("+44 7400 123456 +44 7400 123457", ["+44 7400 123456", "+44 7400 123457"]),
    ("07400 123456 07400 123457 07400 123458 07400 123459",
     ["07400 123456", "07400 123457", "07400 123458", "07400 123459"]),
    ("2.320,00 020 7946 0958", ["020 7946 0958"]),
    ("tel(202)555-0143", ["(202)555-0143"]),
    ("t:+1(202)555-0143", ["+1(202)555-0143"]),
    ("+687 20.12.34", ["+687 20.12.34"]),
    ("call 0151.23456789 today", ["0151.23456789"]),
)  # fmt: skip
NOTHING = (
    "backup 2022-12-24 18",
    "2023-05-06-17",
    "[2024-03-02 08] cron",
    "1 2 3 4 5 6 7 8 9 10",
    "2024.03.02.08 and 2024/03/02 08",
    "log_20240302_083000 20240302 0830",
    "24-12-2022 18, 24.12.2022 18 and 12/24/22 18",
    "52.52000812, 13.40495412",
    "6.065.862.356,96",
    "13 366 579 052,96 EUR",
    "47553  82904  5214  4  9  2236",
    "1 22 333 4444 55555",
    "abc202-555-0143",
)


@pytest.mark.parametrize(("text", "expected"), SAMPLES)
def test_offsets_beside_dates_and_numbers(text: str, expected: list[tuple[int, int]]) -> None:
    assert spans(text) == [(start, end, "PHONE_NUMBER") for start, end in expected]


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_phone_numbers_are_found_beside_other_numbers(text: str, expected: list[str]) -> None:
    assert values(text) == [("PHONE_NUMBER", number) for number in expected]


@pytest.mark.parametrize("text", NOTHING)
def test_dates_rows_and_amounts_are_no_phone_numbers(text: str) -> None:
    assert values(text) == []


def test_random_decimals_are_no_phone_numbers() -> None:
    draw = random.Random(3)
    for _ in range(300):
        text = " ".join(f"{draw.random() * 10 ** draw.randint(-3, 6):.{draw.randint(2, 12)}f}" for _ in range(6))
        assert [value for label, value in values(text) if label == "PHONE_NUMBER"] == [], text
