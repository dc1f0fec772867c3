"""Numbers of Asian countries, with Israel's and Turkey's."""

from __future__ import annotations

from workers.pii.boundaries import FOUR_AND_LETTER
from workers.pii.rows import ORDERS, Row

_BORN = "[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
"""A date without its century."""
_KR_FRN = "frn, foreigner registration, alien registration, arc, 외국인등록번호, 외국인번호"
_TH_PROVINCE = "(?:[134][0-9]|2[0-7]|5[0-8]|6[0-7]|7[0-7]|8[0-6]|9[0-6])"
"""The codes of Thailand's provinces (ISO 3166-2:TH) in its national ids."""
_KR_RRN = "rrn, resident registration, 주민등록번호"
_GSTIN = "gstin, gst, goods and services tax"
_UEN = "uen, unique entity, acra, business registration"

ASIA = (
    Row(
        "CN_RESIDENT_ID", "[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]",
        0.8, 0.8, "cn_ric", 17, "身份证, 身份證, 身份证号, resident identity, resident id, id card",
    ),
    Row(
        "IL_ID_NUMBER", "[0-9]{7,8}-[0-9]|[0-9]{9}", 0.2, 0.2, "il.idnr", 8,
        "תעודת זהות, ת ז, teudat zehut, israeli id, israel id, mispar zehut",
    ),
    Row("IN_AADHAAR", "[2-9][0-9]{3}_[0-9]{4}_[0-9]{4}", 0.6, 0.4, "in_.aadhaar", 12, "aadhaar, aadhar, uidai"),
    Row(
        "IN_GSTIN", "[0-3][0-9][A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]", 0.95, 0.95, "in_.gstin", 4, _GSTIN,
        hint=FOUR_AND_LETTER,
    ),
    Row(
        "IN_PAN", "[A-Z]{3}[ABCFGHLJPTK][A-Z][0-9]{4}[A-Z]", 0.7, 0.7, "in_.pan", 4, "pan, permanent account",
        hint=FOUR_AND_LETTER,
    ),
    Row("IN_PASSPORT", "[A-PR-WY][1-9][0-9]{5}[1-9]", 0.05, 0.05, None, 7, "passport", against=ORDERS),
    Row("IN_VOTER", "[A-Z]{3}[0-9]{7}", 0.4, 0.4, "in_.epic", 7, "voter, epic, elector"),
    Row(
        "JP_MY_NUMBER", "[0-9]{4}_[0-9]{4}_[0-9]{4}", 0.4, 0.2, "jp.in_", 12,
        "my number, マイナンバー, 個人番号, kojin bango",
    ),
    Row(
        "KR_BRN", "[0-9]{3}_[0-9]{2}_[0-9]{5}", 0.5, 0.2, "kr_brn", 10,
        "brn, business registration, business number, tax registration, 사업자등록번호, 사업자번호, 사업자",
    ),
    Row(
        "KR_DRIVER_LICENSE", "(?:1[1-9]|2[0-68])_[0-9]{2}_[0-9]{6}_[0-9]{2}", 0.4, 0.05, None, 12,
        "driver license, driver s license, drivers license, driving licence, 운전면허, 면허번호",
    ),
    Row("KR_FRN", f"{_BORN}_[5-8][0-9]{{6}}", 0.75, 0.4, "kr_frn", 13, _KR_FRN),
    # Numbers given out since October 2020 have no check digit.
    Row("KR_FRN", f"{_BORN}_[5-8][0-9]{{6}}", 0.4, 0.05, None, 13, _KR_FRN),
    Row(
        "KR_PASSPORT", "[MSROD](?:[0-9]{3}[A-Z][0-9]{4}|[0-9]{8})", 0.05, 0.05, None, 7, "passport, 여권",
        against=ORDERS,
    ),
    Row("KR_RRN", "[0-9]{6}_[1-4][0-9]{6}", 0.75, 0.4, "kr.rrn", 13, _KR_RRN),
    Row("KR_RRN", f"{_BORN}_[1-4][0-9]{{6}}", 0.4, 0.05, None, 13, _KR_RRN),
    # The check is the one that Presidio uses.
    Row(
        "PH_TIN", "[0-9]{3}_[0-9]{3}_[0-9]{3}(?:_[0-9]{3,5})?", 0.4, 0.2, "ph_tin", 9,
        "tin, bir, taxpayer, tax id, rdo, revenue district",
    ),
    Row(
        "SG_NRIC_FIN", "[STFGM][0-9]{7}[A-Z]", 0.8, 0.8, "sg_nric", 7, "nric, fin, singapore, identity card",
    ),
    Row("SG_UEN", "[0-9]{8}[A-Z]|(?:1[89]|20)[0-9]{7}[A-Z]", 0.4, 0.4, "sg.uen", 8, _UEN),
    Row("SG_UEN", "[TSR][0-9]{2}[A-Z]{2}[0-9]{4}[A-Z]", 0.4, 0.4, "sg.uen", 4, _UEN, hint=FOUR_AND_LETTER),
    Row(
        "TH_TNIN", f"[1-8]_{_TH_PROVINCE}[0-9]{{2}}_[0-9]{{5}}_[0-9]{{2}}_[0-9]", 0.75, 0.35, "th.pin", 13,
        "thai, national id, identification, tnin",
    ),
    Row(
        "TR_NATIONAL_ID", "[1-9][0-9]{10}", 0.45, 0.45, "tr.tckimlik", 11,
        "tc kimlik, kimlik no, kimlik, tckn, tc no, turkish id, national id",
    ),
)  # fmt: skip
