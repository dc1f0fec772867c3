"""``glossator probe``: asks a worker on this machine whether it is well, for health checks."""

from __future__ import annotations

import http.client
import os
from http import HTTPStatus

import click

from schemas.errors import OutputError
from schemas.pipeline.config import Telemetry
from workers.cli.statuses import exit_statuses
from workers.web.address import VARIABLE, Address, parse_address

EPILOG = """\b
Example:
  glossator probe
  glossator probe --ready worker-3:9464

\b
Prints the answer of the worker: ok, or the reasons why not. Images have it as
their health check, because they contain no other program that could ask.

""" + exit_statuses(
    {0: "the worker is alive; with --ready, also ready", 1: "it is not, or nothing answers"}, OutputError
)


def address_option(value: str | None) -> Address | None:
    """Read HOST:PORT from the command line or the environment. Raises click.BadParameter."""
    try:
        return None if value is None else parse_address(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(epilog=EPILOG)
@click.argument("address", default=None, required=False, metavar="[HOST:PORT]")
@click.option("--ready", is_flag=True, help="Ask whether it processes events (/readyz) instead of only /livez.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the answer.",
)
@click.pass_context
def probe(ctx: click.Context, *, address: str | None, ready: bool, timeout: float) -> None:
    """Ask a worker whether it is alive.

    HOST:PORT is where it serves its metrics: by default $GLOSSATOR_TELEMETRY, or else 127.0.0.1:9464.
    """
    place = address_option(address or os.environ.get(VARIABLE) or None) or _default()
    try:
        status, answer = place.ask("/readyz" if ready else "/livez", timeout)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        click.echo(f"nothing answers at {place}: {reason}")
        ctx.exit(1)
    click.echo(answer.strip())
    if status != HTTPStatus.OK:
        ctx.exit(1)


def _default() -> Address:
    telemetry = Telemetry()
    return Address(telemetry.host, telemetry.port or 0)
