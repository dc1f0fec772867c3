"""The tree of errors is complete and consistent."""

from __future__ import annotations

from schemas import errors
from schemas.errors import GlossatorError, every_error


def test_the_tree_in_the_docstring_names_every_error_in_order() -> None:
    tree = (errors.__doc__ or "").split("```")[1]
    names = [line.lstrip("│├└─ ").split()[0] for line in tree.strip().splitlines()]
    assert names == [kind.__name__ for kind in every_error()]


def test_whether_a_restart_helps_depends_on_the_status_alone() -> None:
    restart: dict[int, bool] = {}
    for kind in every_error():
        assert restart.setdefault(kind.exit_status, kind.restart) == kind.restart, kind


def test_an_error_with_a_status_of_its_own_has_a_summary_of_its_own() -> None:
    for kind in every_error():
        parent = kind.__mro__[1]
        if issubclass(parent, GlossatorError):
            assert (kind.summary == parent.summary) == (kind.exit_status == parent.exit_status), kind
