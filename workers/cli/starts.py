"""``--from``: where in the log a verb begins to read."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import click

from stream.kafka.reader import Start

_DURATION = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def start_option(default: str, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--from`` as the parameter ``start``; ``text`` is its help."""
    return click.option(
        "--from", "start", default=default, show_default=True, metavar="start|end|TIME", callback=_start, help=text
    )


def _start(_context: click.Context, _option: click.Parameter, value: str) -> Start:
    if value in {"start", "end"}:
        return "beginning" if value == "start" else "end"
    match = _DURATION.fullmatch(value)
    if match is None:
        raise click.BadParameter("must be start, end, or a time before now such as 30s, 15m, 2h or 1d")
    return time.time() - int(match[1]) * _SECONDS[match[2]]
