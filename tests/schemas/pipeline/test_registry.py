"""``registry:``: every mistake has its place, and no secret is quoted."""

from __future__ import annotations

import pytest

from schemas.errors import ConfigError
from schemas.pipeline.loader import parse
from tests.schemas.pipeline.pipelines import GOOD

AVRO = GOOD.replace("format: json", "format: avro")
SECRET = "s3cret-words"
URL = "url: 'http://registry:8081'"


def _wrong(registry: str) -> list[str]:
    """Return the mistakes of ``registry: {...}`` behind a good file; the first is at the ``»`` in it."""
    column = f"registry: {{{registry}".find("»") + 1
    try:
        parse(f"{AVRO}registry: {{{registry.replace('»', '')}}}\n", environ={})
    except ConfigError as error:
        assert SECRET not in str(error)
        assert error.problems[0].line == AVRO.count("\n") + 1
        assert not column or error.problems[0].column == column
        return [f"{problem.path}: {problem.message}" for problem in error.problems]
    return []


ADDRESS = "must be a URL that begins with http:// or https://, for example http://localhost:8081"
MISTAKES = {
    "no scheme": ("url: »registry.example.com", [f"registry.url: {ADDRESS}"]),
    "port for a scheme": ("url: »'registry:8081'", [f"registry.url: {ADDRESS}"]),
    "another scheme": ("url: »'ftp://registry'", [f"registry.url: {ADDRESS}"]),
    "no host": ("url: »'http://'", [f"registry.url: {ADDRESS}"]),
    "no port": ("url: »'http://r:port'", ["registry.url: is not a URL"]),
    "one of several": ("url: ['http://a', »b]", [f"registry.url[1]: {ADDRESS}"]),
    "several in one": (
        "url: »'http://a,http://b'", ["registry.url: must be the address of one registry; several are a list"]
    ),
    "no url": ("timeout_ms: 1000", ["registry.url: missing field"]),
    "credentials in the url": (
        f"url: »'http://me:{SECRET}@registry'",
        ["registry.url: must not contain credentials; use username and password"],
    ),
    "half a login": (f"{URL}, password: »{SECRET}", ['registry.password: needs "username", too']),
    "key alone": (f"{URL}, key: »key.pem", ['registry.key: needs "certificate", too']),
    "unknown field": (f"{URL}, »usrname: me", ['registry.usrname: unknown field, did you mean "username"?']),
    "another's name": (
        f"{URL}, client: {{basic.auth.user.info: »'me:{SECRET}'}}",
        ['registry.client.basic.auth.user.info: is set with registry.username and password'],
    ),
    "unknown setting": (
        f"{URL}, client: {{bearer.auth.tokn: »{SECRET}}}",
        ['registry.client.bearer.auth.tokn: unknown setting, did you mean "bearer.auth.token"?'],
    ),
    "our own setting": (
        f"{URL}, client: {{max.retries: »'3'}}",
        ['registry.client.max.retries: cannot be set: the worker keeps schemas and asks again by itself'],
    ),
    "number for text": (f"{URL}, client: {{proxy: »3}}", ["registry.client.proxy: must be text"]),
    "too slow": (f"{URL}, timeout_ms: »1", ["registry.timeout_ms: must be between 100 and 300000"]),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_has_its_place(name: str) -> None:
    registry, messages = MISTAKES[name]
    assert _wrong(registry) == messages


def test_good_ones() -> None:
    assert _wrong(f"{URL}, username: me, password: {SECRET}, certificate: a, key: b, client: {{proxy: x}}") == []
    assert _wrong("url: ['https://a/apis/ccompat/v7', 'http://[::1]:8081']") == []


def test_a_descriptor_set_takes_the_place_of_a_registry() -> None:
    described = GOOD.replace("format: json", "format: protobuf\n  descriptor_set: p.desc\n  message: a.B")
    assert parse(described, environ={}).registry is None
    with pytest.raises(ConfigError, match="registry: is not used: no format of input or output is one of avro, proto"):
        parse(f"{described}registry: {{{URL}}}\n", environ={})
