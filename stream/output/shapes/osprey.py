"""``shape: osprey``: the actions that ROOST's rules engine Osprey reads from its Kafka topic.

Source: Osprey's ``KafkaInputStream`` (osprey_worker) and its page "Data Flow": a value is a JSON object with
``send_time``, in RFC 3339, and ``data``, which has ``action_id`` (a whole number), ``action_name`` and ``data``, the
fields that rules see.
"""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime

import orjson

from schemas.errors import EncodeError
from stream.codecs.members import members

MEMBER = b"glossator"
"""The field of the action's data that has the enriched event."""
_EVENT = '"event":'


class OspreyShaper:
    """Adds the enriched event to an action, or makes an action of any other event. Any thread may use it.

    The bytes of the input stay as they are, long numbers too.
    """

    def __init__(self, action: str | None) -> None:
        """``action``: the name of actions that are made of other events; None if there must be none."""
        self._action = None if action is None else orjson.dumps(action)

    def wrap(self, event: bytes, timestamp_ms: int) -> bytes:
        """Return the action.

        Args:
            event: the enriched event.
            timestamp_ms: the time of its record; -1 for now.

        Raises:
            EncodeError: the input is no action, and has no name to make one of it.
        """
        text = event.decode()
        places = members(text) or {}
        given, enriched = None, text
        if "event" in places:
            start, end = places["event"]
            given = text[start:end]
            # As the event builder writes it: without spaces, and never as the last member.
            enriched = text[: start - len(_EVENT)] + text[end + 1 :]
        if given is not None and (action := _added(given, enriched)) is not None:
            return action.encode()
        if self._action is None:
            raise EncodeError("the event is not an Osprey action, and output.shape has no name for one (action)")
        data = "{}" if given is None else given
        identity = text[slice(*places["id"])]
        return b'{"send_time":%b,"data":{"action_id":%d,"action_name":%b,"data":%b}}' % (
            orjson.dumps(_rfc3339(timestamp_ms)),
            _number(identity),
            self._action,
            _with_member(data, enriched).encode(),
        )


def _added(given: str, enriched: str) -> str | None:
    """Return the action ``given`` with the enriched event in its data; None if it is no action."""
    outer = members(given) or {}
    if not {"send_time", "data"} <= outer.keys():
        return None
    start, end = outer["data"]
    action = given[start:end]
    inner = members(action) or {}
    if not {"action_id", "action_name", "data"} <= inner.keys():
        return None
    first, last = (start + place for place in inner["data"])
    if given[first] != "{":
        return None
    return given[:first] + _with_member(given[first:last], enriched) + given[last:]


def _with_member(data: str, enriched: str) -> str:
    """Return the JSON object ``data`` with one more member, the last, which counts if the name is repeated."""
    comma = "," if members(data) else ""
    return f'{data.rstrip()[:-1]}{comma}"{MEMBER.decode()}":{enriched}}}'


def _number(identity: str) -> int:
    """Return a whole number for an id, 0 to 2**63 - 1: the same for the same id."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8]) >> 1


def _rfc3339(timestamp_ms: int) -> str:
    seconds, thousandths = divmod(timestamp_ms if timestamp_ms >= 0 else time.time_ns() // 1_000_000, 1000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise EncodeError("the record's timestamp is beyond the year 9999") from None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{thousandths:03}Z"
