"""Panics: failures of Rust libraries, which are no Exceptions and are reported on standard error by the library."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def is_panic(error: BaseException) -> bool:
    """Whether ``error`` is a panic of a Rust library. Its class is derived from BaseException and not exported."""
    return not isinstance(error, Exception) and type(error).__name__ == "PanicException"


@contextmanager
def no_panic_report() -> Iterator[None]:
    """Keep the report of a panic in the block off standard error; the exception itself tells what is needed.

    Everything else that is written meanwhile, by any thread, appears at the end of the block.
    """
    sys.stderr.flush()
    try:
        real = os.dup(2)
    except OSError:  # closed
        yield
        return
    panicked = False
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException as error:
            panicked = is_panic(error)
            raise
        finally:
            os.dup2(real, 2)
            os.close(real)
            kept.seek(0)
            written = kept.read()
            os.write(2, written.partition(b"\nthread '")[0] if panicked else written)
