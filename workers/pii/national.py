"""National numbers: one row per form, with Presidio's entity names where it has one.

Where python-stdnum knows the number its check decides (checksum, date, structure); the rest is structure alone. A row's
first score is for the number as people write it, with separators; the second for a bare run, which one number in ten
passes by chance where there is only one check digit. What is under 0.5 needs a word of its context near it.

078-05-1120, 219-09-9999 and 457-55-5462 are not found as US_SSN: they were printed on sample cards and in
advertisements and are nobody's (python-stdnum refuses them as it does areas never issued).
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    entity: str
    regex: str
    score: float
    bare: float
    check: str | None
    """A module of python-stdnum, a function of ``workers.pii.checks``, or none."""
    digits: int
    """The digits of the shortest number, letters between single digits aside."""
    context: str
    """Words, separated by commas."""


STRUCTURE = {"us_ssn", "us_itin", "in_.pan"}
"""Checks that prove nothing: these numbers have no check digit."""

_NINE = r"[0-9]{3}([ -]?)[0-9]{3}\1[0-9]{3}"
_ELEVEN = "[0-9]{11}"

ROWS = (
    Row(
        "US_SSN", r"[0-9]{3}([ -]?)[0-9]{2}\1[0-9]{4}", 0.65, 0.05, "us_ssn", 9,
        "ssn, social security",
    ),
    Row(
        "US_ITIN", r"9[0-9]{2}([ -]?)[5-9][0-9]\1[0-9]{4}", 0.65, 0.05, "us_itin", 9,
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
        "UK_NHS", r"[0-9]{3}([ -]?)[0-9]{3}\1[0-9]{4}", 0.5, 0.4, "gb.nhs", 10,
        "nhs, national health service, health number, patient",
    ),
    Row(
        "UK_NINO",
        r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]( ?)[0-9]{2}\1[0-9]{2}\1[0-9]{2}\1[A-D]",
        0.75, 0.6, None, 6, "national insurance, nino, ni number, insurance",
    ),
    Row("ES_NIF", "[0-9]{8}-?[A-HJ-NP-TV-Z]", 0.7, 0.6, "es.dni", 8, "nif, dni, documento nacional, identificacion"),
    Row("ES_NIE", "[XYZ]-?[0-9]{7}-?[A-HJ-NP-TV-Z]", 0.8, 0.7, "es.nie", 7, "nie, extranjero, identificacion"),
    Row(
        "IT_FISCAL_CODE",
        "[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
        0.95, 0.95, "it.codicefiscale", 1, "codice fiscale, fiscal code, cf",
    ),
    Row("IT_VAT_CODE", "(?:IT ?)?[0-9]{11}", 0.7, 0.4, "it.iva", 11, "piva, partita iva, p iva, vat, iva"),
    Row("PL_PESEL", _ELEVEN, 0.5, 0.5, "pl.pesel", 11, "pesel"),
    Row(
        "SG_NRIC_FIN", "[STFGM][0-9]{7}[A-Z]", 0.8, 0.8, "sg_nric", 7, "nric, fin, singapore, identity card",
    ),
    Row("AU_TFN", r"[0-9]{3}( ?)[0-9]{3}\1[0-9]{3}", 0.35, 0.2, "au.tfn", 9, "tax file, tfn"),
    Row("AU_ACN", r"[0-9]{3}( ?)[0-9]{3}\1[0-9]{3}", 0.35, 0.2, "au.acn", 9, "acn, australian company"),
    Row("AU_ABN", r"[0-9]{2}( ?)[0-9]{3}\1[0-9]{3}\1[0-9]{3}", 0.6, 0.4, "au.abn", 11, "abn, australian business"),
    Row("AU_MEDICARE", r"[2-6][0-9]{3}( ?)[0-9]{5}\1[0-9]", 0.6, 0.3, "au_medicare", 10, "medicare"),
    Row("IN_PAN", "[A-Z]{3}[ABCFGHLJPTK][A-Z][0-9]{4}[A-Z]", 0.7, 0.7, "in_.pan", 4, "pan, permanent account"),
    Row("IN_AADHAAR", r"[2-9][0-9]{3}([ -]?)[0-9]{4}\1[0-9]{4}", 0.6, 0.4, "in_.aadhaar", 12, "aadhaar, aadhar, uidai"),
    Row("IN_VOTER", "[A-Z]{3}[0-9]{7}", 0.4, 0.4, "in_.epic", 7, "voter, epic, elector"),
    Row(
        "FI_PERSONAL_IDENTITY_CODE", "[0-9]{6}[-+YXWVUABCDEF][0-9]{3}[0-9A-FHJ-NPR-Y]", 0.85, 0.85, "fi.hetu", 9,
        "hetu, henkilötunnus, personbeteckning, personal identity code",
    ),
    Row(
        "DE_TAX_ID", r"[1-9][0-9]( ?)[0-9]{3}\1[0-9]{3}\1[0-9]{3}", 0.6, 0.4, "de.idnr", 11,
        "steuer id, steueridentifikationsnummer, identifikationsnummer, idnr, steuernummer, tin, tax id",
    ),
    Row("CA_SIN", _NINE, 0.5, 0.2, "ca.sin", 9, "sin, social insurance, nas, assurance sociale"),
    Row("KR_RRN", "[0-9]{6}-?[0-9]{7}", 0.75, 0.4, "kr.rrn", 13, "rrn, resident registration, 주민등록번호"),
    Row(
        "SE_PERSONNUMMER", "(?:19|20)?[0-9]{6}[-+]?[0-9]{4}", 0.65, 0.4, "se.personnummer", 10,
        "personnummer, personal identity number, samordningsnummer",
    ),
    Row(
        "TH_TNIN", r"[1-8](-?)[0-9]{4}\1[0-9]{5}\1[0-9]{2}\1[0-9]", 0.75, 0.35, "th.pin", 13,
        "thai, national id, identification, tnin",
    ),
    Row(
        "TR_NATIONAL_ID", "[1-9][0-9]{10}", 0.45, 0.45, "tr.tckimlik", 11,
        "tc kimlik, kimlik no, kimlik, tckn, tc no, turkish id, national id",
    ),
    Row(
        "ZA_ID_NUMBER", r"[0-9]{6}( ?)[0-9]{4}\1[01][0-9]\1[0-9]", 0.6, 0.45, "za.idnr", 13,
        "south africa, south african, identity number, id number, id no",
    ),
    Row(
        "NL_BSN", r"[0-9]{9}|[0-9]{4}\.[0-9]{2}\.[0-9]{3}", 0.6, 0.2, "nl.bsn", 9,
        "bsn, burgerservicenummer, sofinummer",
    ),
    Row(
        "FR_NIR", r"[1-478]( ?)[0-9]{2}\1[0-9]{2}\1[0-9][0-9AB]\1[0-9]{3}\1[0-9]{3}\1[0-9]{2}",
        0.85, 0.6, "fr.nir", 8,
        "nir, insee, sécurité sociale, securite sociale, social security, numéro de sécu",
    ),
    Row(
        "BR_CPF", r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|[0-9]{11}", 0.9, 0.45, "br.cpf", 11,
        "cpf, cadastro de pessoas",
    ),
    Row("MX_CURP", "[A-Z]{4}[0-9]{6}[HM][A-Z]{5}[0-9A-Z][0-9]", 0.9, 0.9, "mx.curp", 6, "curp"),
)  # fmt: skip
