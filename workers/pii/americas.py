"""Numbers of the United States, Canada and Latin America."""

from __future__ import annotations

from workers.pii.boundaries import CODE, LONG_RUN
from workers.pii.rows import ORDERS, Row

_NINE = "[0-9]{3}_[0-9]{3}_[0-9]{3}"

AMERICAS = (
    Row("ABA_ROUTING_NUMBER", "[0-9]{4}_[0-9]{4}_[0-9]", 0.4, 0.2, "us.rtn", 9, "routing, aba, rtn, wire"),
    Row("AR_CUIT", "(?:2[03-7]|3[034])-?[0-9]{8}-?[0-9]", 0.6, 0.4, "ar.cuit", 11, "cuit, cuil"),
    Row(
        "BR_CPF", r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|[0-9]{3}_[0-9]{3}_[0-9]{3}_[0-9]{2}", 0.9, 0.45, "br.cpf", 11,
        "cpf, cadastro de pessoas",
    ),
    Row("CA_SIN", _NINE, 0.5, 0.2, "ca.sin", 9, "sin, social insurance, nas, assurance sociale"),
    Row(
        "CL_RUT", r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9K]|[0-9]{7,8}-[0-9K]", 0.4, 0.4, "cl.rut", 7,
        "rut, rol único tributario",
    ),
    Row(
        "MEDICAL_LICENSE", "[ABCDEFGHJKLMPRSTUX][A-Z9][0-9]{7}", 0.4, 0.4, "us_dea", 7,
        "dea, medical license, medical licence, prescriber, certificate, practitioner",
    ),
    Row("MX_CURP", "[A-Z]{4}[0-9]{6}[HM][A-Z]{5}[0-9A-Z][0-9]", 0.9, 0.9, "mx.curp", 6, "curp", hint=LONG_RUN),
    Row(
        "US_BANK_NUMBER", "[0-9]{8,17}", 0.05, 0.05, None, 8,
        "account, acct, bank, checking, savings, debit",
    ),
    Row(
        "US_DRIVER_LICENSE", "[A-Za-z]{1,2}[0-9]{5,14}[A-Za-z]?|[0-9]{7,9}", 0.05, 0.05, None, 5,
        "driver license, driver s license, driver licence, driver s licence, drivers license, drivers licence, "
        "driving license, driving licence, dl",
    ),
    Row(
        "US_ITIN", "9[0-9]{2}_[5-9][0-9]_[0-9]{4}", 0.65, 0.05, "us_itin", 9,
        "itin, taxpayer, tax id, tax identification, tin",
    ),
    Row(
        "US_MBI",
        "[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]_[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]_"
        "[AC-HJKMNP-RT-Y]{2}[0-9]{2}",
        0.6, 0.3, None, 1, "mbi, medicare, beneficiary, medicaid, hicn", hint=CODE,
    ),
    Row(
        "US_NPI", "[12][0-9]{3}_[0-9]{3}_[0-9]{3}", 0.4, 0.2, "us_npi", 10,
        "npi, national provider, provider identifier, provider id",
    ),
    Row("US_PASSPORT", "[A-Z]?[0-9]{8,9}", 0.05, 0.05, None, 8, "passport, travel document", against=ORDERS),
    Row(
        "US_SSN", "[0-9]{3}_[0-9]{2}_[0-9]{4}", 0.65, 0.05, "us_ssn", 9,
        "ssn, social security",
    ),
)  # fmt: skip
