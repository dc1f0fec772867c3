"""Write the model cards of a pack from its measurements.

python -m training.evaluate --data ../shared/data --json scores.json
python -m training.own --json own.json
python -m training.cards scores.json own.json
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from training.own import RECORD_COLUMNS, record_cells
from training.own_posts import POSTS
from workers.models.packs import MANIFEST, STARTER, STARTER_FOLDER, HeadPack

TEXTS = Path(__file__).parent / "card_texts"
GOOD_SHOWN = 8
_POSTS = {post.text for post in POSTS}
Figures = Sequence[dict[str, Any]]


@click.command(help=__doc__)
@click.argument("scores", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("asked", metavar="OWN", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--pack", "folder", default=STARTER_FOLDER, type=click.Path(file_okay=False, path_type=Path))
def main(scores: Path, asked: Path, folder: Path) -> None:
    figures = json.loads(scores.read_bytes())["figures"]
    answers = json.loads(asked.read_bytes())
    pack = HeadPack.open(STARTER, folder)
    (folder / "cards").mkdir(exist_ok=True)
    for name, entry in pack.manifest["heads"].items():
        tasks = set(entry["tasks"])
        revision = pack.head(entry["tasks"][0]).revision
        text = filled(
            (TEXTS / f"{name}.md").read_text(encoding="utf-8"),
            facts=facts(entry, revision),
            scores=table([figure for figure in figures if figure["task"] in tasks]),
            answers=own_answers([answer for answer in answers["answers"] if answer["task"] in tasks])
            + (identity(answers["identity"], answers["terms"]) if name == "moderation" else "")
            + (records(answers["records"], answers["missed"]) if name == "pii" else ""),
        )
        (folder / entry["card"]).write_text(text, encoding="utf-8")
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    summary = filled(
        (TEXTS / "README.md").read_text(encoding="utf-8"),
        facts=f"{len(pack.manifest['heads'])} heads and the adapter: {size / 1e6:.1f} MB.",
        scores=table([figure for figure in figures if figure["floor"] is not None], tasks=True),
        answers="",
    )
    (folder / "cards" / "README.md").write_text(summary, encoding="utf-8")
    click.echo(f"{folder / 'cards'}: {len(pack.manifest['heads']) + 1} cards, for {MANIFEST} as it is")


def filled(text: str, **parts: str) -> str:
    for name, part in parts.items():
        text = text.replace(f"{{{name}}}", part.strip("\n"))
    return text


def facts(entry: dict[str, Any], revision: str) -> str:
    """Return the facts about a head from its entry in the manifest."""
    lines = [f"- revision `{revision}`"]
    if "labels" in entry:
        lines.append("- labels: " + ", ".join(f"`{label}`" for label in entry["labels"]))
        lines.append(f"- temperature {entry['temperature']:.2f}, fitted on the dev files")
    if entry.get("thresholds"):
        shown = ", ".join(f"{label} {value:.2f}" for label, value in entry["thresholds"].items())
        lines.append(f"- thresholds, chosen on the dev files: {shown}")
    if entry.get("window_margin"):
        lines.append(f"- margin {entry['window_margin']:.1f} × ln(windows) over “no answer”, fitted on long documents")
    if entry.get("aggregation"):
        lines.append(f"- word pieces are joined by `{entry['aggregation']}`, the best on the dev files")
    if entry.get("vote"):
        lines.append("- equal names of a text are decided together (`vote`), which is better on the dev files")
    return "\n".join(lines)


def table(figures: Figures, *, tasks: bool = False) -> str:
    """Return figures with their intervals, marked where they miss the aim; ``tasks`` adds a column for the task."""
    if not figures:
        return "Not measured."
    first = ("| Task ", "|---") if tasks else ("", "")
    lines = [
        f"{first[0]}| Set (examples) | Measure | Starter, 95 % interval | Aim | Probe | Elsewhere |",
        f"{first[1]}|---|---|---|---:|---:|---|",
    ]
    for figure in figures:
        floor, value = figure["floor"], figure["value"]
        aim = "" if floor is None else f"{floor:.2f}" + (", missed" if value is not None and value < floor else "")
        interval = "-" if value is None else f"{value:.3f} [{_number(figure['low'])}, {_number(figure['high'])}]"
        metric = f"{figure['metric']} {figure['of']}".strip()
        cells = (f"{figure['set']} ({figure['n']:,})", metric, interval, aim, _number(figure["probe"]))
        named = f"| {figure['task']} " if tasks else ""
        lines.append(f"{named}| {' | '.join(cells)} | {figure['elsewhere'] or ''} |")
    return "\n".join(lines)


def own_answers(answers: Sequence[dict[str, Any]]) -> str:
    """Return every bad answer to our own sentences, every good one to the posts, and some of the other good ones."""
    if not answers:
        return ""
    bad = [answer for answer in answers if not answer["good"]]
    good = [answer for answer in answers if answer["good"]]
    listed = [answer for answer in good if answer["text"] in _POSTS]
    others = [answer for answer in good if answer["text"] not in _POSTS]
    lines = [
        "## Our own sentences",
        "",
        f"These are never trained on (`training/own_sentences.py`, `training/own_posts.py`). {len(good)} of "
        f"{len(answers)} answers are as expected. All others, those to the posts, and a few more:",
        "",
        "| Text | Expected | Answer | |",
        "|---|---|---|---|",
    ]
    step = max(1, len(others) // GOOD_SHOWN)
    for answer in [*bad, *listed, *others[::step][:GOOD_SHOWN]]:
        cells = (answer["text"], answer["expected"], answer["got"], "" if answer["good"] else "wrong")
        lines.append("| " + " | ".join(_cell(str(cell)) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def identity(groups: Sequence[dict[str, Any]], terms: Sequence[dict[str, Any]]) -> str:
    """Return how often neutral sentences about groups of people are flagged; ``terms`` has the shares by word."""
    lines = [
        "",
        "## Identity words in neutral sentences",
        "",
        "Share of texts flagged, of 100 neutral templates × terms (`training/own_identity.py`), with 95 % intervals "
        "(Wilson 1927):",
        "",
        "| Group | Texts | Flagged |",
        "|---|---:|---|",
    ]
    for group in groups:
        share = f"{group['rate']:.1%} [{group['low']:.1%}, {group['high']:.1%}]"
        lines.append(f"| {group['group']} | {group['n']:,} | {share} |")
    words = [f"{term['group']} {term['rate']:.0%}" for term in terms if term["rate"] > 0]
    lines += ["", f"By word: {', '.join(words)}; no other." if words else "No word is flagged at all."]
    return "\n".join(lines) + "\n"


def records(rows: Sequence[dict[str, Any]], missed: Sequence[dict[str, Any]]) -> str:
    """Return the figures on lines that pipelines carry, and the lines of dev whose answers are not as expected."""
    lines = [
        "",
        "## Lines that pipelines carry",
        "",
        "Tickets, orders, logs, tables, forms and signatures, written for this project (`training/own_records.py`). A "
        "line is right if all is found, with the right ends and labels, and nothing else. Rules and recipe were chosen "
        "by dev; the others were written first and used for these figures alone.",
        "",
        f"| {' | '.join(column.capitalize() for column in RECORD_COLUMNS)} |",
        "|---|---|---:|---:|---:|---:|---:|",
        *(f"| {' | '.join(record_cells(row))} |" for row in rows),
        "",
        "All lines of dev that are not right:",
        "",
        "| Text | Expected | Answer |",
        "|---|---|---|",
        *(f"| {' | '.join(_cell(each[key]) for key in ('text', 'expected', 'got'))} |" for each in missed),
    ]
    return "\n".join(lines) + "\n"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _cell(text: str) -> str:
    return text.replace("\n", " ").replace("|", "\\|")


if __name__ == "__main__":
    main()
