"""``glossator reveal`` turns encrypted values and dead letters back, and says what it could not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from schemas.errors import SettingError
from schemas.pipeline.redaction import EncryptionKey
from schemas.record import Assignment, Record
from stream.output.redaction.envelope import sealer
from stream.output.redaction.keys import Key
from stream.output.redaction.tokens import encryptor
from tests.stream.output.redaction.lib import SECRET, redacting
from workers.cli.keys import decryption_keys
from workers.cli.main import cli
from workers.cli.reveal import EPILOG

KEY, OTHER = Key(SECRET), Key(bytes(32))
ENVIRON = {"KEY_1": SECRET.hex(), "KEY_0": bytes(32).hex(), "SHORT": "ab"}
ONE = ("--key", "k1=env:KEY_1")
TOKEN, OLD = encryptor("k1", KEY, "siv")("Anna"), encryptor("k0", OTHER, "gcm")('Tom "the cat"')
RECORD = Record(Assignment("posts", 3), 1842, b"user-7", b'{"body": "Anna"}', [("x", b"\xff"), ("none", None)])
LETTER, OLD_LETTER = sealer("k1", KEY)(RECORD), sealer("k0", OTHER)(Record(Assignment("posts", 0), 1, None, None))


def reveal(*arguments: str, stdin: bytes = b"", **environ: str) -> Result:
    return CliRunner(env={**ENVIRON, **environ}).invoke(cli, ["reveal", *arguments], input=stdin)


def test_arguments_are_texts() -> None:
    result = reveal(*ONE, f"Hello {TOKEN}!", "nothing here", f"ü {TOKEN}{TOKEN}")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "Hello Anna!\nnothing here\nü AnnaAnna\n", "")


def test_the_example_of_the_help_is_right() -> None:
    (token,) = re.findall(r"ENC\[k1:[\w-]+\]", EPILOG)
    assert reveal(*ONE, token).stdout == "Anna\n"


def test_lines_of_standard_input_keep_every_other_byte() -> None:
    lines = [
        f'{{"big": 12345678901234567890123, "text":  "{OLD} \\u00e9", "id": "{TOKEN}"}}\n'.encode(),
        f"\xff\xfe {OLD}\r\n".encode("latin-1"), b"\n", f"{{not json {OLD}\n".encode(), f"[1, \"{OLD}\"]".encode(),
    ]  # fmt: skip
    result = reveal(*ONE, "--key", "k0=env:KEY_0", stdin=b"".join(lines))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes.splitlines(keepends=True) == [
        b'{"big": 12345678901234567890123, "text":  "Tom \\"the cat\\" \\u00e9", "id": "Anna"}\n',
        b'\xff\xfe Tom "the cat"\r\n', b"\n", b'{not json Tom "the cat"\n', b'[1, "Tom \\"the cat\\""]',
    ]  # fmt: skip


@pytest.mark.parametrize("text", [b"", b"\n", b"x", b"\n\n{}\n"])
def test_what_has_no_token_passes(text: bytes) -> None:
    result = reveal(*ONE, stdin=text)
    assert (result.exit_code, result.stdout_bytes) == (0, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (OLD, "glossator: 1 token needs the key k0\n"),
        (f"{OLD} {TOKEN} {OLD}", "glossator: 2 tokens need the key k0\n"),
        (TOKEN[:-5], "glossator: 1 token was changed, cut, or encrypted with another key\n"),
        (f"{TOKEN[:-5]} {TOKEN[:-1]}", "glossator: 2 tokens were changed, cut, or encrypted with another key\n"),
        (f"{TOKEN[:-2]}] {OLD}", "glossator: 1 token needs the key k0\n"
         "glossator: 1 token was changed, cut, or encrypted with another key\n"),
    ],
    # Tokens with a random nonce differ from process to process, and so would the names of the tests.
    ids=["other-key", "other-key-twice", "cut", "cut-twice", "cut-and-other-key"],
)  # fmt: skip
def test_what_cannot_be_decrypted_stays_and_is_counted(text: str, message: str) -> None:
    result = reveal(*ONE, text)
    assert (result.exit_code, result.stdout, result.stderr) == (65, text.replace(TOKEN, "Anna") + "\n", message)


def test_the_wrong_key_decrypts_nothing() -> None:
    result = reveal("--key", "k1=env:KEY_0", TOKEN)
    assert (result.exit_code, result.stdout) == (65, f"{TOKEN}\n")
    assert result.stderr == "glossator: 1 token was changed, cut, or encrypted with another key\n"


def test_dead_letters_are_decrypted_one_after_the_other() -> None:
    result = reveal(*ONE, "--key", "k0=env:KEY_0", stdin=LETTER + b"\n" + OLD_LETTER + LETTER)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout_bytes == b'{"body": "Anna"}\n\n{"body": "Anna"}\n'
    records = [json.loads(line) for line in reveal(
        *ONE, "--key", "k0=env:KEY_0", "--record", stdin=LETTER + OLD_LETTER
    ).stdout.splitlines()]  # fmt: skip
    assert records == [
        {"topic": "posts", "partition": 3, "offset": 1842, "key": "user-7",
         "headers": [["x", {"base64": "/w=="}], ["none", None]], "value": '{"body": "Anna"}'},
        {"topic": "posts", "partition": 0, "offset": 1, "key": None, "headers": [], "value": None},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stdin", "printed", "message"),
    [
        (OLD_LETTER + LETTER, 1, "glossator: letter 1 needs the key k0\n"),
        (LETTER + LETTER[:-1], 1, "glossator: letter 2 is cut off\n"),
        (LETTER + b"x" + LETTER, 1, "glossator: letter 2 is not an encrypted dead letter\n"),
        (LETTER[:-1] + b"\0" + LETTER, 1, "glossator: letter 1 was changed, or encrypted with another key k1\n"),
    ],
)
def test_a_letter_that_cannot_be_decrypted_harms_no_other(stdin: bytes, printed: int, message: str) -> None:
    result = reveal(*ONE, stdin=stdin)
    assert (result.exit_code, result.stdout_bytes, result.stderr) == (65, b'{"body": "Anna"}\n' * printed, message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no key to decrypt with: use --key, or --pipeline with a file that has redact.keys.encrypt"),
        (("--key", "k1=env:NONE"), "no key to decrypt with: key k1: environment variable NONE is not set"),
        (("--key", "k1=env:SHORT", "--key", "k2=file:/none"), "no key to decrypt with: key k1: environment variable "
         "SHORT has 1 bytes; a key needs 16 or more; key k2: the file cannot be read: no such file or directory"),
        (("--pipeline", "none.yaml"), None),
    ],
)  # fmt: skip
def test_a_key_that_is_missing_is_a_wrong_setting(arguments: tuple[str, ...], message: str | None) -> None:
    result = reveal(*arguments, TOKEN)
    assert (result.exit_code, result.stdout) == (78, "")
    if message:
        assert result.stderr == f"glossator: {message}\n"


@pytest.mark.parametrize("value", ["k1", SECRET.hex(), f"k1={SECRET.hex()}", "k 1=env:A", "=env:A", "k1=env:"])
def test_a_key_on_the_command_line_is_refused_and_not_repeated(value: str) -> None:
    result = reveal("--key", value, TOKEN)
    assert result.exit_code == 2
    assert "must be ID=env:NAME or ID=file:PATH" in result.stderr
    assert SECRET.hex()[:8] not in result.output


def test_a_key_can_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "k1").write_text(f"{SECRET.hex()}\n")
    assert reveal("--key", f"k1=file:{tmp_path / 'k1'}", TOKEN).stdout == "Anna\n"


def test_the_keys_of_a_pipeline_file_are_used_as_far_as_they_are_there() -> None:
    keys = {"encrypt": [{"id": "k1", "env": "KEY_1"}, {"id": "k0", "env": "NONE"}, {"id": "k2", "env": "SHORT"}]}
    pipeline = redacting(keys=keys)
    assert list(decryption_keys([], pipeline, ENVIRON)) == ["k1"]
    with pytest.raises(SettingError) as caught:
        decryption_keys([], pipeline, {})
    assert str(caught.value) == (
        "no key to decrypt with: key k1: environment variable KEY_1 is not set; key k0: environment variable NONE is "
        "not set; key k2: environment variable SHORT is not set"
    )
    place = EncryptionKey(id="k0", env="KEY_0")
    assert list(decryption_keys([place], pipeline, ENVIRON)) == ["k1", "k0"]
