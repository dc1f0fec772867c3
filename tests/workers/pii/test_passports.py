"""Passports of any country: the word must be right before the number, in whatever language."""

from __future__ import annotations

import pytest

from tests.workers.pii.reading import values

FOUND = [
    ("passport X1234567", "X1234567"),
    ("I lost my passport (number L8982341C) there", "L8982341C"),
    ("Passport No.: C01X00T47, issued 2019", "C01X00T47"),
    ("the passport number is K8273641", "K8273641"),
    ('{"passportNumber":"P1234567"}', "P1234567"),
    ('{"passport_no": "QD1234567"}', "QD1234567"),
    ("passport=G7654321;name=", "G7654321"),
    ("Z9876543 is my passport", "Z9876543"),
    ("Passnummer P12345678", "P12345678"),
    ("Reisepass-Nr. X9912345 abgelaufen", "X9912345"),
    ("n° passeport : 09PE12345", "09PE12345"),
    ("numéro de passeport 12AB34567", "12AB34567"),
    ("pasaporte número: X4455667", "X4455667"),
    ("passaporto n. X4455667", "X4455667"),
    ("passaporte CA123456", "CA123456"),
    ("paspoort NX1234567", "NX1234567"),
    ("paszport AA 1234567", "AA 1234567"),
    ("číslo pasu 41234567", "41234567"),
    ("паспорт 751234567", "751234567"),
    ("PASSPORT NO 1234567", "1234567"),
    ("护照号码 E12345678", "E12345678"),
]

CLEAN = [
    "Passport Photos Ltd, order AB1234567",
    "passport photo order 83746512",
    "Our passport program has order X1234567 pending",
    "the passport scanner X1234567 needs a lamp",
    "passport.js issue #1234567",
    "boarding pass 12345678, ski pass 87654321",
    "passport, order no. 12345678",
    "passport stamps 2019 2021",
    "compass X1234567, bypass 12345678",
    "passport costs 1234567,50",
    "my passport, case 12803456, PASSPORT NO 12345",
]


@pytest.mark.parametrize(("text", "number"), FOUND)
def test_a_number_beside_the_word_is_found(text: str, number: str) -> None:
    ((label, value),) = values(text)
    assert label.endswith("PASSPORT")
    assert value == number


@pytest.mark.parametrize("text", CLEAN)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert values(text) == []


def test_a_countrys_own_form_goes_before() -> None:
    assert values("passport A12803456") == [("US_PASSPORT", "A12803456")]
    assert values("passport X1234567") == [("PASSPORT", "X1234567")]


def test_another_number_behind_it_is_none() -> None:
    """Of a record, or of an order, though a country's passports have this form."""
    assert values("passport X1234567, MRN 00482913") == [("PASSPORT", "X1234567")]
