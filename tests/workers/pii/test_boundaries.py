"""Where values begin and end: beside numbers, punctuation, letters of other scripts, and words."""

from __future__ import annotations

import hashlib
import random
import uuid

import pytest

from tests.workers.pii.reading import spans, values

BESIDE_NUMBERS = (
    ("1001,Anna Lee,512-34-5678,1985-02-03,Austin", [(14, 25, "US_SSN")]),
    ("[4111111111111111,5555555555554444]", [(1, 17, "CREDIT_CARD"), (18, 34, "CREDIT_CARD")]),
    ("42,449-87-4100", [(3, 14, "US_SSN")]),
    ("card 4111111111111111,12/27", [(5, 21, "CREDIT_CARD")]),
    ("12345678Z,30", [(0, 9, "ES_NIF")]),
    ("pesel 44051401359,1980", [(6, 17, "PL_PESEL")]),
)
BESIDE_LETTERS = (
    ("我的卡号4111111111111111已过期", [(4, 20, "CREDIT_CARD")]),
    ("주민등록번호는 850101-1234566입니다", [(8, 22, "KR_RRN")]),
    ("电话+8613800138000联系我", [(2, 16, "PHONE_NUMBER")]),
    ("IP地址192.168.10.20被封", [(4, 17, "IP_ADDRESS")]),
    ("邮箱anna@example.org联系", [(2, 18, "EMAIL_ADDRESS")]),
    ("_anna@example.org_ wrote", [(1, 17, "EMAIL_ADDRESS")]),
    ("id_512-34-5678.pdf", [(3, 14, "US_SSN")]),
    ("SSN 512-34-5678Patient", [(4, 15, "US_SSN")]),
    ("tel202-555-0143", [(3, 15, "PHONE_NUMBER")]),
)

