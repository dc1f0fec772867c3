"""The words, numbers, strings and marks that the text of a .proto file consists of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<space>\s++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)
  | (?P<word>[A-Za-z_]\w*+)
  | (?P<number>\d(?:[eE][+-]|[\w.])*+)
  | (?P<string>"(?:[^"\\\n]++|\\.)*+"|'(?:[^'\\\n]++|\\.)*+')
  | (?P<mark>[;{}=<>,.()\[\]:+/-])
    """,
    re.VERBOSE | re.ASCII,
)
_CLOSING = {"{": "}", "[": "]", "(": ")", "<": ">"}


class ProtoSyntaxError(ValueError):
    """The text is not a .proto file. The message names the line and quotes nothing."""


class Token(NamedTuple):
    """A word, number, string or mark; ``line`` counts from 1."""

    kind: str
    text: str
    line: int


class Tokens:
    """Reads the tokens of a text one by one.

    Each method reads what it is named after. All but ``peek`` raise ProtoSyntaxError if something else comes next.
    """

    def __init__(self, text: str) -> None:
        self._rest = _tokens(text)  # never all at once: a token takes a hundred times the memory of its text
        self._ahead = next(self._rest)

    def skip_block(self) -> None:
        """Pass over everything up to the end of the next block in braces."""
        self.skip("{")
        self.take("{")
        self.skip("}")
        self.take("}")

    def skip(self, ends: str) -> None:
        """Pass over everything up to one of ``ends`` that is not within brackets."""
        within: list[str] = []
        while True:
            token = self.peek()
            if not within and token.kind == "mark" and token.text in ends:
                return
            if token.kind == "end":
                raise self.unexpected(token)
            if token.kind == "mark":
                if token.text in _CLOSING:
                    within.append(_CLOSING[token.text])
                elif within and token.text == within[-1]:
                    within.pop()
            self.next()

    def name(self, first: str | None = None) -> str:
        """Read a name with dots, whose first part may have been read."""
        parts = [self.word() if first is None else first]
        while self.peek().text == ".":
            self.next()
            parts.append(self.word())
        return ".".join(parts)

    def integer(self) -> int:
        """Read a whole number, decimal, octal or hexadecimal."""
        sign = 1
        if self.peek().text == "-":
            self.next()
            sign = -1
        token = self.next()
        try:
            octal = token.text[:1] == "0" and token.text.isdigit()
            return sign * (int(token.text, 8) if octal else int(token.text, 0))
        except ValueError:
            raise self.unexpected(token) from None

    def string(self) -> str:
        """Read a string without escapes."""
        token = self.next()
        if token.kind != "string" or "\\" in token.text:
            raise self.unexpected(token)
        return token.text[1:-1]

    def word(self) -> str:
        """Read a word."""
        token = self.next()
        if token.kind != "word":
            raise self.unexpected(token)
        return token.text

    def take(self, mark: str) -> None:
        """Read ``mark``, which must come next."""
        if (token := self.next()).text != mark:
            raise self.unexpected(token)

    def peek(self) -> Token:
        """Return the next token and leave it there."""
        return self._ahead

    def next(self) -> Token:
        """Read a token; at the end of the text, always one of the kind ``end``."""
        token = self._ahead
        if token.kind != "end":
            self._ahead = next(self._rest)
        return token

    @staticmethod
    def unexpected(token: Token) -> ProtoSyntaxError:
        """Return the error for a ``token`` that does not belong where it is."""
        what = "ends too early" if token.kind == "end" else f"is wrong in line {token.line}"
        return ProtoSyntaxError(f"is not a .proto file: it {what}")


def _tokens(text: str) -> Iterator[Token]:
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ProtoSyntaxError(f"is not a .proto file: line {line} has a character that none has there")
        if match.lastgroup != "space":
            yield Token(str(match.lastgroup), match[0], line)
        line += match[0].count("\n")
        at = match.end()
    yield Token("end", "", line)
