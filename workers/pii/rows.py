"""The rows of national numbers, with Presidio's entity names where it has one, and how a row becomes a recogniser.

Where python-stdnum knows the number its check decides (checksum, date, structure); the rest is structure alone. A row's
first score is for the number as people write it, with separators; the second for a single run of digits, which one
number in ten passes by chance if there is only one check digit. A score below 0.5 needs a word of the row's context
near the number.

078-05-1120, 219-09-9999 and 457-55-5462 are not found as US_SSN: they were printed on sample cards and in
advertisements and are nobody's (python-stdnum refuses them as it does areas never issued).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from workers.pii import national_checks
from workers.pii.boundaries import FIELD_AFTER, FIELD_BEFORE, SEPARATOR, compact
from workers.pii.checks import stdnum
from workers.pii.finding import Check, Pattern, Words


class Row(NamedTuple):
    """One form of a national number."""

    entity: str
    form: str
    """A regular expression in which ``_`` is a separator or nothing, the same throughout the number."""
    score: float
    bare: float
    check: str | None
    """A module of python-stdnum, a function of ``workers.pii.national_checks``, or none."""
    digits: int
    """The digits of the shortest number, not counting those that letters separate from the rest."""
    context: str
    """Words, separated by commas."""
    hint: re.Pattern[str] | None = None
    """What every text with such a number has in it, if it is fast to find."""
    against: str = ""
    """Words, separated by commas, that make it less likely if they are nearer than those of ``context``."""
    capitals: bool = False
    """Whether the letters must be capitals for the full score, although there is a check."""

    @property
    def regex(self) -> str:
        """The form as a regular expression of Python's."""
        first, *others = self.form.split("_")
        return first + f"(?P<sep>{SEPARATOR}|)" + "(?P=sep)".join(others) if others else first

    def pattern(self) -> Pattern:
        """The row's recogniser."""
        check = None if self.check is None else getattr(national_checks, self.check, None) or stdnum(self.check)
        proves = check is not None and self.check not in STRUCTURE
        letters = re.search("[A-Z]", self.form) is not None
        regex = _in_any_case(self.regex) if letters else self.regex
        bounded = not proves and "_" not in self.form
        if bounded:
            written = _behind(FIELD_BEFORE, regex) + FIELD_AFTER
        else:
            # Digits at an edge may touch a word, which the pattern decides; letters may not.
            before = "(?<![A-Za-z0-9])" if re.match(r"(\(\?![^)]*\))?\[[A-Z]", self.form) else "(?<![0-9])"
            written = _behind(before, regex) + "(?![0-9])"
        return Pattern(
            self.entity.lower(), self.entity, re.compile(written), self.score, self.bare,
            None if check is None else _canonical(check, self.check), self.digits,
            hint=self.hint, context=Words.of(self.context),
            against=Words.of(self.against, before=3, after=0) if self.against else None, proves=proves, bounded=bounded,
            capitals=self.capitals or (letters and not proves),
            loose=_LOOSE if proves else _UNLIKELY if letters else None,
        )  # fmt: skip


ORDERS = (
    "order, orders, invoice, item, part, model, ticket, issue, case, ref, reference, shipment, tracking, mrn, "
    "customer, account, member, policy, booking, phone, tel, bestellung, bestellnummer, auftrag, rechnung, "
    "commande, facture, pedido, factura, ordine, fattura, bestelling, zamówienie"
)
"""What has numbers of the form of a passport's: a shop for passport photos has orders."""
_LOOSE, _UNLIKELY = 0.4, 0.05
"""The scores of what needs a word near it, with a check and without."""


def _in_any_case(regex: str) -> str:
    """The regular expression for small letters, too. Unlike IGNORECASE it adds no letters of other alphabets."""

    def both(match: re.Match[str]) -> str:
        part = match[0]
        if part[0] == "[":
            return f"[{part[1:-1]}{''.join(re.findall('[A-Z](?:-[A-Z])?', part)).lower()}]"
        return f"[{part}{part.lower()}]" if part.isupper() else part

    return re.sub(r"\\.|\(\?P[<=]\w+[>)]|\[[^]]*\]|[A-Z]", both, regex)


def _behind(before: str, regex: str) -> str:
    """The regular expression behind what must not precede it (lookbehinds).

    A search is several times as fast if its first element is a set of characters, so that the lookbehinds follow the
    first character where that is possible.
    """
    first = re.match(r"(\[[^]]+\])(?:\{([0-9]+)\})?(?![{*+?])", regex)
    if first is None or "|" in _NESTED.sub("", _NESTED.sub("", regex)):
        return f"{before}(?:{regex})"
    signs, times = first[1], int(first[2] or 1)
    rest = f"{signs}{{{times - 1}}}" if times > 1 else ""
    return signs + re.sub(r"\)(?=\(|$)", ".)", before) + rest + regex[first.end() :]


_NESTED = re.compile(r"\[[^]]*\]|\((?:[^()\[]|\[[^]]*\])*\)")


def _canonical(check: Check, name: str | None) -> Check:
    """The check for a number as it is written: in small letters or with separators."""
    if name in _SIGNED:
        return lambda number: check(number.upper())
    return lambda number: check(compact(number).upper())


STRUCTURE = {"us_ssn", "us_itin", "in_.pan", "dk.cpr"}
"""Checks that prove nothing: these numbers have no check digit."""
_SIGNED = {"fi_hetu", "se.personnummer"}
"""Checks that read the hyphen or plus in a number: it tells the century."""
