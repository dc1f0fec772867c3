"""Fill the templates of ``training.harm``: labelled texts, split by template.

``[a|b]`` in a template is a choice, ``{word}`` a gap for a word of ``training.harm.slots``. The labels are those of
``training.moderation``:

- A threat, a call for violence, and a wish of harm or death are ``threat`` and ``offensive_language``; against a group
  of people they are ``hate_speech`` as well.
- Urging somebody to harm themselves is ``self_harm`` and ``offensive_language``. Those who say that they want to harm
  themselves, or do, are labelled ``self_harm`` alone. Help, prevention, grief and recovery have no label.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from typing import NamedTuple

from training.harm import calm, calm_groups, claims, contempt, insults, quarrels, violence
from training.harm.slots import AFTER, BEFORE, BESIDE, SLOTS
from training.texts import Texts

UNKNOWN = math.nan
Target = tuple[float, float, float, float]


class Kind(NamedTuple):
    """Templates of one kind; ``target``: the probability of each label, NaN if it is debatable."""

    templates: Sequence[str]
    target: Target


INSULT: Target = (0.93, 0.05, 0.03, 0.02)
HATRED: Target = (0.97, 0.95, 0.05, 0.02)
NO_HARM: Target = (0.02, 0.01, 0.01, 0.01)
FLAGGED = {
    "threats": Kind(violence.THREATS, (0.95, 0.05, 0.97, 0.02)),
    "threats to groups": Kind(violence.GROUP_THREATS, (0.97, 0.95, 0.97, 0.02)),
    "wishes of harm": Kind(violence.WISHES, (0.95, 0.05, 0.9, 0.03)),
    "wishes of harm to groups": Kind(violence.GROUP_WISHES, (0.97, 0.95, 0.9, 0.02)),
    "urging self-harm": Kind(violence.URGES, (0.95, 0.05, UNKNOWN, 0.97)),
    "own self-harm": Kind(violence.OWN_HARM, (0.04, 0.02, 0.03, 0.97)),
    "insults": Kind(insults.INSULTS, INSULT),
    "insults with hard words": Kind(insults.SWORN, INSULT),
    "contempt": Kind(contempt.CONTEMPT, HATRED),
    "groups called animals": Kind(contempt.BEASTS, HATRED),
    "polite contempt": Kind(contempt.POLITE, HATRED),
    "claims refused": Kind(claims.REFUSED, HATRED),
    "quarrels": Kind(quarrels.QUARRELS, INSULT),
    # Some of them are wishes of harm.
    "contempt by pronoun": Kind(contempt.PRONOUNS, (0.97, 0.95, UNKNOWN, 0.02)),
}
# Those who voted on tweets call some of these offensive.
SWORN: Target = (0.3, 0.01, 0.01, 0.01)
CURSED: Target = (0.2, 0.01, 0.01, 0.01)
CALM = {
    name: Kind(templates, {"swearing": SWORN, "things cursed": CURSED, "curses": CURSED}.get(name, NO_HARM))
    for name, templates in {
        "no threats": calm.NO_THREATS,
        "figurative violence": calm.FIGURATIVE,
        "news": calm.NEWS,
        "no wishes of harm": calm.NO_WISHES,
        "support": calm.SUPPORT,
        "no insults": calm.NO_INSULTS,
        "told by those insulted": calm.TOLD,
        "things cursed": calm.THINGS_CURSED,
        "swearing": calm.SWEARING,
        "denied contempt": calm_groups.DENIED,
        "counter-speech": calm_groups.COUNTER,
        "quoted contempt": calm_groups.QUOTED,
        "rights": calm_groups.RIGHTS,
        "claims": claims.CLAIMS,
        "more counter-speech": claims.AGAINST,
        "curses": claims.CURSES,
        "debates": quarrels.DEBATES,
        "neutral": calm_groups.NEUTRAL,
        "reclaimed words": calm_groups.RECLAIMED,
        "mentioned words": calm_groups.MENTIONED,
    }.items()
}
KINDS = FLAGGED | CALM
WEIGHT = 0.4
WEIGHTS = {
    "claims": 1.8, "claims refused": 1.8, "curses": 1.2, "rights": 0.9, "counter-speech": 0.7,
    "more counter-speech": 0.7, "contempt": 0.6, "groups called animals": 0.6, "polite contempt": 0.6,
    "threats to groups": 0.6,
}  # fmt: skip
"""How much a text of a kind counts in training beside a tweet; ``WEIGHT`` for all other kinds."""
HELD_OUT = 8
"""One template of so many is kept for choosing thresholds."""


def is_held_out(place: int) -> bool:
    """Return whether the template at ``place`` in its list is kept for the dev split."""
    return place % HELD_OUT == 3


def texts_by_kind(split: str, each: int = 24) -> dict[str, list[str]]:
    """Return ``each`` texts or a few less per template of a split, "train" or "dev", by the name of their kind."""
    out: dict[str, list[str]] = {}
    for name, kind in KINDS.items():
        made: dict[str, None] = {}
        for place, template in enumerate(kind.templates):
            if is_held_out(place) == (split == "dev"):
                chance = random.Random(f"{name} {place}")
                made.update(dict.fromkeys(varied(filled(template, chance), chance) for _ in range(each)))
        out[name] = list(made)
    return out


def texts(split: str) -> Texts:
    """Return the texts of a split with their targets, four per text."""
    out = Texts(f"moderation/harm.{split}")
    for name, made in texts_by_kind(split).items():
        for text in made:
            out.add(text, KINDS[name].target, WEIGHTS.get(name, WEIGHT))
    return out


def kind_of_each(split: str) -> list[str]:
    """Return the name of the kind of each of ``texts(split)``."""
    return [name for name, made in texts_by_kind(split).items() for _ in made]


def filled(template: str, chance: random.Random) -> str:
    """Return a sentence of ``template``, with choices made, gaps filled, and "a" or "an" as the next word needs."""
    text = re.sub(r"\[([^]]*)\]", lambda choice: chance.choice(choice[1].split("|")), template)
    text = re.sub(
        r"\{(\w+)\}",
        lambda slot: str(chance.randint(2, 90)) if slot[1] == "number" else chance.choice(SLOTS[slot[1]]),
        text,
    )
    text = re.sub(r"\b([Aa])n? (?=([a-zA-Z]))", lambda m: f"{m[1]}n " if m[2] in "aeioAEIO" else f"{m[1]} ", text)
    text = text.replace("bitchs", "bitches").replace("fattys", "fatties")
    return re.sub(r" (?=['’,.?!])", "", re.sub(" +", " ", text)).strip()


def varied(text: str, chance: random.Random) -> str:
    """Return ``text`` as somebody else might type it: alone or not, with a typo, in lower case or capitals."""
    if chance.random() < 0.12:
        text = filled(chance.choice(BEFORE), chance) + " " + text
    elif chance.random() < 0.12:
        text = filled(chance.choice(BESIDE), chance) + " " + text
    if chance.random() < 0.12:
        text = text.rstrip(".!") + filled(chance.choice(AFTER).replace(" ", "\0"), chance).replace("\0", " ")
    elif chance.random() < 0.12:
        text = text + ("" if text[-1] in ".!?" else ".") + " " + filled(chance.choice(BESIDE), chance)
    drawn = chance.random()
    if drawn < 0.25:
        text = text.lower()
    elif drawn < 0.28:
        text = text.upper()
    elif drawn < 0.75:
        text = text[0].upper() + text[1:]
    text = marked(text, chance)
    return mistyped(text, chance) if chance.random() < 0.08 else text


def marked(text: str, chance: random.Random) -> str:
    """Return ``text`` with another final mark or none, so that a full stop says nothing about its label."""
    if not text[-1].isalnum() and text[-1] not in ".!":
        return text
    drawn = chance.random()
    return (text.rstrip(".!") or text) + ("" if drawn < 0.45 else "." if drawn < 0.85 else "!")


def mistyped(text: str, chance: random.Random) -> str:
    """Return ``text`` with two letters swapped, or one missing, within one of its longer words."""
    words = list(re.finditer(r"[a-z]{5,}", text))
    if not words:
        return text
    at = chance.choice(words).start() + chance.randint(1, 3)
    return text[:at] + (text[at + 1] + text[at] if chance.random() < 0.5 else text[at + 1]) + text[at + 2 :]


def choices(template: str) -> str:
    """Return a regular expression for the sentences of a template, whose gaps stay as ``{word}``."""
    out = ""
    for part in re.split(r"(\[[^]]*\]|\{\w+\})", template):
        if part.startswith("["):
            out += "(?:" + "|".join(choices(option) for option in part[1:-1].split("|")) + ")"
        else:
            out += part if part.startswith("{") else re.escape(part)
    return out
