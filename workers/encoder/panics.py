"""Panics: failures of Rust libraries, which are no Exceptions and are reported on standard error by the library."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress


def is_panic(error: BaseException) -> bool:
    """Whether ``error`` is a panic of a Rust library. Its class is derived from BaseException and not exported."""
    return not isinstance(error, Exception) and type(error).__name__ == "PanicException"


@contextmanager
def no_panic_report() -> Iterator[None]:
    """Keep the report of a panic in the block off standard error; the exception itself tells what is needed.

    Everything else that is written meanwhile, by any thread, appears at the end of the block. What standard error
    cannot take, because a disk is full or nobody reads it, is dropped. Where standard error cannot be redirected (it is
    closed, or the system is not Linux), the report stays. Raises nothing itself.
    """
    with ExitStack() as files:
        try:
            sys.stderr.flush()
            # In memory, because a container may have no folder that can be written to.
            kept = files.enter_context(os.fdopen(os.memfd_create("stderr"), "w+b", buffering=0))
            real = os.dup(2)
        except (AttributeError, OSError):
            yield
            return
        os.dup2(kept.fileno(), 2)
        panicked = False
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
            with suppress(OSError):
                os.write(2, written.partition(b"\nthread '")[0] if panicked else written)
