"""Numbers of European countries, except Germany's."""

from __future__ import annotations

from workers.pii.boundaries import CODE, LONG_RUN
from workers.pii.rows import ORDERS, Row

_ELEVEN = "[0-9]{11}"

_NIF = "nif, dni, documento nacional, identificacion, identificación"
_PATENTE = "patente, licenza di guida, driving licence, driver s license"

EUROPE = (
    Row(
        "BE_NATIONAL_NUMBER",
        r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}[.-][0-9]{2}|[0-9]{2}_[0-9]{2}_[0-9]{2}_[0-9]{3}_[0-9]{2}",
        0.9, 0.45, "be.nn", 11,
        "rijksregisternummer, rijksregister, numéro national, numéro de registre national, registre national, niss, "
        "insz, national number",
    ),
    Row("ES_NIE", "[XYZ]-?[0-9]{7}-?[A-HJ-NP-TV-Z]", 0.8, 0.7, "es.nie", 7, "nie, extranjero, identificacion"),
    Row(
        "ES_NIF", r"(?:[0-9]{8}-?|[0-9]{2}\.[0-9]{3}\.[0-9]{3}[ -]?)[A-HJ-NP-TV-Z]", 0.7, 0.6, "es_nif", 8, _NIF
    ),
    Row("ES_NIF", "[0-9]{7}-?[A-HJ-NP-TV-Z]", 0.6, 0.4, "es_nif", 7, _NIF),
    Row("ES_PASSPORT", "[A-Z]{3}[0-9]{6}", 0.05, 0.05, None, 6, "pasaporte, passport", against=ORDERS),
    Row(
        "FI_PERSONAL_IDENTITY_CODE", "[0-9]{6}[-+YXWVUABCDEF][0-9]{3}[0-9A-FHJ-NPR-Y]", 0.85, 0.85, "fi_hetu", 9,
        "hetu, henkilötunnus, personbeteckning, personal identity code",
    ),
    Row(
        "FR_NIR", "[1-478]_[0-9]{2}_[0-9]{2}_[0-9][0-9AB]_[0-9]{3}_[0-9]{3}_[0-9]{2}",
        0.85, 0.6, "fr.nir", 8,
        "nir, insee, sécurité sociale, securite sociale, social security, numéro de sécu",
    ),
    Row(
        "IE_PPS", "[0-9]{7}[A-W][A-IWTX]?", 0.4, 0.4, "ie.pps", 7,
        "pps, ppsn, personal public service",
    ),
    Row("IT_DRIVER_LICENSE", "[A-Z]{2}[0-9]{7}[A-Z]", 0.05, 0.05, None, 7, _PATENTE),
    Row("IT_DRIVER_LICENSE", "U1[BCDEFGHLJKMNPRSTUWYXZ0-9]{7}[A-Z]", 0.05, 0.05, None, 1, _PATENTE, hint=CODE),
    Row(
        "IT_FISCAL_CODE",
        "[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
        0.95, 0.95, "it.codicefiscale", 1, "codice fiscale, fiscal code, cf",
        hint=LONG_RUN,
    ),
    Row(
        "IT_IDENTITY_CARD", "[A-Z]{2} ?[0-9]{7}|[0-9]{7}[A-Z]{2}|[A-Z]{2}[0-9]{5}[A-Z]{2}", 0.05, 0.05, None, 5,
        "carta d identità, carta identità, carta d identita, carta di identità, cie, documento, identity card, id card",
    ),
    Row("IT_PASSPORT", "[A-Z]{2}[0-9]{7}", 0.05, 0.05, None, 7, "passaporto, passport", against=ORDERS),
    Row("IT_VAT_CODE", "(?:IT ?)?[0-9]{11}", 0.7, 0.4, "it.iva", 11, "piva, partita iva, p iva, vat, iva"),
    Row(
        "NL_BSN", r"[0-9]{9}|[0-9]{4}\.[0-9]{2}\.[0-9]{3}", 0.6, 0.2, "nl.bsn", 9,
        "bsn, burgerservicenummer, sofinummer",
    ),
    Row("PL_PESEL", _ELEVEN, 0.5, 0.5, "pl.pesel", 11, "pesel"),
    Row(
        "PT_NIF", "[1-35689][0-9]{2}_[0-9]{3}_[0-9]{3}", 0.35, 0.2, "pt.nif", 9,
        "nif, contribuinte, identificação fiscal",
    ),
    Row(
        "SE_ORGANISATIONSNUMMER", "[0-9]{2}[2-9][0-9]{3}-?[0-9]{4}", 0.45, 0.2, "se.orgnr", 10,
        "organisationsnummer, orgnr, org nr, orgnummer, företagsnummer, företag",
    ),
    Row(
        "SE_PERSONNUMMER", "(?:18|19|20)?[0-9]{6}[-+]?[0-9]{4}", 0.65, 0.4, "se.personnummer", 10,
        "personnummer, personal identity number, samordningsnummer",
    ),
    Row(
        "UK_DRIVING_LICENCE",
        "(?:[A-Z]{5}|[A-Z]{4}9|[A-Z]{3}99|[A-Z]{2}999|[A-Z]9{4})[0-9](?:0[1-9]|1[0-2]|5[1-9]|6[0-2])"
        "(?:0[1-9]|[12][0-9]|3[01])[0-9][A-Z9]{2}[A-Z0-9][A-Z]{2}",
        0.6, 0.6, None, 6, "driving licence, driving license, driver s licence, driver s license, dvla",
        hint=LONG_RUN,
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
    Row("UK_PASSPORT", "[A-Z]{2}[0-9]{7}", 0.05, 0.05, None, 7, "passport", against=ORDERS),
    Row("UK_UTR", "[0-9]{5}_[0-9]{5}", 0.35, 0.2, "gb.utr", 10, "utr, unique taxpayer"),
)  # fmt: skip
