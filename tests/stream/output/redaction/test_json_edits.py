"""An event's JSON is edited where it must be, and nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.paths import Steps, parse_pattern
from stream.output.redaction.json_edits import JsonEdits, Places, has_escaped_name
from stream.output.redaction.literals import Edit, apply


def edited(
    document: str,
    texts: dict[Steps, tuple[str, list[Edit]]] | None = None,
    paths: tuple[str, ...] = (),
    fields: tuple[str, ...] = (),
    everywhere: bool = False,
) -> str:
    root = Places()
    root.everywhere = everywhere
    for path in paths:
        root.at(parse_pattern(path)).text = True
    for path in fields:
        root.at(parse_pattern(path)).field = path
    scan = JsonEdits(document, texts or {}, lambda _, value: None if value == "gone" else f"<{value}>", found, found)
    scan.scan(root)
    assert scan.texts == set(texts or {})
    result = apply(document, scan.edits)
    json.loads(result)
    return result


def found(text: str) -> list[Edit]:
    """Edits that replace "1234" and "anna"."""
    return sorted((text.index(value), text.index(value) + 4, "-") for value in ("1234", "anna") if value in text)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('{"a":"x anna y"}', '{"a":"x - y"}'),
        (r'{"a":"\u0061nn\u0061\n\"","b" : [1.50, 1e3]}', r'{"a":"-\n\"","b" : [1.50, 1e3]}'),
        ('{"n":91234, "m":1234}', '{"n":"9-", "m":"-"}'),
        ('{"n":-1.1234e5}', '{"n":"-1.-e5"}'),
        ('{"anna":{"anna":true}}', '{"-":{"-":true}}'),
        ('{"a":["anna",{"b":"anna"}],"a":"anna"}', '{"a":["-",{"b":"-"}],"a":"-"}'),
        ('{"a":[],"b":{},"c":"","d":null}', '{"a":[],"b":{},"c":"","d":null}'),
    ],
)
def test_values_are_found_in_strings_numbers_and_names(document: str, expected: str) -> None:
    assert edited(document) == expected


@pytest.mark.parametrize(
    ("document", "steps", "path", "expected"),
    [
        ('{"t":"see Ada","t2":"see Ada"}', ("t",), "$.t", '{"t":"see X","t2":"see Ada"}'),
        ('{"a":{"t":"see Ada"},"t":"see Ada"}', ("a", "t"), "$.a.t", '{"a":{"t":"see X"},"t":"see Ada"}'),
        ('{"m":[{"t":1},{"t":"see Ada"}]}', ("m", 1, "t"), "$.m[*].t", '{"m":[{"t":1},{"t":"see X"}]}'),
        (r'{"t":"see \u0041da"}', ("t",), "$.t", '{"t":"see X"}'),
        (r'{"\u0074":"se\u0065 Ada"}', ("t",), "$.t", r'{"\u0074":"se\u0065 X"}'),
    ],
)
def test_a_text_is_edited_at_its_place(document: str, steps: Steps, path: str, expected: str) -> None:
    assert edited(document, {steps: ("see Ada", [(4, 7, "X")])}, (path,)) == expected


@pytest.mark.parametrize(
    ("document", "steps", "path", "expected"),
    [
        ('{"t":"unread","t":"see Ada"}', ("t",), "$.t", '{"t":null,"t":"see X"}'),
        (r'{"\u0074":["unread"],"t":"see Ada"}', ("t",), "$.t", r'{"\u0074":null,"t":"see X"}'),
        ('{"t":"one","u":"anna","t":2,"t":"see Ada"}', ("t",), "$.t", '{"t":null,"u":"-","t":null,"t":"see X"}'),
        (
            '{"a":{"t":"see Ada","z":"anna"},"a":{"t":"see Ada"}}', ("a", "t"), "$.a.t",
            '{"a":null,"a":{"t":"see X"}}',
        ),
        ('{"z":1,"z":2,"t":"see Ada"}', ("t",), "$.t", '{"z":1,"z":2,"t":"see X"}'),
    ],
)  # fmt: skip
def test_what_a_repeated_name_hides_becomes_null(document: str, steps: Steps, path: str, expected: str) -> None:
    assert edited(document, {steps: ("see Ada", [(4, 7, "X")])}, (path,)) == expected


def test_if_every_string_is_read_every_repeated_name_is_on_the_way() -> None:
    document = '{"z":"see Ada","z":5,"y":{"x":[1,{"w":0,"w":[]}]}}'
    assert edited(document, everywhere=True) == '{"z":null,"z":5,"y":{"x":[1,{"w":null,"w":[]}]}}'


@pytest.mark.parametrize(
    ("document", "fields", "expected"),
    [
        ('{"a":"x"}', ("$.a",), '{"a":"<x>"}'),
        ('{"a":12345678901234567890.10}', ("$.a",), '{"a":"<12345678901234567890.10>"}'),
        ('{"a":{"b": "anna"}, "c":true}', ("$.a", "$.c"), r'{"a":"<{\"b\": \"anna\"}>", "c":"<true>"}'),
        ('{"a":null,"b":"gone"}', ("$.a", "$.b"), '{"a":null,"b":null}'),
        ('{"a":[{"b":"x"},{"b":"y"},"z"]}', ("$.a[*].b",), '{"a":[{"b":"<x>"},{"b":"<y>"},"z"]}'),
        ('{"a":{"k":"x","l":["y"]}}', ("$.a[*]",), r'{"a":{"k":"<x>","l":"<[\"y\"]>"}}'),
        ('{"a":"x","a":"y"}', ("$.a",), '{"a":null,"a":"<y>"}'),
        ('{"a":1234,"a":"y"}', ("$.a",), '{"a":null,"a":"<y>"}'),
        ('{"a":["x","y"]}', ("$.a[1]", "$.b"), '{"a":["x","<y>"]}'),
        ('{"a":{"b":"x"}}', ("$.a.b", "$.a"), r'{"a":"<{\"b\":\"x\"}>"}'),
    ],
)
def test_fields_are_replaced_as_a_whole(document: str, fields: tuple[str, ...], expected: str) -> None:
    assert edited(document, fields=fields) == expected


@pytest.mark.parametrize(
    ("document", "escaped"),
    [
        (r'{"te\u0078t":1}', True),
        (r'{"text":"a\n"}', False),
        (r'{"text":"a\nb", "c" : 1}', False),
        (r'{"t\u0065xt" :1}', True),
    ],
)
def test_names_with_escapes_are_noticed(document: str, escaped: Any) -> None:
    assert has_escaped_name(document.encode()) == escaped
