"""A condition on the command line: what it may use, and records that it cannot be evaluated for."""

from __future__ import annotations

import click
import pytest

from workers.cli.filters import Filter

LETTER = {"stage": "decode", "offset": 5}


def test_a_record_passes_if_the_condition_holds() -> None:
    known = ("letter", "key")
    assert Filter("", known).passes(LETTER.__getitem__)
    where = Filter('letter.stage == "decode" && letter.offset > 4', known)
    assert where.passes({"letter": LETTER}.__getitem__)
    assert not where.passes({"letter": {**LETTER, "offset": 4}}.__getitem__)
    assert (where.rejected, where.failures) == (1, 0)


def test_records_that_it_cannot_be_evaluated_for_are_counted() -> None:
    where = Filter('headers["team"] == "a"', ("headers",))
    assert not where.passes({"headers": {"other": "a"}}.__getitem__)
    assert where.passes({"headers": {"team": "a"}}.__getitem__)
    assert (where.rejected, where.failures) == (0, 1)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("lettr.stage == ''", '"lettr" is not known here, did you mean "letter"?; use letter, key'),
        ("letter.stage ==", "not CEL: ends unexpectedly"),
        ("secret.stage == ''", '"secret" is not known here; use letter, key'),
    ],
)
def test_a_wrong_condition_is_a_wrong_command_line(source: str, message: str) -> None:
    with pytest.raises(click.BadParameter, match=message.replace("?", r"\?")):
        Filter(source, ("letter", "key"))
