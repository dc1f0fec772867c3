"""docs/testing.md lists every field of a case, and its example is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from schemas.pipeline import cases
from schemas.pipeline.case_files import load_cases
from schemas.pipeline.loader import load

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/testing.md").read_text()
SECTIONS: dict[str, type[BaseModel]] = {
    "A case": cases.Case,
    "record": cases.CaseRecord,
    "expect": cases.Expected,
    "dead_letter": cases.ExpectedLetter,
}


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_field_is_explained(heading: str) -> None:
    section = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \| .+ \|$", section[1], re.MULTILINE))
    fields = SECTIONS[heading].model_fields
    assert rows.keys() == fields.keys()
    assert {name for name, kind in rows.items() if kind.endswith(", required")} == {
        name for name, field in fields.items() if field.is_required()
    }


def test_the_example_is_a_file_of_cases(tmp_path: Path) -> None:
    pipeline = load(ROOT / "examples/starter.yaml", {})
    example, _ = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "starter.yaml").write_text((ROOT / "examples/starter.yaml").read_text())
    (tmp_path / "starter.test.yaml").write_text(example)
    (file,), problems = load_cases(tmp_path / "starter.yaml", {})
    assert [*problems, *file.problems(pipeline, {})] == []
    assert [f"  ✓ {case.name}" in PAGE for _, case in file.cases] == [True, True]
