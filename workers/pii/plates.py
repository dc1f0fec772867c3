"""Postcodes and vehicle registrations.

Their forms are short and common, so that a task finds them only if it names them.
"""

from __future__ import annotations

from workers.pii.rows import Row

_VEHICLE = "registration, vehicle, number plate, license plate, licence plate, plate, car, reg, rto"
_INDIAN_STATES = (
    "AN|AP|AR|AS|BR|CG|CH|DD|DL|DN|GA|GJ|HP|HR|JH|JK|KA|KL|LA|LD|MH|ML|MN|MP|MZ|NL|OD|OR|PB|PY|RJ|SK|TN|TR|TS|UA|UK|UP"
    "|WB"
)

PLATES = (
    Row(
        "DE_KFZ", "[A-ZÄÖÜ]{1,3}[ -][A-Z]{1,2}[ -][0-9]{1,4}[EH]?", 0.3, 0.3, None, 1,
        "kennzeichen, kfz, kfz kennzeichen, nummernschild, fahrzeug, auto, pkw, lkw, zulassung",
    ),
    Row(
        "DE_PLZ", "(?!01000|99999)(?:0[1-9]|[1-9][0-9])[0-9]{3}", 0.05, 0.05, None, 5,
        "plz, postleitzahl, adresse, anschrift, wohnort, wohnhaft, lieferadresse, rechnungsadresse, straße, strasse",
    ),
    Row(
        "IN_VEHICLE_REGISTRATION",
        f"(?:{_INDIAN_STATES})[ -]?[0-9]{{1,2}}[ -]?[A-Z]{{1,3}}[ -]?(?!0000)[0-9]{{4}}", 0.6, 0.5, None, 4, _VEHICLE,
    ),
    Row("NG_VEHICLE_REGISTRATION", "[A-Z]{3}[- ]?[0-9]{3}[A-Z]{2}", 0.5, 0.3, None, 3, _VEHICLE),
    Row(
        "TR_LICENSE_PLATE", "(?:0[1-9]|[1-7][0-9]|8[01])[ -]?[A-PR-VYZ]{1,3}[ -]?[0-9]{2,4}", 0.3, 0.3, None, 2,
        "plaka, plakası, plakalı, araç, license plate, licence plate, number plate",
    ),
    Row(
        "UK_POSTCODE",
        "(?:GIR ?0AA|(?:[A-PR-UWYZ][0-9](?:[0-9]|[ABCDEFGHJKPSTUW])?"
        "|[A-PR-UWYZ][A-HK-Y][0-9](?:[0-9]|[ABEHMNPRVWXY])?) ?[0-9][ABD-HJLNP-UW-Z]{2})",
        0.6, 0.3, None, 1, "postcode, post code, postal code, address",
    ),
    Row(
        "UK_VEHICLE_REGISTRATION",
        "[A-HJ-PR-Y]{2}(?:0[1-9]|[12][0-9]|5[1-9]|[67][0-9])[ -]?[A-HJ-PR-Z]{3}", 0.6, 0.5, None, 2, _VEHICLE
    ),
    # The forms until 2001, with a letter for the year before or behind the number.
    Row(
        "UK_VEHICLE_REGISTRATION",
        "[A-HJ-NPR-TV-Y][0-9]{1,3}[ -]?[A-HJ-PR-Y][A-HJ-PR-Z]{2}|[A-HJ-PR-Z]{3}[ -]?[0-9]{1,3}[ -]?[A-HJ-NPR-TV-Y]",
        0.2, 0.2, None, 1, _VEHICLE,
    ),
)  # fmt: skip
