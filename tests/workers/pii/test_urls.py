"""Where URLs end, and the personal data behind and within them."""

from __future__ import annotations

import sys

import pytest

from tests.workers.pii.reading import spans, values

SAMPLES = (
    ("7,https://example.com/p/1,anna@example.org,202-555-0143",
     [(2, 25, "URL"), (26, 42, "EMAIL_ADDRESS"), (43, 55, "PHONE_NUMBER")]),
    ("https://example.com/p/1;anna@example.org;449-87-4100",
     [(0, 23, "URL"), (24, 40, "EMAIL_ADDRESS"), (41, 52, "US_SSN")]),
    ("see https://example.com，next thing", [(4, 23, "URL")]),
    ("当当网http://example.com/RUy《书名》亚马逊", [(3, 25, "URL")]),
    ("https://example.com/?email=a@b.org", [(0, 27, "URL"), (27, 34, "EMAIL_ADDRESS")]),
)  # fmt: skip
ENDS = (
    ("https://example.com/p/1,202-555-0143,x", ["https://example.com/p/1", "202-555-0143"]),
    ("https://example.com/p/1;512-34-5678", ["https://example.com/p/1", "512-34-5678"]),
    ("a,https://example.com/p/1,b,c", ["https://example.com/p/1"]),
    ("[https://example.com/1,https://example.com/2]", ["https://example.com/1", "https://example.com/2"]),
    ("https://example.com/1;http://example.com/2", ["https://example.com/1", "http://example.com/2"]),
    ("'https://example.com/x','b@example.org'", ["https://example.com/x", "b@example.org"]),
    ("[text](https://example.com/x),next", ["https://example.com/x"]),
    ("(https://example.com/a_(b))next", ["https://example.com/a_(b)"]),
    ("https://example.com/p/1\tanna@example.org", ["https://example.com/p/1", "anna@example.org"]),
    ("https://example.com/p/1|anna@example.org", ["https://example.com/p/1", "anna@example.org"]),
    ("看https://example.com/RUy亚马逊，再见", ["https://example.com/RUy"]),
    ("https://example.com에서 봤다", ["https://example.com"]),
    ("ดูhttps://example.com/aครับ", ["https://example.com/a"]),
    ("“https://example.com/x”and", ["https://example.com/x"]),
    ("https://example.com/x😂 hi", ["https://example.com/x"]),
    ("「https://example.com/x」と", ["https://example.com/x"]),
    ("my_http://example.com/x", ["http://example.com/x"]),
)
WHOLE = (
    "https://example.com/politics/0,1518,123456,00.html",
    "https://example.com/@52.520008,13.404954,15z",
    "https://zh.wikipedia.org/wiki/中文",
    "https://例子.测试/路径",
    "https://ru.wikipedia.org/wiki/Москва",
    "https://example.com/a;v=1.0/b;c",
    "https://example.com/bob@example.com",
    "ftp://anna@example.org/x",
    "https://example.com/?id=4111111111111111",
    "https://example.com/?q=a,b;c",
)
WITHIN = (
    ("https://example.com/u?e=anna%40example.org&n=1",
     ["https://example.com/u?e=", "anna%40example.org", "&n=1"]),
    ("https://example.com/cb#email=anna@example.org", ["https://example.com/cb#email=", "anna@example.org"]),
    ("https://example.com/?a=a@example.org&b=b@example.org",
     ["https://example.com/?a=", "a@example.org", "&b=", "b@example.org"]),
    ("https://example.com/?ssn=512-34-5678", ["https://example.com/?ssn=", "512-34-5678"]),
    ("https://example.com/?card=4111111111111111", ["https://example.com/?card=", "4111111111111111"]),
    ("https://example.com/?phone=%2B12025550143", ["https://example.com/?phone=", "%2B12025550143"]),
    ("https://example.com/?to=a@example.org,b@example.org",
     ["https://example.com/?to=", "a@example.org", "b@example.org"]),
)  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SAMPLES)
def test_offsets_of_urls_and_their_neighbours(text: str, expected: list[tuple[int, int, str]]) -> None:
    assert spans(text) == expected


@pytest.mark.parametrize(("text", "expected"), ENDS)
def test_a_url_ends_where_another_field_or_text_begins(text: str, expected: list[str]) -> None:
    assert [value for _, value in values(text)] == expected


@pytest.mark.parametrize("url", WHOLE)
def test_commas_and_letters_within_a_url_belong_to_it(url: str) -> None:
    assert values(f"see {url} now") == [("URL", url)]


@pytest.mark.parametrize(("text", "expected"), WITHIN)
def test_personal_data_in_a_query_is_found_beside_the_url(text: str, expected: list[str]) -> None:
    assert [value for _, value in values(text)] == expected


def test_many_urls_with_many_values_take_work_in_proportion() -> None:
    def calls(times: int) -> int:
        """Count the calls of Python and of C that reading ``times`` URLs takes; seconds would measure the machine."""
        text = "https://example.com/?a=a@example.org&b=b@example.org,c@example.org " * times
        count = 0

        def counted(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(counted)
        try:
            spans(text)
        finally:
            sys.setprofile(None)
        return count

    calls(10)
    assert 5 * calls(40) < calls(400) < 15 * calls(40)
