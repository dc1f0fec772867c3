"""Keys: read from a variable or a file, refused with the reason, and never shown."""

from __future__ import annotations

import copy
import hmac
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigError, SettingError
from schemas.pipeline.outputs import DeadLetter
from schemas.pipeline.redaction import KeySource
from stream.output.redaction.keys import Key, Keys, load_keys, needed_keys, parse_key, read_key
from tests.stream.output.redaction.lib import KEYS, SECRET, redacting

NOT_HEX = "environment variable K is not written in pairs of hex digits, as openssl rand -hex 32 makes them"


def test_a_key_is_read_from_a_variable_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f" {SECRET.hex().upper()}\n")
    from_file = read_key(KeySource(file=str(tmp_path / "key")))
    from_variable = read_key(KeySource(env="K"), {"K": SECRET.hex()})
    assert from_file.digest(b"x") == from_variable.digest(b"x") == Key(SECRET).digest(b"x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "environment variable K is empty"),
        (" \n", "environment variable K is empty"),
        ("correct horse battery staple!", NOT_HEX),
        ("c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0", NOT_HEX),
        ("ab" * 15 + "a", NOT_HEX),
        ("ab " * 16, NOT_HEX),
        ("ab" * 15, "environment variable K has 15 bytes; a key needs 16 or more"),
        ("ab" * 1025, "environment variable K has more than 2048 characters"),
    ],
)
def test_what_is_no_key_is_refused_without_its_value(text: str, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_key(KeySource(env="K"), {"K": text})
    assert str(caught.value) == message
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_file_that_cannot_be_read_is_not_named(tmp_path: Path) -> None:
    # By mistake, the name could be the key itself.
    for file, reason in [(tmp_path / "none", "no such file or directory"), (tmp_path, "is a directory"),
                         (Path("a\0b"), "not a file name")]:  # fmt: skip
        with pytest.raises(ValueError) as caught:
            read_key(KeySource(file=str(file)))
        assert str(caught.value) == f"the file cannot be read: {reason}"


def test_sixteen_bytes_are_enough() -> None:
    assert parse_key("00" * 16).digest(b"") == Key(bytes(16)).digest(b"")


def test_all_missing_keys_are_reported_at_once() -> None:
    pipeline = redacting(
        default="hash", key="encrypt",
        keys={"hash": {"env": "A"}, "encrypt": [{"id": "k1", "env": "B"}, {"id": "k0", "env": "C"}]},
    )  # fmt: skip
    with pytest.raises(SettingError) as caught:
        load_keys(pipeline, {"B": "abc"})
    assert str(caught.value) == (
        "redact.keys.hash: environment variable A is not set; openssl rand -hex 32 makes a key; "
        "redact.keys.encrypt[0]: environment variable B is not written in pairs of hex digits, as openssl rand "
        "-hex 32 makes them"
    )
    assert caught.value.exit_status == ConfigError.exit_status
    assert [(path[-1], source.env) for path, _, source in needed_keys(pipeline)] == [("hash", "A"), (0, "B")]


def test_a_worker_reads_only_what_it_needs() -> None:
    keys = {"hash": {"env": "A"}, "encrypt": [{"id": "k1", "env": "B"}, {"id": "k0", "env": "C"}]}
    assert repr(load_keys(redacting(keys=keys), {})) == "Keys(hash=None, encrypt=[])"
    environ = {"A": SECRET.hex(), "B": SECRET.hex()}
    assert repr(load_keys(redacting(keys=keys, labels={"X": "surrogate"}), environ)) == "Keys(hash=..., encrypt=[])"
    assert repr(load_keys(redacting(keys=keys, key="encrypt"), environ)) == "Keys(hash=None, encrypt=['k1'])"
    assert repr(load_keys(redacting().model_copy(update={"redact": None}), {})) == "Keys(hash=None, encrypt=[])"


def test_a_key_shows_itself_to_nobody() -> None:
    key = KEYS.hash
    shown = f"{key!r} {key} {KEYS!r} {KEYS} {KEYS.fingerprint} {[key]}"
    assert not any(form in shown for form in (SECRET.hex(), SECRET.hex()[:8], repr(SECRET), str(SECRET)[2:12]))
    for function in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            function(key)


def test_the_fingerprint_tells_keys_apart() -> None:
    key, other = Key(SECRET), Key(bytes(16))
    sets = [
        Keys(), Keys(key), Keys(other), Keys(None, {"k1": key}), Keys(None, {"k2": key}), Keys(None, {"k1": other}),
        Keys(key, {"k1": key}),
    ]  # fmt: skip
    prints = [keys.fingerprint for keys in sets]
    assert len(set(prints)) == len(sets)
    assert prints[0] == ""
    assert Keys(key, {"k1": key, "k0": other}).fingerprint == prints[-1], "the old keys write nothing"
    assert Keys(key, {"k1": key}, only_letters=True).fingerprint == Keys(key).fingerprint


def test_the_key_of_dead_letters_is_part_of_no_id() -> None:
    keys, environ = {"encrypt": [{"id": "k1", "env": "B"}]}, {"B": SECRET.hex()}
    pipeline = redacting(keys=keys)
    output = pipeline.output.model_copy(update={"dead_letter": DeadLetter(text="encrypted")})
    loaded = load_keys(pipeline.model_copy(update={"output": output}), environ)
    assert (list(loaded.encrypt), loaded.fingerprint) == (["k1"], "")
    assert load_keys(redacting(keys=keys, key="encrypt"), environ).fingerprint != ""


def test_subkeys_are_for_one_purpose_and_no_digest_of_a_value() -> None:
    key = Key(SECRET)
    assert (
        len({key.subkey("a"), key.subkey("b"), key.digest(b"glossator a"), key.digest("\xffglossator a".encode())}) == 4
    )
    assert key.subkey("a", 64)[:32] == key.subkey("a")
    assert len(key.subkey("a", 64)) == 64


@given(st.binary(min_size=16, max_size=200), st.binary(max_size=300))
def test_a_digest_is_the_hmac_of_the_library(secret: bytes, message: bytes) -> None:
    key = Key(secret)
    assert key.digest(message) == key.digest(message) == hmac.digest(secret, message, "sha256")
