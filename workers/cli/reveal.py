"""``glossator reveal``: decrypts what ``redact`` and the dead-letter topic have encrypted."""

from __future__ import annotations

import os
import sys
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import click
import orjson

from schemas.errors import ConfigError, OutputError, SettingError
from schemas.pipeline.redaction import EncryptionKey
from stream.output.redaction.envelope import MAGIC, EnvelopeError, Original, size_of, unseal
from stream.output.redaction.keys import Key
from stream.output.redaction.tokens import Revealed, Revealer
from workers.cli.keys import decryption_keys, key_option
from workers.cli.output import require_stdout
from workers.cli.statuses import EX_DATAERR, exit_statuses

EPILOG = """\b
Example:
  glossator reveal --key k1=env:GLOSSATOR_KEY_1 'Call ENC[k1:ASz36OKvLwqQBw4Ki8cfVxcWd3S6]'
  glossator reveal --pipeline pipeline.yaml < events.jsonl | jq .text
  kcat -C -t posts.dead -o 42 -c 1 -D '' | glossator reveal --key k1=file:k1.hex

\b
Each token ENC[id:...] is replaced by the value that it hides, and all else stays as
it is. In a line that is a JSON object or array, values are escaped; the offsets of
spans are still those of the redacted text. Standard input that begins with an
encrypted dead letter is read as one or several of them: their values are printed,
or with --record the whole records as JSON.

\b
What cannot be decrypted stays encrypted (of dead letters, nothing is printed), and
standard error says how many and why.

""" + exit_statuses(
    {
        0: "everything was decrypted",
        EX_DATAERR: "something could not be decrypted: wrong or missing key, or damaged",
        SettingError.exit_status: "a key cannot be read, or there is none",
    },
    ConfigError, OutputError,
)  # fmt: skip

_CHUNK = 1 << 16
"""Bytes to read at once."""


@click.command(epilog=EPILOG)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@key_option
@click.option(
    "--pipeline",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A pipeline file; its redact.keys.encrypt that can be read are used, too.",
)
@click.option("--record", is_flag=True, help="Print dead letters as JSON with key, value and headers.")
@click.pass_context
def reveal(
    ctx: click.Context, texts: tuple[str, ...], key: list[EncryptionKey], file: Path | None, record: bool
) -> None:
    """Decrypt the tokens in each TEXT or line of standard input, or encrypted dead letters."""
    require_stdout()
    pipeline = None
    if file is not None:
        from schemas.pipeline.loader import load

        pipeline = load(file)
    keys = decryption_keys(key, pipeline)
    revealer = Revealer(keys)
    if texts:
        _print(reveal_line(os.fsencode(text), revealer) + b"\n" for text in texts)
        failures = tokens_left(revealer.revealed)
    else:
        if sys.stdin is None:  # closed, as with <&-
            raise click.UsageError("no TEXT, and standard input is closed")
        stdin = sys.stdin.buffer
        if stdin.isatty():
            click.echo("Reading texts from the terminal, one per line; end with Ctrl-D.", err=True)
        start = stdin.read(1)
        if start == MAGIC[:1]:
            failures = []
            _print(_letters(start, stdin, keys, record, failures))
        else:
            _print(reveal_line(line, revealer) for line in _lines(start, stdin))
            failures = tokens_left(revealer.revealed)
    for failure in failures:
        click.echo(f"glossator: {failure}", err=True)
    if failures:
        ctx.exit(EX_DATAERR)


def reveal_line(line: bytes, revealer: Revealer) -> bytes:
    """Return ``line`` with its tokens replaced, escaped if the line is a JSON object or array; all else stays."""
    if b"ENC[" not in line:
        return line
    # Bytes that are no UTF-8 pass through, and so does half a surrogate pair that was encrypted.
    text = line.decode(errors="surrogateescape")
    is_json = line.lstrip()[:1] in {b"{", b"["} and _is_json(line)
    revealed = revealer.json(text) if is_json else revealer.text(text)
    try:
        return revealed.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return revealed.encode(errors="surrogatepass")


def tokens_left(revealed: Revealed) -> list[str]:
    """Return why tokens could not be decrypted, one line for each reason."""
    reasons = [
        f"{_count(count, 'token needs', 'tokens need')} the key {key_id}" for key_id, count in revealed.unknown.items()
    ]
    if revealed.damaged:
        count = _count(revealed.damaged, "token was", "tokens were")
        reasons.append(f"{count} changed, cut, or encrypted with another key")
    return reasons


def _letters(
    start: bytes, stream: IO[bytes], keys: dict[str, Key], record: bool, failures: list[str]
) -> Iterator[bytes]:
    """Yield what to print of each encrypted dead letter; append to ``failures`` why others cannot be decrypted."""
    data, number = start + stream.read(), 0
    while data:
        number += 1
        try:
            size = size_of(data)
        except EnvelopeError as error:  # where the next one begins is unknown
            failures.append(f"letter {number} {error}")
            return
        try:
            original = unseal(data, keys)
        except EnvelopeError as error:
            failures.append(f"letter {number} {error}")
        else:
            yield (_described(original) if record else original.value or b"") + b"\n"
        data = data[size:].removeprefix(b"\r").removeprefix(b"\n")


def _described(original: Original) -> bytes:
    return orjson.dumps({
        "topic": original.topic, "partition": original.partition, "offset": original.offset,
        "key": _readable(original.key),
        "headers": [[name, _readable(value)] for name, value in original.headers or ()],
        "value": _readable(original.value),
    })  # fmt: skip


def _readable(data: str | bytes | None) -> Any:
    """Return text for UTF-8, and base64 for other bytes."""
    if not isinstance(data, bytes):
        return data
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode()}


def _lines(start: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of ``stream``, each with its line break; ``start`` is what was already read of it."""
    for line in stream:
        yield start + line
        start = b""
    if start:
        yield start


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _print(lines: Iterable[bytes]) -> None:
    stdout = sys.stdout.buffer
    for line in lines:
        stdout.write(line)
        stdout.flush()


def _count(number: int, singular: str, plural: str) -> str:
    return f"{number} {singular if number == 1 else plural}"
