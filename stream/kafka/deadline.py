"""Calls of the Kafka client that may never return."""

from __future__ import annotations

import threading
from collections.abc import Callable


def returns_within(seconds: float, call: Callable[[], object], name: str) -> bool:
    """Run ``call`` on a thread called ``name`` and wait for it; False if it has not returned after ``seconds``.

    The thread is then left behind. Raises what ``call`` raises. The client can hang for good while it sends offsets to
    a transaction (librdkafka issues 5456 and 5511).
    """
    failures: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        return False
    if failures:
        raise failures[0]
    return True
