"""Which topics a pipeline reads: names, and patterns of names."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterable, Sequence

MARK = "^"
"""What distinguishes a pattern: no topic has it in its name."""
INTERNAL = "__"
"""How the names of Kafka's own topics begin, which no pattern matches."""

_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of topics. Raises ValueError with the reason, which does not quote the pattern."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what may change in Python: a future version is tested by itself
            return re.compile(pattern)
    except re.error as error:
        place = "" if error.pos is None else f" (character {error.pos + 1})"
        reason = f": {error.msg}" if re.fullmatch(r"[a-z ,()-]+", error.msg) else ""
        raise ValueError(f"is not a regular expression{reason}{place}") from None
    except (OverflowError, RecursionError):
        raise ValueError("is not a regular expression that can be used") from None


class InputTopics:
    """The topics that a pipeline reads. Any thread may use it.

    A pattern matches a topic if it matches the beginning of the name, or, with ``$`` at its end, the whole name. It
    never matches a topic that the pipeline writes, because that would be an endless loop, nor one of Kafka's own.

    Attributes:
        names: The topics that are named.
        patterns: The patterns, as they are written.
    """

    def __init__(self, topics: Sequence[str], written: Iterable[str]) -> None:
        """``topics``: names and patterns; ``written``: the topics that the pipeline writes."""
        self.names = tuple(topic for topic in topics if not topic.startswith(MARK))
        self.patterns = tuple(topic for topic in topics if topic.startswith(MARK))
        self._compiled = [compiled(pattern) for pattern in self.patterns]
        self._written = frozenset(written)

    def __contains__(self, topic: object) -> bool:
        return topic in self.names or (isinstance(topic, str) and bool(self._matching(topic)))

    def expanded(self, existing: Iterable[str]) -> list[str]:
        """Return the topics to read if there are the topics ``existing``; those that are named come first."""
        matching = sorted(topic for topic in existing if topic not in self.names and self._matching(topic))
        return [*self.names, *matching]

    def unmatched(self, existing: Collection[str]) -> list[str]:
        """Return the patterns that match none of the topics ``existing``."""
        matched = {number for topic in existing for number in self._matching(topic)}
        return [pattern for number, pattern in enumerate(self.patterns) if number not in matched]

    def siblings(self, topic: str, existing: Iterable[str]) -> list[str]:
        """Return the topics that the group begins to read together with ``topic``, in order.

        They are those that one of its patterns matches. A topic that is named, or that no pattern matches, is alone.
        """
        if topic in self.names:
            return [topic]
        numbers = self._matching(topic)
        others = (other for other in existing if other not in self.names)
        return sorted({topic, *(other for other in others if not numbers.isdisjoint(self._matching(other)))})

    def excluded(self) -> list[str]:
        """Return the topics that a pattern would match if the pipeline did not write them."""
        return sorted(topic for topic in self._written if any(each.match(topic) for each in self._compiled))

    @property
    def example(self) -> str:
        """The name of a topic that the pipeline reads, or might read."""
        if self.names:
            return self.names[0]
        plain = _PLAIN.match(self.patterns[0], len(MARK))
        return plain[0] if plain else "topic"

    def _matching(self, topic: str) -> set[int]:
        """Return the indices of the patterns that match ``topic``."""
        if topic in self._written or topic.startswith(INTERNAL):
            return set()
        return {number for number, pattern in enumerate(self._compiled) if pattern.match(topic)}
