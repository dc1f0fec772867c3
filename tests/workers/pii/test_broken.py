"""Numbers in unusual groups, and broken over lines; phone numbers beside words of several languages."""

from __future__ import annotations

import pytest

from tests.workers.pii.reading import values

IBANS = [
    "DE89 3704 0044\n0532 0130 00", "GB29 NWBK 6016\r\n1331 9268 19", "> DE89 3704 0044\n> 0532 0130 00"[2:],
    "DE 89 3704 0044 0532 0130 00", "DE89 37040044 0532013000", "DE89/3704/0044/0532/0130/00", "be68 5390 0754 7034",
    "DE89-3704-0044-0532-0130-00",
]  # fmt: skip


@pytest.mark.parametrize("iban", IBANS)
@pytest.mark.parametrize("text", ["{}", "IBAN: {}, rent", "to {} and 20 more in 2024", "IBAN={};NAME=x"])
def test_an_iban_in_any_grouping_is_whole(iban: str, text: str) -> None:
    assert values(text.format(iban)) == [("IBAN_CODE", iban)]


@pytest.mark.parametrize("text", [
    "DE89 3704 0044 0532 0130 01", "DE89 3704 0044 0532 0130 0", "DE89 3704 0044 0532 0130 000", "in 20 of 30 cases",
    "XX89 3704 0044 0532 0130 00", "DE89 3704 0044\n\n\n0532 0130 00", "MADE89 3704 0044 0532 0130 00",
])  # fmt: skip
def test_what_is_no_iban_is_left_alone(text: str) -> None:
    assert [label for label, _ in values(text) if label == "IBAN_CODE"] == []


CARDS = [
    "4111/1111/1111/1111", "4111_1111_1111_1111", "4111 - 1111 - 1111 - 1111", "4111\u00b71111\u00b71111\u00b71111",
    "4242 4242\n4242 4242", "4242-4242-4242\n4242",
]  # fmt: skip


@pytest.mark.parametrize("card", CARDS)
def test_a_card_with_odd_separators_needs_a_word(card: str) -> None:
    assert values(f"card {card} was declined") == [("CREDIT_CARD", card)]
    assert values(f"Karte {card} gesperrt") == [("CREDIT_CARD", card)]
    assert values(f"rows {card} of it") == []


PHONES = [
    ("Tel.: (0711) 12 34 56", "(0711) 12 34 56"), ("Mobil: 0171/2345678", "0171/2345678"),
    ("Tel. 089 / 12 34 56", "089 / 12 34 56"), ("Rückruf unter 0221-4567890", "0221-4567890"),
    ("meine handynummer: 0176 98765432", "0176 98765432"), ("Téléphone 04 78 12 34 56", "04 78 12 34 56"),
    ("mon numéro: 079 123 45 67", "079 123 45 67"), ("Móvil 655 123 456", "655 123 456"),
    ("llámame al 622 333 444", "622 333 444"), ("Cellulare: 333 1234567", "333 1234567"),
    ("Mobiel: 06-12345678", "06-12345678"), ("Komórka 602 111 222", "602 111 222"), ("tlf 22 12 34 56", "22 12 34 56"),
    ('{"phoneNumber": "0171 2345678"}', "0171 2345678"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "number"), PHONES)
def test_phone_numbers_of_other_countries_are_found_beside_their_words(text: str, number: str) -> None:
    assert values(text) == [("PHONE_NUMBER", number)]


@pytest.mark.parametrize("text", [
    "Telefonkosten 2023: 1.234.567 EUR", "portable 15 pouces 1920 x 1080, 512 Go, 1299 euros", "Mobil 1 5W-30, 4 Liter",
    "Anruf am 12.05.2024", "Tel Aviv 2024/2025", "bind 0.0.0.0, mask 255.255.255.0",
])  # fmt: skip
def test_other_numbers_beside_them_are_left_alone(text: str) -> None:
    assert values(text) == []


@pytest.mark.parametrize("address", [
    "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1", "ltc1q94c3vs4hy6cygqtz0j5lhtpj7hy9xra35jqzmw",
    "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8",
    "XpESxaUmonkq8RaLLp46Brx2K39ggQe226",
    "addr1vpu5vlrf4xkxv2qpwngf6cjhtw542ayty80v8dyr49rf5eg0yu80w",
])  # fmt: skip
def test_addresses_of_other_coins_are_found(address: str) -> None:
    wrong = address[:-1] + ("2" if address[-1] != "2" else "3")
    assert values(f"send to {address} today") == [("CRYPTO", address)]
    assert values(f"send to {wrong} today") == []


def test_the_nearest_word_before_decides() -> None:
    assert values("ssn=536904399 dl=H12234567") == [("US_SSN", "536904399"), ("US_DRIVER_LICENSE", "H12234567")]
