"""Checks the ``kafka`` section of a pipeline file as the Kafka client would, without a connection."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from schemas.pipeline.checks import RESERVED, Mistakes
from schemas.pipeline.wording import did_you_mean
from stream.kafka.rejections import is_about_one, worded
from stream.kafka.settings import Settings, consumer_settings, producer_settings
from stream.kafka.vocabulary import SETTINGS

_ADDRESSES = ("bootstrap.servers", "metadata.broker.list")
_FILES = (
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.keystore.location",
    "ssl.crl.location",
)
"""Settings that name a file, which the client reads if it uses TLS."""
_ASKS_AT_ONCE = ("GSSAPI", "OAUTHBEARER")
"""SASL mechanisms with which a client asks for tickets or tokens as soon as it is made."""


def client_mistakes(raw: Mapping[str, Any]) -> Mistakes:
    """Yield what the Kafka client itself would reject in ``raw``, the pipeline file as plain values.

    Files that are not on this machine are no mistake: ``absent_files`` finds them.
    """
    settings = raw.get("kafka")
    if isinstance(settings, Mapping):
        for name, message in check_settings(settings):
            yield ("kafka", name) if name else ("kafka",), message


def run_mistakes(raw: Mapping[str, Any]) -> Mistakes:
    """Yield what ``client_mistakes`` yields, and files that a worker on this machine could not read."""
    yield from client_mistakes(raw)
    settings = raw.get("kafka")
    if isinstance(settings, Mapping):
        for name, message in (*absent_files(settings), *absent_libraries(settings)):
            yield ("kafka", name), message


def check_settings(settings: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    """Return (setting or None, problem) for what the client does not know, or rejects. Values are never quoted.

    Nothing is connected to: the clients are made without addresses. Each setting is tried alone, so every mistake is
    found at once, and if there is none, all together. Values that are no text, number or truth value are left out.
    """
    usable = {
        name: value
        for name, value in settings.items()
        if isinstance(value, str | int | float) and name not in RESERVED and name not in _ADDRESSES
    }
    problems: list[tuple[str | None, str]] = []
    for name, value in usable.items():
        if _is_aws(name, value):
            continue  # alone it is refused, because it needs the region and the audience
        error = _refusal({name: value})
        if error is not None and is_about_one(error):
            _, message = worded(error, {name: value})
            unknown = "No such configuration property" in error.str()
            problems.append((name, message + (did_you_mean(name, SETTINGS) if unknown else "")))
    if problems or list(absent_files(usable)) or _mechanism(usable) in _ASKS_AT_ONCE:
        return problems
    error = _refusal(producer_settings(usable)) or _refusal(consumer_settings(usable, "check"), Consumer)
    return [worded(error, usable)] if error is not None else []


def absent_files(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield (setting, what is wrong) for each file that the client would have to read and cannot."""
    if not str(settings.get("security.protocol", "")).lower().endswith("ssl"):
        return
    for name in _FILES:
        path = settings.get(name)
        if not isinstance(path, str) or not path or (name == "ssl.ca.location" and path == "probe"):
            continue
        try:
            # A folder of certificates is fine for ssl.ca.location.
            if name != "ssl.ca.location" or not Path(path).is_dir():
                Path(path).open("rb").close()
        except FileNotFoundError:
            yield name, "there is no such file on this machine"
        except (OSError, ValueError) as error:
            yield name, f"the file cannot be read: {getattr(error, 'strerror', None) or 'not a file name'}"


def absent_libraries(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield (setting, what is wrong) for each setting that needs a library which is not installed."""
    for name, value in settings.items():
        if _is_aws(name, value) and find_spec("boto3") is None:
            yield name, "tokens of AWS need boto3, which is not installed: pip install 'glossator[aws]'"


def _is_aws(name: str, value: object) -> bool:
    return name == "sasl.oauthbearer.metadata.authentication.type" and value == "aws_iam"


def _mechanism(settings: Settings) -> str:
    return str(settings.get("sasl.mechanism", settings.get("sasl.mechanisms", ""))).upper()


def _refusal(settings: Mapping[str, Any], kind: type[Producer] | type[Consumer] = Producer) -> KafkaError | None:
    """Return why the client cannot be made with ``settings``, or None."""
    quiet = logging.getLogger("glossator.kafka.check")
    quiet.disabled = True
    try:
        client = kind(dict(settings), logger=quiet)
    except KafkaException as exception:
        error: KafkaError = exception.args[0]
        return error
    except (TypeError, ValueError, AttributeError):  # a setting that is a function in the Python client
        return KafkaError(KafkaError._INVALID_ARG, "must be set through dedicated functions")
    if isinstance(client, Consumer):
        client.close()
    return None
