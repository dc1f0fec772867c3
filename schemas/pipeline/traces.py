"""The model of ``telemetry.traces``: where spans are sent, and of which micro-batches."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from schemas.pipeline.fields import Strict, Text, http_url, refuse

_PATH = "/v1/traces"
"""The path of OTLP over HTTP, by its specification."""


def _endpoint(value: str) -> str:
    return http_url(value, "http://localhost:4318", "headers")


def _header_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value):
        raise refuse("is not the name of an HTTP header")
    return value


def _header_value(value: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", value):
        raise refuse("must be printable ASCII, without spaces around it")
    return value


class Traces(Strict):
    """Where spans are sent, and of which micro-batches."""

    endpoint: Annotated[Text, AfterValidator(_endpoint)]
    """The address of a collector that takes OTLP over HTTP, such as ``http://localhost:4318``. Without a path,
    ``/v1/traces`` is meant."""
    sample: Annotated[float, Field(ge=0.0, le=1.0)] = 0.01
    """The share of micro-batches that are traced, 0 to 1."""
    follow: bool = True
    """Also trace each micro-batch with an event that its producer has sampled, as its header ``traceparent`` says."""
    headers: (
        dict[Annotated[str, AfterValidator(_header_name)], Annotated[Text, AfterValidator(_header_value)]] | None
    ) = None
    """Headers of HTTP to send with the spans, such as the one with a collector's key."""

    @property
    def url(self) -> str:
        """The address that spans are sent to."""
        parts = urlsplit(self.endpoint)
        return self.endpoint if parts.path.strip("/") else f"{parts.scheme}://{parts.netloc}{_PATH}"
