"""What belongs to forms, tables and letters and not to values: names of fields, borders of cells, greetings.

Models take them for names of people, or for parts of names and addresses, now and then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from workers.pii.finding import Finding

_ABBREVIATIONS = frozenset({
    "AHV", "BIC", "BSN", "CNP", "CVC", "CVV", "DL", "DNI", "DOB", "EXP", "FAX", "IBAN", "ID", "IP", "KVNR", "MRN",
    "NHS", "NIE", "NIF", "NINO", "NIR", "OIB", "PESEL", "PIN", "PNR", "QTY", "REF", "RMA", "SKU", "SSN", "SVNR", "TEL",
    "TIN", "URL", "VAT",
})  # fmt: skip
"""They are not names, whatever is next to them."""
_NAMES = frozenset({
    "account", "address", "adres", "adresse", "agent", "amount", "anschrift", "assignee", "author", "balance", "bank",
    "birthday", "branch", "caller", "card", "case", "category", "city", "claim", "client", "code", "company",
    "component", "contact", "country", "customer", "date", "date of birth", "department", "dob", "driver", "e-mail",
    "email", "employee", "employer", "exp", "fax", "first name", "from", "full name", "given name", "guest", "iban",
    "id", "insured", "invoice", "item", "last name", "licence", "license", "location", "mail", "manager", "member",
    "mobile", "model", "mrn", "naam", "nachname", "name", "nationality", "nom", "nombre", "note", "notes",
    "occupation", "order", "owner", "passenger", "passport", "patient", "payee", "phone", "plan", "policy", "postcode",
    "priority", "product", "queue", "recipient", "ref", "reference", "reporter", "room", "sender", "sex", "signed by",
    "ssn", "state", "status", "straße", "street", "subject", "supplier", "surname", "team", "tel", "telefon",
    "telephone", "tenant", "ticket", "to", "topic", "town", "type", "user", "vendor", "vorname", "website", "witness",
    "zip",
})  # fmt: skip
"""They name a field if a colon or an equals sign is behind them."""
_NEVER = frozenset({
    "atentamente", "bien à vous", "bonjour", "cheers", "ciao", "cordialement", "cordiali saluti", "dni", "geb",
    "geboren", "greetings", "groeten", "groetjes", "gruß", "grüße", "hallo", "hello", "hey", "heyy", "hi", "hii",
    "hola", "kind regards", "liebe grüße", "mfg", "mit freundlichen grüßen", "nir", "née", "né", "pozdrawiam",
    "regards", "saludos", "saluti", "sincerely", "thanks", "thank you", "un saludo", "viele grüße",
    "vriendelijke groet",
})  # fmt: skip
"""Greetings, and words of forms in other languages; in small letters."""
_BORDER = re.compile(r"[ \t]*[\t|][ \t]*|;(?=\S)|\"[,;]\"")
"""What is between the cells of a row, and not within a value."""
_SIGN = re.compile(r"[ \t]{0,2}[:=]")
_LEADING = re.compile(r"([^\W\d_][^\n:=]{1,20})[ \t]{0,2}[:=][ \t]{0,3}")
_TRAILING = re.compile(rf"(?:\.?\s+|[,;]\s*)(?:{'|'.join(sorted(_ABBREVIATIONS))})[.:\s]*\Z")
_LAST_LINE = re.compile(r"[ ,]*[\r\n]+[^\r\n]{1,20}\Z")
_REST_OF_FIELD = re.compile(r"[^\W_]?[\w -]{0,15}[:=](?!/)")


def without_field_names(finding: Finding, text: str) -> Finding | None:
    """Return ``finding`` without the name of a field at its beginning or at its end, on a line of its own.

    None if nothing else is in it ("DOB", "Adresse:"), or if it is a greeting.
    """
    start, end = finding.start, finding.end
    if "\n" in (value := text[start:end]) and _REST_OF_FIELD.match(text, end):
        last = _LAST_LINE.search(value)
        end -= len(last[0]) if last else 0
    if trailing := _TRAILING.search(text, max(start, end - 12), end):
        end = trailing.start()
    if (leading := _LEADING.match(text, start, end)) and leading[1].lower() in _NAMES:
        start = leading.end()
    value = text[start:end]
    alone = value.strip(" \t\r\n,;:-")
    if not alone or alone in _ABBREVIATIONS or alone.lower() in _NEVER:
        return None
    if value.lower() in _NAMES and _SIGN.match(text, end):
        return None
    return finding if (start, end) == (finding.start, finding.end) else replace(finding, start=start, end=end)


def in_cells(findings: Iterable[Finding], text: str) -> list[Finding]:
    """Divide findings where a cell of a row ends (``;``, ``|``, a tab, ``","``); a semicolon before a space ends none.

    ``findings`` are sorted by start and do not overlap; so are the returned ones.
    """
    cells: list[Finding] = []
    for finding in findings:
        start = finding.start
        for border in _BORDER.finditer(text, start, finding.end):
            if start < border.start():
                cells.append(replace(finding, start=start, end=border.start()))
            start = border.end()
        if start < finding.end:
            cells.append(replace(finding, start=start))
    return cells
