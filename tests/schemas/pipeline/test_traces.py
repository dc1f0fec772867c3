"""``telemetry.traces``: every mistake has its place, and no secret is quoted."""

from __future__ import annotations

import pytest

from schemas.errors import ConfigError
from schemas.pipeline.loader import parse
from tests.schemas.pipeline.pipelines import GOOD

SECRET = "s3cret-words"
URL = "endpoint: 'http://c:4318'"
PREFIX = "telemetry: {traces: {"
ADDRESS = "must be a URL that begins with http:// or https://, for example http://localhost:4318"
MISTAKES = {
    "no scheme": ("endpoint: »collector.example.com", f"endpoint: {ADDRESS}"),
    "port for a scheme": ("endpoint: »'localhost:4318'", f"endpoint: {ADDRESS}"),
    "gRPC": ("endpoint: »'grpc://c:4317'", f"endpoint: {ADDRESS}"),
    "no port": ("endpoint: »'http://c:port'", "endpoint: is not a URL"),
    "a space": ("endpoint: »'http://c :1'", "endpoint: is not a URL"),
    "a query": ("endpoint: »'http://c?key=1'", "endpoint: must be a URL without a query or a fragment"),
    "credentials in the url": (
        f"endpoint: »'http://me:{SECRET}@c'", "endpoint: must not contain credentials; use headers"
    ),
    "too many": (f"{URL}, sample: »1.5", "sample: must be between 0 and 1"),
    "percent": (f"{URL}, sample: »'1 %'", "sample: must be a number between 0 and 1"),
    "no number": (f"{URL}, sample: ».nan", "sample: must be between 0 and 1"),
    "a header's name": (f"{URL}, headers: {{»'a b': {SECRET}}}", "headers[\"a b\"]: is not the name of an HTTP header"),
    "two headers in one": (
        f"{URL}, headers: {{a: »\"{SECRET}\\r\\nb: c\"}}",
        "headers.a: must be printable ASCII, without spaces around it",
    ),
    "unknown field": (f"{URL}, »sampel: 0.1", 'sampel: unknown field, did you mean "sample"?'),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_reported_with_its_place(name: str) -> None:
    written, message = MISTAKES[name]
    with pytest.raises(ConfigError) as raised:
        parse(f"{GOOD}{PREFIX}{written.replace('»', '')}}}}}\n", environ={})
    (problem,) = raised.value.problems
    assert f"{problem.path}: {problem.message}" == f"telemetry.traces.{message}"
    assert (problem.line, problem.column) == (GOOD.count("\n") + 1, len(PREFIX) + written.index("»") + 1)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://c:4318", "http://c:4318/v1/traces"),
        ("https://c/", "https://c/v1/traces"),
        ("http://c/otlp/v1/traces", "http://c/otlp/v1/traces"),
        ("http://[::1]:4318", "http://[::1]:4318/v1/traces"),
    ],
)
def test_the_path_is_that_of_otlp_unless_there_is_one(endpoint: str, url: str) -> None:
    traces = parse(f"{GOOD}{PREFIX}endpoint: '{endpoint}'}}}}\n", environ={}).telemetry.traces
    assert traces is not None
    assert (traces.url, traces.sample, traces.follow) == (url, 0.01, True)
