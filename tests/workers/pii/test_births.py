"""Dates of birth are found though other dates are not asked for."""

from __future__ import annotations

import pytest

from tests.workers.pii.reading import values
from workers.pii.recognizers import Recognizers

FOUND = [
    ("born on 4 July 1948 in Ohio", "4 July 1948"),
    ("DOB: 03/14/1991", "03/14/1991"),
    ("dob is 4/7/93", "4/7/93"),
    ('{"dob":"1979-11-30"}', "1979-11-30"),
    ('{"birthDate": "1979-11-30"}', "1979-11-30"),
    ("date_of_birth=1979-11-30", "1979-11-30"),
    ("born the third of May nineteen eighty-four", "the third of May nineteen eighty-four"),
    ("DOB: March the fourth, nineteen seventy-two", "March the fourth, nineteen seventy-two"),
    ("born on June twenty-first, two thousand and three", "June twenty-first, two thousand and three"),
    ("geb. 07.11.1958", "07.11.1958"),
    ("geb. am 3. Mai 1984 in Köln", "3. Mai 1984"),
    ("Pat. Thoma, *12.03.1941, AOK", "12.03.1941"),
    ("Geburtsdatum: 12. 3. 1941", "12. 3. 1941"),
    ("née le 1er février 1955", "1er février 1955"),
    ("nata a Torino il 3 marzo 1970", "3 marzo 1970"),
    ("nacido el 5 de enero de 1966", "5 de enero de 1966"),
    ("nascida em 8 de março de 1990", "8 de março de 1990"),
    ("geboren op 9 november 1971", "9 november 1971"),
    ("urodzony 14 maja 1944 r. w Łodzi", "14 maja 1944 r."),
    ("ur. 02.01.1944", "02.01.1944"),
]

CLEAN = [
    "The company was born in 1998 and employs 12000 people.",
    "NATO summit on 11.07.2023",
    "the idea was born there. Released on 11.07.2023",
    "* 12.03.2024 released",
    "born on 31.02.1999",
    "your order of 12.03.2024, ur welcome",
    "He was born on the 4th of July.",
    "renewborn 12.03.2024, airborne 12.03.2024",
]


@pytest.mark.parametrize(("text", "date"), FOUND)
def test_a_date_behind_a_word_of_birth_is_found(text: str, date: str) -> None:
    assert values(text) == [("DATE_TIME", date)]


@pytest.mark.parametrize("text", CLEAN)
def test_other_dates_are_left_alone(text: str) -> None:
    assert values(text) == []


def test_entities_decide() -> None:
    text = "born 4 July 1948, seen 5 July 1948"
    assert Recognizers(["URL"]).find(text) == []
    assert [each.recognizer for each in Recognizers().find(text)] == ["date-of-birth"]
    both = [text[each.start : each.end] for each in Recognizers(["DATE_TIME"]).find(text) if each.score >= 0.5]
    assert both == ["4 July 1948", "5 July 1948"]
