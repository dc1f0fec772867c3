"""What people write that is no personal data, and what is taken for it all the same."""

from __future__ import annotations

import pytest

from workers.pii.recognizers import Recognizers

RECOGNIZERS = Recognizers()

EVERYDAY = (
    "The meeting is at 10:30 on 12 May 2024, in room 1204.",
    "It cost $1,299.99, down from $1,499.00 in 2023.",
    "Order 4711-0815 shipped on 2024-01-15 at 14:05:33.",
    "ISBN 978-3-16-148410-0 is out of print; try ISBN 0-306-40615-2.",
    "Version 2.4.1 fixes what 2.4.0 broke, see chapter 3.2.1.",
    "The flat has 85 m2 and costs 1 250 000 kr.",
    "Flight LH 1234 leaves gate B42 at 06:55.",
    "He ran 42.195 km in 2:14:59, 31 seconds faster than in 2019.",
    "The population grew from 1990 to 2020 by 12 345 678 people.",
    "Invoice no. 2024000123, order number 300123456.",
    "Pi is about 3.14159265358979 and e is 2.718281828459045.",
    "Call of Duty 4 came out in 2007, and GTA V on 17/09/2013.",
    "Windows 10.0.19041.1 and Chrome 120.0.6099.130 are installed.",
    "I got 99 problems; 50% of 200 is 100.",
    "Chapter 12, verses 3-5; pages 123-145.",
    "Your parcel 00340434161094042557 will arrive between 9 and 12.",
    "The score was 3:2 after extra time, 5:4 on penalties!",
    "It was built on 3.4.1985 and is 39 years old.",
    "Use std::vector<int> and foo::bar, not a[0:10].",
    "At 20:15 CET (19:15 UTC) on channel 4.",
    "We sold 1,234,567 units for EUR 12.345.678,90.",
    "Ticket #1234567 was closed as a duplicate of #987654.",
    "Temperatures from -12 to +35 degrees; 1013 hPa.",
    "Route 66 is 3,940 km long; take exit 104B.",
    "The 2020/2021 season had 38 matches.",
    "That happened e.g. in Q3/2022.Then it stopped.",
    "Mix 250 g flour, 3 eggs and 1.5 l milk; bake 45 min at 180 C.",
    "The commit 3f72d7a93c0e4b1f is on main since 2024-03-01T12:00:00Z.",
    "SKU 12345678-001, EAN 4006381333931, 10 pcs.",
    "RFC 2616 was replaced by RFC 7230-7235 in June 2014 @ IETF 90.",
    "Article 5(1)(b) of Regulation 2016/679 applies since 25 May 2018.",
    "The colour is #1a2b3c, or rgb(26, 43, 60) if you like.",
    "My order number is 112-3456789-1234567, tracking 1Z999AA10123456784.",
    "I will call you on 12.05.2024 at 10:00, or call me at 5 or 6.",
    "Call the function with 3 arguments: f(1, 2, 3).",
    "Text me the results: 2-1, 3-0 or 4-4.",
    "Contact us before 31 December 2024.",
    "The phone costs 1 299 euros and weighs 187 g; it has 6000 mAh and 2400 x 1080 pixels.",
    "We reach 1 000 000 people and text 1 250 000 more.",
    "Please text 12345 to vote.",
    "She scored 1234567 points in the game.",
    "GPS: 52.520008, 13.404954; or 40.7128 N, 74.0060 W.",
    "DOI 10.1000/182 and arXiv:2101.00001v2, see fig.2 and eq.3.",
    "John 3:16; Genesis 1:1-2:3; at 12:34:56:78 the tape broke.",
    "UUID 550e8400-e29b-41d4-a716-446655440000 was assigned.",
    "md5 d41d8cd98f00b204e9800998ecf8427e, error 0x80070057 at 0x00007FF6A1B2C3D4.",
    "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "timestamp 1700000000 or 1700000000000 ms, which is 2023-11-14T22:13:20.123456Z",
    "10 9 8 7 6 5 4 3 2 1 lift off",
    "The lottery drew 04-11-23-28-39-42, then 04:11:23:28:39:42.",
    "Section 1.2.3.4 of the report, version 2.10.0.1 of the program.",
    "Bus 100, 200, 300 and N5; room 101-102, floor 3.",
    "Rings come in size 7 8 9 10 11 12.",
    "Odds were 100/30 and 9/4; 82-80 with an ERA of 3.45 and 1,234 strikeouts.",
    "Blood pressure 120/80, pulse 72, temp 36.6; the patient weighs 80 kg.",
    "Models: WH-1000XM4, RTX 4090, i7-12700K; plates ABC 1234 and 7ABC123.",
    "Mozilla/5.0 (Windows NT 6.1; WOW64; rv:109.0) Gecko/20100101 Firefox/119.0",
    "a[1::2], b[::2], c[::-1], d[::1] and std::swap(a::b, c::d1)",
    "He is 6'2\" and weighs 190 lbs; 2+2=4, 10^6 = 1000000.",
    "The distance is 149 597 870 700 m, light makes 299 792 458 m/s.",
    "Avogadro's 6.02214076e23, phi 1.6180339887498948482, 355/113",
    "Revenue was 12,345,678.90 in 2023 vs 11,222,333.44 in 2022.",
    "email me @ work, or thank @user1234 for the RT http",
    "ticket 2024-0001234, case no. 1:20-cv-03010-APM, ISO/IEC 27001:2013",
    "zip 90210-1234, PO Box 123456789",
    "Part no. 123-45-6789-01, invoice INV-2024-00012345, total 1 234,56 EUR",
    "My employee id is 123456789, message id 20240115123456.",
    "They called in the 2023-2024 season, and in 1999-2000.",
    "My PIN is 1234 and my pan is 28 cm; my desk is 120 x 60 x 75 cm.",
    "Visa 2024 2025 2026 2027 rules; MAC OS 10.15.7 (19H2).",
    "Answer 42 to question 1234567, then message 7654321.",
)

TAKEN = (
    # Four numbers with dots: nothing but the word version says that it is no address.
    ("Python 3.11.4.1 is out", "IP_ADDRESS", "3.11.4.1"),
    # Unchecked numbers beside their word: what the word means here would take a model.
    ("My account balance is 12345678 dollars", "US_BANK_NUMBER", "12345678"),
    ("They called 1500 1600 1700 times", "PHONE_NUMBER", "1500 1600 1700"),
    # Three, two and four digits: a house number, a flat and another have the form of an SSN.
    ("Suite 680 36 4022 Oakridge Lane", "US_SSN", "680 36 4022"),
)
"""Known mistakes, so that a change of them is seen."""


def found(text: str) -> list[tuple[str, str]]:
    return [
        (finding.label, text[finding.start : finding.end]) for finding in RECOGNIZERS.find(text) if finding.score >= 0.5
    ]


@pytest.mark.parametrize("text", EVERYDAY)
def test_everyday_numbers_are_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(("text", "label", "taken"), TAKEN)
def test_what_is_taken_for_personal_data(text: str, label: str, taken: str) -> None:
    assert found(text) == [(label, taken)]
