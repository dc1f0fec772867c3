"""Forwards side by side give what forwards one at a time give, also when some of them fail."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DeviceError
from tests.workers import tiny
from tests.workers.chain.test_chain import close, documents, encoded, failure_of
from tests.workers.encoder.test_trunk import pipeline
from workers.chain import job
from workers.chain.chain import Chain
from workers.chain.forward import wait_for_one
from workers.chain.job import costs_of, cut_evenly
from workers.encoder.packing import flat_starts, pack
from workers.encoder.pool import Pool

AT_ONCE = 3
TEXTS = [f"{'the brown ' * (n % 5)}fox {'dog ' * (n % 7)}{n}" for n in range(60)]
POISON = "\N{PILE OF POO}"
PATIENCE = 60.0
"""Seconds after which a test that waits for threads fails."""


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> Chain:
    """Three stages, packed and padded ones, whose forwards run side by side however small they are."""
    monkeypatch.setattr(job, "_WORTH", 0)
    made = Chain.load(pipeline(
        {"name": "tone", "task": "text-classification", "model": str(tiny.checkpoint("bert", "sequence"))},
        {"name": "spans", "task": "token-classification", "model": str(tiny.checkpoint("roberta", "token"))},
        {"name": "vector", "task": "embedding", "model": str(tiny.checkpoint("mpnet", "embedding"))},
    ))  # fmt: skip
    side_by_side(made)
    return made


def side_by_side(chain: Chain, forward_tokens: int = 100) -> None:
    pool = Pool(AT_ONCE, 1)
    for trunk in {stage.trunk for stage in chain.stages}:
        trunk.forward_tokens = forward_tokens
        trunk.pool = pool


def separate_pools(chain: Chain) -> None:
    for stage in chain.stages:
        stage.trunk.pool = Pool(AT_ONCE, 1)


def one_at_a_time(chain: Chain) -> None:
    for stage in chain.stages:
        stage.trunk.pool = None


def annotated(chain: Chain, texts: list[str] = TEXTS) -> list[dict[str, Any]]:
    batch = documents(texts)
    chain.run(batch)
    assert not any(document.failure for document in batch)
    return [document.annotations for document in batch]


class Watched:
    """Runs ``before`` in each forward of a stage, and counts those that have begun and that run."""

    def __init__(
        self, chain: Chain, monkeypatch: pytest.MonkeyPatch, before: Callable[[Any, Any], object], stage: int = 0
    ) -> None:
        self.begun = self.running = self.most = 0
        self.sizes: list[int] = []
        self.threads: set[str] = set()
        self._lock = threading.Lock()
        trunk = chain.stages[stage].trunk
        forward = trunk.forward

        def watched(batch: Any, ids: Any, *rest: Any) -> Any:
            with self._lock:
                self.begun += 1
                self.running += 1
                self.most = max(self.most, self.running)
                self.sizes.append(len(batch.tokens))
                self.threads.add(threading.current_thread().name)
            try:
                before(batch, ids)
                return forward(batch, ids, *rest)
            finally:
                with self._lock:
                    self.running -= 1

        monkeypatch.setattr(trunk, "forward", watched)


def token(chain: Chain, text: str = POISON) -> int:
    """The id of ``text`` in the first stage."""
    mark: int = encoded(chain.stages[0], text)[0].ids[1]
    return mark


def test_the_same_forwards_give_the_same_bits(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_WORTH", 1_000_000)  # forwards are cut as without a pool
    together = annotated(chain)
    one_at_a_time(chain)
    assert together == annotated(chain)


def test_forwards_cut_evenly_give_the_same_but_for_rounding(chain: Chain) -> None:
    together = annotated(chain)
    one_at_a_time(chain)
    assert all(map(close, together, annotated(chain)))


def test_as_many_forwards_run_at_a_time_as_the_pool_says(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    meet = threading.Barrier(AT_ONCE)

    def wait(batch: Any, ids: Any) -> None:
        meet.wait(PATIENCE)

    watched = Watched(chain, monkeypatch, wait)
    annotated(chain)
    assert watched.begun % AT_ONCE == 0
    assert watched.most == AT_ONCE
    assert threading.current_thread().name not in watched.threads


def test_results_are_in_order_whichever_forward_ends_first(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, others = annotated(chain), threading.Event()

    def hold(batch: Any, ids: Any) -> None:
        if 0 in batch.sequences:
            assert others.wait(PATIENCE)
        elif watched.begun >= AT_ONCE:
            others.set()

    watched = Watched(chain, monkeypatch, hold)
    assert annotated(chain) == wanted


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_what_is_begun_before_gives_the_same(chain: Chain, count: int) -> None:
    wanted, batch, mark = annotated(chain), documents([*TEXTS, POISON]), token(chain)
    chain.prepare(batch)
    work, pool = chain.pack(batch), chain.stages[0].trunk.pool
    assert pool is not None
    before = len(work.jobs[0].batches)
    begun = chain.begin(work, pool, count)
    assert len(begun) == min(count, before) == before - len(work.jobs[0].batches)
    assert chain.begin(work, Pool(2, 1), count) == [], "another pool's threads"
    assert mark in work.jobs[0].ids
    chain.forward(work)
    chain.annotate(work)
    assert all(map(close, [document.annotations for document in batch], wanted))
    assert all(not job.running for job in work.jobs.values())


def test_without_a_pool_nothing_is_begun(chain: Chain) -> None:
    batch = documents(TEXTS)
    chain.prepare(batch)
    work, pool = chain.pack(batch), chain.stages[0].trunk.pool
    assert pool is not None
    one_at_a_time(chain)
    assert chain.begin(work, pool, 5) == []


def test_waiting_is_left_to_the_caller_which_is_told_what_runs(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    idle = threading.Event()

    def wait_for(running: Any, pool: Pool) -> None:
        seen.append(len(running))
        if len(running) < AT_ONCE:
            idle.set()
        wait_for_one(running, pool)

    def hold(batch: Any, ids: Any) -> None:
        if 0 in batch.sequences:
            assert idle.wait(PATIENCE), "the caller is not told of idle cores"

    Watched(chain, monkeypatch, hold, stage=2)
    batch = documents(TEXTS)
    chain.prepare(batch)
    chain.forward(chain.pack(batch), wait_for)
    assert not any(document.failure for document in batch)
    assert len(seen) <= chain.pace.steps


def test_a_single_forward_runs_on_the_calling_thread(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    separate_pools(chain)
    watched = Watched(chain, monkeypatch, lambda *_: None)
    annotated(chain, ["dogs"])
    assert watched.threads == {threading.current_thread().name}


def test_single_forwards_of_several_stages_run_side_by_side(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, meet = annotated(chain, ["dogs"]), threading.Barrier(len(chain.stages))
    stages = [Watched(chain, monkeypatch, lambda *_: meet.wait(PATIENCE), stage) for stage in range(AT_ONCE)]
    assert annotated(chain, ["dogs"]) == wanted
    assert [watched.begun for watched in stages] == [1, 1, 1]


@pytest.mark.parametrize(("at_once", "alone"), [(AT_ONCE + 1, 3), (AT_ONCE, 0), (2, 0)])
def test_single_forwards_that_are_fewer_than_the_cores_run_in_turns_on_all_of_them(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, at_once: int, alone: int
) -> None:
    pool = Pool(at_once, 1)
    for stage in chain.stages:
        stage.trunk.pool = pool
    stages = [Watched(chain, monkeypatch, lambda *_: None, stage) for stage in range(AT_ONCE)]
    annotated(chain, ["dogs"])
    assert sum(watched.threads == {threading.current_thread().name} for watched in stages) == alone


def test_what_has_begun_of_a_later_stage_ahead_of_all_takes_a_core(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, ends, counted = documents(TEXTS), threading.Event(), list[bool]()
    chain.prepare(batch)
    work, pool = chain.pack(batch), chain.stages[0].trunk.pool
    assert pool is not None
    Watched(chain, monkeypatch, lambda *_: ends.wait(PATIENCE), stage=1)
    chain.begin(work, pool, 1000)
    [of_second] = chain.begin(work, pool, 1)

    def wait_for(running: Any, pool: Pool) -> None:
        counted.append(of_second in running or of_second.done())
        ends.set()
        wait_for_one(running, pool)

    chain.forward(work, wait_for)
    assert counted
    assert all(counted)


def test_idle_cores_begin_the_stages_that_follow(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, last = annotated(chain), threading.Event()

    def hold(batch: Any, ids: Any) -> None:
        if 0 in batch.sequences:
            assert last.wait(PATIENCE), "the last stage has not begun"

    Watched(chain, monkeypatch, hold)
    Watched(chain, monkeypatch, lambda *_: last.set(), stage=2)
    assert annotated(chain) == wanted


def test_stages_with_pools_of_their_own_take_turns(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    separate_pools(chain)
    order: list[int] = []
    for place in range(len(chain.stages)):
        Watched(chain, monkeypatch, lambda *_, place=place: order.append(place), place)
    annotated(chain)
    assert order == sorted(order)
    assert {*order} == {0, 1, 2}


def test_a_forward_that_fails_is_bisected_beside_the_others(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, mark = annotated(chain), token(chain)

    def fail(batch: Any, ids: Any) -> None:
        if mark in ids[batch.tokens]:
            raise RuntimeError("secret text of an event")

    watched = Watched(chain, monkeypatch, fail)
    batch = documents([*TEXTS[:20], POISON, *TEXTS[20:], f"dogs {POISON}"])
    chain.run(batch)
    assert [n for n, document in enumerate(batch) if document.failure] == [20, 61]
    for n in (20, 61):
        failure = failure_of(batch[n])
        assert (failure.stage, failure.error, failure.task) == ("forward", "RuntimeError", None)
        assert "secret" not in failure.message
    assert all(close(document.annotations, wanted[n]) for n, document in enumerate([*batch[:20], *batch[21:61]]))
    assert watched.most > 1


def test_out_of_memory_halves_forwards_and_is_remembered(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, trunk = annotated(chain), chain.stages[0].trunk

    def fail(batch: Any, ids: Any) -> None:
        if len(batch.tokens) > 40:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    watched = Watched(chain, monkeypatch, fail)
    assert all(map(close, annotated(chain), wanted))
    assert trunk.forward_tokens <= 40
    watched.sizes.clear()
    annotated(chain)
    assert max(watched.sizes) <= 40


def test_what_fits_only_alone_is_computed_alone(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, mark, others = annotated(chain, [*TEXTS, POISON]), token(chain), threading.Event()

    def fail(batch: Any, ids: Any) -> None:
        if mark not in ids[batch.tokens]:
            others.set()
        elif watched.running > 1 or threading.current_thread().name.startswith("forward"):
            assert others.wait(PATIENCE)
            raise MemoryError

    watched = Watched(chain, monkeypatch, fail)
    assert all(map(close, annotated(chain, [*TEXTS, POISON]), wanted))


@pytest.mark.parametrize("texts", [[*TEXTS, POISON], [POISON]])
def test_what_fits_only_alone_waits_for_what_has_begun_ahead(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, texts: list[str]
) -> None:
    wanted, mark, ends = annotated(chain, texts), token(chain), threading.Event()
    pool = chain.stages[0].trunk.pool
    assert pool is not None
    ahead = pool.submit(lambda: ends.wait(PATIENCE))  # holds memory until no other forward of the micro-batch does

    def fail(batch: Any, ids: Any) -> None:
        if mark in ids[batch.tokens] and not ahead.done():
            if not threading.current_thread().name.startswith("forward"):
                ends.set()
            raise MemoryError

    Watched(chain, monkeypatch, fail)
    assert all(map(close, annotated(chain, texts), wanted))


def test_what_never_fits_fails_alone_with_a_reason(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = token(chain)

    def fail(batch: Any, ids: Any) -> None:
        if mark in ids[batch.tokens]:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory")

    Watched(chain, monkeypatch, fail)
    batch = documents([*TEXTS, POISON])
    chain.run(batch)
    assert [document.failure is None for document in batch] == [True] * len(TEXTS) + [False]
    assert "no memory for a sequence of" in failure_of(batch[-1]).message


def test_a_lost_device_stops_the_worker_when_no_forward_runs_any_more(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised = threading.Event()

    def fail(batch: Any, ids: Any) -> None:
        if 0 in batch.sequences:
            raised.set()
            raise torch.AcceleratorError("CUDA error: device-side assert triggered")
        assert raised.wait(PATIENCE)

    watched = Watched(chain, monkeypatch, fail)
    others = [Watched(chain, monkeypatch, lambda *_: raised.wait(PATIENCE), stage) for stage in (1, 2)]
    with pytest.raises(DeviceError):
        chain.run(documents())
    assert watched.running == 0
    assert [other.running for other in others] == [0, 0]
    one_at_a_time(chain)
    chain.run([])


def test_what_is_no_failure_of_a_forward_reaches_the_caller(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ending(BaseException):
        pass

    def fail(batch: Any, ids: Any) -> None:
        raise Ending

    watched = Watched(chain, monkeypatch, fail)
    with pytest.raises(Ending):
        chain.run(documents(TEXTS))
    assert watched.running == 0


def test_every_forward_is_counted_and_measured(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    forwards: list[tuple[str, float]] = []
    chain.pace.on_forward = lambda trunk, seconds: forwards.append((trunk, seconds))
    watched = Watched(chain, monkeypatch, lambda *_: None)
    annotated(chain)
    assert sum(trunk == chain.stages[0].trunk.name for trunk, _ in forwards) == watched.begun
    assert len(forwards) == chain.pace.steps
    assert chain.pace.allowed == 0.0


def test_threads_end_with_the_chain() -> None:
    model = str(tiny.checkpoint("bert", "sequence"))
    made = Chain.load(pipeline({"name": "tone", "task": "text-classification", "model": model}))
    before = set(threading.enumerate())
    side_by_side(made)
    threads = set(threading.enumerate()) - before
    assert len(threads) == AT_ONCE
    annotated(made)
    del made
    gc.collect()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=80), st.integers(2, 6), st.integers(64, 2048))
def test_cutting_evenly(sizes: list[int], at_once: int, most: int) -> None:
    lengths = np.array(sizes)
    starts, sequences = flat_starts(lengths), np.arange(len(lengths))
    batches = cut_evenly(lengths, sequences, at_once, lambda chosen: pack(lengths, starts, chosen, most))
    assert sorted(np.concatenate([batch.sequences for batch in batches])) == sequences.tolist()
    assert all(len(batch.tokens) <= most or len(batch) == 1 for batch in batches)
    if len(batches) % at_once:  # there are too few sequences, or too long ones
        assert len(batches) == len(pack(lengths, starts, sequences, most))
    else:
        costs = [costs_of(lengths[batch.sequences]).sum() for batch in batches]
        assert max(costs) <= sum(costs) / len(costs) + costs_of(lengths).max()


def test_short_texts_of_a_micro_batch_make_equal_forwards_for_all() -> None:
    lengths = np.random.default_rng(0).integers(5, 60, 400)
    starts, sequences = flat_starts(lengths), np.arange(400)
    batches = cut_evenly(lengths, sequences, 4, lambda chosen: pack(lengths, starts, chosen, 1024))
    assert len(batches) % 4 == 0
    tokens = [len(batch.tokens) for batch in batches]
    assert max(tokens) - min(tokens) < 120
