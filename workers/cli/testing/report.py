"""Reports verdicts: for people on a terminal, and as JSON and JUnit XML for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from schemas.pipeline.expectations import MISSING
from workers.cli.testing.verdicts import Finding, Verdict
from workers.cli.views.events import readable

if TYPE_CHECKING:
    from rich.text import Text

_MOST_LINES = 8
"""Entries of a list that are shown."""
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 does not allow."""


def lines(verdict: Verdict) -> Iterator[Text]:
    """Yield the lines to show for one case."""
    from rich.text import Text

    passed = not verdict.findings
    mark, style = ("\N{CHECK MARK}", "green") if passed else ("\N{BALLOT X}", "bold red")
    yield Text.assemble((f"  {mark} ", style), (readable(verdict.case.message), "" if passed else "bold"))
    for finding in verdict.findings:
        yield Text(f"      {readable(str(finding.problem))}")
        for sign, value in _values(finding):
            yield Text(f"        {sign} {readable(value)}", {"-": "red", "+": "green"}.get(sign, "dim"))


def _values(finding: Finding) -> Iterator[tuple[str, str]]:
    """Yield the lines of a diff: (``-`` for expected, ``+`` for actual, a space for others; the value)."""
    if finding.expected is not MISSING:
        yield "-", _value(finding.expected)
    if finding.actual is not MISSING:
        entries = finding.actual if isinstance(finding.actual, tuple) else [finding.actual]
        for entry in entries[:_MOST_LINES]:
            yield "+", _value(entry)
        if len(entries) > _MOST_LINES:
            yield " ", f"and {len(entries) - _MOST_LINES} more"
        if not entries:
            yield "+", "[]"


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def summary(verdicts: Sequence[Verdict], seconds: float) -> str:
    """Return the last line: how many cases have passed and failed."""
    failed = sum(bool(verdict.findings) for verdict in verdicts)
    cases = f"{len(verdicts)} case" + ("" if len(verdicts) == 1 else "s")
    return f"{cases}: {len(verdicts) - failed} passed, {failed} failed, in {seconds:.1f} s"


def as_data(verdicts: Mapping[str, Sequence[Verdict]]) -> dict[str, Any]:
    """Return all verdicts as JSON; ``verdicts``: pipeline file -> the verdicts of its cases."""
    return {
        "ok": not any(verdict.findings for of_file in verdicts.values() for verdict in of_file),
        "cases": [
            {
                "pipeline": file,
                "name": verdict.case.message,
                "file": verdict.case.file,
                "line": verdict.case.line,
                "passed": not verdict.findings,
                "findings": [_finding(finding) for finding in verdict.findings],
            }
            for file, of_file in verdicts.items()
            for verdict in of_file
        ],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    problem = finding.problem
    values = {"expected": finding.expected, "actual": finding.actual}
    return {
        "line": problem.line, "column": problem.column, "path": problem.path, "message": problem.message,
        **{name: value for name, value in values.items() if value is not MISSING},
    }  # fmt: skip


def write_junit(path: Path, verdicts: Mapping[str, Sequence[Verdict]], seconds: Mapping[str, float]) -> None:
    """Write JUnit XML, one test suite per pipeline file, as Jenkins, GitLab and others read it. Raises OSError.

    ``verdicts`` and ``seconds``: pipeline file -> the verdicts of its cases, and how long they took.
    """
    everything = [verdict for of_file in verdicts.values() for verdict in of_file]
    root = ElementTree.Element("testsuites", {"name": "glossator"} | _counts(everything, sum(seconds.values())))
    for file, of_file in verdicts.items():
        suite = ElementTree.SubElement(root, "testsuite", {"name": _xml(file)} | _counts(of_file, seconds[file]))
        for verdict in of_file:
            case = ElementTree.SubElement(
                suite, "testcase", name=_xml(verdict.case.message), classname=_xml(verdict.case.file)
            )
            if verdict.findings:
                message = f"{verdict.findings[0].problem.path}: {verdict.findings[0].problem.message}"
                failure = ElementTree.SubElement(case, "failure", type="difference", message=_xml(message))
                failure.text = _xml("\n".join(_plain(verdict)))
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _counts(verdicts: Sequence[Verdict], seconds: float) -> dict[str, str]:
    failed = sum(bool(verdict.findings) for verdict in verdicts)
    return {"tests": str(len(verdicts)), "failures": str(failed), "errors": "0", "time": f"{seconds:.3f}"}


def _plain(verdict: Verdict) -> Iterator[str]:
    for finding in verdict.findings:
        yield str(finding.problem)
        for sign, value in _values(finding):
            yield f"  {sign} {value}"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
