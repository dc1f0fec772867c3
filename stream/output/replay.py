"""Chooses dead letters and sends their records again, each letter at most once per selection."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from schemas.pipeline.config import Pipeline
from schemas.record import Outbound, Record
from stream.kafka.reader import Reader, fetch
from stream.kafka.resender import Resender
from stream.kafka.topics import check_topics, existing_topics
from stream.output.left import note, offsets
from stream.output.letters import Letter
from stream.output.redaction.envelope import EnvelopeError
from stream.output.redaction.keys import Key

Chooser: TypeAlias = Callable[[Letter], bool]
"""Whether a letter is chosen."""
Place: TypeAlias = tuple[str, int]
"""Topic and partition."""
Progress: TypeAlias = Callable[["Choice"], None]
"""Called with each chosen letter once its outcome is certain."""

_PAUSE = 0.5
"""Seconds to wait for letters before looking whether there are any left."""


class Choice(NamedTuple):
    """A chosen letter, and the record to send for it or why there is none."""

    letter: Letter
    outbound: Outbound | None
    obstacle: str


class Selection(NamedTuple):
    """Which letters to send, and where.

    Attributes:
        chosen: Decides for each letter.
        condition: The condition it was made from; with ``to`` it identifies the selection, which remembers how far its
            letters have been sent.
        to: The topic to send to; None for the topic of each original.
        max_attempts: A letter whose record has been sent again so often stays.
    """

    chosen: Chooser
    condition: str = ""
    to: str | None = None
    max_attempts: int = 3

    def group(self, pipeline: str) -> str:
        """Return the consumer group under whose name the selection commits what it has sent."""
        identity = hashlib.sha256(json.dumps([self.condition, self.to]).encode()).hexdigest()
        return f"{group_prefix(pipeline)}{identity[:8]}"


def group_prefix(pipeline: str) -> str:
    """Return how the groups of all replays of ``pipeline`` begin."""
    return f"{pipeline}.replay."


class Replay:
    """One pass over the letters that are in the dead-letter topic when it begins. One thread uses it."""

    def __init__(
        self, pipeline: Pipeline, selection: Selection, patience: float, sends: bool, keys: Mapping[str, Key]
    ) -> None:
        """Make the clients.

        Args:
            pipeline: Whose dead letters are read.
            selection: Which of them are sent, and where.
            patience: Seconds to wait for brokers and topics.
            sends: Whether ``send`` will be called.
            keys: Key id -> key, for encrypted letters.

        Raises:
            BrokerError: the client rejects its settings.
        """
        self._pipeline = pipeline
        self._reads = pipeline.reads
        self._existing: Collection[str] | None = None
        """The topics of the cluster; None if those that letters are sent to are known to exist."""
        self._selection = selection
        self._patience = patience
        self.group = selection.group(pipeline.pipeline)
        self._reader = Reader(pipeline.kafka, self.group)
        self._resender = Resender(pipeline.kafka, self.group) if sends else None
        self._keys = keys
        self._reached: dict[Place, int] = {}
        self._left: defaultdict[Place, set[int]] = defaultdict(set)
        self._unnamed: dict[Place, int] = {}

    @property
    def forgotten(self) -> int:
        """Number of letters that stay and that the next run will not try again, because there are too many of them."""
        return sum(self._unnamed.values())

    def open(self, again: bool) -> None:
        """Wait for the topics and go to the first letter that has not been sent; with ``again``, to the very first.

        Blocks for up to ``patience`` seconds for the topics, and up to a minute for the offsets.

        Raises AccessError, TopicError or BrokerError.
        """
        targets = [self._selection.to] if self._selection.to else self._reads.names
        check_topics(self._pipeline.kafka, targets, self._patience)
        if self._reads.patterns and not self._selection.to:
            self._existing = existing_topics(self._pipeline.kafka)
        if self._resender is not None:
            # Before the offsets are read: a run that is still going may commit until it is fenced.
            self._resender.open()
        topic = self._pipeline.output.dead_letter_topic
        if not again:
            for place, (offset, noted) in self._reader.committed(topic, self._patience).items():
                self._reached[place] = offset
                self._left[place] = offsets(noted)
        # What was left is between the first of it and what was reached; the rest there is read and passed over.
        starts = {place: min({offset, *self._left[place]}) for place, offset in self._reached.items()}
        self._reader.open([topic], starts, self._patience)

    def choices(self) -> Iterator[Choice]:
        """Yield the chosen letters without sending anything; blocks while it reads. Raises what ``send`` raises."""
        for letters in self._batches(None):
            yield from self._choose(letters)

    def send(self, rate: float | None, progress: Progress) -> None:
        """Send the chosen letters, at most ``rate`` a second; blocks until all of them are sent.

        Each batch is one transaction, which also commits how far the dead letters have been read.

        Raises:
            FencedError: the same selection has been started again.
            BrokerError: AccessError or OffsetError, for other failures. What ``progress`` was called with stays sent.
        """
        assert self._resender is not None
        for letters in self._batches(rate):
            began = time.monotonic()
            choices = self._send_batch(self._resender, letters)
            for choice in choices:
                progress(choice)
            going = [choice for choice in choices if choice.outbound is not None]
            if rate and going:
                time.sleep(max(0.0, len(going) / rate - (time.monotonic() - began)))

    def _send_batch(self, resender: Resender, letters: Sequence[Letter]) -> list[Choice]:
        """Send the chosen ones of ``letters`` in one transaction, and return what became of them."""
        choices = self._choose(letters)
        numbers = [number for number, choice in enumerate(choices) if choice.outbound is not None]

        def ends(refused: Mapping[int, str]) -> dict[Place, tuple[int, str]]:
            for index, name in refused.items():
                choice = choices[numbers[index]]
                choices[numbers[index]] = choice._replace(outbound=None, obstacle=f"the topic refuses it: {name}")
            return self._ends(letters, [choice.letter for choice in choices if choice.outbound is None])

        outbounds = [choice.outbound for choice in choices if choice.outbound is not None]
        resender.send(outbounds, ends, self._reader.metadata)
        return choices

    def close(self) -> None:
        """Close the clients; blocks for a few seconds at most. Nothing of an open transaction is sent."""
        if self._resender is not None:
            self._resender.close()
        self._reader.close()

    def _batches(self, rate: float | None) -> Iterator[Sequence[Letter]]:
        """Yield the letters in order, at most a second's worth of ``rate`` at once."""
        most = max(1, int(rate)) if rate else None
        while True:
            records = self._reader.poll(_PAUSE)
            letters = [Letter(record) for record in records if self._is_due(record)]
            size = most or max(1, len(letters))
            for first in range(0, len(letters), size):
                yield letters[first : first + size]
            if not records and self._reader.done:
                return

    def _is_due(self, record: Record) -> bool:
        """Whether a record is new, or was left by an earlier run.

        What arrives after the beginning may be the answer to what was sent, so it is for the next run.
        """
        place, offset = _place(record), record.offset
        return offset in self._left[place] or self._reached.get(place, 0) <= offset < self._reader.ends[place]

    def _ends(self, letters: Sequence[Letter], staying: Sequence[Letter]) -> dict[Place, tuple[int, str]]:
        """Return what to commit after ``letters``, of which ``staying`` are left for the next run."""
        places: dict[Place, None] = {}
        for letter in letters:
            place, offset = _place(letter.record), letter.record.offset
            places[place] = None
            self._reached[place] = max(self._reached.get(place, 0), offset + 1)
            self._left[place].discard(offset)
        for letter in staying:
            self._left[_place(letter.record)].add(letter.record.offset)
        ends = {}
        for place in places:
            noted, self._unnamed[place] = note(self._left[place])
            ends[place] = self._reached[place], noted
        return ends

    def _choose(self, letters: Sequence[Letter]) -> list[Choice]:
        chosen = [letter for letter in letters if self._selection.chosen(letter)]
        originals = self._fetch([letter for letter in chosen if letter.omitted and not self._obstacle(letter)])
        return [self._choice(letter, originals) for letter in chosen]

    def _choice(self, letter: Letter, originals: dict[tuple[str, int, int], Record]) -> Choice:
        if obstacle := self._obstacle(letter):
            return Choice(letter, None, obstacle)
        original: Record | None = letter.record
        if letter.sealed:
            try:
                original = letter.unsealed(self._keys)
            except EnvelopeError as error:
                return Choice(letter, None, f"the letter {error}")
        elif letter.omitted:
            original = originals.get((letter.topic or "", letter.partition, letter.offset))
        if original is None:
            return Choice(letter, None, "the letter has no original value, and the input topic no longer has it")
        return Choice(letter, letter.again(self._selection.to or letter.topic or "", original), "")

    def _obstacle(self, letter: Letter) -> str:
        """Return why a letter cannot be sent, whatever its original is; empty if nothing is in the way."""
        if letter.topic is None:
            return "not a dead letter: its headers do not name an input topic"
        if letter.topic not in self._reads and (letter.omitted or not self._selection.to):
            return "its event is from a topic that this pipeline does not read; send it elsewhere with --to"
        if self._existing is not None and letter.topic not in self._existing:
            return "its event is from a topic that does not exist any more; send it elsewhere with --to"
        if letter.attempts >= self._selection.max_attempts:
            return f"sent again {self._selection.max_attempts} times before (--max-attempts)"
        return ""

    def _fetch(self, letters: Sequence[Letter]) -> dict[tuple[str, int, int], Record]:
        """Read the originals of ``letters`` from their input topic, as far as it still has them."""
        originals: dict[tuple[str, int, int], Record] = {}
        left = {(letter.topic or "", letter.partition, letter.offset) for letter in letters if letter.offset >= 0}
        while left:
            # One record per partition at a time: such letters are rare.
            places = {(topic, partition): offset for topic, partition, offset in left}
            for record in fetch(self._pipeline.kafka, self.group, places, self._patience):
                originals[*_place(record), record.offset] = record
            left -= {(*place, offset) for place, offset in places.items()}
        return originals


def _place(record: Record) -> Place:
    return record.assignment.topic, record.assignment.partition
