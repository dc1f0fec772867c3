"""The table in docs/tasks.md; python -m tests.workers.encoder.parity_table rewrites it."""

from __future__ import annotations

import math
from pathlib import Path

from tests.workers.encoder.parity import BOUND, COLUMNS, EVENTS, ROWS, WITHOUT_SCORES, cell

PAGE = Path(__file__).parents[3] / "docs" / "tasks.md"
BEGIN, END = "<!-- parity:begin -->\n", "<!-- parity:end -->\n"
EQUAL = "equal"


def figure(difference: float) -> str:
    """Format as 3e-7, rounded up, so that the page never shows less than was measured."""
    if difference == 0:
        return "0"
    exponent = math.floor(math.log10(difference))
    # Ignore what float arithmetic leaves of a whole digit.
    digit = math.ceil(round(difference / 10.0**exponent, 6))
    return f"1e{exponent + 1}" if digit == 10 else f"{digit}e{exponent}"


def table() -> str:
    lines = [f"| Task | {' | '.join(COLUMNS)} |", f"|---{'|---' * len(COLUMNS)}|"]
    for row in ROWS:
        worst = [max(cell(row, family) for family in families) for families in COLUMNS.values()]
        cells = [EQUAL if row in WITHOUT_SCORES else figure(difference) for difference in worst]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n\n" + _notes()


def _notes() -> str:
    return (
        f"Over {len(EVENTS)} texts, read together by one chain of all these tasks: long ones in windows, emoji, "
        "combining marks,\nseveral scripts, one word, white space, nothing. Labels, spans and clusters are equal in "
        f"every cell. A difference of\n{figure(BOUND)} fails the tests. Scores have six decimals: a figure up to "
        "5e-7 is rounding, and what is above it is float32\narithmetic.\n\n"
        "- coreference: its annotation has no scores. F-coref's head runs on any trunk and is compared on all; the "
        "converter\n  takes RoBERTa alone, which the published weights are.\n"
        "- minilm is the worse of BERT's tokenizer and XLM-RoBERTa's before it, deberta the worse of its two "
        "versions.\n"
        "- deberta and mpnet run padded, all others packed.\n"
    )


def between(page: str) -> tuple[str, str, str]:
    """Return the page before the table, the table, and the page after it."""
    before, begun, rest = page.partition(BEGIN)
    inner, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError("the page has no place for the table")
    return before + begun, inner, ended + after


def main() -> None:
    made = table()
    before, _, after = between(PAGE.read_text())
    new = PAGE.with_name(f".{PAGE.name}.new")
    new.write_text(before + made + after)
    new.replace(PAGE)


if __name__ == "__main__":
    main()
