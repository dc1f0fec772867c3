"""Numbers of Germany."""

from __future__ import annotations

from workers.pii.boundaries import CODE
from workers.pii.rows import ORDERS, Row

_DOCUMENT = "[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{7}[0-9]"
"""The number of an identity card or passport since 2010, with the check digit that is printed behind it."""
_ID_CARD = (
    "personalausweis, personalausweisnummer, ausweis, ausweisnummer, ausweisdokument, dokumentennummer, npa, "
    "identity card, id card"
)
_LICENCE = (
    "führerschein, führerscheinnummer, fahrerlaubnis, fahrerlaubnisnummer, driving licence, driving license, "
    "driver s license, driver s licence"
)
_TAX_NUMBER = (
    "steuernummer, steuer nr, st nr, finanzamt, einkommensteuer, umsatzsteuer, gewerbesteuer, körperschaftsteuer, "
    "steuerbescheid"
)

GERMANY = (
    Row("DE_BSNR", "(?!0{9})[0-9]{9}", 0.05, 0.05, None, 9, "bsnr, betriebsstättennummer, praxisnummer"),
    Row("DE_FUEHRERSCHEIN", "[A-Z]{2}[0-9]{8}[A-Z0-9]", 0.05, 0.05, None, 8, _LICENCE),
    Row("DE_FUEHRERSCHEIN", "[A-Z][0-9]{3}[A-Z0-9]{5}[0-9][A-Z0-9]", 0.05, 0.05, None, 1, _LICENCE, hint=CODE),
    Row(
        "DE_HANDELSREGISTER", "HR[AB] ?[0-9]{1,6}", 0.6, 0.6, None, 1,
        "handelsregister, handelsregisternummer, registergericht, amtsgericht, registernummer",
        hint=CODE,
    ),
    Row(
        "DE_HEALTH_INSURANCE", "[A-Z][0-9]{9}", 0.4, 0.4, "de_kvnr", 9,
        "krankenversicherungsnummer, krankenversichertennummer, versichertennummer, kvnr, krankenkasse, "
        "krankenversicherung, gesundheitskarte, egk, versichertenkarte",
    ),
    Row("DE_ID_CARD", _DOCUMENT, 0.4, 0.4, "document", 1, _ID_CARD, hint=CODE),
    # The cards until 2010.
    Row("DE_ID_CARD", "T[0-9]{8}", 0.05, 0.05, None, 8, _ID_CARD),
    Row(
        "DE_LANR", "[0-9]{9}", 0.2, 0.2, "de_lanr", 9,
        "lanr, arztnummer, arzt nr, arzt nummer, lebenslange arztnummer, vertragsarzt",
    ),
    Row(
        "DE_PASSPORT", _DOCUMENT, 0.4, 0.4, "document", 1,
        "reisepass, reisepassnummer, passnummer, pass nr, passport, dokumentennummer, mrz",
        hint=CODE, against=ORDERS,
    ),
    Row(
        "DE_SOCIAL_SECURITY",
        "[0-9]{2}_(?:0[1-9]|[12][0-9]|3[01]|5[1-9]|[67][0-9]|8[01])(?:0[1-9]|1[0-2])[0-9]{2}_[A-Z]_[0-9]{3}",
        0.7, 0.6, "de_rvnr", 8,
        "rentenversicherungsnummer, sozialversicherungsnummer, versicherungsnummer, rvnr, svnr, sv nummer, "
        "rentenversicherung, sozialversicherung, sozialversicherungsausweis",
    ),
    Row(
        "DE_TAX_ID", "[1-9][0-9]_[0-9]{3}_[0-9]{3}_[0-9]{3}", 0.6, 0.4, "de.idnr", 11,
        "steuer id, steueridentifikationsnummer, identifikationsnummer, idnr, steuernummer, tin, tax id",
    ),
    Row("DE_TAX_NUMBER", "[0-9]{2,3}/[0-9]{3,4}/[0-9]{4,5}", 0.2, 0.2, None, 9, _TAX_NUMBER),
    # The form of electronic tax returns, and the one with the number of the state before it.
    Row("DE_TAX_NUMBER", "[1-9][0-9]{3}0[0-9]{8}|(?:0[1-9]|1[0-6])[0-9]{11}", 0.05, 0.05, None, 13, _TAX_NUMBER),
    Row(
        "DE_VAT_ID", "DE_[0-9]{3}_[0-9]{3}_[0-9]{3}", 0.6, 0.8, "de.vat", 9,
        "ust id, ust idnr, ustid, ustidnr, umsatzsteuer id, umsatzsteuer identifikationsnummer, "
        "umsatzsteueridentifikationsnummer, mehrwertsteuer, vat, vat id",
        capitals=True,
    ),
)  # fmt: skip
