"""A descriptor set that cannot be used is a mistake of the place that is wrong, not only once brokers answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from schemas.errors import ConfigError
from schemas.pipeline.loader import load_file
from stream.codecs.proto_text import parse_proto
from tests.protobuf import POST
from workers.cli.main import cli
from workers.cli.schema_files import require_schema

FILE = """\
pipeline: p
kafka: {bootstrap.servers: "localhost:1"}
input:
  topics: [posts]
  format: protobuf
  descriptor_set: posts.desc
  message: shop.Post
  text: [$.text, $.titel]
tasks:
  - {name: tone, task: sentiment, model: starter}
output: {topic: enriched}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    post = POST.replace("string text", "string title = 77; string text")
    Path("posts.desc").write_bytes(FileDescriptorSet(file=[parse_proto(post, "p")]).SerializeToString())
    return tmp_path


def lint(text: str) -> Result:
    Path("p.yaml").write_text(text)
    return CliRunner().invoke(cli, ["lint", "p.yaml"])


def test_a_field_that_the_message_lacks_is_a_notice_among_others() -> None:
    result = lint(FILE)
    hint = 'shop.Post has no such field, did you mean "$.title"?'
    assert (result.exit_code, result.stderr) == (0, f"p.yaml:8:18 input.text[1]: {hint} (notice)\n")
    assert "  reads     posts (protobuf, text at $.text, $.titel)\n" in result.stdout
    assert lint(FILE.replace("titel", "title")).stderr == ""


@pytest.mark.parametrize(("text", "place"), [("$.id", "8:9 input.text"), ("[$.text, $.id]", "8:18 input.text[1]")])
def test_a_field_that_is_not_a_string_is_a_notice(text: str, place: str) -> None:
    result = lint(FILE.replace("[$.text, $.titel]", text))
    doubt = "what shop.Post has there is not a string: events that have it become dead letters"
    assert (result.exit_code, result.stderr) == (0, f"p.yaml:{place}: {doubt} (notice)\n")


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("message: shop.Post", "message: Post",
         '7:12 input.message: the file of input.descriptor_set has no message Post, did you mean "shop.Post"?'),
        ("[$.text, $.titel]", "$.txt",
         '8:9 input.text: there is no text: shop.Post has no field at $.txt, did you mean "$.text"?'),
        ("[$.text, $.titel]", "[$.a, $.b]",
         "8:9 input.text: there is no text: shop.Post has no field at $.a, $.b"),
        ("posts.desc", ".",
         "6:19 input.descriptor_set: the file of input.descriptor_set cannot be read: is a directory"),
        ("posts.desc", "p.yaml", "6:19 input.descriptor_set: the file of input.descriptor_set is not what protoc "
         "--descriptor_set_out writes"),
    ],
    ids=["message", "text", "texts", "folder", "garbage"],
)  # fmt: skip
def test_a_mistake_is_at_the_field_that_is_wrong(old: str, new: str, mistake: str) -> None:
    result = lint(FILE.replace(old, new))
    assert (result.exit_code, result.stdout, result.stderr) == (78, "", f"p.yaml:{mistake}\n")
    with pytest.raises(ConfigError) as raised:
        require_schema(load_file("p.yaml"))
    assert [str(problem) for problem in raised.value.problems] == [f"p.yaml:{mistake}"]


def test_a_missing_file_is_a_notice_for_lint_and_a_mistake_for_a_worker() -> None:
    message = "p.yaml:6:19 input.descriptor_set: there is no such file on this machine"
    result = lint(FILE.replace("posts.desc", "other.desc"))
    assert (result.exit_code, result.stderr) == (0, f"{message} (notice)\n")
    with pytest.raises(ConfigError) as raised:
        require_schema(load_file("p.yaml"))
    assert [str(problem) for problem in raised.value.problems] == [message]