FIELDS = (
    # CSV, JSON and what else puts fields side by side
    ("7,4111111111111111,123\n8,5555555555554444,999", ["4111111111111111", "5555555555554444"]),
    ('{"ssn":"512-34-5678","cards":[4111111111111111,378282246310005]}',
     ["512-34-5678", "4111111111111111", "378282246310005"]),
    ("4111 1111 1111 1111,12/27", ["4111 1111 1111 1111"]),
    ("4111 1111 1111 1111-123", ["4111 1111 1111 1111"]),
    ("4111111111111111-123", ["4111111111111111"]),
    ("2024-01-15-4111111111111111.log", ["4111111111111111"]),
    ("1.449-87-4100", ["449-87-4100"]),
    ("a;512-34-5678;b|449-87-4100|c", ["512-34-5678", "449-87-4100"]),
    ("3,12345678Z,4,X2482300W,5", ["12345678Z", "X2482300W"]),
    ("5,131052-308T,6", ["131052-308T"]),
    ("390.533.447-05,7", ["390.533.447-05"]),
    ("9,880320-0016,0", ["880320-0016"]),
    ("1,943 476 5919,2 NHS", ["943 476 5919"]),
    ("0,DE89370400440532013000,1", ["DE89370400440532013000"]),
    # without a checksum, but beside a word
    ("passport: 912803456,2025-01-01", ["912803456"]),
    ("ssn 449874100,1985-02-03", ["449874100"]),
    ("my ssn,449874100,x", ["449874100"]),
    ("0,192.0.2.1,1", ["192.0.2.1"]),
    ("0,192.168.100.200,1", ["192.168.100.200"]),
)  # fmt: skip
NUMBERS = (
    "4.7370000000000001E-2",
    "ts=1748503543017",
    "1,234,567,890,123,456",
    "price 4.4111111111111111 and 0,4111111111111111",
    "4111111111111111.50",
    "t=1748503543.017 id=1748503543017-0 us=1748503543017123",
    "5,105,105,105,105,100",
    "123 456 782,50 EUR",
    "1.234.567.890,12",
    "69 651 496 359,50",
    "it cost 1 250 000,50 kr",
    "account 12345678,50 EUR",
    "ssn 449874100,50",
    "account 0,12345678",
    "part no. 123-45-6789-01 and 1-123456789-0",
    "550e8400-e29b-41d4-a716-446655440000",
    "52.520008,13.404954,40.748817,-73.985428",
)
WORDS = (
    # scripts without spaces between words, and particles
    ("卡号4111 1111 1111 1111。", ["4111 1111 1111 1111"]),
    ("社会保険512-34-5678です", ["512-34-5678"]),
    ("税号DE89370400440532013000和GB29NWBK60161331926819", ["DE89370400440532013000", "GB29NWBK60161331926819"]),
    ("ที่อยู่anna@example.orgครับ", ["anna@example.org"]),
    ("អ៊ីមែលanna@example.orgបាទ", ["anna@example.org"]),
    ("이메일은anna@example.org입니다", ["anna@example.org"]),
    ("メールはanna.lee@example.co.jpまで", ["anna.lee@example.co.jp"]),
    ("邮箱123456@example.com谢谢", ["123456@example.com"]),
    ("anna@example.org和bob.lee@example.org", ["anna@example.org", "bob.lee@example.org"]),
    ("地址2001:db8::8a2e:370:7334和00:11:22:aa:bb:cc的", ["2001:db8::8a2e:370:7334", "00:11:22:aa:bb:cc"]),
    ("访问example.com查看，访问www.example.com", ["example.com", "www.example.com"]),
    ("电话：03-1234-5678です", ["03-1234-5678"]),
    # alphabets that hashes and identifiers do not have
    ("карта4111111111111111", ["4111111111111111"]),
    ("بطاقة4111111111111111", ["4111111111111111"]),
    ("тел.+79161234567звоните", ["+79161234567"]),
    ("почта:ivan@example.ruпишите", ["ivan@example.ru"]),
    # underscores and words
    ("ssn_512-34-5678_final.pdf", ["512-34-5678"]),
    ("export_4111111111111111_2.csv", ["4111111111111111"]),
    ("host_192.168.10.20_up", ["192.168.10.20"]),
    ("__anna@example.org__ and *bob@example.org*", ["anna@example.org", "bob@example.org"]),
    ("report_anna@example.org_2024.csv", ["report_anna@example.org"]),
    ("card4111111111111111", ["4111111111111111"]),
    ("Visa4111-1111-1111-1111exp", ["4111-1111-1111-1111"]),
    ("SSN512-34-5678", ["512-34-5678"]),
    ("IP192.168.10.20", ["192.168.10.20"]),
    ("fax:202-555-0143Office", ["202-555-0143"]),
    ("mac:00:11:22:aa:bb:cc up", ["00:11:22:aa:bb:cc"]),
    # whole addresses of other scripts
    ("用户@例子.公司", ["用户@例子.公司"]),
    ("иван2@пример.рф", ["иван2@пример.рф"]),
    ("müller@bücher.example", ["müller@bücher.example"]),
)
TOKENS = (
    "sha1 5105105105105100abcd0123456789abcdef0123",
    "YTQxMTExMTExMTExMTExMTE4111111111111111abc=",
    "TXN4111111111111111 and x4111111111111111",
    "RX580-12-3456",
    "v192.168.1.1",
    "c5fda93689215a fb411 73320468xTXN",
    "DE89370400440532013000X",
)


@pytest.mark.parametrize(("text", "expected"), [*BESIDE_NUMBERS, *BESIDE_LETTERS])
def test_offsets_beside_numbers_and_letters(text: str, expected: list[tuple[int, int, str]]) -> None:
    assert spans(text) == expected


@pytest.mark.parametrize(("text", "expected"), FIELDS)
def test_a_field_is_found_beside_other_fields(text: str, expected: list[str]) -> None:
    assert [value for _, value in values(text)] == expected


@pytest.mark.parametrize("text", NUMBERS)
def test_a_part_of_a_longer_number_is_not_found(text: str) -> None:
    assert values(text) == []


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_a_value_is_found_beside_letters_that_do_not_belong_to_it(text: str, expected: list[str]) -> None:
    assert [value for _, value in values(text)] == expected


@pytest.mark.parametrize("text", TOKENS)
def test_a_part_of_a_longer_token_is_not_found(text: str) -> None:
    assert values(text) == []


def test_hashes_and_uuids_hold_nothing() -> None:
    draw = random.Random(5)
    for number in range(300):
        token = hashlib.sha256(str(number).encode()).hexdigest()
        assert values(f"{token} is done") == [], token
        token = str(uuid.UUID(int=draw.getrandbits(128), version=4))
        assert values(f"{token},{token}") == [], token


def test_rows_of_numbers_hold_no_unchecked_ones() -> None:
    assert values("6 4 4 635 96 7485 60593") == []
    assert values("SSN 635 96 7485") == [("US_SSN", "635 96 7485")]
    assert values("SSN 635 96 7485 60593") == [("US_SSN", "635 96 7485")]
