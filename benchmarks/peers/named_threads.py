"""Gives threads names that the system knows (/proc, top, perf); Python itself does so only from 3.14 on.

As a program it runs the ``glossator`` of any checkout, so that another process can tell what its threads are:

    PYTHONPATH=CHECKOUT python -P benchmarks/peers/named_threads.py run pipeline.yaml
"""

from __future__ import annotations

import runpy
import threading
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

POLL = "poll"
"""The thread that runs the worker."""
TOKENIZERS = "tokenizers"
"""The threads of the library that tokenizes."""
_TASKS = Path("/proc/self/task")
_LONGEST = 15
"""Characters of a name."""


def name_threads() -> None:
    """Name all threads from now on as Python does. Threads that others than Python start inherit the name.

    Those of the tokenizers are started and named, too. Call it before that library is used, and torch is imported.
    """
    start = threading.Thread.start

    def start_and_name(thread: threading.Thread) -> None:
        start(thread)
        if thread.native_id is not None:
            _name(thread.native_id, thread.name)

    patch.object(threading.Thread, "start", start_and_name).start()
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    before = _ids()
    Tokenizer(WordLevel({"a": 0}, unk_token="a")).encode_batch(["a"] * 100)
    for number in _ids() - before:
        _name(number, TOKENIZERS)


def _ids() -> set[int]:
    return {int(task.name) for task in _TASKS.iterdir()}


def _name(number: int, name: str) -> None:
    with suppress(OSError):  # it has ended
        (_TASKS / str(number) / "comm").write_text(name[:_LONGEST])


def main() -> None:
    from workers.process.environment import prepare_process

    prepare_process()
    name_threads()
    _name(threading.get_native_id(), POLL)
    runpy.run_module("glossator", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
