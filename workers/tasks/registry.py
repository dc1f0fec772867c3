"""The class for each ``task:`` of the pipeline file."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points

from schemas.errors import ModelError
from schemas.pipeline.tasks import AnyTask, CustomTask, SpanTask
from workers.tasks.aspects import AspectSentiment
from workers.tasks.base import Task
from workers.tasks.classification import Classification
from workers.tasks.coreference import Coreference
from workers.tasks.embedding import Embedding
from workers.tasks.ensemble import ClassificationEnsemble, ModerationEnsemble
from workers.tasks.language import LanguageByLibrary, LanguageByModel
from workers.tasks.moderation import Moderation
from workers.tasks.pairs import Nli, Paraphrase, ZeroShot
from workers.tasks.pii import Pii, PiiByModel
from workers.tasks.pos import PartOfSpeech
from workers.tasks.question_answering import QuestionAnswering
from workers.tasks.sentence_spans import SentenceSpans
from workers.tasks.similarity import Similarity
from workers.tasks.spans import Spans

ENTRY_POINTS = "glossator.tasks"
"""The entry point group in which installed packages offer custom tasks."""

_CLASSES: dict[str, type[Task]] = {
    "sentiment": Classification,
    "text-classification": Classification,
    "ner": Spans,
    "token-classification": Spans,
    "pos": PartOfSpeech,
    "coreference": Coreference,
    "language": LanguageByModel,
    "aspect-sentiment": AspectSentiment,
    "nli": Nli,
    "zero-shot": ZeroShot,
    "paraphrase": Paraphrase,
    "similarity": Similarity,
    "question-answering": QuestionAnswering,
    "pii": PiiByModel,
    "moderation": Moderation,
    "embedding": Embedding,
}
# The classes for entries without a model; without one, the first three are ensembles.
_WITHOUT_MODEL: dict[str, type[Task]] = {
    "moderation": ModerationEnsemble,
    "sentiment": ClassificationEnsemble,
    "text-classification": ClassificationEnsemble,
    "language": LanguageByLibrary,
    "pii": Pii,
}


def task_class(config: AnyTask) -> type[Task]:
    """Return the class for an entry's ``task``, or the one that a custom task names in ``use``.

    Importing a custom class runs the user's code.

    Raises:
        ModelError: if a custom class cannot be imported, for whatever reason, or is not a subclass of ``Task``.
    """
    if isinstance(config, CustomTask):
        return _custom(config.use)
    if isinstance(config, SpanTask) and config.sentences:
        return SentenceSpans
    return _WITHOUT_MODEL[config.task] if config.model is None else _CLASSES[config.task]


def _custom(use: str) -> type[Task]:
    module, colon, name = use.partition(":")
    entries = () if colon else tuple(entry_points(group=ENTRY_POINTS, name=use))
    if not colon and len(entries) != 1:
        raise ModelError(f'no installed package offers a task "{use}" (entry points {ENTRY_POINTS})')
    try:
        loaded = getattr(importlib.import_module(module), name) if colon else entries[0].load()
    except Exception as error:
        hint = ""
        if isinstance(error, ModuleNotFoundError) and error.name and f"{module}.".startswith(f"{error.name}."):
            where = f"the folder that contains {error.name.partition('.')[0]}"
            hint = f"; set the environment variable PYTHONPATH to {where}, or install its package"
        raise ModelError(f'"{use}" cannot be imported: {type(error).__name__}: {error}{hint}') from error
    if not (isinstance(loaded, type) and issubclass(loaded, Task)):
        raise ModelError(f'"{use}" is not a subclass of workers.tasks.Task')
    return loaded
