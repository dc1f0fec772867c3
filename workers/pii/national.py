"""National numbers: one row per form, with Presidio's entity names where it has one.

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

from workers.pii import checks
from workers.pii.boundaries import FIELD_AFTER, FIELD_BEFORE, LONG_RUN, SEPARATOR, compact
from workers.pii.finding import Check, Pattern, Words


class Row(NamedTuple):
    """One form of a national number."""

    entity: str
    form: str
    """A regular expression in which ``_`` is a separator or nothing, the same throughout the number."""
    score: float
    bare: float
    check: str | None
    """A module of python-stdnum, a function of ``workers.pii.checks``, or none."""
    digits: int
    """The digits of the shortest number, not counting those that letters separate from the rest."""
    context: str
    """Words, separated by commas."""
    long: bool = False
    """Whether the number is a single run of at least 14 letters and digits."""

    @property
    def regex(self) -> str:
        """The form as a regular expression of Python's."""
        first, *others = self.form.split("_")
        return first + f"(?P<sep>{SEPARATOR}|)" + "(?P=sep)".join(others) if others else first

    def pattern(self) -> Pattern:
        """The row's recogniser."""
        check = None if self.check is None else getattr(checks, self.check, None) or checks.stdnum(self.check)
        proves = check is not None and self.check not in STRUCTURE
        letters = re.search("[A-Z]", self.form) is not None
        regex = _in_any_case(self.regex) if letters else self.regex
        bounded = not proves and "_" not in self.form
        if bounded:
            written = f"{FIELD_BEFORE}(?:{regex}){FIELD_AFTER}"
        else:
            # Digits at an edge may touch a word, which the pattern decides; letters may not.
            before = "(?<![A-Za-z0-9])" if re.match(r"(\(\?![^)]*\))?\[[A-Z]", self.form) else "(?<![0-9])"
            written = f"{before}(?:{regex})(?![0-9])"
        return Pattern(
            self.entity.lower(), self.entity, re.compile(written), self.score, self.bare,
            None if check is None else _canonical(check, self.check), self.digits,
            hint=LONG_RUN if self.long else None, context=Words.of(self.context), proves=proves, bounded=bounded,
            capitals=letters and not proves, loose=_LOOSE if proves else _UNLIKELY if letters else None,
        )  # fmt: skip


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


def _canonical(check: Check, name: str | None) -> Check:
    """The check for a number as it is written: in small letters or with separators."""
    if name in _SIGNED:
        return lambda number: check(number.upper())
    return lambda number: check(compact(number).upper())


STRUCTURE = {"us_ssn", "us_itin", "in_.pan"}
"""Checks that prove nothing: these numbers have no check digit."""
_SIGNED = {"fi.hetu", "se.personnummer"}
"""Checks that read the hyphen or plus in a number: it tells the century."""

_NINE = "[0-9]{3}_[0-9]{3}_[0-9]{3}"
_ELEVEN = "[0-9]{11}"

