"""Values that people take for the same have one canonical form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.output.redaction.canonical import canonical_form

LABELS = ["PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "IBAN_CODE", "SECRET", "URL", "MISC", ""]


@pytest.mark.parametrize(
    ("label", "value", "form"),
    [
        ("PERSON", " Anna\n  SCHMIDT ", "anna schmidt"),
        ("PERSON", "Ａｎｎａ", "anna"),
        ("PERSON", "An\u200bna", "anna"),
        ("PERSON", "Straße", "strasse"),
        ("EMAIL_ADDRESS", "Anna@Example.com", "anna@example.com"),
        ("PHONE_NUMBER", "+49 (0)30 / 123-456", "+49030123456"),
        ("PHONE_NUMBER", "٠٣٠ ١٢٣", "030123"),
        ("IBAN_CODE", "de89 3704 0044", "DE8937040044"),
        ("US_SSN", "078-05-1120", "078051120"),
        ("SECRET", "aB-c", "aB-c"),
        ("URL", "https://Example.com/A", "https://Example.com/A"),
        ("IP_ADDRESS", "10.0.0.1", "10.0.0.1"),
        ("", "User 7", "User 7"),
        ("CUSTOMER", "a-B", "a-B"),
    ],
)
def test_the_canonical_form(label: str, value: str, form: str) -> None:
    assert canonical_form(label)(value) == form


@given(st.sampled_from(LABELS), st.text())
def test_it_is_its_own_canonical_form(label: str, value: str) -> None:
    form = canonical_form(label)
    assert form(form(value)) == form(value)
