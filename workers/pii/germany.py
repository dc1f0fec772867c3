"""Numbers of Germany."""

from __future__ import annotations

from workers.pii.rows import Row

GERMANY = (
    Row(
        "DE_TAX_ID", "[1-9][0-9]_[0-9]{3}_[0-9]{3}_[0-9]{3}", 0.6, 0.4, "de.idnr", 11,
        "steuer id, steueridentifikationsnummer, identifikationsnummer, idnr, steuernummer, tin, tax id",
    ),
)  # fmt: skip
