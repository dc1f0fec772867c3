"""What docs/schema-registry.md says is true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from schemas.pipeline.loader import parse
from schemas.pipeline.registry import FORMATS, SETTINGS
from stream.codecs.avro_logical import _READERS
from tests.stream.codecs.test_avro import MAPPING
from tests.stream.codecs.test_protobuf_json import MAPPING as PROTOBUF_MAPPING

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "schema-registry.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_are_right(number: int) -> None:
    parse(EXAMPLES[number], environ={"REGISTRY_PASSWORD": "x"})


def test_the_avro_table_has_every_logical_type_and_what_values_become() -> None:
    rows = _table("\n## Avro\n", "\n## Protobuf\n")
    named = " ".join(re.sub(r"`(\w+-)*(\w+)-\w+`, `-(\w+)`, `-(\w+)`", _spelt_out, row[0]) for row in rows)
    assert {name for _, name in _READERS} <= set(re.findall(r"[\w-]+", named))
    become = [expected for *_, expected in MAPPING.values()]
    for row in rows:
        example = json.loads(row[2].strip("`"))
        assert example in [*become, "here"], row


def test_the_protobuf_table_says_what_values_become() -> None:
    become = [expected for _, expected in PROTOBUF_MAPPING.values()]
    for row in _table("\n## Protobuf\n", "\n### Without a registry\n"):
        assert json.loads(row[2].strip("`")) in become, row


def _table(start: str, end: str) -> list[list[str]]:
    section = PAGE[PAGE.index(start) : PAGE.index(end)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line][2:]


def _spelt_out(names: re.Match[str]) -> str:
    stem = names[0].split("`")[1].rsplit("-", 1)[0]
    return " ".join(f"{stem}-{unit}" for unit in ("millis", "micros", "nanos"))


def test_pages_name_every_format_and_setting() -> None:
    assert all(f"`format: {name}`" in PAGE for name in FORMATS)
    assert all(f"`{name}`" in (DOCS / "pipeline-file.md").read_text() for name in SETTINGS)
