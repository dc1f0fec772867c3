"""The arithmetic of spans gives the same verdicts as a count per event."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.record import Assignment, Record
from workers.process.suspects import Span, Suspect, cleared, judge, must_be_alone, raised

PLACES = [Assignment("posts", 0), Assignment("posts", 1), Assignment("other", 0)]
EVENTS = [(place, offset) for place in range(3) for offset in range(20)]

_spans = st.lists(
    st.builds(
        lambda place, first, more: (PLACES[place].topic, PLACES[place].partition, first, first + more),
        st.integers(0, 2), st.integers(0, 12), st.sampled_from([0, 0, 1, 2, 7]),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


def _events(spans: list[Span]) -> set[tuple[int, int]]:
    return {
        (place, offset)
        for place, assignment in enumerate(PLACES)
        for topic, partition, first, last in spans
        for offset in range(first, last + 1)
        if (topic, partition) == (assignment.topic, assignment.partition)
    }


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), _spans), max_size=8))
def test_as_a_count_per_event_says(course: list[tuple[bool, list[Span]]]) -> None:
    suspects: list[Suspect] = []
    counts = dict.fromkeys(EVENTS, 0)
    for died, spans in course:
        in_hand = _events(spans)
        assert must_be_alone(suspects, spans) == any(counts[event] == 2 for event in in_hand)
        if died:
            suspects = raised(suspects, spans)
            for event in in_hand:
                if counts[event] < 2 or len(in_hand) == 1:
                    counts[event] = min(counts[event] + 1, 3)
        else:
            suspects = cleared(suspects, spans)
            for place, offset in EVENTS:
                if counts[place, offset] < 3 and any(p == place and offset <= n for p, n in in_hand):
                    counts[place, offset] = 0
        covering = {event: sum(event in _events([suspect[:4]]) for suspect in suspects) for event in EVENTS}
        assert covering == {event: int(count > 0) for event, count in counts.items()}
        for (place, offset), count in counts.items():
            verdict = judge(Record(PLACES[place], offset, None, None), suspects)
            assert verdict == ("clear", "clear", "alone", "guilty")[count]


def test_a_partition_that_is_elsewhere_is_forgotten() -> None:
    suspects = raised(raised([], [("posts", 0, 5, 5)]), [("posts", 0, 5, 5)])
    for _ in range(16):
        suspects = raised(suspects, [("other", 0, 1, 2)])
    assert judge(Record(PLACES[0], 5, None, None), suspects) == "alone"
    kept = raised(suspects, [("posts", 0, 90, 90)])
    assert judge(Record(PLACES[0], 5, None, None), kept) == "alone"
    gone = raised(suspects, [("other", 0, 1, 2)])
    assert judge(Record(PLACES[0], 5, None, None), gone) == "clear"