ROWS = (
    Row(
        "US_SSN", "[0-9]{3}_[0-9]{2}_[0-9]{4}", 0.65, 0.05, "us_ssn", 9,
        "ssn, social security",
    ),
    Row(
        "US_ITIN", "9[0-9]{2}_[5-9][0-9]_[0-9]{4}", 0.65, 0.05, "us_itin", 9,
        "itin, taxpayer, tax id, tax identification, tin",
    ),
    Row("US_PASSPORT", "[A-Z]?[0-9]{8,9}", 0.05, 0.05, None, 8, "passport, travel document"),
    Row(
        "US_BANK_NUMBER", "[0-9]{8,17}", 0.05, 0.05, None, 8,
        "account, acct, bank, checking, savings, debit",
    ),
    Row("ABA_ROUTING_NUMBER", "[0-9]{9}", 0.2, 0.2, "us.rtn", 9, "routing, aba, rtn, wire"),
    Row(
        "US_DRIVER_LICENSE", "[A-Za-z]{1,2}[0-9]{5,14}[A-Za-z]?|[0-9]{7,9}", 0.05, 0.05, None, 5,
        "driver license, driver s license, driver licence, driver s licence, drivers license, drivers licence, "
        "driving license, driving licence, dl",
    ),
    Row(
        "UK_NHS", "[0-9]{3}_[0-9]{3}_[0-9]{4}", 0.5, 0.4, "gb.nhs", 10,
        "nhs, national health service, health number, patient",
    ),
    Row(
        "UK_NINO",
        "(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
        "(?:_[0-9]{2}_[0-9]{2}_[0-9]{2}_|[ -]?[0-9]{6}[ -]?)[A-D]",
        0.75, 0.6, None, 6, "national insurance, nino, ni number, insurance",
    ),
    Row(
        "ES_NIF", r"(?:[0-9]{8}-?|[0-9]{2}\.[0-9]{3}\.[0-9]{3}[ -]?)[A-HJ-NP-TV-Z]", 0.7, 0.6, "es.dni", 8,
        "nif, dni, documento nacional, identificacion",
    ),
    Row("ES_NIE", "[XYZ]-?[0-9]{7}-?[A-HJ-NP-TV-Z]", 0.8, 0.7, "es.nie", 7, "nie, extranjero, identificacion"),
    Row(
        "IT_FISCAL_CODE",
        "[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
        0.95, 0.95, "it.codicefiscale", 1, "codice fiscale, fiscal code, cf",
        long=True,
    ),
    Row("IT_VAT_CODE", "(?:IT ?)?[0-9]{11}", 0.7, 0.4, "it.iva", 11, "piva, partita iva, p iva, vat, iva"),
    Row("PL_PESEL", _ELEVEN, 0.5, 0.5, "pl.pesel", 11, "pesel"),
    Row(
        "SG_NRIC_FIN", "[STFGM][0-9]{7}[A-Z]", 0.8, 0.8, "sg_nric", 7, "nric, fin, singapore, identity card",
    ),
    Row("AU_TFN", "[0-9]{3}_[0-9]{3}_[0-9]{3}", 0.35, 0.2, "au.tfn", 9, "tax file, tfn"),
    Row("AU_ACN", "[0-9]{3}_[0-9]{3}_[0-9]{3}", 0.35, 0.2, "au.acn", 9, "acn, australian company"),
    Row("AU_ABN", "[0-9]{2}_[0-9]{3}_[0-9]{3}_[0-9]{3}", 0.6, 0.4, "au.abn", 11, "abn, australian business"),
    Row("AU_MEDICARE", "[2-6][0-9]{3}_[0-9]{5}_[0-9]", 0.6, 0.3, "au_medicare", 10, "medicare"),
    Row("IN_PAN", "[A-Z]{3}[ABCFGHLJPTK][A-Z][0-9]{4}[A-Z]", 0.7, 0.7, "in_.pan", 4, "pan, permanent account"),
    Row("IN_AADHAAR", "[2-9][0-9]{3}_[0-9]{4}_[0-9]{4}", 0.6, 0.4, "in_.aadhaar", 12, "aadhaar, aadhar, uidai"),
    Row("IN_VOTER", "[A-Z]{3}[0-9]{7}", 0.4, 0.4, "in_.epic", 7, "voter, epic, elector"),
    Row(
        "FI_PERSONAL_IDENTITY_CODE", "[0-9]{6}[-+YXWVUABCDEF][0-9]{3}[0-9A-FHJ-NPR-Y]", 0.85, 0.85, "fi.hetu", 9,
        "hetu, henkilötunnus, personbeteckning, personal identity code",
    ),
    Row(
        "DE_TAX_ID", "[1-9][0-9]_[0-9]{3}_[0-9]{3}_[0-9]{3}", 0.6, 0.4, "de.idnr", 11,
        "steuer id, steueridentifikationsnummer, identifikationsnummer, idnr, steuernummer, tin, tax id",
    ),
    Row("CA_SIN", _NINE, 0.5, 0.2, "ca.sin", 9, "sin, social insurance, nas, assurance sociale"),
    Row("KR_RRN", "[0-9]{6}_[0-9]{7}", 0.75, 0.4, "kr.rrn", 13, "rrn, resident registration, 주민등록번호"),
    Row(
        "SE_PERSONNUMMER", "(?:19|20)?[0-9]{6}[-+]?[0-9]{4}", 0.65, 0.4, "se.personnummer", 10,
        "personnummer, personal identity number, samordningsnummer",
    ),
    Row(
        "TH_TNIN", "[1-8]_[0-9]{4}_[0-9]{5}_[0-9]{2}_[0-9]", 0.75, 0.35, "th.pin", 13,
        "thai, national id, identification, tnin",
    ),
    Row(
        "TR_NATIONAL_ID", "[1-9][0-9]{10}", 0.45, 0.45, "tr.tckimlik", 11,
        "tc kimlik, kimlik no, kimlik, tckn, tc no, turkish id, national id",
    ),
    Row(
        "ZA_ID_NUMBER", "[0-9]{6}_[0-9]{4}_[01][0-9]_[0-9]", 0.6, 0.45, "za.idnr", 13,
        "south africa, south african, identity number, id number, id no",
    ),
    Row(
        "NL_BSN", r"[0-9]{9}|[0-9]{4}\.[0-9]{2}\.[0-9]{3}", 0.6, 0.2, "nl.bsn", 9,
        "bsn, burgerservicenummer, sofinummer",
    ),
    Row(
        "FR_NIR", "[1-478]_[0-9]{2}_[0-9]{2}_[0-9][0-9AB]_[0-9]{3}_[0-9]{3}_[0-9]{2}",
        0.85, 0.6, "fr.nir", 8,
        "nir, insee, sécurité sociale, securite sociale, social security, numéro de sécu",
    ),
    Row(
        "BR_CPF", r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|[0-9]{3}_[0-9]{3}_[0-9]{3}_[0-9]{2}", 0.9, 0.45, "br.cpf", 11,
        "cpf, cadastro de pessoas",
    ),
    Row("MX_CURP", "[A-Z]{4}[0-9]{6}[HM][A-Z]{5}[0-9A-Z][0-9]", 0.9, 0.9, "mx.curp", 6, "curp", long=True),
)  # fmt: skip
