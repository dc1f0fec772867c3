"""Names and dates of which a model has found a part, and names of fields that it takes for names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.thoroughness import examples, length
from tests.workers.pii.test_learnt import marked, shown
from workers.pii.fields import without_field_names
from workers.pii.finding import Finding
from workers.pii.wholes import with_whole_dates, with_whole_names


@pytest.mark.parametrize(("before", "after"), [
    ("[ORGANIZATION Hans]-[PERSON Jürgen Groß]kopf", "[PERSON Hans-Jürgen Großkopf]"),
    ("[PERSON Ewa Dąbrowska]-[LOCATION Lis] called", "[PERSON Ewa Dąbrowska-Lis] called"),
    ("[PERSON Anna]'s dog", "[PERSON Anna]'s dog"),
    ("[PERSON Anna]-related", "[PERSON Anna]-related"),
    ("pre-[PERSON Anna] and non-[PERSON anna]", "pre-[PERSON Anna] and non-[PERSON anna]"),
    ("[PERSON Ann] [PERSON Poe]", "[PERSON Ann] [PERSON Poe]"),
    ("[PERSON Ann]-[ORGANIZATION Poe Ltd]", "[PERSON Ann]-[ORGANIZATION Poe Ltd]"),
    ("[PERSON Ann]-[PHONE_NUMBER 12]", "[PERSON Ann]-[PHONE_NUMBER 12]"),
    ("[DATE_TIME A]-[PERSON Ann]", "[DATE_TIME A]-[PERSON Ann]"),
    ("[PERSON An][LOCATION n][PERSON a]-[PERSON Poe]", "[PERSON Anna-Poe]"),
    ("[PERSON Ann]-[DATE_TIME May]-[LOCATION L][PERSON ee]", "[PERSON Ann]-[DATE_TIME May]-[PERSON Lee]"),
    ("[LOCATION Bonn]-[LOCATION Beuel]", "[LOCATION Bonn]-[LOCATION Beuel]"),
])  # fmt: skip
def test_a_person_has_whole_words(before: str, after: str) -> None:
    text, findings = marked(before)
    assert shown(text, with_whole_names(findings, text)) == after


@pytest.mark.parametrize(("before", "after"), [
    ("DOB [DATE_TIME 1975-12]-[STREET_ADDRESS 01], MRN", "DOB [DATE_TIME 1975-12-01], MRN"),
    ("05[DATE_TIME /30/1958] and [PERSON Ann]", "[DATE_TIME 05/30/1958] and [PERSON Ann]"),
    ("[DATE_TIME 3.4].2021", "[DATE_TIME 3.4.2021]"),
    ("[DATE_TIME on 3.4].2021", "[DATE_TIME on 3.4].2021"),
    ("[ZIP_CODE 1975]-12-01 [DATE_TIME today]", "[ZIP_CODE 1975]-12-01 [DATE_TIME today]"),
    ("[DATE_TIME 1975]-13-41", "[DATE_TIME 1975]-13-41"),
    ("10.[DATE_TIME 1.2].3 and [DATE_TIME 1.2].3.4", "10.[DATE_TIME 1.2].3 and [DATE_TIME 1.2].3.4"),
])  # fmt: skip
def test_a_date_of_numbers_is_whole(before: str, after: str) -> None:
    text, findings = marked(before)
    assert shown(text, with_whole_dates(findings, text)) == after


@pytest.mark.parametrize(("before", "after"), [
    ("[PERSON DOB] 1990", "DOB 1990"),
    ("[PERSON Adres]: Ann", "Adres: Ann"),
    ("[PERSON Mark]: hello", "[PERSON Mark]: hello"),
    ("[PERSON name: Ann Poe]", "name: [PERSON Ann Poe]"),
    ("[PERSON Poe\nIBAN]: DE89", "[PERSON Poe]\nIBAN: DE89"),
    ("[STREET_ADDRESS 4 Elm St\nCheck]-in: 3", "[STREET_ADDRESS 4 Elm St]\nCheck-in: 3"),
    ("[STREET_ADDRESS 4 Elm St\nLeith]", "[STREET_ADDRESS 4 Elm St\nLeith]"),
    ("[STREET_ADDRESS Ringweg 4. IBAN]", "[STREET_ADDRESS Ringweg 4]. IBAN"),
    ("[TITLE Agent] [PERSON Ann]", "[TITLE Agent] [PERSON Ann]"),
    ("see [URL https://a.example]", "see [URL https://a.example]"),
])  # fmt: skip
def test_names_of_fields_are_nobodys(before: str, after: str) -> None:
    text, findings = marked(before)
    assert shown(text, [kept for each in findings if (kept := without_field_names(each, text))]) == after


PIECES = st.sampled_from([
    "Ann", "-", "Poe", " ", "\n", "DOB", ": ", "1975-12-01", "05/30/1958", "3.4", "name=", "ß", "ﬃ", "İ", "'", "İ-",
    "\U0001f642",
    "IBAN", ",", "01", "/",
])  # fmt: skip


@settings(max_examples=examples(300))
@given(st.lists(PIECES, max_size=14).map("".join), st.data())
def test_spans_stay_within_the_text_and_apart(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    labels = data.draw(st.lists(st.sampled_from(["PERSON", "DATE_TIME", "LOCATION"]), min_size=8, max_size=8))
    learnt = [
        Finding(start, end, label, 0.7, "model", checked=False, learnt=True)
        for start, end, label in zip(cuts[::2], cuts[1::2], labels, strict=False)
    ]
    for made in (with_whole_names(learnt, text), with_whole_dates(learnt, text)):
        reach = 0
        for finding in made:
            assert reach <= finding.start < finding.end <= len(text)
            reach = finding.end
    for each in learnt:
        bare = without_field_names(each, text)
        assert bare is None or each.start <= bare.start < bare.end <= each.end


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", ["a", "A-", " ", "\n", "1-", "1/", "DOB ", "a:", "name: ", ",", ". "])
def test_a_megabyte_takes_seconds(unit: str) -> None:
    text = unit * (length(1_000_000) // len(unit))
    for label in ("PERSON", "DATE_TIME", "STREET_ADDRESS"):
        whole = [Finding(0, len(text), label, 0.7, "model", checked=False, learnt=True)]
        many = [
            Finding(start, start + 1, label, 0.7, "model", checked=False, learnt=True)
            for start in range(0, len(text), 100)
        ]
        for findings in (whole, many):
            with_whole_dates(with_whole_names(findings, text), text)
            for each in findings:
                without_field_names(each, text)
