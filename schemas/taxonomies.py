"""Names for the categories of moderation: those of published checkpoints, and the taxonomies they are translated to.

The keys of each taxonomy are labels of published checkpoints in lower case, with ``_`` for spaces and hyphens: those of
unitary/toxic-bert and unitary/unbiased-toxic-roberta (the Jigsaw challenges), of cardiffnlp's models for offensive
language and hate (TweetEval), of models trained on Davidson et al. 2017, and of KoalaAI/Text-Moderation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# Categories that most moderation services share. A label that is missing here keeps the model's name.
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
    "spam": "spam",
}

# The production attributes of the Perspective API (its documentation, "Attributes & Languages"). What it keeps apart
# stays apart: a threat is no violence here, and an insult no harassment. "Offensive" is defined by TweetEval's source
# (Zampieri et al. 2019) and by Davidson et al. as rude language of any kind, which is what TOXICITY means.
PERSPECTIVE: dict[str, str] = {
    "toxic": "TOXICITY",
    "toxicity": "TOXICITY",
    "offensive": "TOXICITY",
    "offensive_language": "TOXICITY",
    "severe_toxic": "SEVERE_TOXICITY",
    "severe_toxicity": "SEVERE_TOXICITY",
    "identity_hate": "IDENTITY_ATTACK",
    "identity_attack": "IDENTITY_ATTACK",
    "hate": "IDENTITY_ATTACK",
    "hateful": "IDENTITY_ATTACK",
    "hate_speech": "IDENTITY_ATTACK",
    "insult": "INSULT",
    "obscene": "PROFANITY",
    "profanity": "PROFANITY",
    "threat": "THREAT",
    "sexual_explicit": "SEXUALLY_EXPLICIT",
    "sexually_explicit": "SEXUALLY_EXPLICIT",
}

# The categories of OpenAI's omni-moderation (its guide "Moderation"). The letters are those of KoalaAI's model.
OPENAI: dict[str, str] = {
    "harassment": "harassment",
    "insult": "harassment",
    "offensive": "harassment",
    "offensive_language": "harassment",
    "hr": "harassment",
    "harassment/threatening": "harassment/threatening",
    "threat": "harassment/threatening",
    "hate": "hate",
    "hateful": "hate",
    "hate_speech": "hate",
    "identity_hate": "hate",
    "identity_attack": "hate",
    "h": "hate",
    "hate/threatening": "hate/threatening",
    "h2": "hate/threatening",
    "illicit": "illicit",
    "illicit/violent": "illicit/violent",
    "self_harm": "self-harm",
    "sh": "self-harm",
    "self_harm/intent": "self-harm/intent",
    "self_harm/instructions": "self-harm/instructions",
    "sexual": "sexual",
    "sexual_explicit": "sexual",
    "nsfw": "sexual",
    "s": "sexual",
    "sexual/minors": "sexual/minors",
    "s3": "sexual/minors",
    "violence": "violence",
    "v": "violence",
    "violence/graphic": "violence/graphic",
    "v2": "violence/graphic",
}

# The hazards of MLCommons' AILuminate 1.0 (arXiv 2503.05731). Few encoders can tell crimes from what is only rude, so
# most checkpoints serve two or three of them.
MLCOMMONS: dict[str, str] = {
    "violent_crimes": "violent_crimes",
    "non_violent_crimes": "non_violent_crimes",
    "nonviolent_crimes": "non_violent_crimes",
    "sex_related_crimes": "sex_related_crimes",
    "child_sexual_exploitation": "child_sexual_exploitation",
    "indiscriminate_weapons": "indiscriminate_weapons",
    "suicide_and_self_harm": "suicide_and_self_harm",
    "self_harm": "suicide_and_self_harm",
    "hate": "hate",
    "hateful": "hate",
    "hate_speech": "hate",
    "identity_hate": "hate",
    "identity_attack": "hate",
    "defamation": "defamation",
    "privacy": "privacy",
    "intellectual_property": "intellectual_property",
    "sexual_content": "sexual_content",
    "sexual_explicit": "sexual_content",
    "sexual": "sexual_content",
    "nsfw": "sexual_content",
    "specialized_advice": "specialized_advice",
}

TAXONOMIES: dict[str, dict[str, str]] = {
    "standard": STANDARD,
    "perspective": PERSPECTIVE,
    "openai": OPENAI,
    "mlcommons": MLCOMMONS,
}

CLOSED: frozenset[str] = frozenset({"perspective", "openai", "mlcommons"})
"""Taxonomies with a fixed list of names: a label that has none of them is left out of the annotation."""

# Labels that mean "nothing found": they are never flagged and not part of the annotation.
CLEAN: frozenset[str] = frozenset(
    {
        "neither",
        "none",
        "neutral",
        "normal",
        "ok",
        "clean",
        "safe",
        "non_toxic",
        "not_toxic",
        "not_offensive",
        "non_offensive",
        "not_hate",
        "nothate",
        "non_hate",
        "sfw",
    }
)

# Labels of unitary/unbiased-toxic-roberta that say whom a text mentions. To flag them would flag the mention.
MENTIONS: frozenset[str] = frozenset(
    {
        "male",
        "female",
        "homosexual_gay_or_lesbian",
        "christian",
        "jewish",
        "muslim",
        "black",
        "white",
        "psychiatric_or_mental_illness",
    }
)


def spelled(label: str) -> str:
    """Return a label as the tables of this module spell it: in lower case, with ``_`` for spaces and hyphens."""
    return label.lower().replace(" ", "_").replace("-", "_")


def keeps(taxonomy: str | Mapping[str, str], labels: Iterable[str]) -> bool:
    """Whether an annotation with this ``taxonomy`` has all of the labels under their own names."""
    if taxonomy == "model":
        return True
    if not isinstance(taxonomy, str):
        return all(taxonomy.get(label, label) == label for label in labels)
    known, closed = TAXONOMIES[taxonomy], taxonomy in CLOSED
    return all(
        known.get(spelled(label), None if closed else label) == label and (closed or spelled(label) not in MENTIONS)
        for label in labels
    )


def names(taxonomy: str) -> list[str]:
    """Return the names of a taxonomy, each once."""
    return list(dict.fromkeys(TAXONOMIES[taxonomy].values()))
