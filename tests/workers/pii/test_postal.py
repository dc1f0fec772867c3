"""Postal addresses of continental Europe, and how they are joined with what a model finds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.thoroughness import examples, length
from tests.workers.pii.test_learnt import marked, shown
from workers.pii.finding import Finding
from workers.pii.postal import addresses_in_cells, postal_addresses, with_addresses_in_cells, with_postal_addresses

ADDRESSES = [
    "Gartenstraße 12, 70174 Stuttgart", "Ringgasse 4a\n8010 Graz", "Alte Landstrasse 5/2, CH-8702 Zollikon",
    "Am Hang 14\n34117 Kassel", "Uhlandstr. 9 60314 Bad Vilbel", "Am Ring 3, 06108 Halle (SA)",
    "Im Winkel 7, 9490 Vaduz",
    "3 bis rue des Lilas, 31000 Toulouse", "14, avenue Victor Hugo, 13001 Aix", "place Bellecour 2, 69002 Lyon",
    "Calle de Goya 8, 2º B, 28001 Madrid", "C/ Serrano 41\n28001 Madrid", "Via dei Mille 3/A, 98121 Messina (ME)",
    "Herengracht 5, 1015 BA Amsterdam", "Stationsweg 12 2515BM Den Haag", "ul. Lipowa 7/2, 00-316 Warszawa",
    "Storgatan 5 B, 111 23 Stockholm", "Vestergade 8, 8000 Aarhus C", "Kirkeveien 20, 0368 Oslo",
    "Asemakatu 3, 33100 Tampere",
    "Rua do Sol 11, 1250-100 Lisboa", "třída Míru 4, 530 02 Pardubice", "Kossuth utca 8, 6720 Szeged",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("sentence", ["{}", "Ann Poe, {}, has moved", "ship to {}. IBAN follows", "> {}\n> Regards"])
def test_an_address_is_found_from_its_road_to_its_town(address: str, sentence: str) -> None:
    text = sentence.format(address)
    assert [text[each.start : each.end] for each in postal_addresses(text)] == [address]


@pytest.mark.parametrize("text", [
    "March 12, 2024 Berlin", "Spring 12, 2024 Report", "Room 12, 1060 Wien", "order 167, 10115 items",
    "Arcade 12, 2024 Games",
    "Version 12, 10115 Builds", "Gate 22, 8000 Seats", "Gartenstraße 12", "10115 Berlin", "Katie 12, 2024 Meeting",
    "Brigade 12, 2024 Paris", "Gartenstraße, 70174 Stuttgart", "Gartenstraße 12, 70174 items",
])  # fmt: skip
def test_what_only_looks_like_an_address_is_none(text: str) -> None:
    assert list(postal_addresses(text)) == []


@pytest.mark.parametrize(("before", "after"), [
    ("to Ann Poe, Ringgasse 4, 8010 Graz", "to Ann Poe, [STREET_ADDRESS Ringgasse 4, 8010 Graz]"),
    ("[STREET_ADDRESS Ringgasse 4], 8010 [LOCATION Graz]", "[STREET_ADDRESS Ringgasse 4, 8010 Graz]"),
    ("[STREET_ADDRESS Ringgasse 4, 8010 Graz, Austria]", "[STREET_ADDRESS Ringgasse 4, 8010 Graz, Austria]"),
    ("[STREET_ADDRESS Ann Poe\nRinggasse 4\n8010] Graz", "[PERSON Ann Poe]\n[STREET_ADDRESS Ringgasse 4\n8010 Graz]"),
    ("[PERSON Ann] [STREET_ADDRESS Poe, Ringgasse 4, 8010] Graz",
    "[PERSON Ann Poe], [STREET_ADDRESS Ringgasse 4, 8010 Graz]"),
    ("[STREET_ADDRESS Flat 3, Ringgasse 4, 8010] Graz", "[STREET_ADDRESS Flat 3, Ringgasse 4, 8010 Graz]"),
    ("[PERSON Poe Ringgasse] 4, 8010 Graz, [PERSON Bob]", "[STREET_ADDRESS Poe Ringgasse 4, 8010 Graz], [PERSON Bob]"),
    ("[PERSON Ann]", "[PERSON Ann]"),
])  # fmt: skip
def test_learnt_addresses_are_joined_with_postal_ones(before: str, after: str) -> None:
    text, findings = marked(before)
    assert shown(text, with_postal_addresses(findings, text)) == after


@pytest.mark.parametrize(("before", "after"), [
    ("Ann Poe;Ringgasse 4;8010;Graz;x",
     "Ann Poe;[STREET_ADDRESS Ringgasse 4];[ZIP_CODE 8010];[LOCATION Graz];x"),
    ("[PERSON Ann Poe];[STREET_ADDRESS Ringgasse 4];[STREET_ADDRESS 8010];Graz",
     "[PERSON Ann Poe];[STREET_ADDRESS Ringgasse 4];[ZIP_CODE 8010];[LOCATION Graz]"),
    ("7,Corso [STREET_ADDRESS Italia 40,20122,Milano],a@example.it",
     "7,[STREET_ADDRESS Corso Italia 40],[ZIP_CODE 20122],[LOCATION Milano],a@example.it"),
    ('"Eva","Dorpsstraat 9","3431 AB","Nieuwegein"',
     '"Eva","[STREET_ADDRESS Dorpsstraat 9]","[ZIP_CODE 3431 AB]","[LOCATION Nieuwegein]"'),
    ("1\tul. Polna 3/5\t00-635\tWarszawa\t1",
     "1\t[STREET_ADDRESS ul. Polna 3/5]\t[ZIP_CODE 00-635]\t[LOCATION Warszawa]\t1"),
    ("a|Hauptstraße|12|10115|Bad Aibling|b",
     "a|[STREET_ADDRESS Hauptstraße]|12|[ZIP_CODE 10115]|[LOCATION Bad Aibling]|b"),
    ("[PERSON Ann, Ringgasse] 4,8010,Graz,[PERSON Bob]",
     "[PERSON Ann, ][STREET_ADDRESS Ringgasse 4],[ZIP_CODE 8010],[LOCATION Graz],[PERSON Bob]"),
    ("Ringgasse 4, 8010 Graz", "Ringgasse 4, 8010 Graz"),
    ("2021;12000;Sales\n2022;13000;Sales", "2021;12000;Sales\n2022;13000;Sales"),
])  # fmt: skip
def test_the_cells_of_a_row_are_found_apart(before: str, after: str) -> None:
    text, findings = marked(before)
    assert shown(text, with_addresses_in_cells(findings, text)) == after


PIECES = st.sampled_from([
    "Gartenstraße", "Via Roma", "Rue de la", " ", ", ", "\n", "12", "7/2", " 4a", "8010", "70174", "Graz", "Bad ",
    "Am ",
    "00-316", "1015 BA", "Ann Poe", "ü", "\U0001f642", "straße", "ul. ", "-", "(ME)", "a", "1",
    ";", "\t", ",",
])  # fmt: skip


@settings(max_examples=examples(300))
@given(st.lists(PIECES, max_size=14).map("".join), st.data())
def test_spans_stay_within_the_text_and_apart(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    labels = data.draw(st.lists(st.sampled_from(["PERSON", "STREET_ADDRESS", "LOCATION"]), min_size=8, max_size=8))
    learnt = [
        Finding(start, end, label, 0.7, "model", checked=False, learnt=True)
        for start, end, label in zip(cuts[::2], cuts[1::2], labels, strict=False)
    ]
    reach = 0
    for finding in with_postal_addresses(with_addresses_in_cells(learnt, text), text):
        assert reach <= finding.start < finding.end <= len(text)
        reach = finding.end


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", [
    "Aa ", "A-", "12345 Ab ", "Am Am ", "straße ", "aaa", "Via a 1, 12345 A", "1 ", "Gran Vía ", "12 34567 Graz ",
    "ul. ", "ß", ";12345;A ", ";", "Via A 1;12345;",
])  # fmt: skip
def test_a_megabyte_takes_seconds(unit: str) -> None:
    text = unit * (length(1_000_000) // len(unit))
    assert all(each.end <= len(text) for each in postal_addresses(text))
    assert all(each.end <= len(text) for row in addresses_in_cells(text) for each in row)
