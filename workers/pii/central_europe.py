"""Numbers of Austria, Bulgaria, Croatia, Czechia, Greece, Romania, Slovakia, Slovenia and Switzerland."""

from __future__ import annotations

from workers.pii.rows import Row

CENTRAL_EUROPE = (
    Row(
        "AT_SVNR", "[1-9][0-9]{3}_[0-9]{6}", 0.4, 0.2, "at.vnr", 10,
        "svnr, svn, vsnr, sv nr, sv nummer, sozialversicherungsnummer, versicherungsnummer",
    ),
    Row("BG_EGN", "[0-9]{10}", 0.2, 0.2, "bg.egn", 10, "egn, егн, единен граждански номер"),
    Row(
        "CH_AHV", "756_[0-9]{4}_[0-9]{4}_[0-9]{2}", 0.9, 0.6, "ch.ssn", 13,
        "ahv, ahv nr, ahv nummer, avs, no avs, numéro avs, numero avs, sozialversicherungsnummer",
    ),
    Row(
        "CZ_SK_BIRTH_NUMBER", "[0-9]{6}/?[0-9]{3,4}", 0.45, 0.2, "cz.rc", 9,
        "rodné číslo, rodne cislo, rodného čísla, rč",
    ),
    Row("GR_AMKA", "[0-9]{11}", 0.2, 0.2, "gr.amka", 11, "amka, αμκα"),
    Row("HR_OIB", "[0-9]{11}", 0.2, 0.2, "hr.oib", 11, "oib, osobni identifikacijski broj"),
    Row("RO_CNP", "[1-9][0-9]{12}", 0.4, 0.4, "ro.cnp", 13, "cnp, cod numeric personal"),
    Row("SI_EMSO", "[0-9]{13}", 0.3, 0.3, "si.emso", 13, "emšo, emso, jmbg, matična številka, matični broj"),
)  # fmt: skip
