"""Breaks workers, brokers and the network between them, round after round: ``python -m tests.chaos.run --rounds 20``.

Ends with status 0 if every round kept every promise, and 1 otherwise. The folder of each red round then contains what
was sent, broken and committed. The same seed breaks the same things at the same times.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tests.chaos import clock
from tests.chaos.mutants import MUTANTS
from tests.chaos.node import Brokers
from tests.chaos.report import Report
from tests.chaos.round import failed, play
from tests.chaos.schedule import DELIVERIES, KINDS, NODES, PROTOCOLS, scenario

_FRESH = 25  # rounds after which the brokers start again without data: old topics make them slow


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    # A shell that starts it in the background makes it ignore SIGINT.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    console = Console(stderr=True, width=None if sys.stderr.isatty() else 140)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    settings = {"deliveries": options.delivery, "protocols": options.protocols, "only": options.only,
                "mutant": options.mutant, "nodes": options.nodes}  # fmt: skip
    report = Report(options.report, options.seed, settings, options.resume)
    console.print(f"seed {options.seed}, folder {folder}")
    if clock.library() is None:
        console.print("libfaketime is not installed: no clock jumps")
    try:
        for played in _rounds(options, folder, len(report.rounds), console):
            report.add(played)
            mark = f"[red]{', '.join(played['broken'])}[/]" if played["broken"] else "[green]kept[/]"
            console.print(
                f"{played['seed']} {played['delivery']} {played['protocol']} on {played['nodes']}: {mark} "
                f"[dim]{played['sent']} events, {played['duplicated']} twice, {played['seconds']} s, "
                f"{' '.join(played['faults'])}[/]", highlight=False, soft_wrap=True,
            )  # fmt: skip
            if played["broken"] and options.mutant:
                break
    except KeyboardInterrupt:
        console.print("interrupted; --resume continues with the unfinished round")
        return 130
    finally:
        if report.rounds:
            console.print(report.table())
    return 1 if report.red else 0


def _rounds(options: argparse.Namespace, folder: Path, first: int, console: Console) -> Iterator[dict[str, Any]]:
    deadline = time.monotonic() + options.minutes * 60 if options.minutes else None
    numbers = itertools.count(first) if deadline else range(first, options.rounds)
    with _brokers(folder) as brokers, _progress(console) as tell:
        for number in numbers:
            if deadline is not None and time.monotonic() > deadline:
                return
            if number != first and number % _FRESH == 0:
                brokers.renew()
            chosen = scenario(
                options.seed, number, options.delivery, options.protocols, options.only, options.events, options.nodes
            )
            place = folder / f"round-{number:04}"
            shutil.rmtree(place, ignore_errors=True)  # left by a round that was interrupted
            what = f"{number}: {chosen.delivery} {chosen.protocol}, {len(chosen.faults)} faults, "
            begun = time.monotonic()
            try:
                played = play(chosen, brokers.of(chosen.nodes), place, options.mutant, partial(tell, what))
            except Exception as error:  # go on with the next round; this one is red
                console.print_exception()
                played = failed(chosen, error, time.monotonic() - begun)
                brokers.renew()
            if not played["broken"] and not options.keep:
                shutil.rmtree(place)
            yield played


class _Shared:
    """The brokers that rounds share until they are renewed: one and three, each started when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[int, Brokers] = {}

    def of(self, count: int) -> Brokers:
        if count not in self._running:
            brokers = self._running[count] = Brokers(self._place(count), count)
            brokers.start()
        return self._running[count]

    def renew(self) -> None:
        for count, brokers in self._running.items():
            brokers.close()
            shutil.rmtree(self._place(count), ignore_errors=True)
        self._running.clear()

    def _place(self, count: int) -> Path:
        return self._folder / f"brokers-{count}"


@contextmanager
def _brokers(folder: Path) -> Iterator[_Shared]:
    shared = _Shared(folder)
    try:
        yield shared
    finally:
        shared.renew()


@contextmanager
def _progress(console: Console) -> Iterator[Any]:
    """Yield a function that shows the current round and its progress."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, refresh_per_second=4) as progress:
        task = progress.add_task("starting")
        yield lambda what, now: progress.update(task, description=what + now)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.run", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, help="default: a new one, which is printed")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--rounds", type=int, default=6, help="number of rounds in total, with --resume too")
    length.add_argument("--minutes", type=float, help="start no round after this many minutes")
    parser.add_argument("--delivery", choices=["both", *DELIVERIES], default="both")
    parser.add_argument("--protocols", type=_listed(PROTOCOLS), default=list(PROTOCOLS), help=", ".join(PROTOCOLS))
    parser.add_argument("--only", type=_listed(KINDS), default=[], help="these kinds of faults: " + ", ".join(KINDS))
    parser.add_argument("--nodes", choices=["1", "3", "mixed"], default="mixed", help="number of brokers")
    parser.add_argument("--events", type=_span, default=(5000, 9000), help="from-to, the number of events in a round")
    parser.add_argument("--mutant", choices=MUTANTS, help="a mistake to make; stops at the first red round")
    parser.add_argument("--report", type=Path, help="a JSON file, written after each round")
    parser.add_argument("--resume", action="store_true", help="continue where --report ends; needs its --seed")
    parser.add_argument("--folder", type=Path, help="for the files of the rounds; default: a temporary one")
    parser.add_argument("--keep", action="store_true", help="also keep the files of green rounds")
    options = parser.parse_args(arguments)
    if options.resume and (options.seed is None or options.report is None):
        parser.error("--resume needs --seed and --report")
    if options.seed is None:
        options.seed = random.randrange(100_000)
    options.nodes = list(NODES) if options.nodes == "mixed" else [int(options.nodes)]
    everything = DELIVERIES if options.mutant is None else MUTANTS[options.mutant][1]
    options.delivery = list(everything) if options.delivery == "both" else [options.delivery]
    return options


def _listed(known: Any) -> Any:
    def read(text: str) -> list[str]:
        names = text.split(",")
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
        return names

    return read


def _span(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last or first)


if __name__ == "__main__":
    sys.exit(main())
