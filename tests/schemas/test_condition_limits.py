"""Conditions that nobody would write: none of them ends the process."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.conditions import Condition
from schemas.errors import ConditionError
from tests.thoroughness import examples

NESTED = {
    "parentheses": ("(", "true", ")"),
    "lists": ("[", "1", "]"),
    "maps": ('{"a":', "1", "}"),
    "choices": ("true?", "true", ":true"),
    "choices to the right": ("true?true:", "true", ""),
    "macros": ("[1].all(x,", "true", ")"),
    "calls": ("size(", "'a'", ")"),
    "not": ("!", "true", ""),
    "minus": ("-", "1", ""),
    "fields": ("", "event", ".a"),
    "indices": ("", "event", "[0]"),
    "and": ("true&&", "true", ""),
    "plus": ("1+", "1", ""),
    "in": ("1 in ", "[1]", ""),
    "negated parentheses": ("!(", "true", ")"),
    "open": ("(", "", ""),
}


SCRIPT = """
import threading
from schemas.conditions import Condition, MAX_LENGTH
from schemas.errors import ConditionError

def work():
    for before, middle, after in {shapes!r}:
        most = (MAX_LENGTH - len(middle)) // len(before + after)
        for times in (10, 50, 90, 100, 200, 400, most):
            times = min(times, most)
            try:
                made = Condition(before * times + middle + after * times)
                made({{"event": {{}}}} if made.names else {{}})
            except (ValueError, ConditionError):
                pass
    deep = []
    for _ in range({depth}):
        deep = [{{"a": deep}}]
    for source in ("has(event.a)", "event == event", "event.all(x, x.a == event)"):
        try:
            Condition(source)({{"event": deep}})
        except ConditionError:
            pass
    print("alive")

thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
DEPTH = 600
"""Levels of lists in mappings: more than the 1024 that orjson parses."""


def test_no_nesting_brings_the_process_down() -> None:
    """Runs in a separate process, on a thread like the worker's, because a stack overflow cannot be caught."""
    script = SCRIPT.format(shapes=list(NESTED.values()), depth=DEPTH)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")


PIECES = (
    "(", ")", "[", "]", "{", "}", ".", ",", "!", "-", "==", "&&", "?", ":", "in", "x", "event", ".all(x,", "has(", "1",
    "'a'", '"', "//", "\n", " ", "\\", "r'", "é", "\0", "0x",
)  # fmt: skip


@settings(deadline=None, max_examples=examples(300))
@given(source=st.lists(st.sampled_from(PIECES)).map("".join) | st.text(max_size=40))
def test_any_text_is_a_condition_or_a_value_error(source: str) -> None:
    try:
        made = Condition(source)
    except ValueError:
        return
    with contextlib.suppress(ConditionError):
        assert made({name: {"a": 1} for name in made.names}) in (True, False)
