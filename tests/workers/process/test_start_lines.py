"""What a worker says about itself at its start, for people and as fields."""

from __future__ import annotations

import logging
import platform
from pathlib import Path
from typing import Any, cast

import pytest

from stream.telemetry.build import version
from stream.telemetry.logs import JsonLines
from tests import noop
from tests.workers import tiny
from tests.workers.encoder.test_trunk import pipeline
from workers.chain.chain import Chain
from workers.cli.views.plan import plan_data, plan_lines
from workers.encoder.pool import Pool
from workers.process import start_lines


def test_program_pipeline_and_cluster(caplog: pytest.LogCaptureFixture) -> None:
    settings = noop.pipeline(kafka={"bootstrap.servers": "b:1", "sasl.password": "secret"})
    with caplog.at_level(logging.INFO, "glossator"):
        start_lines.log_program(3)
        start_lines.log_pipeline(settings, Path("a.yaml"), "12345678")
        start_lines.log_cluster(settings, "abc")
        start_lines.log_cluster(settings, "")
    python = platform.python_version()
    assert caplog.messages == [
        f"glossator {version()} on Python {python}, slot 3",
        "pipeline p of a.yaml, configuration 12345678, at_least_once",
        "brokers b:1 (cluster abc): reading posts, writing out, dead letters to out.dead",
        "brokers b:1: reading posts, writing out, dead letters to out.dead",
    ]
    assert [JsonLines.fields_of(record) for record in caplog.records[:3]] == [
        {"kind": "version", "version": version(), "python": python},
        {"kind": "pipeline", "pipeline": "p", "file": "a.yaml", "config": "12345678", "delivery": "at_least_once"},
        {
            "kind": "brokers", "brokers": "b:1", "cluster": "abc", "inputs": ["posts"], "outputs": ["out"],
            "dead_letters": "out.dead",
        },
    ]  # fmt: skip


def test_a_trunk_whose_precision_was_chosen(caplog: pytest.LogCaptureFixture) -> None:
    model = str(tiny.checkpoint("bert", "sequence"))
    config = pipeline({"name": "tone", "task": "text-classification", "model": model})
    chain = Chain.load(config)
    chain.stages[0].trunk.reason = "it is enough"
    with caplog.at_level(logging.INFO, "glossator"):
        start_lines.log_plan(chain)
    assert caplog.messages[1:] == [f"{model} computes in float32: it is enough"]
    assert JsonLines.fields_of(caplog.records[1]) == {
        "kind": "precision", "trunk": model, "precision": "float32", "reason": "it is enough",
    }  # fmt: skip
    assert "              float32 on this machine: it is enough" in list(plan_lines(plan_data(config, chain)))


def test_the_plan(caplog: pytest.LogCaptureFixture) -> None:
    model = str(tiny.checkpoint("bert", "sequence"))
    chain = Chain.load(pipeline(
        {"name": "tone", "task": "text-classification", "model": model},
        {"name": "topic", "task": "text-classification", "model": model},
        {"name": "private", "task": "pii", "entities": ["EMAIL_ADDRESS"]},
    ))  # fmt: skip
    with caplog.at_level(logging.INFO, "glossator"):
        start_lines.log_plan(chain)
        start_lines.log_plan(cast(Any, noop.NoopChain()))
    tokens = chain.stages[0].trunk.forward_tokens
    assert caplog.messages == [
        f"plan: 1 stage on 1 trunk, cpu in float32: {model} in forwards of {tokens} tokens for tone, topic; "
        "without a model private",
        "plan: no model",
    ]
    assert JsonLines.fields_of(caplog.records[0]) == {
        "kind": "plan", "device": "cpu", "precision": "float32", "trunks": 1,
        "stages": [
            {"level": 0, "trunk": model, "forward_tokens": tokens, "side_by_side": 1, "tasks": ["tone", "topic"]}
        ],
        "without_model": ["private"],
    }  # fmt: skip


def test_the_plan_says_how_many_forwards_run_side_by_side(caplog: pytest.LogCaptureFixture) -> None:
    model = str(tiny.checkpoint("bert", "sequence"))
    chain = Chain.load(pipeline({"name": "tone", "task": "text-classification", "model": model}))
    trunk = chain.stages[0].trunk
    for threads, words in ((1, "1 thread"), (2, "2 threads")):
        trunk.pool = Pool(2, threads)
        with caplog.at_level(logging.INFO, "glossator"):
            start_lines.log_plan(chain)
        assert f"{trunk.forward_tokens} tokens, 2 at a time with {words} each, for tone" in caplog.messages[-1]
        assert JsonLines.fields_of(caplog.records[-1])["stages"][0]["side_by_side"] == 2
