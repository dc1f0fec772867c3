"""The client's errors tell what to do: wait, ask a person, or give the event up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import pytest

from schemas.errors import AccessError, RegistryError, SettingError, UnknownSchemaError
from schemas.pipeline.registry import Registry
from stream.registry.client import RegistryClient
from stream.registry.schema_errors import UnusableSchemaError
from tests.registry import FakeRegistry, fake_registry

PASSWORD = "s3cret:words"


@pytest.fixture
def served() -> Iterator[FakeRegistry]:
    with fake_registry() as registry:
        yield registry


def _client(registry: FakeRegistry, **fields: object) -> RegistryClient:
    return RegistryClient(Registry.model_validate({"url": registry.url, "timeout_ms": 2000, **fields}))


def test_a_schema_comes_with_what_it_refers_to(served: FakeRegistry) -> None:
    served.add("a", '"string"')
    number = served.add("b", '"int"', references=[{"name": "x.A", "subject": "a", "version": 1}])
    schema = _client(served).schema(number)
    assert (schema.kind, schema.text, schema.references) == ("AVRO", '"int"', (("x.A", '"string"'),))
    assert _client(served).schema(served.guid(number)).text == '"int"'
    assert _client(served).subjects(number) == ["b"]


def test_references_are_bounded(served: FakeRegistry) -> None:
    def below(name: str) -> list[dict[str, object]]:
        return [{"name": name, "subject": name, "version": 1}]

    served.add("a", '"string"', references=below("b"))
    served.add("b", '"string"', references=below("a"))
    with pytest.raises(UnusableSchemaError, match=r"^refers to version 1 of subject a, which refers to itself$"):
        _client(served).schema(2)
    served.add("c0", '"string"')
    for number in range(1, 103):
        served.add(f"c{number}", f'"{number}"', references=below(f"c{number - 1}"))
    assert len(_client(served).latest("c100")[1].references) == 100
    with pytest.raises(UnusableSchemaError, match=r"^refers to too many others$"):
        _client(served).latest("c101")
    large = '"' + "x" * 1_500_000 + '"'
    for name in ("d", "e"):
        served.add(name, large.replace("x", name))
    both = [*below("d"), *below("e")]
    with pytest.raises(UnusableSchemaError, match=r"^has more than 4000000 characters, with all that it refers to$"):
        _client(served).schema(served.add("f", large, references=both))
    assert len(_client(served).schema(served.add("g", '"int"', references=both)).references) == 2


@pytest.mark.parametrize("status", [400, 403, 408, 422, 429, 500, 502, 503])
def test_only_a_plain_answer_makes_a_schema_unknown(served: FakeRegistry, status: int) -> None:
    served.status = status
    with pytest.raises(AccessError if status == 403 else RegistryError, match=f"HTTP {status}"):
        _client(served).schema(1)
    served.status = None
    with pytest.raises(UnknownSchemaError, match="the Schema Registry has no schema 1"):
        _client(served).schema(1)


def test_a_registry_without_uuids_knows_none(served: FakeRegistry) -> None:
    served.has_guids = False
    with pytest.raises(UnknownSchemaError, match="the Schema Registry has no schema 0000"):
        _client(served).schema("00000000-0000-0000-0000-000000000001")


def test_a_server_that_is_no_registry_makes_no_schema_unknown(served: FakeRegistry) -> None:
    with pytest.raises(RegistryError, match="HTTP 404"):
        RegistryClient(Registry(url=f"{served.url}/elsewhere")).schema(1)
    served.page = "<html>Welcome</html>"
    with pytest.raises(RegistryError, match="cannot be asked"):
        _client(served).schema(1)


def test_a_registry_that_is_away_or_slow(served: FakeRegistry) -> None:
    client = _client(served, timeout_ms=100)
    served.delay = 0.4
    with pytest.raises(RegistryError, match=r"cannot be asked \(ReadTimeout\)"):
        client.schema(1)
    served.close()
    with pytest.raises(RegistryError, match=r"cannot be asked \(ConnectError\)"):
        client.schema(1)
    assert client.subjects(1) == []


def test_several_addresses_are_tried_in_turn(served: FakeRegistry) -> None:
    number = served.add("a", '"string"')
    client = _client(served, url=["http://127.0.0.1:9", served.url])
    assert client.schema(number).text == '"string"'


def test_credentials(served: FakeRegistry) -> None:
    served.login = ("reader", PASSWORD)
    number = served.add("a", '"string"')
    assert _client(served, username="reader", password=PASSWORD).schema(number).text == '"string"'
    for wrong in ({}, {"username": "reader", "password": "wrong"}):
        with pytest.raises(AccessError, match=r"rejects the credentials of registry \(HTTP 401\)"):
            _client(served, **wrong).schema(number)


def test_settings_that_the_client_refuses_are_not_quoted(served: FakeRegistry, tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        _client(served, client={"bearer.auth.credentials.source": PASSWORD})
    assert PASSWORD not in str(caught.value)
    with pytest.raises(SettingError, match="a file of ca, certificate or key cannot be used: No such file"):
        _client(served, ca=str(tmp_path / "ca.pem"))


@pytest.mark.parametrize("package", ["httpx2", "fastavro"])
def test_a_missing_extra_is_named(served: FakeRegistry, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    find_spec = util.find_spec
    monkeypatch.setattr("stream.registry.client.find_spec", lambda name: None if name == package else find_spec(name))
    with pytest.raises(
        SettingError, match=f"{package} is not installed.*" + re.escape("pip install 'glossator[registry]'")
    ):
        _client(served)
