"""Numbers with letters but without a checksum: small letters count where a word of their context is near."""

from __future__ import annotations

import pytest

from tests.workers.pii.reading import spans, values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my ni number is ab123456c", (16, 25, "UK_NINO")),
        ("my pan is abcpe1234f", (10, 20, "IN_PAN")),
        ("my passport is a12345678", (15, 24, "US_PASSPORT")),
        ("my ni number is Ab123456C", (16, 25, "UK_NINO")),
        ("national insurance: ab 12 34 56 c", (20, 33, "UK_NINO")),
        ("nino ab-12-34-56-c", (5, 18, "UK_NINO")),
        ("abcpe1234f is my pan", (0, 10, "IN_PAN")),
        ("my PAN:ABCPE1234F", (7, 17, "IN_PAN")),
        ("driver license f1234567", (15, 23, "US_DRIVER_LICENSE")),
        ("voter id wkh1186253", (9, 19, "IN_VOTER")),
        ("passport_a12345678.jpg", (9, 18, "US_PASSPORT")),
    ],
)
def test_a_word_of_the_context_is_enough(text: str, expected: tuple[int, int, str]) -> None:
    assert spans(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "it is ab123456c", "it is abcpe1234f", "it is a12345678", "my pan is dirty, part abcpe1234f0",
        # KELVIN SIGN and LONG S are a k and an s only to a regular expression that ignores case
        "my ni number is a\u212a123456c", "my pan is a\u017fcpe1234f",
    ],
)  # fmt: skip
def test_without_one_small_letters_are_nothing(text: str) -> None:
    assert values(text) == []
