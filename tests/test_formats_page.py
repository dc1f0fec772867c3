"""docs/formats.md: its examples are valid, and it names every format."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from schemas.pipeline.config import Input
from schemas.pipeline.formats import OUTPUT_FORMATS
from schemas.pipeline.loader import parse_file
from workers.cli.lint import condition_problems

PAGE = (Path(__file__).parents[1] / "docs/formats.md").read_text()
REST = {
    "pipeline": "pipeline: moods\n",
    "kafka": "kafka: {bootstrap.servers: 'localhost:9092'}\n",
    "input": "input: {topics: [posts]}\n",
    "tasks": "tasks: [{name: safety, task: moderation, model: starter}]\n",
    "output": "output: {topic: posts.enriched}\n",
}
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_each_example_is_valid(number: int) -> None:
    block = BLOCKS[number]
    missing = (section for name, section in REST.items() if not re.search(f"^{name}:", block, re.MULTILINE))
    file = parse_file(block + "".join(missing))
    assert condition_problems(file, {}) == []


def test_each_format_is_in_the_table() -> None:
    table = PAGE.split("## ")[0]
    read, written = (set(re.findall(r"^\| .*? \| " + column, table, re.MULTILINE)) for column in (
        r"`(\w+)` \|", r".*? \| `(\w+)` \|"))  # fmt: skip
    field: FieldInfo = Input.model_fields["format"]
    assert read == {*getattr(field.annotation, "__args__", ())}
    assert written == {*OUTPUT_FORMATS}
