"""The names that CloudEvents 1.0 gives to headers of Kafka records, as its Kafka protocol binding says."""

from __future__ import annotations

import re

PREFIX = "ce_"
"""Attributes are headers with this prefix in binary mode."""
VERSION = "1.0"
STRUCTURED = "application/cloudevents"
"""How the content type of a structured CloudEvent begins."""
STRUCTURED_JSON = f"{STRUCTURED}+json"
CONTENT_TYPE = "content-type"
"""The header of the content type; its name is compared without regard to case."""
REQUIRED = ("id", "source", "type")
"""The attributes that every CloudEvent has, besides ``specversion``."""
OUR_ATTRIBUTES = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "dataschema", "datacontenttype", "causationid"}
)
"""The attributes that an enriched event has of its own; all others are those of the input."""
ATTRIBUTE = re.compile(r"[a-z0-9]+")
"""The names of attributes."""
