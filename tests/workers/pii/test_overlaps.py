from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.pii.finding import Finding
from workers.pii.overlaps import fill, resolve, without_crossing
from workers.pii.recognizers import Recognizers

RECOGNIZERS = Recognizers()


def resolved(text: str) -> list[tuple[str, str]]:
    kept = resolve(finding for finding in RECOGNIZERS.find(text) if finding.score >= 0.5)
    return [(finding.label, text[finding.start : finding.end]) for finding in kept]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # An address in a path belongs to the URL, one in a query is found beside it.
        (
            "see https://example.com/?to=bob@example.org now",
            [("URL", "https://example.com/?to="), ("EMAIL_ADDRESS", "bob@example.org")],
        ),
        ("at http://192.0.2.1/admin", [("URL", "http://192.0.2.1/admin")]),
        ("bob@example.com", [("EMAIL_ADDRESS", "bob@example.com")]),
        ("bob@192-0-2-1.example.com", [("EMAIL_ADDRESS", "bob@192-0-2-1.example.com")]),
        # 020 7946 0958 could be dialled; 0417164300 passes as a phone number in some countries.
        ("pay DE89 3704 0044 0532 0130 00", [("IBAN_CODE", "DE89 3704 0044 0532 0130 00")]),
        ("phone or pay GB29 NWBK 6016 1331 9268 19", [("IBAN_CODE", "GB29 NWBK 6016 1331 9268 19")]),
        ("call 4222222222222, my card", [("CREDIT_CARD", "4222222222222")]),
        ("phone 4242 4242 4242 4242", [("CREDIT_CARD", "4242 4242 4242 4242")]),
        ("phone 650-253-0000, SSN 536-90-4399", [("PHONE_NUMBER", "650-253-0000"), ("US_SSN", "536-90-4399")]),
        # The same digits under several names: what stands beside them decides.
        ("NHS number 943 476 5919", [("UK_NHS", "943 476 5919")]),
        ("my SSN is 123456782", [("US_SSN", "123456782")]),
        ("my TFN is 123456782", [("AU_TFN", "123456782")]),
        ("passport 123456782", [("US_PASSPORT", "123456782")]),
        ("::ffff:192.0.2.128", [("IP_ADDRESS", "::ffff:192.0.2.128")]),
    ],
)
def test_people_would_say_the_same(text: str, expected: list[tuple[str, str]]) -> None:
    assert resolved(text) == expected


def one(start: int, end: int, score: float = 0.5, checked: bool = False, label: str = "A") -> Finding:
    return Finding(start, end, label, score, "test", checked)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (one(0, 5, 0.6), one(0, 5, 0.5, checked=True)),  # the same span: the likelier
        (one(0, 5, 0.5), replace(one(0, 5, 0.9), learnt=True)),  # a pattern, however sure the model is
        (one(0, 5, checked=True), one(0, 5)),
        (one(0, 5, label="A"), one(0, 5, label="B")),
        (one(0, 5, 0.5, checked=True), one(0, 9, 0.9)),  # other spans: what is proved
        (one(0, 9, 0.5), one(0, 5, 0.9)),  # then the longer
        (one(0, 5, 0.6), one(3, 8, 0.5)),  # then the likelier
        (one(0, 5), one(3, 8)),  # then the first
    ],
)
def test_order_of_preference(better: Finding, worse: Finding) -> None:
    assert resolve([better, worse]) == resolve([worse, better]) == [better]


def test_what_touches_does_not_overlap_and_nothing_is_no_finding() -> None:
    assert resolve([one(5, 9), one(0, 5)]) == [one(0, 5), one(5, 9)]
    assert resolve([one(3, 3)]) == []
    assert resolve([]) == []


findings = st.lists(
    st.builds(
        lambda start, length, score, checked, label: one(start, start + length, score, checked, label),
        st.integers(0, 30),
        st.integers(1, 12),
        st.sampled_from([0.5, 0.7, 1.0]),
        st.booleans(),
        st.sampled_from("ABC"),
    ),
    max_size=20,
)


@given(findings, st.randoms())
def test_result_is_free_of_overlaps_maximal_and_the_same_in_any_order(some: list[Finding], random: object) -> None:
    kept = resolve(some)
    taken = [place for finding in kept for place in range(finding.start, finding.end)]
    assert taken == sorted(set(taken))
    assert all(finding in some for finding in kept)
    for finding in some:
        assert set(range(finding.start, finding.end)) & set(taken), "nothing stood in its way"
    shuffled = list(some)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert resolve(shuffled) == kept


PLACES = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.sampled_from([0.5, 0.9])), max_size=8)


@given(PLACES, PLACES)
def test_gaps_are_filled_without_overlaps(
    first: list[tuple[int, int, float]], second: list[tuple[int, int, float]]
) -> None:
    chosen, others = (
        [Finding(start, end, "PERSON", score, "model", checked=False) for start, end, score in places]
        for places in (first, second)
    )
    chosen = resolve(chosen)
    filled = fill(chosen, others)
    assert all(before.end <= after.start for before, after in pairwise(filled))
    assert set(chosen) <= set(filled) <= {*chosen, *others}
    for other in others:
        assert other.start >= other.end or any(
            finding.start < other.end and other.start < finding.end for finding in filled
        )


def test_a_model_does_not_cut_a_number_with_a_word_near_it() -> None:
    text = "Tel. 91 123 45 67, Sol 3"
    (number,) = (each for each in RECOGNIZERS.find(text) if each.distance)

    def learnt(start: int, end: int) -> Finding:
        return Finding(start, end, "STREET_ADDRESS", 0.9, "model", checked=False, learnt=True)

    crossing, inside, around, beside = learnt(15, 24), learnt(8, 11), learnt(0, 24), learnt(17, 24)
    assert without_crossing([crossing, inside, around, beside], [number]) == [inside, around, beside]
    assert without_crossing([crossing], [replace(number, distance=0)]) == [crossing]
