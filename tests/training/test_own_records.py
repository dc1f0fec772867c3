"""The project's own records: they are varied, never trained on, and judged correctly."""

from __future__ import annotations

from collections import Counter

from tests.training.test_own import pattern, shape
from training import personal_records
from training.measures.records import judged, summary
from training.own_records import PARTS, Record, parsed
from training.personal_abroad import COUNTRIES

TEMPLATES = [*personal_records.TICKETS, *personal_records.LOGS, *personal_records.PLAIN_TEXTS]
RECORDS = [record for part in PARTS.values() for record in part]


def test_there_are_enough_of_each_kind_and_none_twice() -> None:
    assert len({record.text for record in RECORDS}) == len(RECORDS) >= 240
    for part in PARTS.values():
        kinds = Counter(record.kind for record in part)
        assert len(kinds) == 8 and min(kinds.values()) >= 7 and kinds["nothing"] >= 18
        assert not any(record.required for record in part if record.kind == "nothing")


def test_spans_are_in_their_texts_and_apart() -> None:
    for record in RECORDS:
        assert "{" not in record.text.replace("{ total", "").replace('{"', "")
        reach = 0
        for start, end, _ in sorted((*record.required, *record.optional)):
            assert reach <= start < end <= len(record.text)
            reach = end


def test_no_record_is_taught() -> None:
    # A template with a single word of its own fits nearly anything.
    taught = [pattern(template) for template in TEMPLATES if len(shape(template).split()) > 1]
    for record in RECORDS:
        assert not any(template.fullmatch(record.text) for template in taught), record.text


def test_addresses_are_made_for_a_dozen_countries_and_more() -> None:
    assert len({country.names.split(",")[0] for country in COUNTRIES}) >= 12


def test_a_line_is_parsed_with_its_spans() -> None:
    record = parsed("form", "{PERSON|Ann Poe} has {*|K12}, {?DATE_TIME|noon}")
    assert record == Record(
        "form", "Ann Poe has K12, noon", ((0, 7, "PERSON"), (12, 15, "*")), ((17, 21, "DATE_TIME"),)
    )


def test_findings_are_judged() -> None:
    record = parsed("form", "Dr. {PERSON|Ann Poe} has {*|K12}, {?DATE_TIME|noon}")
    right = [(4, 11, "PERSON"), (16, 19, "IN_PAN")]
    assert judged(record, [*right, (0, 3, "TITLE"), (21, 25, "DATE_TIME")]).right
    assert judged(record, [(4, 7, "PERSON"), *right[1:]])[:3] == (1, 1, 2)
    half = judged(record, [(4, 7, "PERSON"), (8, 11, "LOCATION"), (21, 25, "PERSON")])
    assert half[:3] == (0, 1, 2) and len(half.wrong) == 3 and not half.right
    figures = summary([judged(record, right), half])
    assert (figures["lines"], figures["right"], figures["masked"], figures["wrong"]) == (2, 0.5, 0.75, 1.5)
