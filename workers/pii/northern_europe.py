"""Numbers of Denmark, Estonia, Iceland, Lithuania and Norway; Finland's and Sweden's are in ``europe``."""

from __future__ import annotations

from workers.pii.rows import Row

NORTHERN_EUROPE = (
    # Numbers given out since October 2007 have no check digit.
    Row("DK_CPR", "[0-9]{6}-[0-9]{4}|[0-9]{10}", 0.4, 0.05, "dk.cpr", 10, "cpr, cprnr, cprnummer, personnummer"),
    Row("EE_ISIKUKOOD", "[1-8][0-9]{10}", 0.3, 0.3, "ee.ik", 11, "isikukood, personal code, personal identification"),
    Row("IS_KENNITALA", "[0-9]{6}-?[0-9]{4}", 0.4, 0.2, "is_.kennitala", 10, "kennitala, kt"),
    Row("LT_ASMENS_KODAS", "[1-6][0-9]{10}", 0.3, 0.3, "lt.asmens", 11, "asmens kodas, asmens kodą, personal code"),
    Row(
        "NO_FODSELSNUMMER", "[0-9]{6}_[0-9]{5}", 0.45, 0.4, "no.fodselsnummer", 11,
        "fødselsnummer, fodselsnummer, personnummer, fnr, d nummer, fødselsnr",
    ),
)  # fmt: skip
