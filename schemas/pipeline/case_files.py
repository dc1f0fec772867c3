"""Reads the cases of a pipeline: from the section ``tests`` of its file, and from ``NAME.test.yaml`` next to it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from pydantic import ValidationError

from schemas.errors import ConfigError, Problem
from schemas.pipeline.case_checks import case_problems
from schemas.pipeline.cases import Case, Cases
from schemas.pipeline.compose import compose
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import problem_at, read_text, validate
from schemas.pipeline.tree import Path, Table, plain
from schemas.pipeline.trial import Labels

_SUFFIX = ".test"


@dataclass(frozen=True)
class CaseFile:
    """The cases of one file, with the position of each of their fields.

    - ``file``: the file's name, as it appears in messages.
    - ``cases``: the number of each case in the file, and the case; of a file with mistakes, only those without any.
    """

    file: str
    cases: Sequence[tuple[int, Case]]
    _root: Table

    def problem(self, path: Path, message: str, at_key: bool = False) -> Problem:
        """Return ``message`` as a problem at ``path``, or at its nearest parent that the file contains.

        ``path`` begins with the number of the case. With ``at_key``, the position is that of the field's name.
        """
        return problem_at(self.file, self._root, ("tests", *path), message, at_key)

    def problems(self, pipeline: Pipeline, labels: Labels) -> list[Problem]:
        """Return every mistake in the cases against their ``pipeline``; ``labels``: of tasks whose model is loaded."""
        return [self.problem(*mistake) for mistake in case_problems(pipeline, self._plain(), labels)]

    def repeated(self, names: Counter[str]) -> Iterator[Problem]:
        """Yield a mistake for each name that is in ``names`` or here before, and add all names."""
        for index, case in enumerate(self._plain()):
            name = case.get("name") if isinstance(case, dict) else None
            if isinstance(name, str):
                if names[name]:
                    yield self.problem((index, "name"), "is already the name of another case")
                names[name] += 1

    def _plain(self) -> list[Any]:
        cases = plain(self._root).get("tests")
        return cases if isinstance(cases, list) else []


def pipeline_of(path: File) -> File:
    """Return the pipeline file that ``path`` means: for ``NAME.test.yaml``, the one next to it."""
    stem = File(path.stem)
    return path.with_name(stem.stem + path.suffix) if stem.suffix == _SUFFIX else path


def load_cases(path: File, environ: Mapping[str, str] = os.environ) -> tuple[list[CaseFile], list[Problem]]:
    """Return the cases of the pipeline file at ``path``, those in it and those next to it, and what is wrong with them.

    Variables come from ``environ``. To have no case at all is a mistake.
    """
    beside = path.parent / (path.stem + _SUFFIX + path.suffix)
    files: list[CaseFile] = []
    problems: list[Problem] = []
    names: Counter[str] = Counter()
    for file in (path, beside):
        if file is beside and not file.exists():
            continue
        try:
            root, mistakes = compose(read_text(file).removeprefix("\ufeff"), str(file), environ)
        except ConfigError as error:
            problems += error.problems
            continue
        if file is path:
            # What else is wrong with a pipeline file is found when the pipeline is loaded.
            mistakes = [mistake for mistake in mistakes if mistake.path.startswith("tests")]
            root = Table(root.place, {name: node for name, node in root.items.items() if name == "tests"}, root.keys)
        if file is beside or root.items:
            problems += [*mistakes, *validate(Cases, root, str(file))[1]]
            files.append(CaseFile(str(file), list(_valid(root)), root))
            problems += files[-1].repeated(names)
    if not files and not problems:
        problems.append(Problem(str(path), 1, 1, "", f'has no cases: add a section "tests", or a file {beside.name}'))
    return files, problems


def _valid(root: Table) -> Iterator[tuple[int, Case]]:
    cases = plain(root).get("tests")
    for index, case in enumerate(cases if isinstance(cases, list) else ()):
        try:
            yield index, Case.model_validate(case)
        except ValidationError:  # reported with its place by ``validate``
            continue
