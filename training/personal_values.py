"""Values for the gaps of ``training.personal_templates``: Faker's, and our own patterns filled with Faker's."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from faker import Faker

from training import personal_abroad
from training.fakes import seeded
from training.personal_lists import (
    AMOUNTS,
    CLOSINGS,
    CODES,
    ENGLISH,
    FAR,
    FIELDS,
    FOREIGN,
    FORMS,
    JOBS,
    KINDS,
    LOCALES,
    MEASURES,
    NATIONS,
    PARTICLES,
    PHONES,
    REAL_TOWNS,
    ROLES,
    SITES,
    STAMPS,
    STATES,
    SYLLABLES,
    TOWN_NOUNS,
    VERSIONS,
    WORDS,
    WORKS,
)
from training.word_lists import PLACES

Make = Callable[[], str]
Makers = dict[str, tuple[str, Make]]
CAPITALS = "ABCDEFGHIKLMNOPRSTVWZ"
# Faker's own dates end at the current time, so the same seed would give other sentences a second later.
LATEST = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
DATES = [
    "%B %d", "%B %d, %Y", "%m/%d/%Y", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%d %B %Y", "%A", "%d.%m.%Y", "%B %Y",
    "%-m/%-d/%Y", "%-d/%-m/%Y", "%-m/%d/%Y", "%d/%m/%Y", "%d %b %Y", "%-d.%-m.%Y", "%d-%m-%Y", "%d/%m/%y",
]  # fmt: skip
# Patterns, and how often each is drawn.
PEOPLE = {
    "{given} {surname}": 60, "{given} {initial}. {surname}": 8, "{given} {initial} {surname}": 6,
    "{given} {given} {surname}": 5, "{given} {surname}-{surname}": 4, "{surname}, {given}": 3, "{surname} {given}": 3,
    "{given} {surname} {suffix}": 3, "{initial}. {surname}": 3, "{given} {surname} {surname}": 5,
    "{given}-{given} {surname}": 5, "{given} {particle} {surname}": 4, "{initial}.-{initial}. {surname}": 1,
}  # fmt: skip
DOORS = {
    "{road} {number}": 30, "{number} {road}": 25, "{street_address}": 27, "{number}{initial} {road}": 4,
    "P.O. Box {number}": 4, "the corner of {road} and {road}": 5, "{surname} House, {number} {road}": 3,
    "{number}/{number} {road}": 2,
}  # fmt: skip
BLOCKS = {
    "{address}": 30, "{address}\n{country}": 12, "{number} {address}": 6, "{door}\n{unit}\n{city}\n{country} {code}": 4,
    "{door}\n{code} {city}\n{country}": 4, "{door}, {unit}\n{city}, {state} {code}": 4, "{door}": 4,
    "{city}, {door}": 2, "{unit} {door}\n{city} {state} {code}": 4, "{unit}\n{door}\n{city}\n{code}": 4,
    "{door}\n{city}\n{state}\n{code}": 4, "{door}\n{city}": 6, "{door}\n{city}\n{country}": 4,
    "{door} {unit}\n{city}\n{country}\n{code}": 4, "{door}\n{city}, {state} {code}": 4,
    "{number} {door} {unit}\n{city}\n{country}": 4, "{door}\n{unit}\n{city} {code}": 4,
    "{door}\n{city} {code}\n{state}\n{country}": 4, "{door}\n{city}\n, {state}\n {country} {code}": 4,
    "{unit}\n{door}\n{code} {city}": 4,
}  # fmt: skip
"""Addresses on several lines."""
ORGANIZATIONS = {
    "{company}": 35, "{syllables}": 9, "{syllables} {kind}": 6, "{field} {field}": 8, "{field} {kind}": 10,
    "{surname} {kind}": 8, "{surname} & {surname}": 4, "{surname}, {surname} and {surname}": 4, "{surname}": 3,
    "University of {city}": 1, "Bank of {city}": 1, "{city} University": 1, "{city} Hospital": 1,
    "{city} City Council": 1, "{phrase}": 3, "{initial}{initial}{initial}": 2, "{word}": 3,
}  # fmt: skip
PREFIXES = (
    "SKU ",
    "SKU ",
    "INV-",
    "PO ",
    "item ",
    "no. ",
    "ID ",
    "REF-",
    "CL-",
    "ORD-",
    "A-",
    "RMA ",
    "lot ",
    "model ",
)
TITLES = {"{job}": 30, "{listed}": 45, "{field} {role}": 25}


def makers(chance: random.Random, seed: int) -> Makers:
    """Return per gap of a template its label and a function that makes up a value."""
    world, real, far = (seeded(locales, seed) for locales in (LOCALES, REAL_TOWNS, FAR))
    english = seeded(ENGLISH, seed, weighted=True)

    def local(make: Callable[[Faker], str], fakes: tuple[Faker, ...] = (world, english)) -> Make:
        return lambda: make(chance.choice(fakes))

    everywhere = (world, world, english, english, far)

    def digits(pattern: str) -> str:
        return "".join(str(chance.randint(0, 9)) if mark == "#" else mark for mark in pattern)

    def coded(pattern: str) -> str:
        return "".join(chance.choice(CAPITALS) if mark == "@" else mark for mark in digits(pattern))

    def code() -> str:
        drawn = chance.random()
        if drawn < 0.06:
            return "".join(chance.choices("0123456789abcdef", k=chance.choice((7, 12, 32, 40))))
        if drawn < 0.09:
            return "".join(chance.choices(f"{CAPITALS}{CAPITALS.lower()}0123456789", k=chance.randint(16, 40)))
        made = coded(chance.choice(CODES))
        if re.fullmatch("(?:19|20)[0-9]{2}", made):
            # As a year it would be a date.
            made += "7"
        return f"#{made}" if drawn < 0.2 else f"{chance.choice(PREFIXES)}{made}" if drawn < 0.35 else made

    def city() -> str:
        name = str(chance.choice((real.city, real.city, english.city, lambda: chance.choice(PLACES)))())
        return name.upper() if chance.random() < 0.12 else name

    def unit() -> str:
        kind = chance.choice(("Apt.", "Apt.", "Suite", "Suite", "Flat", "Unit", "Floor", "#", "Room"))
        return f"{kind} {chance.randint(1, 999):0{chance.randint(1, 3)}d}"

    def zip_code() -> str:
        return str(chance.choice((world.postcode, english.postcode, lambda: chance.randint(100, 99999)))())

    def syllables() -> str:
        return "".join(chance.choices(SYLLABLES, k=chance.choice((2, 2, 3)))).capitalize()

    parts: dict[str, Make] = {
        "given": local(lambda fake: str(fake.first_name()), everywhere),
        "surname": local(lambda fake: str(fake.last_name()), everywhere),
        "particle": lambda: chance.choice(PARTICLES),
        "initial": lambda: chance.choice(CAPITALS),
        "suffix": lambda: chance.choice(("Jr.", "Sr.", "II", "III", "MD", "PhD")),
        "road": local(lambda fake: str(fake.street_name())),
        "street_address": local(lambda fake: str(fake.street_address()).split("\n", maxsplit=1)[0]),
        "number": lambda: str(chance.randint(1, 10 ** chance.randint(1, 5))),
        "unit": unit,
        "city": city,
        "country": english.country,
        "state": lambda: "".join(chance.choices(CAPITALS, k=chance.choice((2, 2, 2, 3)))),
        "code": zip_code,
        "address": local(lambda fake: str(fake.address())),
        "company": local(lambda fake: str(fake.company())),
        "syllables": syllables,
        "kind": lambda: chance.choice(KINDS),
        "field": lambda: chance.choice(FIELDS),
        "role": lambda: chance.choice(ROLES),
        "phrase": lambda: str(english.catch_phrase()).title().rsplit(" ", 1)[0],
        "word": lambda: str(english.domain_word()).title(),
        "job": english.job,
        "listed": lambda: chance.choice(JOBS),
    }

    def of(patterns: Mapping[str, int]) -> Make:
        names, weights = list(patterns), list(patterns.values())
        return lambda: re.sub(r"\{(\w+)\}", lambda gap: parts[gap[1]](), chance.choices(names, weights)[0])

    parts["door"] = of(DOORS)
    made_up, abroad = of(BLOCKS), personal_abroad.maker(chance, lambda locale: str(real[locale].city()))
    title = of(TITLES)

    def block() -> str:
        return made_up() if chance.random() < 0.55 else abroad().replace(", ", "\n")

    def address() -> str:
        if chance.random() < 0.4:
            return abroad()
        return made_up().replace("\n", chance.choice(("\n", "\n ", ", ", ", ", ", ", " ")))

    def moment(forms: Sequence[str]) -> str:
        return datetime.fromtimestamp(chance.randrange(LATEST), UTC).strftime(chance.choice(forms))

    def job() -> str:
        name, drawn = title(), chance.random()
        return name if drawn < 0.3 else name.lower() if drawn < 0.8 else name.capitalize()

    return {
        "ADDRESS": ("STREET_ADDRESS", address),
        "BLOCK": ("STREET_ADDRESS", block),
        "STREET": ("STREET_ADDRESS", parts["door"]),
        "CITY": ("LOCATION", city),
        "COUNTRY": ("LOCATION", english.country),
        "PLACE": ("LOCATION", lambda: str(chance.choice((city, city, english.country))())),
        "PERSON": ("PERSON", of(PEOPLE)),
        "GIVEN": ("PERSON", parts["given"]),
        "SURNAME": ("PERSON", parts["surname"]),
        "ORGANIZATION": ("ORGANIZATION", of(ORGANIZATIONS)),
        "JOB": ("TITLE", job),
        "FORM": ("TITLE", lambda: chance.choice(FORMS)),
        "AGE": ("AGE", lambda: str(chance.randint(1, 99))),
        "NRP": ("NRP", lambda: chance.choice(NATIONS)),
        "YEAR": ("DATE_TIME", lambda: str(chance.randint(1900, 2030))),
        "DATE": ("DATE_TIME", lambda: moment(DATES)),
        "ZIP_CODE": ("ZIP_CODE", zip_code),
        "CREDIT_CARD": ("CREDIT_CARD", english.credit_card_number),
        "PHONE": (
            "PHONE_NUMBER",
            lambda: world.phone_number() if chance.random() < 0.5 else digits(chance.choice(PHONES)),
        ),
        "EMAIL_ADDRESS": ("EMAIL_ADDRESS", world.email),
        "URL": ("URL", english.domain_name),
        "IBAN_CODE": ("IBAN_CODE", english.iban),
        "US_SSN": ("US_SSN", lambda: digits("###-##-####")),
        "IP_ADDRESS": ("IP_ADDRESS", english.ipv4),
        "LICENSE": ("US_DRIVER_LICENSE", lambda: chance.choice("ABCDEFGHS") + digits("#######")),
        "TOWN_NOUN": ("", lambda: chance.choice(TOWN_NOUNS)),
        "WORK": ("", lambda: chance.choice(WORKS)),
        "SITE": ("", lambda: chance.choice(SITES)),
        "PLAIN": ("", lambda: str(chance.randint(2, 900))),
        "CODE": ("", code),
        "AMOUNT": ("", lambda: coded(chance.choice(AMOUNTS))),
        "MEASURE": ("", lambda: coded(chance.choice(MEASURES))),
        "VERSION": ("", lambda: coded(chance.choice(VERSIONS))),
        "EXPIRY": (
            "DATE_TIME",
            lambda: f"{chance.randint(1, 12):02d}/{chance.choice(('', '20'))}{chance.randint(22, 35)}",
        ),
        "YEARLIKE": ("", lambda: str(chance.randint(2015, 2030))),
        "STATE": ("", lambda: chance.choice(STATES)),
        "WORDS": ("", lambda: chance.choice(WORDS)),
        "LEVEL": (
            "",
            lambda: chance.choice(("INFO", "WARN", "ERROR", "DEBUG", "info", "level=error", "FATAL", "TRACE")),
        ),
        "STAMP": ("DATE_TIME", lambda: moment(STAMPS)),
        "CLOSING": ("", lambda: chance.choice(CLOSINGS)),
        "FOREIGN": ("", lambda: chance.choice(FOREIGN)),
    }
