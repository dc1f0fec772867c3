"""Ask a model the project's own test questions: varied sentences, identity words, twenty languages.

python -m training.own                                 the starter
python -m training.own --model DIR --json own.json     another pack, and the input of the cards
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import click
import transformers
from rich import box
from rich.console import Console
from rich.table import Table

from schemas.document import Annotation
from training.data import Data
from training.measures.base import Bench
from training.measures.clusters import clusters_of
from training.measures.metrics import normalised
from training.measures.records import judged, summary
from training.measures.words import spans
from training.own_identity import sentences
from training.own_languages import SENTENCES
from training.own_posts import POSTS
from training.own_records import PARTS
from training.own_sentences import PAIRS, SINGLES, Pair, Single
from workers.learning.scores import wilson
from workers.models.packs import STARTER

Answer: TypeAlias = dict[str, Any]
"""``kind``, ``task``, ``text``, ``expected`` and ``got`` in words, and whether it is ``good``."""


@click.command(help=__doc__)
@click.option("--model", default=STARTER, show_default=True, help="As in the pipeline file.")
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Also write the answers there.")
def main(*, model: str, out: Path | None) -> None:
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    console = Console() if sys.stdout.isatty() else Console(width=150)
    bench = Bench(model, Data(Path()))
    answers = [*single_answers(bench), *pair_answers(bench)]
    (groups, terms), tongues = identity(bench), languages(bench)
    kinds, missed = own_records(bench)
    console.print(answer_table(answers))
    console.print(kind_table(answers))
    console.print(_shares("identity words in neutral sentences: flagged", groups))
    console.print(_shares("of these, the words that are flagged at all", [term for term in terms if term["rate"]]))
    console.print(_shares("languages: right", tongues))
    console.print(record_table(kinds))
    console.print(answer_table(missed))
    if out is not None:
        content = {
            "model": model, "answers": answers, "identity": groups, "terms": terms, "languages": tongues,
            "records": kinds, "missed": missed,
        }  # fmt: skip
        out.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def single_answers(bench: Bench) -> Iterator[Answer]:
    def asked(field: str, task: str) -> Iterator[tuple[Single, Annotation]]:
        chosen = [single for single in (*SINGLES, *POSTS) if getattr(single, field) is not None]
        yield from zip(chosen, bench.annotate({"task": task}, [single.text for single in chosen]), strict=True)

    for single, result in asked("tone", "sentiment"):
        wanted = single.tone or frozenset()
        got = f"{result['label']} {result['score']:.2f}"
        yield answer(single.kind, "sentiment", single.text, " or ".join(sorted(wanted)), got, result["label"] in wanted)
    for single, result in asked("flagged", "moderation"):
        flags = ", ".join(f"{entry['label']} {entry['score']:.2f}" for entry in result["labels"] if entry["flagged"])
        wanted_flag = "flagged" if single.flagged else "not flagged"
        yield answer(
            single.kind, "moderation", single.text, wanted_flag, flags or "not flagged", bool(flags) == single.flagged
        )
    for single, result in asked("names", "ner"):
        got_names = {(span["text"], span["label"]) for span in result["spans"] if span["label"] != "MISC"}
        names = set(single.names or ())
        yield answer(single.kind, "ner", single.text, _named(names), _named(got_names), got_names == names)
    for single, result in asked("personal", "pii"):
        got_names = {(span["text"], span["label"]) for span in result["spans"]}
        wanted_names = set(single.personal or ())
        # If nothing is personal, nothing may be found.
        good = wanted_names <= got_names if wanted_names else not got_names
        yield answer(single.kind, "pii", single.text, _named(wanted_names), _named(got_names), good)


def pair_answers(bench: Bench) -> Iterator[Answer]:
    groups: dict[tuple[str, str | tuple[str, ...]], list[Pair]] = defaultdict(list)
    for pair in PAIRS:
        # Labels are a setting of the task; everything else is in the event.
        groups[pair.task, pair.asked if pair.task == "zero-shot" else ""].append(pair)
    settings: dict[str, dict[str, Any]] = {
        "aspect-sentiment": {"aspects": "$.aspects"}, "nli": {"hypothesis": "$.asked"},
        "question-answering": {"question": "$.asked", "unanswerable": False},
    }  # fmt: skip
    for (task, labels), pairs in groups.items():
        extra = {"labels": list(labels)} if labels else settings.get(task, {})
        fields = [{"asked": pair.asked, "aspects": [pair.asked]} for pair in pairs]
        results = bench.annotate({"task": task, **extra}, [pair.text for pair in pairs], fields)
        for pair, annotation in zip(pairs, results, strict=True):
            got, good = _paired(pair, annotation)
            asked = "" if task == "zero-shot" else f" | {pair.asked}"
            yield answer(task, task, pair.text + asked, pair.expected, got, good)


def _paired(pair: Pair, result: Annotation) -> tuple[str, bool]:
    if pair.task == "coreference":
        place = _place(pair.text, str(pair.asked))
        mentions = next((cluster for cluster in clusters_of(result) if place in cluster), frozenset())
        antecedents = sorted(pair.text[start:end] for start, end in mentions - {place})
        return ", ".join(antecedents) or "nothing", _place(pair.text, pair.expected) in mentions
    if pair.task == "question-answering":
        best = result["answers"][0]["answer"]
        got = "nothing" if best is None else str(best["text"])
        return got, normalised(got) == normalised(pair.expected)
    if pair.task == "pos":
        place = _place(pair.text, str(pair.asked))
        tag = next((str(span["label"]) for span in result["spans"] if (span["start"], span["end"]) == place), "nothing")
        return tag, tag == pair.expected
    label = str((result["aspects"][0] if pair.task == "aspect-sentiment" else result)["label"])
    return label, label == pair.expected


def _place(text: str, words: str) -> tuple[int, int]:
    """Return where ``words`` first occur as whole words."""
    match = re.search(rf"\b{re.escape(words)}\b", text)
    assert match is not None
    return match.span()


def identity(bench: Bench) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return how often neutral sentences are flagged: by group, in all, and by term, since a group hides its worst."""
    asked = list(sentences())
    results = bench.annotate({"task": "moderation"}, [sentence.text for sentence in asked])
    flagged = [
        sentence
        for sentence, result in zip(asked, results, strict=True)
        if any(label["flagged"] for label in result["labels"])
    ]
    groups, terms = (
        _counted([sentence[by] for sentence in flagged], [sentence[by] for sentence in asked]) for by in (0, 1)
    )
    return _rated([*groups, ("all", len(flagged), len(asked))]), _rated(terms)


