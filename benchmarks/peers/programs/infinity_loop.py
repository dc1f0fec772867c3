"""infinity-emb: its engine collects what is asked for at the same time into batches of similar length.

https://michaelfeil.eu/infinity/latest/python_engine/
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from confluent_kafka import Consumer, Producer
from infinity_emb import AsyncEmbeddingEngine, EngineArgs
from transformers import PreTrainedTokenizerBase

from .tasks import annotation, arguments, entries, output

# infinity-emb 0.0.78 calls a method that transformers 5 has removed; this is what it did.
PreTrainedTokenizerBase.batch_encode_plus = PreTrainedTokenizerBase.__call__  # type: ignore[attr-defined]


async def work(options: Any) -> None:
    (entry,) = entries(options.tasks)
    engine = AsyncEmbeddingEngine.from_args(
        EngineArgs(model_name_or_path=entry["model"], device="cpu", engine="torch", bettertransformer=False)
    )
    consumer = Consumer({
        "bootstrap.servers": options.servers, "group.id": options.group, "auto.offset.reset": "earliest",
    })  # fmt: skip
    producer = Producer({"bootstrap.servers": options.servers})
    consumer.subscribe([options.topic])
    async with engine:
        while True:
            polled = await asyncio.to_thread(consumer.consume, options.batch, 0.1)
            messages = [message for message in polled if message.error() is None]
            if messages:
                events = [json.loads(message.value() or b"") for message in messages]
                texts = [event["text"] for event in events]
                if entry["task"] == "embedding":
                    vectors, _ = await engine.embed(sentences=texts)
                    results = [{"vector": vector.tolist()} for vector in vectors]
                else:
                    scores, _ = await engine.classify(sentences=texts, raw_scores=False)
                    results = [annotation(list(labels)) for labels in scores]
                for message, event, result in zip(messages, events, results, strict=True):
                    producer.produce(options.out, json.dumps(output(event, {entry["name"]: result})), message.key())
            producer.poll(0)


if __name__ == "__main__":
    asyncio.run(work(arguments()))
