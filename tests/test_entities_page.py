"""docs/entities.md lists every entity with its country, an example, its check, scores and context words.

``python -m tests.test_entities_page`` writes the tables of the page anew.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.workers.pii.vectors import CHECKED, OTHERS
from workers.pii.dates import DATES
from workers.pii.finding import Pattern, Words
from workers.pii.general import PATTERNS
from workers.pii.national import ROWS
from workers.pii.recognizers import ONLY_IF_NAMED, known_entities
from workers.pii.secrets import _CHECKS, _KINDS

PAGE = Path(__file__).parents[1] / "docs/entities.md"
COUNTRIES = {
    "ABA": "United States", "AR": "Argentina", "AT": "Austria", "AU": "Australia", "BE": "Belgium", "BG": "Bulgaria",
    "BR": "Brazil", "CA": "Canada", "CH": "Switzerland", "CL": "Chile", "CN": "China", "CZ": "Czechia and Slovakia",
    "DE": "Germany", "DK": "Denmark", "EE": "Estonia", "ES": "Spain", "FI": "Finland", "FR": "France", "GR": "Greece",
    "HR": "Croatia", "IE": "Ireland", "IL": "Israel", "IN": "India", "IS": "Iceland", "IT": "Italy", "JP": "Japan",
    "KR": "South Korea", "LT": "Lithuania", "MEDICAL": "United States", "MX": "Mexico", "NG": "Nigeria",
    "NL": "Netherlands", "NO": "Norway", "PH": "Philippines", "PL": "Poland", "PT": "Portugal", "RO": "Romania",
    "SE": "Sweden", "SG": "Singapore", "SI": "Slovenia", "TH": "Thailand", "TR": "Turkey", "UK": "United Kingdom",
    "US": "United States", "ZA": "South Africa",
}  # fmt: skip
VECTORS = {**CHECKED, **OTHERS}


def scores(pattern: Pattern) -> str:
    written, bare = f"{pattern.score:g}", f"{pattern.bare:g}"
    return written if written == bare else f"{written}, in one run {bare}"


def words(context: Words | None) -> str:
    return "" if context is None else ", ".join(context.phrases)


def spans(pattern: Pattern, text: str) -> list[str]:
    return [text[finding.start : finding.end] for finding in pattern.find(text)]


def national() -> str:
    lines = ["| Entity | Country | Example | Check | Score | Context words |", "|---|---|---|---|---|---|"]
    used: set[str] = set()
    for row in sorted(ROWS, key=lambda row: row.entity):
        pattern = row.pattern()
        check = "form only" if row.check is None else "checksum" if pattern.proves else "structure"
        fitting = [value for value in VECTORS[row.entity][1] if spans(pattern, value) == [value]]
        example = next(value for value in fitting if value not in used)
        used.add(example)
        country = COUNTRIES[row.entity.partition("_")[0]]
        context = row.context.replace(" s ", "'s ")
        lines.append(f"| `{row.entity}` | {country} | `{example}` | {check} | {scores(pattern)} | {context} |")
    return "\n".join(lines)


def general() -> str:
    lines = ["| Entity | Recogniser | Check | Score | Context words |", "|---|---|---|---|---|"]
    for pattern in sorted((*PATTERNS, *DATES), key=lambda pattern: (pattern.entity, pattern.name)):
        check = "form only" if pattern.check is None else "checksum or parser" if pattern.proves else "structure"
        lines.append(
            f"| `{pattern.entity}` | {pattern.name} | {check} | {scores(pattern)} | {words(pattern.context)} |"
        )
    return "\n".join(lines)


def kinds() -> str:
    lines = ["| Kind of `SECRET` | Check |", "|---|---|"]
    lines += [f"| {kind} | {'checksum or header' if kind in _CHECKS else 'form and entropy'} |" for kind in _KINDS]
    return "\n".join(lines)


TABLES = {"national": national, "general": general, "kinds": kinds}


def filled(page: str) -> str:
    for name, table in TABLES.items():
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = mark.sub(lambda match, table=table: f"{match[1]}{table()}\n{match[2]}", page)  # type: ignore[misc]
    return page


def test_the_tables_are_those_of_the_recognizers() -> None:
    page = PAGE.read_text()
    assert page == filled(page), "run: python -m tests.test_entities_page"


def test_the_page_names_what_must_be_named() -> None:
    line = next(line for line in PAGE.read_text().split("\n\n") if line.startswith("Found only if"))
    assert set(re.findall("`([A-Z]+(?:_[A-Z]+)*)`", line)) == ONLY_IF_NAMED


def test_every_entity_is_on_the_page() -> None:
    assert set(re.findall(r"`([A-Z]+(?:_[A-Z]+)*)`", PAGE.read_text())) >= set(known_entities())


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
