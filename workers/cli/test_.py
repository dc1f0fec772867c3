"""``glossator test``: runs the cases of a pipeline without Kafka and shows what is not as expected."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schemas.errors import ConfigError, DeviceError, ModelError, OutputError, Problem, SettingError
from schemas.pipeline.case_files import CaseFile, load_cases, pipeline_of
from schemas.pipeline.cases import Case
from schemas.pipeline.config import Pipeline
from schemas.pipeline.loader import load
from stream.output.redaction.keys import load_keys
from workers.cli.loading import loading
from workers.cli.output import require_stdout, writing
from workers.cli.statuses import exit_statuses
from workers.cli.testing.inputs import record_of, unread
from workers.cli.testing.verdicts import Finding, Verdict, judge
from workers.process.environment import prepare_process
from workers.process.offline import Offline

if TYPE_CHECKING:
    from workers.chain.chain import Chain

EPILOG = """\b
Example:
  glossator test examples/starter.yaml
  glossator test -k "place" --junit report.xml pipelines/*.yaml

\b
A case, in the section "tests" of FILE or in NAME.test.yaml next to it:
  tests:
    - name: a place is found
      text: Angela Merkel loves the wonderful coffee in Paris.
      expect:
        annotations:
          entities: {spans: [{text: Paris, label: LOCATION, score: ">= 0.8"}]}

\b
Only what is named is compared. What differs is shown with its place, as
file:line:column. The records of a file's cases are read in order, as from a topic.

""" + exit_statuses(
    {0: "every case has passed", 1: "a case has failed", ConfigError.exit_status: "a case is wrong, or there is none"},
    ConfigError, DeviceError, ModelError, OutputError, SettingError,
)  # fmt: skip

_TOGETHER = 64
"""Cases whose records are one micro-batch."""


@dataclass
class _Suite:
    """A pipeline file and its cases."""

    name: str
    pipeline: Pipeline
    files: list[CaseFile]


@click.command("test", epilog=EPILOG)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("-k", "words", metavar="WORDS", default="", help="Run only the cases whose names contain all WORDS.")
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False, writable=True), metavar="FILE",
    help="Also write the results to FILE, as JUnit XML.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="json: print one object with all cases to standard output.",
)  # fmt: skip
@click.pass_context
def test(ctx: click.Context, files: tuple[Path, ...], words: str, junit: Path | None, form: str) -> None:
    """Run the test cases of pipeline FILEs, without Kafka, and show what is not as expected."""
    require_stdout()
    prepare_process()
    suites = _read(dict.fromkeys(pipeline_of(file) for file in files))
    wanted = words.casefold().split()

    def chosen(case: Case) -> bool:
        return all(word in case.name.casefold() for word in wanted)

    if not any(chosen(case) for suite in suites for file in suite.files for _, case in file.cases):
        raise click.UsageError(f"no case has a name with all of: {words}")

    from workers.cli.testing import report

    verdicts: dict[str, list[Verdict]] = {}
    seconds: dict[str, float] = {}
    began = time.monotonic()
    chains = _load(suites)
    for suite, chain in zip(suites, chains, strict=True):
        started = time.monotonic()
        verdicts[suite.name] = _run(suite, chain, chosen)
        seconds[suite.name] = time.monotonic() - started
    everything = [verdict for of_file in verdicts.values() for verdict in of_file]
    if form == "json":
        click.echo(json.dumps(report.as_data(verdicts), indent=2, ensure_ascii=False))
    else:
        from rich.console import Console

        console = Console(soft_wrap=True, highlight=False)
        for name, of_file in verdicts.items():
            console.print(name, markup=False)
            for verdict in of_file:
                for line in report.lines(verdict):
                    console.print(line)
        console.print(report.summary(everything, time.monotonic() - began), markup=False)
    if junit is not None:
        with writing(junit):
            report.write_junit(junit, verdicts, seconds)
    if any(verdict.findings for verdict in everything):
        ctx.exit(1)


def _read(files: Iterable[Path]) -> list[_Suite]:
    """Read pipelines and cases.

    Raises ConfigError with every mistake that shows without models, and SettingError for a key of ``redact`` that is
    missing.
    """
    suites: list[_Suite] = []
    problems: list[Problem] = []
    for path in files:
        cases, mistakes = load_cases(path)
        try:
            pipeline = load(path)
        except ConfigError as error:
            mistakes += error.problems
        else:
            for file in cases:
                mistakes += [*file.problems(pipeline, {}), *unread(pipeline, file)]
            suites.append(_Suite(str(path), pipeline, cases))
        problems += sorted(mistakes, key=lambda problem: (problem.file != str(path), problem.line, problem.column))
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    for suite in suites:
        load_keys(suite.pipeline)  # before models, which can take minutes to load
    return suites


def _load(suites: Sequence[_Suite]) -> list[Chain]:
    """Load the models. Raises ConfigError if an expectation names a label that a model does not have."""
    chains: list[Chain] = []
    problems: list[Problem] = []
    with loading() as progress:
        from workers.chain.chain import Chain
        from workers.chain.trial import labels as chain_labels

        for suite in suites:
            chains.append(Chain.load(suite.pipeline, on_progress=progress, before=chains[-1] if chains else None))
            labels = chain_labels(chains[-1].plan, chains[-1].stages)
            problems += [problem for file in suite.files for problem in file.problems(suite.pipeline, labels)]
    if problems:
        raise ConfigError(problems)
    return chains


def _run(suite: _Suite, chain: Chain, chosen: Callable[[Case], bool]) -> list[Verdict]:
    """Run the chosen cases of a pipeline, in order."""
    offline = Offline(suite.pipeline, chain)
    cases = [(file, index, case) for file in suite.files for index, case in file.cases if chosen(case)]
    verdicts: list[Verdict] = []
    for start in range(0, len(cases), _TOGETHER):
        together = cases[start : start + _TOGETHER]
        records = [
            record_of(case, suite.pipeline.input, start + number) for number, (_, _, case) in enumerate(together)
        ]
        for (file, index, case), processed in zip(together, offline.process(records), strict=True):
            findings = [
                Finding(file.problem((index, "expect", *path), message), expected, actual)
                for path, message, expected, actual in judge(case, processed)
            ]
            verdicts.append(Verdict(file.problem((index, "name"), case.name), findings))
    return verdicts
