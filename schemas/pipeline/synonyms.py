"""What people call tasks elsewhere, so that an unknown task gets a suggestion by its meaning."""

from __future__ import annotations

_WORDS = {
    "sentiment": "sentiment-analysis sentiment-classification polarity opinion tone",
    "text-classification": (
        "emotion emotions emotion-detection topic topics topic-classification intent intents intent-classification "
        "intent-detection classification classifier classify sequence-classification category categories spam "
        "spam-detection sarcasm irony stance formality"
    ),
    "moderation": (
        "toxicity toxic toxicity-detection hate hate-speech hate-speech-detection profanity offensive nsfw safety "
        "content-moderation abuse"
    ),
    "ner": "entities entity named-entities named-entity-recognition entity-recognition entity-extraction",
    "token-classification": "chunking sequence-labeling sequence-labelling keywords keyword-extraction",
    "pii": (
        "redact redaction anonymize anonymise anonymization anonymisation de-identification deidentification "
        "personal-data privacy phi"
    ),
    "language": "lang languages langid lid language-detection language-identification",
    "embedding": "embeddings embed vector vectors feature-extraction sentence-embedding sentence-embeddings",
    "similarity": (
        "duplicate duplicates near-duplicate near-duplicates dedup deduplication sentence-similarity "
        "semantic-similarity"
    ),
    "question-answering": "qa question questions answer answers extractive-question-answering",
    "nli": "entailment textual-entailment natural-language-inference",
    "zero-shot": "zeroshot zero-shot-classification",
    "pos": "part-of-speech parts-of-speech pos-tagging tagging",
    "coreference": "coref coreference-resolution",
    "aspect-sentiment": "absa aspect aspects aspect-based-sentiment aspect-based-sentiment-analysis",
    "paraphrase": "paraphrases paraphrase-detection",
}
_COMBINING = frozenset({"ensemble", "cascade", "voting", "stacking"})
_GENERATIVE = frozenset(
    {
        "chat", "fill-mask", "generation", "paraphrasing", "simplification", "summarisation", "summarization",
        "summarize", "summary", "text-generation", "text2text-generation", "translate", "translation",
    }
)  # fmt: skip

_OPTIONS = {
    "message": "record", "name": "record", "type": "record", "subject_name_strategy": "subject", "strategy": "subject",
    "auto_register_schemas": "auto_register",
}  # fmt: skip
"""What options of registered formats are called elsewhere -> their names here."""

_TASK_OF = {word: task for task, words in _WORDS.items() for word in words.split()}


def _plain(word: str) -> str:
    return word.strip().lower().replace("_", "-").replace(" ", "-")


def task_meant(word: str) -> str | None:
    """Return the task that people mean by ``word``, None if that is unknown."""
    return _TASK_OF.get(_plain(word))


def option_meant(word: object) -> str | None:
    """Return the option of a registered format that people mean by ``word``, None if that is unknown."""
    return _OPTIONS.get(_plain(str(word)).replace("-", "_").replace(".", "_"))


def is_combining(word: str) -> bool:
    """Whether ``word`` means to combine tasks, which is a setting of some tasks and not a task."""
    return _plain(word) in _COMBINING


def is_generative(word: str) -> bool:
    """Whether ``word`` means a task that writes texts, which encoders cannot."""
    return _plain(word) in _GENERATIVE
