"""Writing to standard output so that a failure is an error of its own, whichever library writes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from schemas.errors import OutputError


class _Descriptor(io.FileIO):
    """The file descriptor of standard output. A write that fails raises OutputError, unless nobody reads any more."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"standard output cannot be written: {error.strerror}") from None


@contextmanager
def checked_stdout() -> Iterator[None]:
    """Let writes to ``sys.stdout`` raise OutputError where the system raises OSError, during a ``with`` block.

    That includes what is still buffered at its end. BrokenPipeError stays what it is. After an error, what the process
    writes to standard output is lost, so that its end does not report the same error again. Standard output that is
    closed, or that is not the process's own (as in tests), is left alone.
    """
    stdout = sys.__stdout__
    if stdout is None or stdout is not sys.stdout:
        yield
        return
    stdout.flush()
    buffered = io.BufferedWriter(_Descriptor(stdout.fileno(), "wb", closefd=False))
    sys.stdout = io.TextIOWrapper(
        buffered,
        encoding=stdout.encoding,
        errors=stdout.errors,
        line_buffering=stdout.line_buffering or stdout.write_through,
    )
    try:
        try:
            yield
        finally:
            with suppress(BrokenPipeError):
                sys.stdout.flush()
    except OutputError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stdout.fileno())
        os.close(null)
        raise
    finally:
        sys.stdout = stdout


@contextmanager
def writing(file: str | os.PathLike[str]) -> Iterator[None]:
    """Raise OutputError, which names ``file``, where the ``with`` block raises OSError. BrokenPipeError stays."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{os.fspath(file)} cannot be written: {error.strerror}") from None


def require_stdout() -> None:
    """Raise OutputError if standard output is closed, as with ``>&-``."""
    if sys.stdout is None:
        raise OutputError("standard output is closed")
