"""National numbers: context words, refused neighbours, and what they score without a word near them.

Numbers are invented; where there is a check digit it was computed.
"""

from __future__ import annotations

import pytest

from tests.workers.pii.reading import values
from workers.pii.recognizers import Recognizers


@pytest.mark.parametrize(
    ("entity", "text", "value"),
    [
        ("DE_BSNR", "Betriebsstättennummer: 521111100.", "521111100"),
        ("DE_FUEHRERSCHEIN", "Fahrerlaubnis KA48271935M erteilt", "KA48271935M"),
        ("DE_FUEHRERSCHEIN", "führerschein b072rre2i55", "b072rre2i55"),
        ("DE_HANDELSREGISTER", "Amtsgericht Köln HRB 48213.", "HRB 48213"),
        ("DE_HANDELSREGISTER", "handelsregister: hra 991", "hra 991"),
        ("DE_HEALTH_INSURANCE", "KVNR M418573029", "M418573029"),
        ("DE_ID_CARD", "Ausweisnummer L7X3TK902", "L7X3TK902"),
        ("DE_ID_CARD", "personalausweis l7x3tk902", "l7x3tk902"),
        ("DE_ID_CARD", "alter Personalausweis T48271935", "T48271935"),
        ("DE_LANR", "Arztnummer 738412505", "738412505"),
        ("DE_PASSPORT", "Reisepassnummer C4VPY62M0", "C4VPY62M0"),
        ("DE_SOCIAL_SECURITY", "SV-Nummer 52230478K719", "52230478K719"),
        ("DE_SOCIAL_SECURITY", "geboren am, 52 230478 K 719", "52 230478 K 719"),
        ("DE_TAX_NUMBER", "St.-Nr. 181/815/08155", "181/815/08155"),
        ("DE_TAX_NUMBER", "Finanzamt, 0218150815123", "0218150815123"),
        ("DE_VAT_ID", "invoice of DE263819474, net", "DE263819474"),
        ("DE_VAT_ID", "ust-id de263819474", "de263819474"),
        ("ES_PASSPORT", "pab482719 es mi pasaporte", "pab482719"),
        ("IN_GSTIN", "billed to 29ACUPA7085R1ZH today", "29ACUPA7085R1ZH"),
        ("IN_PASSPORT", "my passport is K4827193", "K4827193"),
        ("IT_DRIVER_LICENSE", "patente di guida: U1K48B271Z", "U1K48B271Z"),
        ("IT_IDENTITY_CARD", "CIE CA48271AX", "CA48271AX"),
        ("IT_PASSPORT", "passaporto ya4827193", "ya4827193"),
        ("KR_BRN", "our BRN is 2148739065", "2148739065"),
        ("KR_BRN", "사업자등록번호는 214-87-39065입니다", "214-87-39065"),
        ("KR_DRIVER_LICENSE", "운전면허 11-08-482719-35", "11-08-482719-35"),
        ("KR_PASSPORT", "여권번호는 M482K7193입니다", "M482K7193"),
        ("MEDICAL_LICENSE", "DEA FK4318627", "FK4318627"),
        ("NG_NIN", "my NIN is 47281930569", "47281930569"),
        ("PH_TIN", "BIR TIN: 283-417-900-000", "283-417-900-000"),
        ("SE_ORGANISATIONSNUMMER", "org nr 556281-9044", "556281-9044"),
        ("SG_UEN", "UEN: T19LL4821H", "T19LL4821H"),
        ("UK_DRIVING_LICENCE", "licence JONES704238K99AB", "JONES704238K99AB"),
        ("UK_DRIVING_LICENCE", "dvla: jones754238k99ab", "jones754238k99ab"),
        ("UK_PASSPORT", "passport pk4827193 expires", "pk4827193"),
        ("US_MBI", "patient 4KX7-RM2-QT58", "4KX7-RM2-QT58"),
        ("US_MBI", "medicare 4kx7rm2qt58", "4kx7rm2qt58"),
        ("US_NPI", "National Provider Identifier 1482739053", "1482739053"),
    ],
)
def test_numbers_are_found(entity: str, text: str, value: str) -> None:
    values = [text[each.start : each.end] for each in Recognizers([entity]).find(text) if each.score >= 0.5]
    assert values == [value]


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("DE_BSNR", "BSNR 000000000, BSNR 5211111000"),
        ("DE_FUEHRERSCHEIN", "Führerschein KA4827193M, 4KA8271935M, KA48271935MX"),
        ("DE_HANDELSREGISTER", "HRC 48213, HR 48213, HRB 4821399, HRB, CHRB 4821"),
        ("DE_HEALTH_INSURANCE", "KVNR M418573028, M41857302, 4418573029"),
        ("DE_ID_CARD", "Ausweis L7X3TK903, L7X3TA902, T4827193"),
        ("DE_LANR", "Arztnummer 738412605, 73841250"),
        ("DE_PASSPORT", "Reisepass C4VPY62M1, B4VPY62M0, C4VPY62M"),
        ("DE_SOCIAL_SECURITY", "RVNR 52230478K710, 52331378K719, 52001278K719, 522304784719"),
        ("DE_TAX_NUMBER", "Steuernummer 1/815/08155, 1718150815123, 0018150815123"),
        ("DE_VAT_ID", "USt-IdNr. DE263819475, DE26381947, DE2638194740, FR263819474, MADE263819474"),
        ("ES_PASSPORT", "pasaporte PA482719, PABC48271, PAB48271, PAB4827199"),
        ("IN_GSTIN", "GSTIN 29ACUPA7085R1ZG, 00ACUPA7085R1ZH, 29ACUPA7085R1YH, 29ACUPA7085R1Z"),
        ("IN_PASSPORT", "passport K0827193, K482719, Q4827193, K4827190"),
        ("IT_DRIVER_LICENSE", "patente 994827193K, RM482719K, U1K48A271Z"),
        ("IT_IDENTITY_CARD", "carta d'identità CA4827AX, C48271AX, 482719AX"),
        ("IT_PASSPORT", "passaporto Y4827193, YAB482719"),
        ("KR_BRN", "BRN 214-87-39066, 214-87-3906, 214-00-39065, 100-87-39065"),
        ("KR_DRIVER_LICENSE", "운전면허 10-08-482719-35, 27-08-482719-35, 29-08-482719-35, 11-08-48271-35"),
        ("KR_PASSPORT", "여권 A482K7193, M48K7193, M4821K719, MM482K7193, M4827193"),
        ("MEDICAL_LICENSE", "DEA FK4318626, IK4318627, F14318627, FK431862"),
        ("NG_NIN", "NIN 47281930568, 4728193056, 472819305690"),
        ("PH_TIN", "TIN 283-417-901, 283-417-90, 000-000-000"),
        ("SE_ORGANISATIONSNUMMER", "orgnr 556281-9045, 19556281-9044, 55628x-9044, 551281-9040"),
        ("SG_UEN", "UEN 41872365K, T19LL4821J, A19LL4821H, T19ZZ4821H, 41872365"),
        ("UK_DRIVING_LICENCE", "licence JONES713238K99AB, JONES700238K99AB, JONES704328K99AB, JON9S704238K99AB"),
        ("UK_PASSPORT", "passport P48271935, PKA482719, PK482719"),
        ("US_MBI", "Medicare 0KX7-RM2-QT58, 4SX7-RM2-QT58, 4KX7-LM2-QT58, 4KX7-RM2-QT5, 4KX7RM2QT581"),
        ("US_NPI", "NPI 1482739054, 3482739053, 148273905, 14827390530"),
    ],
)
def test_their_neighbours_are_refused(entity: str, text: str) -> None:
    assert Recognizers([entity]).find(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "order 521111100", "KA48271935M", "M418573029", "L7X3TK902", "T48271935", "738412505", "de263819474",
        "181/815/08155", "PAB482719", "K4827193", "YA4827193", "CA48271AX", "11-08-482719-35", "M482K7193", "FK4318627",
        "47281930569", "5562819044", "2148739065", "283417900", "41872365J", "T19LL4821H", "4KX7RM2QT58",
        "it cost de 263 819 474 pesos",
    ],
)  # fmt: skip
def test_without_a_word_near_them_they_are_not_reported(text: str) -> None:
    assert values(text) == []
