"""F-coref's head compared with fastcoref on the same documents (see fixtures/coreference/make.py)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import networkx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import workers.heads.fcoref
from schemas.errors import ForwardError, ModelError
from tests.workers.heads.spoiling import Spoil, remove, write
from training.coreference import convert
from workers.heads.fcoref import CoreferenceHead, clusters, load_head, segments
from workers.models.checkpoints import load_model, resolve

FIXTURE = Path(__file__).parents[2] / "fixtures" / "coreference"
SOURCE = FIXTURE / "checkpoint"
DOCUMENTS: list[dict[str, Any]] = json.loads((FIXTURE / "documents.json").read_bytes())
SCORES = load_file(FIXTURE / "scores.safetensors")
# For models this small, threads cost more than they gain.
torch.set_num_threads(1)

every_document = pytest.mark.parametrize("number", range(len(DOCUMENTS)))


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coreference") / "out"
    convert(SOURCE, folder)
    return folder


@pytest.fixture(scope="module")
def head(converted: Path) -> CoreferenceHead:
    return load_head(converted)


@pytest.fixture(scope="module")
def states(converted: Path, head: CoreferenceHead) -> list[Tensor]:
    """The states of each document, from the converted trunk, one segment at a time."""
    trunk = load_model(resolve(str(converted)), "embedding")

    @torch.inference_mode()
    def run(ids: list[int]) -> Tensor:
        cuts = segments(len(ids), head.max_segment_len)
        return torch.cat([trunk(input_ids=torch.tensor([ids[a:b]])).last_hidden_state[0] for a, b in cuts])

    return [run(document["ids"]) for document in DOCUMENTS]


@pytest.fixture(params=[7, 2048])
def rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The head computes its matrices in many steps, or in one."""
    for size in ("_ROWS", "_CANDIDATES"):
        monkeypatch.setattr(workers.heads.fcoref, size, request.param)


def ordered(resolved: list[list[list[int]]]) -> list[list[tuple[int, ...]]]:
    return sorted(sorted(map(tuple, cluster)) for cluster in resolved)


# The head and the reference


@every_document
@pytest.mark.usefixtures("rows")
def test_clusters_are_those_of_fastcoref(number: int, head: CoreferenceHead, states: list[Tensor]) -> None:
    assert head([states[number]]) == [ordered(DOCUMENTS[number]["clusters"])]


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("tokens", [1, 300, 10_000])
def test_documents_are_resolved_together_as_alone(
    tokens: int, head: CoreferenceHead, states: list[Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers.heads.fcoref, "_TOKENS", tokens)
    resolved = head([*states, torch.zeros(0, 16), *states[::-1]])
    expected = [ordered(document["clusters"]) for document in DOCUMENTS]
    assert resolved == [*expected, [], *expected[::-1]]


@given(st.data(), st.integers(1, 9))
def test_a_band_has_the_products_with_the_keys_that_follow(data: st.DataObject, width: int) -> None:
    count = data.draw(st.integers(1, 150))
    queries, keys = torch.randn(count, 3), torch.randn(count + data.draw(st.integers(0, width - 1)), 3)
    padded = torch.nn.functional.pad(keys, (0, 0, 0, width))
    expected = torch.stack([padded[n : n + width] @ queries[n] for n in range(count)])
    torch.testing.assert_close(workers.heads.fcoref.band(queries, keys, width), expected)


@every_document
@pytest.mark.usefixtures("rows")
def test_scores_are_those_of_fastcoref(number: int, head: CoreferenceHead, states: list[Tensor]) -> None:
    # Scores reach 74, where the reference itself, in float32, is 1.4e-4 away from float64.
    near: dict[str, Any] = {"rtol": 0.0, "atol": 5e-4}
    lengths = [len(states[number])]
    torch.testing.assert_close(head.mention_scores(states[number], lengths), SCORES[f"{number}.mentions"], **near)
    spans, scores, counts = head.candidates(states[number], lengths)
    assert counts == [len(spans)]
    assert spans.tolist() == SCORES[f"{number}.spans"].tolist()
    final = torch.full((len(spans), len(spans)), float("-inf"))
    for at, first, block in head.antecedent_scores(states[number], spans, scores, counts):
        assert first == 0
        final[at : at + len(block), : block.shape[1]] = block
    later = torch.ones_like(final, dtype=torch.bool).triu()
    assert final[later].eq(float("-inf")).all()
    torch.testing.assert_close(final.masked_fill(later, 0.0), SCORES[f"{number}.final"], **near)


def test_the_documents_tell_something() -> None:
    by_document = [ordered(document["clusters"]) for document in DOCUMENTS]
    assert max(map(len, by_document)) >= 4
    assert any(len(document["ids"]) > 4 * 32 for document in DOCUMENTS)
    across = [
        cluster for resolved in by_document for cluster in resolved if cluster[0][0] // 32 != cluster[-1][0] // 32
    ]
    assert across, "no cluster spans two segments"


def test_low_precision_states_are_read_in_float32(head: CoreferenceHead, states: list[Tensor]) -> None:
    low = states[-1].to(torch.bfloat16)
    lengths = [len(low)]
    assert head.mention_scores(low, lengths).equal(head.mention_scores(low.float(), lengths))
    assert head([low]) == head([low.float()])


def with_settings(converted: Path, **changes: Any) -> CoreferenceHead:
    settings = json.loads((converted / "coreference.json").read_bytes()) | changes
    return CoreferenceHead(settings, load_file(converted / "coreference.safetensors"))


def test_an_antecedent_wins_a_tie_with_none(converted: Path) -> None:
    """Like argmax in fastcoref, where "no antecedent" is the last column."""
    head = with_settings(converted)
    for parameter in head.parameters():
        parameter.zero_()
    ((cluster,),) = head([torch.zeros(10, 16)])
    assert len(cluster) == 4


def test_candidates_are_counted_in_float32(converted: Path) -> None:
    """In float32, 100 * 0.29 is 29; in Python's float64 it is just below."""
    spans, _, counts = with_settings(converted, top_lambda=0.29).candidates(torch.zeros(110, 16), [100, 10])
    assert counts == [29, 2]
    assert len(spans) == 31


# Segments


@given(length=st.integers(0, 200), size=st.integers(1, 40))
def test_segments_cover_the_document_in_order(length: int, size: int) -> None:
    cuts = segments(length, size)
    assert [token for start, end in cuts for token in range(start, end)] == list(range(length))
    assert all(end - start == size for start, end in cuts[:-1])
    assert all(end > start for start, end in cuts)


# Decoding

spans = st.tuples(st.integers(0, 5), st.integers(6, 9))
links = st.lists(st.tuples(spans, spans).filter(lambda link: link[0] != link[1]), max_size=30)


@given(links)
def test_clusters_are_the_connected_components(pairs: list[Any]) -> None:
    components = networkx.connected_components(networkx.Graph(pairs))
    assert clusters(pairs) == sorted(map(sorted, components))


@given(links, st.randoms())
def test_clusters_do_not_depend_on_the_order_of_links(pairs: list[Any], random: Any) -> None:
    shuffled = [pair if random.random() < 0.5 else pair[::-1] for pair in pairs]
    random.shuffle(shuffled)
    assert clusters(shuffled) == clusters(pairs)


@given(links)
def test_clusters_part_the_linked_spans(pairs: list[Any]) -> None:
    parts = clusters(pairs)
    members = [span for cluster in parts for span in cluster]
    assert sorted(members) == sorted({span for pair in pairs for span in pair})
    assert all(len(cluster) >= 2 for cluster in parts)


# Bounds


class Largest(TorchDispatchMode):
    """The size of the largest tensor that was created, in bytes."""

    bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, tuple | list) else [made]:
            if isinstance(tensor, Tensor):
                self.bytes = max(self.bytes, tensor.untyped_storage().nbytes())
        return made