def languages(bench: Bench) -> list[dict[str, Any]]:
    pairs = [(code, text) for code, texts in SENTENCES.items() for text in texts]
    results = bench.annotate({"task": "language", "model": None}, [text for _, text in pairs])
    hits = Counter(code for result, (code, _) in zip(results, pairs, strict=True) if result["label"] == code)
    rows = [(code, hits[code], len(texts)) for code, texts in SENTENCES.items()]
    return _rated([*rows, ("all", hits.total(), len(pairs))])


def own_records(bench: Bench) -> tuple[list[dict[str, Any]], list[Answer]]:
    """Return the figures of ``pii`` on the records, by part and kind, and the lines of dev that are not as expected.

    Lines that are held out are only counted, so that nobody mends the task by them.
    """
    rows: list[dict[str, Any]] = []
    missed: list[Answer] = []
    for part, records in PARTS.items():
        results = bench.annotate({"task": "pii"}, [record.text for record in records])
        table = [judged(record, spans(result)) for record, result in zip(records, results, strict=True)]
        kinds = [record.kind for record in records]
        for kind in (*dict.fromkeys(kinds), "all"):
            chosen = [each for each, of in zip(table, kinds, strict=True) if kind in {of, "all"}]
            rows.append({"part": part, "kind": kind, **summary(chosen)})
        for record, result, outcome in zip(records, results, table, strict=True):
            if part == "dev" and not outcome.right:
                wanted = {(record.text[start:end], label) for start, end, label in record.required}
                reported = {(span["text"], span["label"]) for span in result["spans"]}
                missed.append(answer(record.kind, "pii", record.text, _named(wanted), _named(reported), False))
    return rows, missed


def _counted(hits: Sequence[str], names: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return for each of ``names`` how often it occurs, and how often among the ``hits``."""
    right = Counter(hits)
    return [(name, right[name], count) for name, count in Counter(names).items()]


def _rated(rows: Sequence[tuple[str, int, int]]) -> list[dict[str, Any]]:
    out = []
    for group, count, of in rows:
        low, high = wilson(count, of)
        out.append({"group": group, "n": of, "rate": count / of, "low": low, "high": high})
    return out


def answer(kind: str, task: str, text: str, expected: str, got: str, good: bool) -> Answer:  # noqa: PLR0917
    return {"kind": kind, "task": task, "text": text, "expected": expected, "got": got, "good": good}


def _named(names: set[tuple[str, str]]) -> str:
    return ", ".join(f"{text} = {label}" for text, label in sorted(names)) or "nothing"


def answer_table(answers: Sequence[Answer]) -> Table:
    """Return a table of every bad answer, and how many answers of each task are good."""
    table = Table("task", "text", "expected", "got", box=box.SIMPLE_HEAD)
    for task, count in Counter(answer["task"] for answer in answers).items():
        of_task = [answer for answer in answers if answer["task"] == task]
        table.add_section()
        table.add_row(task, f"{sum(answer['good'] for answer in of_task)} of {count} good", style="bold")
        for answer in of_task:
            if not answer["good"]:
                table.add_row("", f"{answer['text']} ({answer['kind']})", answer["expected"], answer["got"])
    return table


def kind_table(answers: Sequence[Answer]) -> Table:
    """Return a table of how many answers are good and bad for each kind of sentence."""
    table = Table("kind", "good", "bad", box=box.SIMPLE_HEAD, title="answers by kind")
    good = Counter(answer["kind"] for answer in answers if answer["good"])
    for kind, count in Counter(answer["kind"] for answer in answers).items():
        table.add_row(kind, str(good[kind]), str(count - good[kind]))
    return table


def record_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return a table of the figures of ``own_records``."""
    table = Table(*RECORD_COLUMNS, box=box.SIMPLE_HEAD, title="personal data in records")
    for row in rows:
        table.add_row(*record_cells(row))
    return table


RECORD_COLUMNS = ("part", "kind", "lines", "right", "span F2", "wholly masked", "wrong findings per line")


def record_cells(row: dict[str, Any]) -> list[str]:
    """Return the cells of a row of ``own_records``; empty where there was nothing to find."""
    figures = ["" if math.isnan(row[name] or math.nan) else f"{row[name]:.2f}" for name in ("right", "f2", "masked")]
    return [row["part"], row["kind"], str(row["lines"]), *figures, f"{row['wrong']:.2f}"]


def _shares(title: str, rows: Sequence[dict[str, Any]]) -> Table:
    table = Table("", "texts", "share [95 % interval]".replace("[", r"\["), box=box.SIMPLE_HEAD, title=title)
    for row in rows:
        table.add_row(row["group"], f"{row['n']:,}", rf"{row['rate']:.1%} \[{row['low']:.1%}, {row['high']:.1%}]")
    return table


if __name__ == "__main__":
    main()
