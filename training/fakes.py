"""Faker for several countries, which makes the same values in every process."""

from __future__ import annotations

from collections.abc import Sequence

from faker import Faker


def seeded(locales: Sequence[str], seed: int, *, weighted: bool = False) -> Faker:
    """Return a Faker of ``locales``. ``weighted``: rare names are rare.

    Faker makes the list of Italian towns from a set, whose order differs between processes.
    """
    fake = Faker(list(locales), use_weighting=weighted)
    fake.seed_instance(seed)
    for factory in fake.factories:
        for provider in factory.providers:
            if isinstance(getattr(provider, "cities", None), list):
                provider.cities = sorted(provider.cities)
    return fake
