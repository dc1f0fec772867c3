"""Makes validators of JSON Schema; and, run as a program, validates one event, which the caller ends if it takes long.

As a program, it reads a line of JSON with the schema and those that it refers to, and then the event. It ends with the
status ``_FITS`` or ``_DOES_NOT_FIT``, and with another one or a signal if it cannot tell.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import orjson

if TYPE_CHECKING:  # it is needed only if values are validated
    import jsonschema_rs

ROOT = "http://registry.invalid/"
"""What references in a schema without ``$id`` are relative to. There is no such host, and nothing is fetched."""
_PATIENCE = 120
"""Seconds to wait for a validation: it may get little of the processor."""
_BYTES = 4 << 30
"""Memory that a validation may take."""
_BACKTRACKS = 100_000
"""Steps back of a pattern on one text."""
_FITS, _DOES_NOT_FIT = 10, 11


def validator(
    schema: Any, references: Sequence[tuple[str, Any]], pattern_bytes: int, backtracks: bool
) -> jsonschema_rs.Validator:
    """Make a validator, for which nothing is ever fetched.

    Args:
        schema: the schema, parsed.
        references: name and content of those that it may refer to.
        pattern_bytes: the largest compiled pattern.
        backtracks: whether patterns may look around and refer back, so that they may take long on a long text.

    Raises:
        Exception: of many kinds, whose messages may quote the schema.
    """
    import jsonschema_rs

    base = base_of(schema)
    others = dict(addressed(base, references))
    options: Any = (
        jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS, size_limit=pattern_bytes)
        if backtracks
        else jsonschema_rs.RegexOptions(size_limit=pattern_bytes)
    )
    return jsonschema_rs.validator_for(
        schema,
        registry=jsonschema_rs.Registry(list(others.items())) if others else None,
        base_uri=base,
        offline=True,
        pattern_options=options,
    )


def base_of(schema: Any) -> str:
    """Return the address of a schema."""
    return urljoin(ROOT, str(schema.get("$id", ""))) if isinstance(schema, dict) else ROOT


def addressed(base: str, references: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return the schemas of ``references`` with each of their addresses, as seen from a schema at ``base``."""
    pairs = []
    for name, schema in references:
        pairs.append((urljoin(base, name), schema))
        if isinstance(schema, dict) and "$id" in schema:
            pairs.append((urljoin(base, str(schema["$id"])), schema))
    return pairs


def fits_within_time(
    schema: Any,
    references: Sequence[tuple[str, Any]],
    pattern_bytes: int,
    backtracks: bool,
    *,
    event: bytes,
    seconds: int,
) -> bool | None:
    """Validate ``event`` in a process of its own, which may compute for some ``seconds``.

    The other arguments are those of ``validator``. Return whether it fits; None if that takes longer, or much memory.
    """
    head = orjson.dumps([seconds, schema, [*references], pattern_bytes, backtracks])
    try:
        done = subprocess.run(  # noqa: S603 - it is this file
            [sys.executable, "-P", __file__], input=head + b"\n" + event, capture_output=True, check=False,
            timeout=_PATIENCE,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {_FITS: True, _DOES_NOT_FIT: False}.get(done.returncode)


def _main() -> int:
    try:
        seconds, *of = orjson.loads(sys.stdin.buffer.readline())
        for limit, most in (("CPU", seconds), ("AS", _BYTES), ("CORE", 0)):
            resource.setrlimit(getattr(resource, f"RLIMIT_{limit}"), (most, most))
        made = validator(*of)
        return _FITS if made.is_valid(orjson.loads(sys.stdin.buffer.read())) else _DOES_NOT_FIT
    except Exception:  # of whatever kind: there is no answer
        return 1


if __name__ == "__main__":
    sys.exit(_main())
