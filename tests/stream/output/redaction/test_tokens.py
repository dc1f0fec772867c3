"""Tokens: what is encrypted comes back with the right key, and nothing comes back from what was changed."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import SettingError
from schemas.pipeline.redaction import Redact
from stream.output.redaction import tokens
from stream.output.redaction.keys import Key, Keys
from stream.output.redaction.operators import Operators
from stream.output.redaction.tokens import Revealed, Revealer, encryptor
from tests.stream.output.redaction.lib import KEYS, SECRET, one, replaced

Mode = Literal["siv", "gcm"]
MODES: list[Mode] = ["siv", "gcm"]
KEY, OTHER = Key(SECRET), Key(bytes(32))


@pytest.mark.parametrize("mode", MODES)
@given(value=st.text())
def test_what_is_encrypted_comes_back(mode: Mode, value: str) -> None:
    token = encryptor("k1", KEY, mode)(value)
    assert re.fullmatch(r"ENC\[k1:[A-Za-z0-9_-]+\]", token)
    assert len(token) <= 8 + -(-4 * (len(value.encode()) + (17 if mode == "siv" else 29)) // 3)
    revealer = Revealer({"k1": KEY})
    assert revealer.text(token) == value
    assert revealer.revealed == Revealed(tokens=1)


def test_half_a_surrogate_pair_comes_back() -> None:
    assert Revealer({"k": KEY}).text(encryptor("k", KEY, "siv")("\ud83d")) == "\ud83d"


def test_equal_values_have_equal_tokens_only_with_siv() -> None:
    siv, gcm = encryptor("k1", KEY, "siv"), encryptor("k1", KEY, "gcm")
    assert siv("Anna") == siv("Anna") == encryptor("k1", KEY, "siv")("Anna")
    others = siv("anna"), encryptor("k2", KEY, "siv")("Anna"), encryptor("k1", OTHER, "siv")("Anna")
    assert len({siv("Anna"), *others}) == 4
    assert len({gcm("Anna") for _ in range(100)}) == 100


def test_tokens_of_earlier_versions_are_decrypted() -> None:
    siv, gcm = "ENC[k1:ASz36OKvLwqQBw4Ki8cfVxcWd3S6]", "ENC[k1:AkC6fUl55N5ltmb2GPzM1tMqVTmsIjSvxn7iX4s33tKB]"
    assert encryptor("k1", KEY, "siv")("Anna") == siv
    assert Revealer({"k1": KEY}).text(f"{siv} {gcm}") == "Anna Anna"


@pytest.mark.parametrize("operator", ["encrypt", {"encrypt": {"mode": "gcm"}}])
@given(st.sampled_from(["PERSON", "PHONE_NUMBER", ""]), st.text(min_size=1))
def test_the_operator_encrypts_the_value_as_it_is_with_the_first_key(operator: Any, label: str, value: str) -> None:
    token = replaced(operator, label, value, Keys(None, {"k2": OTHER, "k1": KEY}))
    assert token.startswith("ENC[k2:")
    assert Revealer({"k2": OTHER}).text(token) == value


def test_an_event_keeps_to_both_modes() -> None:
    operator, event = one("encrypt")
    tokens = [event.replacement(operator, label, "Anna") for label in ("PERSON", "PERSON", "MISC", "")]
    assert len(set(tokens)) == 1, "tokens join across labels and fields"


def test_each_label_has_its_mode() -> None:
    redact = Redact.model_validate({"labels": {"A": "encrypt", "B": {"encrypt": {"mode": "gcm"}}}})
    event = Operators(redact, KEYS).event()
    tokens = [event.replacement(redact.labels[label], label, "Anna") for label in "ABABA"]
    assert len(set(tokens[::2])) == 1
    assert len({*tokens}) == 3


def test_old_keys_decrypt_after_a_rotation() -> None:
    text = f"{encryptor('k0', OTHER, 'siv')('Anna')} met {encryptor('k1', KEY, 'gcm')('Tom')}"
    assert Revealer({"k1": KEY, "k0": OTHER}).text(text) == "Anna met Tom"
    both = f"{encryptor('k1', KEY, 'siv')('Anna')} {encryptor('k0', OTHER, 'siv')('Anna')}"
    assert Revealer({"k1": KEY, "k0": OTHER}).text(f"{both} {both}") == "Anna Anna Anna Anna"
    revealer = Revealer({"k1": KEY})
    assert revealer.text(text) == f"{text.split(' met', maxsplit=1)[0]} met Tom"
    assert revealer.revealed == Revealed(tokens=1, unknown={"k0": 1})


@pytest.mark.parametrize("mode", MODES)
@given(at=st.integers(0, 10_000), sign=st.sampled_from("ABCabc019-_]["), cut=st.booleans())
def test_a_token_that_was_changed_or_cut_stays(mode: Mode, at: int, sign: str, cut: bool) -> None:
    token = encryptor("k1", KEY, mode)("Anna Schmidt")
    at = len("ENC[k1:") + at % (len(token) - len("ENC[k1:"))
    changed = token[:at] if cut else token[:at] + sign + token[at + 1 :]
    revealer = Revealer({"k1": KEY})
    if changed != token:
        assert revealer.text(f"a {changed} b") == f"a {changed} b"
        assert (revealer.revealed.tokens, revealer.revealed.damaged) == (0, 1)


def test_a_token_without_its_end_or_with_spare_bits_set_stays() -> None:
    token = encryptor("k1", KEY, "siv")("Ann")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(token[-2])
    assert last % 4 == 0, "the last character has two spare bits"
    for changed in (token[:-1], f"{token[:-2]}{alphabet[last + 1]}]"):
        revealer = Revealer({"k1": KEY})
        assert revealer.text(changed) == changed
        assert revealer.revealed == Revealed(damaged=1)


@pytest.mark.parametrize("mode", MODES)
def test_a_token_belongs_to_its_key_id_and_version(mode: Mode) -> None:
    token = encryptor("k1", KEY, mode)("Anna")
    other = "ENC[k1:" + ("Ag" if mode == "siv" else "AQ") + token[9:]
    for changed in (token.replace("k1", "k2"), other, token.replace("[k1:A", "[k1:B"), "ENC[k1:]", "ENC[k1:A]"):
        revealer = Revealer({"k1": KEY, "k2": KEY})
        assert revealer.text(changed) == changed
        assert revealer.revealed == Revealed(damaged=1)


def test_a_wrong_key_decrypts_nothing() -> None:
    token = encryptor("k1", KEY, "siv")("Anna")
    revealer = Revealer({"k1": OTHER})
    assert revealer.text(token) == token
    assert revealer.revealed == Revealed(damaged=1)


def test_text_around_tokens_stays() -> None:
    revealer = Revealer({"k1": KEY})
    text = "ENC [k1:AQ] enc[k1:AQ] ENC[] ENC[k1] ENC[k 1:AQ] $1 \\1 \\g<0>"
    assert revealer.text(text) == text
    token = encryptor("k1", KEY, "siv")("\\1 ENC[k1:AQ]")
    assert revealer.text(f"<{token}{token}>") == "<\\1 ENC[k1:AQ]\\1 ENC[k1:AQ]>", "values are not read again"


@given(st.text(), st.text())
def test_in_json_only_the_token_changes(value: str, other: str) -> None:
    token = encryptor("k1", KEY, "siv")(value)
    text = f'{{"big": 123456789012345678901234567890, "a":  [{json.dumps(other)}, "x{token}y"], "e": "\\u00e9"}}'
    revealed = Revealer({"k1": KEY}).json(text)
    before, after = text.split(token)
    assert revealed.startswith(before)
    assert revealed.endswith(after)
    assert json.loads(revealed)["a"] == [other, f"x{value}y"]


def test_without_the_library_the_reason_is_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "find_spec", lambda name: None)
    for make in (lambda: one("encrypt"), lambda: Revealer({}), lambda: one({"encrypt": {"mode": "gcm"}}, KEYS)):
        with pytest.raises(SettingError, match=re.escape("pip install 'glossator[redact]'")):
            make()
    one("hash")
