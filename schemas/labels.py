"""Labels: the field's names for what the labels of published checkpoints mean."""

from __future__ import annotations

# Names after the categories most moderation services share (harassment, hate, violence, ...).
# Keys are lower-case labels as published checkpoints spell them.
STANDARD: dict[str, str] = {
    "toxic": "toxicity",
    "toxicity": "toxicity",
    "severe_toxic": "severe_toxicity",
    "severe_toxicity": "severe_toxicity",
    "obscene": "profanity",
    "profanity": "profanity",
    "threat": "violence",
    "violence": "violence",
    "insult": "harassment",
    "offensive": "harassment",
    "offensive_language": "harassment",
    "harassment": "harassment",
    "identity_hate": "hate",
    "identity_attack": "hate",
    "hate": "hate",
    "hateful": "hate",
    "hate_speech": "hate",
    "sexual_explicit": "sexual",
    "sexual": "sexual",
    "nsfw": "sexual",
    "self_harm": "self_harm",
    "self-harm": "self_harm",
    "spam": "spam",
}

# Labels that mean "nothing found": never flagged, and left out of the annotation.
CLEAN: frozenset[str] = frozenset(
    {
        "neither",
        "none",
        "neutral",
        "normal",
        "ok",
        "clean",
        "safe",
        "non-toxic",
        "non_toxic",
        "not_toxic",
        "not-offensive",
        "non-offensive",
        "not-hate",
        "nothate",
        "non-hate",
        "sfw",
    }
)

TAXONOMIES: dict[str, dict[str, str]] = {"standard": STANDARD}

# What entity recognisers abbreviate; every other label (GPE, MISC ...) keeps the model's name.
ENTITIES: dict[str, str] = {
    "PER": "PERSON",
    "PERSON": "PERSON",
    "LOC": "LOCATION",
    "LOCATION": "LOCATION",
    "ORG": "ORGANIZATION",
    "ORGANIZATION": "ORGANIZATION",
    "ORGANISATION": "ORGANIZATION",
}

# Spellings of the polarities, by lower-case label. Stars and LABEL_0 say nothing certain and are not here.
POLARITIES: dict[str, str] = {
    "neg": "negative",
    "negative": "negative",
    "very negative": "very negative",
    "neu": "neutral",
    "neutral": "neutral",
    "mixed": "mixed",
    "pos": "positive",
    "positive": "positive",
    "very positive": "very positive",
}
