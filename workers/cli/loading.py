"""Shows on a terminal that models are loading."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[Callable[[str], None]]:
    """Show on standard error, during a ``with`` block, that models are loading; nothing if it is not a terminal.

    Yields what is to be called with each line that tells the progress.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status("loading the libraries") as status:
        yield lambda line: status.update(Text(line))
