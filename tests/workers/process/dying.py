"""A small worker that is run until it lives: ``python -m tests.workers.process.dying``.

Arguments: a folder, and as JSON the offsets that kill the process while they are prepared, while they are on the
device, and while they are finished. Each life is a process, forked from one that has only imported; the exit statuses
of all are printed as a list, as JSON. Three threads share the work as in ``Worker``, and the next micro-batch begins
beside the one on the device where it may; nothing is committed before everything has passed. What has passed is in
``enriched``, and what is a dead letter in ``dead``, one offset a line.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import threading
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from schemas.document import Document
from schemas.record import Assignment, Record
from stream.microbatch import MicroBatch, MicroBatcher
from stream.pacing import FixedPacing
from workers.process.journal import Journal, LaneName, guilty
from workers.process.lanes import Channel, Closed

EVENTS, POLLED = 60, 20
MOST_LIVES = 40
PLACES = (Assignment("posts", 0), Assignment("posts", 1))


def die(documents: Iterable[Document], deadly: list[int]) -> None:
    for document in documents:
        if document.failure is None and document.record and document.record.offset in deadly:
            ctypes.string_at(0)


def main(folder: Path, deadly: dict[LaneName, list[int]]) -> None:
    journal = Journal(folder, "p", 0)
    prepared: Channel[MicroBatch] = Channel(2)
    computed: Channel[MicroBatch] = Channel(2)
    passed = {name: (folder / name).open("a", buffering=1) for name in ("enriched", "dead")}

    def work(lane: LaneName, records: Iterable[Record], documents: list[Document]) -> None:
        with journal.lane(lane, records):
            die(documents, deadly[lane])

    def prepare() -> None:
        batcher = MicroBatcher(FixedPacing(10_000, 0.0), 8)
        for start in range(0, EVENTS, POLLED):
            records = [Record(PLACES[n // 10 % 2], n, None, b"a secret") for n in range(start, start + POLLED)]
            for piece, verdict in journal.pieces(records):
                documents = [guilty(record) if verdict == "guilty" else Document(record) for record in piece]
                if verdict != "guilty":
                    work("prepare", piece, documents)
                for document in documents:
                    document.alone = verdict == "alone"
                for batch in batcher.add(documents):
                    prepared.put(batch)
        if (rest := batcher.cut_rest()) is not None:
            prepared.put(rest)
        prepared.close()

    def device() -> None:
        following: MicroBatch | None = None
        lane = ExitStack()
        with suppress(Closed):
            while True:
                batch, following = following or prepared.get(), None
                assert batch is not None
                with journal.lane("device", batch.records):
                    lane.close()
                    with suppress(Closed):
                        following = prepared.get(0.01)
                    if following is not None and journal.may_begin(following.records):
                        lane.enter_context(journal.lane("ahead", following.records))
                        die(following.documents, deadly["device"])
                    die(batch.documents, deadly["device"])
                computed.put(batch)
        computed.close()

    threads = [threading.Thread(target=target) for target in (prepare, device)]
    for thread in threads:
        thread.start()
    for batch in computed:
        work("finish", batch.records, batch.documents)
        for document in batch.documents:
            assert document.record is not None
            print(document.record.offset, file=passed["dead" if document.failure else "enriched"])
    for thread in threads:
        thread.join()
    journal.close()


def live(folder: Path, deadly: dict[LaneName, list[int]]) -> None:
    """Run ``main`` in one process after the other, until one ends well or ``MOST_LIVES`` have not."""
    statuses: list[int] = []
    while not statuses or (statuses[-1] and len(statuses) < MOST_LIVES):
        child = os.fork()
        if not child:
            main(folder, deadly)
            return
        statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(json.dumps(statuses))


if __name__ == "__main__":
    live(Path(sys.argv[1]), dict(zip(("prepare", "device", "finish"), map(json.loads, sys.argv[2:]), strict=True)))
