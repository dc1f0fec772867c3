"""The cost of traces on the host path: decoding events and making their records, with and without, interleaved.

Micro-batches pass all the calls that the worker makes, by one thread, up to the records for the Kafka client, and its
CPU time is measured. Spans go to a collector in the same process, which does not decode them.

    python -m benchmarks.traces --batches 400 --rounds 9
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable

from schemas.record import Assignment, Headers, Record
from stream.codecs.formats import codec
from stream.microbatch import MicroBatch
from stream.output.event_builder import EventBuilder
from stream.output.publisher import Publisher
from stream.telemetry.spans import Traces
from stream.telemetry.stats import Stats
from stream.telemetry.traces import NoTraces, make_traces
from tests import otlp
from tests.noop import NoopChain, pipeline

EVENTS = 128
"""In a micro-batch."""


class Untouched:
    """The host path as it would be without a single call for traces."""


def run(batches: int, traces: Traces | NoTraces | Untouched, headers: Headers | None) -> float:
    """Return the CPU seconds that ``batches`` micro-batches take; the least of several rounds is compared."""
    config, stats, chain = pipeline(), Stats(), NoopChain()
    decoder = codec(config.input, False)
    publisher, builder = Publisher(config, stats), EventBuilder(config, chain.models)
    assignment = Assignment("posts", 0)
    value = b'{"id": 17, "text": "event number 17 has about as many words as a short post on some network has"}'
    now, began = time.monotonic(), time.thread_time()
    for number in range(batches):
        records = [Record(assignment, offset, b"k", value, headers, 1_700_000_000_000, now) for offset in range(EVENTS)]
        documents = [decoder.decode(record) for record in records]
        chain.prepare(documents)
        batch = MicroBatch(number, documents, 1000)
        if isinstance(traces, Untouched):
            chain.forward(documents)
            chain.annotate(documents)
            publisher.outbounds(batch, builder)
            publisher.landed(batch)
            continue
        traces.begin(batch)
        with traces.step(batch, "forwards"):
            chain.forward(documents)
        with traces.step(batch, "finish"):
            chain.annotate(documents)
            outbounds = publisher.outbounds(batch, builder)
        traces.sending(batch, outbounds)
        publisher.landed(batch)
        traces.landed(batch)
    return time.thread_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    plain: Headers = [("h", b"1")]
    ignored: Headers = [*plain, ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")]
    sampled: Headers = [*plain, ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    with otlp.collecting() as collector:
        on = make_traces(pipeline(telemetry={"traces": {"endpoint": collector.url}}), Stats(), 0)
        ways: dict[str, tuple[Traces | NoTraces | Untouched, Headers]] = {
            "no calls": (Untouched(), plain), "off": (NoTraces(), plain), "1 %": (on, plain),
            "no calls, traceparent": (Untouched(), ignored), "1 %, traceparent": (on, ignored),
            "all, sampled by producers": (on, sampled),
        }  # fmt: skip
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        gc.disable()
        for _ in range(arguments.rounds):
            for name, (traces, headers) in ways.items():
                gc.collect()
                seconds[name].append(run(arguments.batches, traces, headers))
        on.close()
    _print(seconds, arguments.batches, lambda name: "no calls, traceparent" if "trace" in name else "no calls")


def _print(seconds: dict[str, list[float]], batches: int, baseline: Callable[[str], str]) -> None:
    for name, taken in seconds.items():
        best = min(taken)
        ratio = best / min(seconds[baseline(name)])
        print(f"{name:>26}: {1e6 * best / batches:8.1f} us a micro-batch of {EVENTS}, {ratio:.3f}")


if __name__ == "__main__":
    main()
