"""Checksums of cryptocurrency addresses.

Sources: base58check as in the Bitcoin wiki, bech32 of BIP-173, bech32m of BIP-350, mixed-case checksums of EIP-55; the
version bytes are those of each coin's ``chainparams.cpp``, of TRON's protocol and of the XRP Ledger's "base58
encodings"; CIP-19 for Cardano.
"""

from __future__ import annotations

from hashlib import sha256

_BASE58 = {sign: value for value, sign in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
_BECH32 = {sign: value for value, sign in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32M = 0x2BC830A3
_HASH_VERSIONS = frozenset({0x00, 0x05})
_OTHER_VERSIONS = frozenset({0x30, 0x32, 0x1E, 0x16, 0x4C, 0x10, 0x41})
"""The first bytes of addresses of Litecoin, Dogecoin, Dash (two each) and TRON."""
_RIPPLE = str.maketrans(
    "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz",
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
)


def bitcoin(address: str) -> bool:
    """Whether it is a Bitcoin address: P2PKH, P2SH, or segregated witness on the main or test network."""
    return _segwit(address) if address[:3].lower() in ("bc1", "tb1") else _base58check(address)


def other_coin(address: str) -> bool:
    """Whether it is an address of Litecoin, Dogecoin, Dash, TRON, the XRP Ledger or Cardano."""
    if address.startswith("addr1"):
        return _is_bech32("addr", address[5:])
    if address[:4].lower() == "ltc1":
        return _segwit(address)
    if address.startswith("r"):
        return _base58check(address.translate(_RIPPLE), frozenset({0x00}))
    return _base58check(address, _OTHER_VERSIONS)


def _base58check(address: str, versions: frozenset[int] = _HASH_VERSIONS) -> bool:
    number = 0
    for sign in address:
        if sign not in _BASE58:
            return False
        number = number * 58 + _BASE58[sign]
    if number.bit_length() > 25 * 8:
        return False
    data = number.to_bytes(25)
    zeros = len(data) - len(data.lstrip(b"\0"))
    if len(address) - len(address.lstrip("1")) != zeros or data[0] not in versions:
        return False
    return sha256(sha256(data[:21]).digest()).digest()[:4] == data[21:]


def _segwit(address: str) -> bool:
    if len(address) > 90 or address not in (address.lower(), address.upper()):
        return False
    prefix, _, rest = address.lower().partition("1")
    if len(rest) < 8 or any(sign not in _BECH32 for sign in rest):
        return False
    values = [_BECH32[sign] for sign in rest]
    version, program = values[0], values[1:-6]
    if _polymod([*_expanded(prefix), *values]) != (1 if version == 0 else _BECH32M):
        return False
    size, spare = divmod(len(program) * 5, 8)
    if spare > 4 or (program and program[-1] & ((1 << spare) - 1)):
        return False
    return version <= 16 and (size in (20, 32) if version == 0 else 2 <= size <= 40)


def _is_bech32(prefix: str, rest: str) -> bool:
    """Whether the checksum of ``rest``, which has letters of bech32 only, is right, at any length."""
    return _polymod([*_expanded(prefix), *(_BECH32[sign] for sign in rest)]) == 1


def _expanded(prefix: str) -> list[int]:
    return [*(ord(sign) >> 5 for sign in prefix), 0, *(ord(sign) & 31 for sign in prefix)]


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check


def mixed_case(address: str) -> bool:
    """Whether the case of an Ethereum address, ``0x`` and 40 hexadecimal digits, is its EIP-55 checksum."""
    digits = address[2:]
    nibbles = keccak256(digits.lower().encode()).hex()
    return all(
        sign.isdigit() or sign.isupper() == (nibble >= "8") for sign, nibble in zip(digits, nibbles, strict=False)
    )


def keccak256(message: bytes) -> bytes:
    """Compute Keccak-256 of at most 135 bytes: SHA3-256 with the padding from before FIPS 202, which hashlib lacks."""
    block = bytearray(message.ljust(136, b"\0"))
    block[len(message)] ^= 0x01
    block[135] ^= 0x80
    lanes = [int.from_bytes(block[at : at + 8], "little") for at in range(0, 136, 8)] + [0] * 8
    for constant in _ROUNDS:
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        mixed = [columns[x - 1] ^ _rotated(columns[(x + 1) % 5], 1) for x in range(5)]
        moved = [0] * 25
        for at, (to, by) in enumerate(_MOVES):
            moved[to] = _rotated(lanes[at] ^ mixed[at % 5], by)
        lanes = [
            moved[at] ^ (~moved[at - at % 5 + (at + 1) % 5] & moved[at - at % 5 + (at + 2) % 5]) for at in range(25)
        ]
        lanes[0] ^= constant
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _rotated(lane: int, by: int) -> int:
    return (lane << by | lane >> 64 - by) & 0xFFFFFFFFFFFFFFFF


def _round_constants() -> list[int]:
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for power in range(7):
            constant |= (register & 1) << ((1 << power) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return constants


def _moves() -> list[tuple[int, int]]:
    """Where rho and pi move each lane, and by how many bits they rotate it."""
    moves, x, y = [(0, 0)] * 25, 1, 0
    for step in range(24):
        moves[x + 5 * y] = (y + 5 * ((2 * x + 3 * y) % 5), (step + 1) * (step + 2) // 2 % 64)
        x, y = y, (2 * x + 3 * y) % 5
    return moves


_ROUNDS = _round_constants()
_MOVES = _moves()
