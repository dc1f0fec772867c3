"""Which taxonomies leave the labels of a head as they are."""

from __future__ import annotations

import pytest

from schemas.taxonomies import keeps, names


@pytest.mark.parametrize(
    ("taxonomy", "labels", "kept"),
    [
        ("model", ["insult", "male"], True),
        ("standard", ["harassment", "spam"], True),
        ("standard", ["insult"], False),
        ("standard", ["male"], False),
        ("perspective", ["TOXICITY", "INSULT"], True),
        ("perspective", ["toxicity"], False),
        ("perspective", ["TOXICITY", "SPAM"], False),
        ({"toxic": "TOXICITY"}, ["TOXICITY", "SPAM"], True),
        ({"toxic": "TOXICITY"}, ["toxic"], False),
    ],
)
def test_a_taxonomy_keeps_labels_that_are_its_own_names(
    taxonomy: str | dict[str, str], labels: list[str], kept: bool
) -> None:
    assert keeps(taxonomy, labels) is kept


@pytest.mark.parametrize("taxonomy", ["standard", "perspective"])
def test_all_names_of_a_taxonomy_are_kept(taxonomy: str) -> None:
    assert keeps(taxonomy, names(taxonomy))
