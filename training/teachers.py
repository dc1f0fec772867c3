"""Teachers of names, each a whole trunk that is fine-tuned for names alone, and texts with their answers.

One adapter for ten heads cannot hold all that a fine-tuned trunk learns about names from the labelled sentences, but it
comes closer if it also learns the teachers' probabilities on texts without labels (distillation: Hinton et al. 2015).
"""

from __future__ import annotations

import random as chances
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import Progress
from torch import Tensor, nn
from torch.nn.utils import parametrize
from transformers import BertModel

from training import augment, runs, tokens
from training.data import Data
from training.joint import Learner, dropped, rate
from training.reading import Reader, Source, Unit, collate, flat, in_parts
from workers.learning.fit import Softmax, new_head
from workers.models import adapter

SEEDS = (1, 2)
EPOCHS = 2
TOKENS = 2048
RATES = {"trunk": 1.5e-4, "head": 1e-3, "mix": 1e-2}
SHARES = {"uner_ewt": 1.0, "wikigold": 3.0, "wnut17": 0.8, "btc": 0.4}
"""How often each sentence of a set occurs in an epoch."""
LONGEST = 250
"""Words of a text without labels."""


class Teacher(nn.Module):
    """The trunk with the learner's adapter merged, and a wide head for names."""

    def __init__(self, learner: Learner, folder: Path) -> None:
        """``folder``: the frozen trunk."""
        super().__init__()
        self.trunk = BertModel.from_pretrained(
            folder, add_pooling_layer=False, dtype=torch.float32, attn_implementation="eager"
        )
        adapter.merge(self.trunk, adapter.extract(learner.trunk, learner.original))
        config = self.trunk.config
        self.head: Any = new_head(
            tokens.NER_LABELS, config.num_hidden_layers + 1, config.hidden_size, kind="token", reduce=192, hidden=256,
            context=2, aggregation="average",
        )  # fmt: skip
        self.trunk.requires_grad_(True)
        for frozen in (self.trunk.embeddings.word_embeddings, self.trunk.embeddings.position_embeddings):
            frozen.requires_grad_(False)
        self.head.requires_grad_(True)
        parametrize.register_parametrization(self.head, "mix", Softmax())
        dropped(nn.ModuleDict({"ner": self.head}), 0.2)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits ``[T, labels]`` of all tokens without padding, and the starts of the sequences in them.

        ``ids``, ``types`` and ``mask``: ``[N, longest]``, as ``training.reading.collate`` makes them.
        """
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            output = self.trunk(input_ids=ids, token_type_ids=types, attention_mask=mask, output_hidden_states=True)
        hidden, starts, _ = flat(output.hidden_states, types, mask)
        return self.head(hidden, starts), starts


def trained(
    learner: Learner, folder: Path, data: Data, reader: Reader, *, cache: Path, progress: Progress
) -> list[Teacher]:
    """Return a teacher for each seed: from the folder ``cache`` if it is there, else trained and written to it.

    Args:
        learner: whose adapter the teachers start from; it is not changed.
        folder: the frozen trunk.
    """
    out = []
    for seed in SEEDS:
        torch.manual_seed(seed)
        teacher, file = Teacher(learner, folder), cache / f"teacher-{seed}.pt"
        if file.exists():
            teacher.load_state_dict(torch.load(file, weights_only=True))
        else:
            _train(teacher, data, reader, progress, seed)
            torch.save(teacher.state_dict(), file)
        out.append(teacher.eval())
    return out


def _train(teacher: Teacher, data: Data, reader: Reader, progress: Progress, seed: int) -> None:
    random, chance = np.random.default_rng(seed), chances.Random(seed)
    sets = {name: data.read(f"ner/{name}.train") for name in SHARES}
    extra = augment.listed_names(seed)
    names = {name: runs.Names(examples, extra if name != "btc" else ()) for name, examples in sets.items()}
    plan: list[list[Unit]] = []
    for _ in range(EPOCHS):
        made = [*tokens.invented(reader, 800, seed=chance.randrange(1_000_000))]
        for name, examples in sets.items():
            chosen = [
                names[name].exchanged(example, chance, 0.5) if chance.random() < 0.5 else example
                for example in _epoch(examples, SHARES[name], chance, documents=name in {"uner_ewt", "wikigold"})
            ]
            made += tokens.names_in(chosen, reader, name)
        source = Source("names", "ner", made, sum(map(len, made)))
        plan += [[made[index] for index in batch] for batch in source.batches(random, TOKENS)]
    groups = [
        {"params": [value for value in teacher.trunk.parameters() if value.requires_grad], "lr": RATES["trunk"]},
        *(
            {
                "params": [value for name, value in teacher.head.named_parameters() if ("mix" in name) == mix],
                "lr": RATES["mix" if mix else "head"],
                "weight_decay": 0.0 if mix else 0.01,
            }
            for mix in (False, True)
        ),
    ]
    optimizer = torch.optim.AdamW(groups)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(rate, steps=len(plan)))
    bar = progress.add_task(f"teacher {seed}", total=len(plan))
    teacher.train()
    for units in plan:
        logits, _ = teacher(*collate([unit.items[0] for unit in units], random))
        loss = tokens.loss(logits, np.concatenate([unit.target["ner"] for unit in units]))
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        progress.advance(bar)
    progress.remove_task(bar)


def _epoch(
    examples: Sequence[runs.Example], share: float, chance: chances.Random, *, documents: bool
) -> Iterator[runs.Example]:
    """Yield each example about ``share`` times; of ``documents`` four in ten come as runs of sentences."""
    for part in runs.documents(examples):
        for _ in range(int(share + chance.random())):
            if documents and chance.random() < 0.4:
                lengths = iter(lambda: chance.choice(tokens.RUN_WORDS), 0)
                yield from map(runs.joined, runs.runs(part, lengths))
            else:
                yield from part


def unlabelled(data: Data) -> list[str]:
    """Return texts of train files, mostly of Wikipedia, without labels for names."""
    texts = [
        *(example["text"] for example in data.read("coref/gap.train")),
        *(example["context"] for example in data.read("qa/qamr.train")),
        *(example["premise"] for example in data.read("nli/taxinli.train")),
        *(_prose(example["context"]) for example in data.read("qa/qed.train")[:2500]),
    ]
    return [text for text in dict.fromkeys(texts) if len(text.split()) <= LONGEST]


def _prose(text: str) -> str:
    """Return a text whose words are set apart by spaces as people write it."""
    text = re.sub(r"`` ?| ''", '"', text)
    text = re.sub(r" ([,.;:!?%)\]]|'s\b|n't\b|'re\b|'ve\b|'ll\b|'d\b|'m\b)", r"\1", text)
    return re.sub(r"([(\[$]) ", r"\1", text)


@torch.no_grad()
def distilled(teachers: Sequence[Teacher], texts: Sequence[str], reader: Reader, progress: Progress) -> list[Unit]:
    """Return the texts with the mean of the teachers' probabilities as the target of ``ner``, ``[tokens, labels]``.

    Special tokens may have any label.
    """
    units = []
    for text in texts:
        item, encoding = reader.text(text)
        special = np.array(encoding.special_tokens_mask, bool)
        units.append(Unit([item], {"ner": special[:, None].repeat(len(tokens.NER_LABELS), 1).astype(np.float32)}))
    bar = progress.add_task("answers of the teachers", total=len(units))
    for part in in_parts(units, TOKENS):
        batch = collate([unit.items[0] for unit in part], None)
        rows, starts = zip(*(teacher(*batch) for teacher in teachers), strict=True)
        mean = torch.stack([row.softmax(1) for row in rows]).mean(0)
        counts: list[int] = starts[0].diff().tolist()
        for unit, values in zip(part, torch.split(mean, counts), strict=True):
            target = unit.target["ner"]
            inside = ~target.any(1)
            target[inside] = values.numpy()[inside]
        progress.advance(bar, len(part))
    progress.remove_task(bar)
    return units
