"""Lines of standard input are the same however they arrive, and take bounded memory."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from workers.cli.lines import Line, lines


class Trickle(io.BytesIO):
    """Returns its bytes in chunks of the given sizes."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        super().__init__(data)
        self._sizes = iter(sizes)

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(next(self._sizes, 65536))


@given(st.binary(max_size=200).map(lambda data: data.replace(b"x", b"\n")), st.lists(st.integers(1, 9)))
def test_lines_do_not_depend_on_how_they_arrive(data: bytes, sizes: list[int]) -> None:
    arrived = [line for batch in lines(Trickle(data, sizes), 1000) for line in batch]
    expected = [line.removesuffix(b"\r") for line in data.removesuffix(b"\n").split(b"\n")] if data else []
    assert arrived == [Line(line, len(line)) for line in expected]


def test_of_a_line_without_end_little_is_kept() -> None:
    (batch,) = lines(Trickle(b"a" * 10_000 + b"\nb", [100] * 200), 250)
    assert [line.size for line in batch] == [10_000, 1]
    assert len(batch[0].data) <= 400


def test_many_lines_come_in_several_batches() -> None:
    batches = list(lines(io.BytesIO(b"line\n" * 1000), 100))
    assert sum(map(len, batches)) == 1000
    assert max(map(len, batches)) <= 256