def test_a_long_document_takes_no_quadratic_memory(head: CoreferenceHead, states: list[Tensor]) -> None:
    length = 8_000
    long = states[-1].repeat(length // len(states[-1]) + 1, 1)[:length]
    with Largest() as largest:
        (resolved,) = head([long])
    candidates = int(length * head.top_lambda)
    assert resolved
    # A whole matrix of candidates would have 41 MB, of tokens 256 MB.
    assert largest.bytes <= 256 * candidates * 4 < candidates**2 * 4


def test_too_long_a_document_is_refused(head: CoreferenceHead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "max_tokens", 9)
    assert head([torch.zeros(9, 16)]) is not None
    with pytest.raises(ForwardError, match="10 tokens"):
        head([torch.zeros(9, 16), torch.zeros(10, 16)])


def test_a_checkpoint_may_say_how_long_documents_get(converted: Path) -> None:
    assert with_settings(converted, max_doc_len=20).max_tokens == 20
    assert with_settings(converted, max_doc_len=10**9).max_tokens == with_settings(converted).max_tokens == 65_536


def test_states_that_are_no_numbers_are_refused(head: CoreferenceHead, states: list[Tensor]) -> None:
    broken = states[-1].clone()
    broken[70] = torch.nan
    with pytest.raises(ForwardError, match="not a number"):
        head([states[-1], broken])


@pytest.mark.parametrize("length", [0, 1, 2])
def test_a_document_without_candidates_has_no_clusters(length: int, head: CoreferenceHead) -> None:
    assert head([torch.zeros(length, 16)]) == [[]]
    assert head([]) == []


# Loading


LOADS = {
    "never converted": (remove("coreference.json"), "python -m training.coreference"),
    "broken settings": (write("coreference.json", b"[]"), "cannot be read"),
    "another format": (write("coreference.json", b'{"format": "other/2"}'), "has the format other/2"),
    "no weights": (remove("coreference.safetensors"), "missing or does not fit"),
    "broken weights": (write("coreference.safetensors", b""), "missing or does not fit"),
    "no settings": (write("coreference.json", b'{"format": "glossator.coreference/1"}'), "missing or does not fit"),
}


@pytest.mark.parametrize(("spoil", "says"), LOADS.values(), ids=LOADS.keys())
def test_a_broken_head_is_refused(spoil: Spoil, says: str, converted: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(converted, tmp_path / "broken"))
    spoil(folder)
    with pytest.raises(ModelError, match=says):
        load_head(folder)
