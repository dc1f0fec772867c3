"""The Schema Registry's client: one request at a time, and its errors sorted by what follows from them."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from schemas.errors import AccessError, DecodeError, RegistryError, SettingError, UnknownSchemaError
from schemas.pipeline.registry import Registry
from stream.registry.schema_errors import UnusableSchemaError

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import Schema

_UNKNOWN = frozenset({40401, 40402, 40403})
"""The registry's codes for: there is no such subject, version, schema. A 404 without one comes from something else."""
_MOST_REFERENCES, _MOST_LEVELS = 1000, 100
"""Schemas that one schema may refer to, directly or not, and how many of them in a chain."""
_MOST_CHARACTERS = 4_000_000
"""Characters of a schema and all that it refers to. To read as many takes seconds."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Registered:
    """One schema.

    Attributes:
        kind: ``AVRO``, ``JSON`` or ``PROTOBUF``.
        text: the schema itself.
        references: what it refers to, directly or not: (name, text), each after those that it refers to itself.
    """

    kind: str
    text: str
    references: tuple[tuple[str, str], ...] = ()


class RegistryClient:
    """Asks one registry. Any thread may use it; each method blocks for up to the timeout of each address.

    What the methods raise tells what to do: UnknownSchemaError is about the event, RegistryError means that asking
    again later can help, and AccessError that a person must change the credentials.
    """

    def __init__(self, config: Registry) -> None:
        """Prepare a client; nothing is connected to. Raises SettingError."""
        require_libraries()
        from confluent_kafka.schema_registry import SchemaRegistryClient

        logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs every request with its URL
        settings: dict[str, Any] = {
            "url": ",".join(config.urls),
            "timeout": config.timeout_ms / 1000,
            "max.retries": 0,
            **(config.client or {}),
        }
        if config.username is not None:
            settings["basic.auth.user.info"] = f"{config.username}:{config.password}"
        for name, path in (("ca", config.ca), ("certificate", config.certificate), ("key", config.key)):
            if path is not None:
                settings[f"ssl.{name}.location"] = path
        try:
            self._client = SchemaRegistryClient(settings)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise SettingError(f"registry: a file of ca, certificate or key cannot be used: {reason}") from None
        except Exception as error:  # its message may quote a secret
            raise SettingError(f"registry: the client refuses its settings ({type(error).__name__})") from None

        weakref.finalize(self, self._client.close)  # connections are kept open between requests

    def schema(self, schema_id: int | str) -> Registered:
        """Return the schema with the number or UUID ``schema_id``.

        Raises UnknownSchemaError, UnusableSchemaError, RegistryError and AccessError.
        """
        if isinstance(schema_id, int):
            schema = self._ask(f"schema {schema_id}", lambda: self._client.get_schema(schema_id), one_schema=True)
        else:
            schema = self._ask(
                f"schema {schema_id}", lambda: self._client.get_schema_by_guid(schema_id), one_schema=True
            )
        return self._registered(schema)

    def latest(self, subject: str) -> tuple[int, Registered]:
        """Return the newest schema of ``subject``, and its number.

        Raises UnknownSchemaError, UnusableSchemaError, RegistryError and AccessError.
        """
        version = self._ask(f"subject {subject}", lambda: self._client.get_latest_version(subject))
        return int(version.schema_id or 0), self._registered(version.schema)

    def register(self, subject: str, registered: Registered, compatibility: str | None = None) -> int:
        """Register a schema, unless ``subject`` has it already, and return its number.

        ``compatibility`` is what the subject is set to first, if it is given. Raises SettingError if the registry
        refuses the schema; RegistryError and AccessError.
        """
        from confluent_kafka.schema_registry import Schema

        if compatibility is not None:
            level = compatibility.upper()
            self._ask(f"subject {subject}", lambda: self._client.set_compatibility(subject, level))
        schema = Schema(registered.text, registered.kind)
        return self._ask(f"subject {subject}", lambda: self._client.register_schema(subject, schema), refusable=True)

    def subjects(self, schema_id: int | str) -> list[str]:
        """Return the names of the subjects that have the schema; empty if that cannot be told now. For messages."""
        if not isinstance(schema_id, int):
            return []
        try:
            return sorted(self._ask("", lambda: self._client.get_subjects_by_schema_id(schema_id)))
        except (DecodeError, RegistryError, AccessError):
            return []

    def _registered(self, schema: Schema) -> Registered:
        references: dict[tuple[str, int], tuple[str, str]] = {}
        text = schema.schema_str or ""
        self._collect(schema, references, [], len(text))
        return Registered(schema.schema_type or "AVRO", text, tuple(references.values()))

    def _collect(
        self,
        schema: Schema,
        references: dict[tuple[str, int], tuple[str, str]],
        around: list[tuple[str, int]],
        characters: int,
    ) -> int:
        """Add to ``references`` what ``schema`` refers to, in an order in which each is after those that it needs.

        Args:
            schema: what to begin with.
            references: what is there already, by subject and version.
            around: the schemas that refer to this one, directly or not.
            characters: those of all schemas so far. Their new number is returned.
        """
        if characters > _MOST_CHARACTERS:
            raise UnusableSchemaError(f"has more than {_MOST_CHARACTERS} characters, with all that it refers to")
        for reference in schema.references or ():
            place = str(reference.subject), int(reference.version or 0)
            if place in references:
                continue
            what = f"version {place[1]} of subject {place[0]}"
            if place in around:
                raise UnusableSchemaError(f"refers to {what}, which refers to itself")
            if len(around) >= _MOST_LEVELS or len(references) >= _MOST_REFERENCES:
                raise UnusableSchemaError("refers to too many others")
            below = self._ask(what, partial(self._client.get_version, *place, deleted=True)).schema
            text = below.schema_str or ""
            characters = self._collect(below, references, [*around, place], characters + len(text))
            references[place] = (str(reference.name), text)
        return characters

    def _is_registry(self) -> bool:
        try:
            return "AVRO" in self._client.get_schema_types()
        except Exception:  # whatever it is, it is no answer of a registry
            return False

    def _ask(self, what: str, request: Callable[[], T], refusable: bool = False, one_schema: bool = False) -> T:
        from confluent_kafka.schema_registry.error import OAuthTokenError, SchemaRegistryError

        try:
            return request()
        except SchemaRegistryError as error:
            status, code = error.http_status_code, error.error_code
            if status in (401, 403):
                raise AccessError(f"the Schema Registry rejects the credentials of registry (HTTP {status})") from None
            if status == 404 and code in _UNKNOWN:
                raise UnknownSchemaError(f"the Schema Registry has no {what}") from None
            if refusable and status in (409, 422):
                why = "it is not compatible with the one before" if status == 409 else "it is not valid there"
                raise SettingError(f"the Schema Registry refuses the schema for {what}: {why}") from None
            # A registry without UUIDs, say, answers like a server that is none; but only a registry knows its types.
            if one_schema and status in (400, 404, 422) and self._is_registry():
                raise UnknownSchemaError(f"the Schema Registry has no {what}") from None
            raise RegistryError(f"the Schema Registry answers with HTTP {status}") from None
        except OAuthTokenError as error:
            refused = error.status_code
            if refused is not None and 400 <= refused < 500 and refused not in (408, 429):
                raise AccessError(f"no OAuth token for the Schema Registry (HTTP {refused})") from None
            raise RegistryError("no OAuth token for the Schema Registry can be had") from None
        except Exception as error:  # of the HTTP client, or an answer that is not a registry's
            raise RegistryError(f"the Schema Registry cannot be asked ({type(error).__name__})") from None


_LIBRARIES = ("httpx2", "authlib", "cachetools", "fastavro")
"""What the extra ``registry`` installs."""


def require_libraries() -> None:
    """Raise SettingError if a library of the extra ``registry`` is not installed."""
    for package in _LIBRARIES:
        if find_spec(package) is None:
            why = "reads Avro" if package == "fastavro" else "the client of Schema Registries needs"
            raise SettingError(f"{package} is not installed, which {why}: pip install 'glossator[registry]'")


def require_validation() -> None:
    """Raise SettingError if the library that validates JSON is not installed."""
    if not is_installed("jsonschema_rs"):
        raise SettingError("jsonschema-rs is not installed, which validates JSON: pip install 'glossator[registry]'")


def require_protobuf() -> None:
    """Raise SettingError if the library of the extra ``protobuf`` is not installed."""
    if not is_installed("google.protobuf"):
        raise SettingError("protobuf is not installed, which Protobuf needs: pip install 'glossator[protobuf]'")


def is_installed(module: str) -> bool:
    """Whether ``module`` can be imported. It is not."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package around it is missing, too
        return False
