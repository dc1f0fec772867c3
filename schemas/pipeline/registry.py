"""The model of ``registry:``, the Schema Registry that some encodings need.

``registry_checks.py`` has the rules that need other sections of the file.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from schemas.pipeline.fields import Strict, Text, http_url, refuse

FORMATS = ("avro", "protobuf", "json_schema")
"""Values of ``input.format`` with which each value names a schema in the registry; with Protobuf, it need not."""

SETTINGS = (
    "bearer.auth.client.id",
    "bearer.auth.client.secret",
    "bearer.auth.credentials.source",
    "bearer.auth.identity.pool.id",
    "bearer.auth.issuer.endpoint.url",
    "bearer.auth.logical.cluster",
    "bearer.auth.scope",
    "bearer.auth.token",
    "proxy",
    "ssl.key.password",
)
"""What ``registry.client`` may contain: settings of confluent-kafka's client that have no field here."""


def _url(value: str) -> str:
    if "," in value:
        raise refuse("must be the address of one registry; several are a list")
    return http_url(value, "http://localhost:8081", "username and password")


def _client_setting(value: Any) -> Any:
    if not isinstance(value, str):
        raise refuse("must be text")
    return value


_Url = Annotated[Text, AfterValidator(_url)]


class Registry(Strict):
    """Where the Schema Registry is, and how it is asked."""

    url: Annotated[
        Annotated[_Url, Tag("<scalar>")] | Annotated[list[_Url], Field(min_length=1, max_length=16), Tag("<list>")],
        Discriminator(lambda value: "<list>" if isinstance(value, list) else "<scalar>"),
    ]
    """The registry's address, such as ``http://localhost:8081``, or a list of addresses of one registry, which are
    tried in turn."""
    username: Text | None = None
    """The user for HTTP basic authentication. Needs ``password``."""
    password: Text | None = None
    """The password for HTTP basic authentication. Needs ``username``."""
    ca: Text | None = None
    """A PEM file with the authorities that may sign the registry's certificate; default: those of certifi."""
    certificate: Text | None = None
    """A PEM file with the worker's own certificate, for a registry that asks for one."""
    key: Text | None = None
    """A PEM file with the key of ``certificate``, unless that file contains it."""
    timeout_ms: Annotated[int, Field(ge=100, le=300_000)] = 10_000
    """Milliseconds that one request may take, 100 to 300,000."""
    client: dict[str, Annotated[str, BeforeValidator(_client_setting)]] | None = None
    """Other settings of confluent-kafka's client, by their names: ``bearer.auth.*`` for OAuth, ``proxy`` and
    ``ssl.key.password``."""

    @property
    def urls(self) -> list[str]:
        """The addresses at ``url``."""
        return [self.url] if isinstance(self.url, str) else self.url
