"""Numbers of Australia, Nigeria and South Africa."""

from __future__ import annotations

from workers.pii.rows import Row

AFRICA_OCEANIA = (
    Row("AU_ABN", "[0-9]{2}_[0-9]{3}_[0-9]{3}_[0-9]{3}", 0.6, 0.4, "au.abn", 11, "abn, australian business"),
    Row("AU_ACN", "[0-9]{3}_[0-9]{3}_[0-9]{3}", 0.35, 0.2, "au.acn", 9, "acn, australian company"),
    Row("AU_MEDICARE", "[2-6][0-9]{3}_[0-9]{5}_[0-9]", 0.6, 0.3, "au_medicare", 10, "medicare"),
    Row("AU_TFN", "[0-9]{3}_[0-9]{3}_[0-9]{3}", 0.35, 0.2, "au.tfn", 9, "tax file, tfn"),
    Row(
        "NG_NIN", "[0-9]{11}", 0.2, 0.2, "ng_nin", 11,
        "nin, nimc, national identification number, national identity number, nigerian",
    ),
    Row(
        "ZA_ID_NUMBER", "[0-9]{6}_[0-9]{4}_[0-2][0-9]_[0-9]", 0.6, 0.45, "za_id", 13,
        "south africa, south african, identity number, id number, id no",
    ),
)  # fmt: skip
