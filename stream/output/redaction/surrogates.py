"""Surrogates: invented values, always the same for the same value and key, that belong to nobody.

Names, places and organisations come from Faker, so they depend on its version. Everything with an owner comes from
ranges that are reserved for examples or that nobody issues.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from importlib.util import find_spec
from ipaddress import IPv6Address
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from schemas.errors import SettingError
from schemas.labels import LOCALES
from stream.output.redaction.canonical import canonical_form
from stream.output.redaction.keys import Key

if TYPE_CHECKING:
    from faker import Faker

_ATTEMPTS = 100
"""Candidates before the label is written instead: a name must share nothing of four characters with the value."""
_KNOWN = 4096
"""Surrogates that are kept, because inventing one takes longer than all else that is done for a value."""
_DATE = re.compile(
    r"(?P<iso>\d{4}-\d{1,2}-\d{1,2})|(?P<dotted>\d{1,2}\.\d{1,2}\.\d{4})|(?P<slashed>\d{1,2}/\d{1,2}/\d{4})"
)
_DOMAINS = ("com", "net", "org")
"""Top-level domains in which "example" is reserved (RFC 2606)."""
_LONGEST_SHIFT = 182
"""Days that a date is moved by at most, in either direction."""

_Inventor: TypeAlias = "Callable[[Random, str], str | None]"
"""Returns a candidate, or None if nothing can be invented for the value."""


def require_faker(locale: str) -> None:
    """Raise SettingError if the library of the extra ``surrogate`` is not installed, or does not know ``locale``."""
    if find_spec("faker") is None:
        raise SettingError("Faker is not installed, which invents surrogates: pip install 'glossator[surrogate]'")
    if locale not in LOCALES:
        raise SettingError(f"surrogates cannot be of the locale {locale}")


class Surrogates:
    """Invents values of one locale. Any thread may use it."""

    def __init__(self, key: Key, locale: str) -> None:
        """``key`` decides which values are invented. Raises SettingError if Faker or the locale is missing."""
        require_faker(locale)
        from faker import Faker

        self._key = Key(key.subkey("surrogate"))
        language, _, self._country = locale.partition("_")
        self._family_first = language in {"hu", "ja", "ko", "vi", "zh"}
        self._local: Faker = Faker(locale)
        self._english: Faker = Faker("en_US")
        self._lock = threading.Lock()
        self._inventors: dict[str, _Inventor] = {
            "CREDIT_CARD": _credit_card, "DATE_TIME": self._date, "EMAIL_ADDRESS": self._email, "IBAN_CODE": _iban,
            "IP_ADDRESS": _ip_address, "LOCATION": lambda _, __: self._local.city(), "MAC_ADDRESS": _mac_address,
            "ORGANIZATION": lambda _, __: self._local.company(), "PERSON": self._person, "PHONE_NUMBER": self._phone,
            "STREET_ADDRESS": lambda _, __: self._local.street_address().replace("\n", ", "), "URL": self._url,
        }  # fmt: skip
        self._surrogate = lru_cache(_KNOWN)(self._invented)

    @property
    def labels(self) -> frozenset[str]:
        """The labels of which values can be invented."""
        return frozenset(self._inventors)

    def surrogate(self, label: str, value: str) -> str:
        """Return the surrogate of a value in its canonical form, never the value itself; ``<LABEL>`` if there is none.

        A name, place or organisation shares no four characters in a row with the value.
        """
        return self._surrogate(label, value)

    def _invented(self, label: str, value: str) -> str:
        invent = self._inventors.get(label)
        if invent is not None:
            parts = _quadruples(value) if label in _FREE else set()
            for attempt in range(_ATTEMPTS):
                seed = self._key.digest(f"{label}\0{attempt}\0{value}".encode(errors="surrogatepass"))
                with self._lock:
                    self._local.seed_instance(seed)
                    self._english.seed_instance(seed)
                    invented = invent(Random(seed), value)  # noqa: S311  # the seed is the secret
                if invented is None:
                    break
                folded = invented.casefold().partition("@")[0]  # the domain is never invented
                if canonical_form(label)(invented) != value and not any(part in folded for part in parts):
                    return invented
        return f"<{label}>"

    def _person(self, random: Random, value: str) -> str:
        if " " not in value:
            return self._local.first_name()
        # Names of the library may have titles, which are before a name and not part of it.
        return self._local.name() if self._family_first else f"{self._local.first_name()} {self._local.last_name()}"

    def _email(self, random: Random, value: str) -> str:
        name = f"{self._english.first_name()}.{self._english.last_name()}".lower()
        return f"{name}{random.randrange(1000)}@example.{random.choice(_DOMAINS)}"

    def _url(self, random: Random, value: str) -> str:
        word = self._english.word().lower()
        return f"https://example.{random.choice(_DOMAINS)}/{word}/{random.randrange(10**6)}"

    def _phone(self, random: Random, value: str) -> str:
        digits = f"{random.randrange(10_000):04d}"
        if self._country == "GB":  # Ofcom, numbers for drama
            return f"+44 7700 900{digits[:3]}"
        if self._country == "DE":  # Bundesnetzagentur, numbers for media
            return f"+49 {random.choice(('30 23125', '40 66969', '69 90009', '89 99998', '221 4710'))}{digits[:3]}"
        if self._country == "FR":  # ARCEP, numbers for audiovisual works
            start = random.choice(("1 99 00", "2 61 91", "3 53 01", "4 65 71", "5 36 49", "6 39 98"))
            return f"+33 {start} {digits[:2]} {digits[2:]}"
        area = random.randrange(2, 10), random.randrange(9), random.randrange(2, 10)
        return f"+1 {''.join(map(str, area))}-555-01{digits[:2]}"  # NANPA, numbers for fiction

    def _date(self, random: Random, value: str) -> str | None:
        match = _DATE.search(value)
        if match is None:
            return None
        numbers = list(map(int, re.split("[-./]", match[0])))
        style = str(match.lastgroup)
        if style == "slashed" and self._country == "US":
            numbers[:2] = numbers[1::-1]
        year, month, day = numbers if style == "iso" else reversed(numbers)
        try:
            moved = date(year, month, day) + timedelta(random.choice((-1, 1)) * random.randint(1, _LONGEST_SHIFT))
        except (ValueError, OverflowError):
            return None
        if style == "iso":
            return moved.isoformat()
        return moved.strftime("%d.%m.%Y" if style == "dotted" else "%m/%d/%Y" if self._country == "US" else "%d/%m/%Y")


_FREE = frozenset({"EMAIL_ADDRESS", "LOCATION", "ORGANIZATION", "PERSON", "STREET_ADDRESS"})
"""Labels whose values are invented freely, so that none needs to share anything with the value."""


def _quadruples(value: str) -> set[str]:
    """Return all parts of four characters."""
    folded = value.casefold()
    return {folded[at : at + 4] for at in range(len(folded) - 3)}


def _credit_card(random: Random, value: str) -> str:
    """Sixteen digits that pass Luhn and begin with 9999, which no network issues (ISO/IEC 7812: national use)."""
    digits = f"9999{random.randrange(10**11):011d}"
    total = sum(sum(divmod(2 * int(digit), 10)) if at % 2 == 0 else int(digit) for at, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def _iban(random: Random, value: str) -> str:
    """Right check digits and the country XX, which is never assigned (ISO 3166: user-assigned)."""
    account = f"{random.randrange(10**20):020d}"
    return f"XX{98 - int(account + '333300') % 97:02d}{account}"


def _ip_address(random: Random, value: str) -> str:
    if ":" in value:
        return str(IPv6Address((0x20010DB8 << 96) + random.getrandbits(96)))  # RFC 3849
    return f"{random.choice(('192.0.2', '198.51.100', '203.0.113'))}.{random.randrange(1, 255)}"  # RFC 5737


def _mac_address(random: Random, value: str) -> str:
    return f"00:00:5E:00:53:{random.randrange(256):02X}"  # RFC 7042
