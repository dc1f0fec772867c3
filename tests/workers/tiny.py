"""Tiny random checkpoints of every family, with real tokenizers, built once per test run."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SENTENCES = (
    "Angela Merkel praised the awful coffee in Paris.",
    "the quick brown fox jumps over the lazy dog, again and again",
    "Überraschung! Das Café in Zürich schließt schon um fünf Uhr.",
    "I can't believe it's not butter... 10/10 would buy again \N{PILE OF POO}\N{THUMBS UP SIGN}",
    "Москва и Санкт-Петербург are far away from 東京 and 大阪",
    "e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT} naive words, stacked a\N{COMBINING DIAERESIS}",
)
LABELS = {
    "sequence": ("negative", "neutral", "positive"),
    "token": ("O", "B-PER", "I-PER", "B-LOC", "I-LOC"),
}
LENGTH = 48
"""How many tokens the tiny models take, special tokens included."""

_BERT_LIKE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": LENGTH,
    "initializer_range": 0.15,
}
# family -> (configuration class, its settings, tokenizer)
FAMILIES: dict[str, tuple[str, dict[str, Any], str]] = {
    "bert": ("BertConfig", _BERT_LIKE, "wordpiece"),
    "roberta": ("RobertaConfig", {**_BERT_LIKE, "max_position_embeddings": LENGTH + 2, "type_vocab_size": 1}, "bytes"),
    "xlm-roberta": (
        "XLMRobertaConfig",
        {**_BERT_LIKE, "max_position_embeddings": LENGTH + 2, "type_vocab_size": 1},
        "unigram",
    ),
    "distilbert": (
        "DistilBertConfig",
        {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64, "max_position_embeddings": LENGTH,
         "initializer_range": 0.15},
        "wordpiece",
    ),
    "electra": ("ElectraConfig", {**_BERT_LIKE, "embedding_size": 16}, "wordpiece"),
    "modernbert": (
        "ModernBertConfig",
        {**_BERT_LIKE, "global_attn_every_n_layers": 2, "local_attention": 12},
        "bytes",
    ),
    "albert": ("AlbertConfig", {**_BERT_LIKE, "embedding_size": 16}, "unigram"),
    "deberta": (
        "DebertaConfig",
        {**_BERT_LIKE, "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "pooler_hidden_size": 32},
        "bytes",
    ),
    "deberta-v2": (
        "DebertaV2Config",
        {**_BERT_LIKE, "relative_attention": True, "position_buckets": 16, "norm_rel_ebd": "layer_norm",
         "share_att_key": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False,
         "type_vocab_size": 0, "pooler_hidden_size": 32},
        "unigram",
    ),
    "mpnet": ("MPNetConfig", {**_BERT_LIKE, "max_position_embeddings": LENGTH + 2}, "wordpiece"),
    # BERT in the shapes of its small descendants: TinyBERT has narrow attention heads and wide layers, MiniLM has
    # twice the layers and half the width.
    "tinybert": (
        "BertConfig",
        {**_BERT_LIKE, "hidden_size": 24, "num_attention_heads": 8, "intermediate_size": 96},
        "wordpiece",
    ),
    "minilm": ("BertConfig", {**_BERT_LIKE, "hidden_size": 16, "num_hidden_layers": 4}, "wordpiece"),
    # Like Multilingual-MiniLM: BERT's layers with XLM-RoBERTa's tokenizer.
    "minilm-xlm": ("BertConfig", {**_BERT_LIKE, "hidden_size": 16, "num_hidden_layers": 4}, "unigram"),
}  # fmt: skip
PACKED = (
    "bert", "roberta", "xlm-roberta", "distilbert", "electra", "modernbert", "tinybert", "minilm", "minilm-xlm",
)  # fmt: skip
PADDED = ("deberta", "deberta-v2", "mpnet")
# Families whose tokenizers pass token types to their models (transformers' model_input_names).
_TYPED = ("bert", "tinybert", "minilm", "electra", "albert", "deberta", "deberta-v2")

_AUTO = {
    "sequence": transformers.AutoModelForSequenceClassification,
    "token": transformers.AutoModelForTokenClassification,
    "span": transformers.AutoModelForQuestionAnswering,
    "embedding": transformers.AutoModel,
}
# For models this small, threads cost more than they gain.
torch.set_num_threads(1)

_ROOT = Path(tempfile.mkdtemp(prefix="glossator-tiny-"))
atexit.register(shutil.rmtree, _ROOT, ignore_errors=True)


@cache
def checkpoint(
    family: str,
    kind: str,
    seed: int = 0,
    labels: tuple[str, ...] | None = None,
    trunk: int | None = None,
    **settings: Any,
) -> Path:
    """The folder of a checkpoint whose head is of ``kind``: sequence, token, span, or embedding for none.

    ``labels``: of the head; default: ``LABELS``. ``trunk``: takes its trunk from the embedding checkpoint of that seed,
    so that heads of one family can share one.
    """
    name, sizes, tokenizer_kind = FAMILIES[family]
    folder = Path(tempfile.mkdtemp(prefix=f"{family}-{kind}-", dir=_ROOT))
    tokenizer = _tokenizer(tokenizer_kind, family in _TYPED)
    labels = LABELS.get(kind, ()) if labels is None else labels
    named = {"id2label": dict(enumerate(labels)), "label2id": {label: n for n, label in enumerate(labels)}}
    special = {key: getattr(tokenizer, key) for key in ("pad_token_id", "cls_token_id", "sep_token_id")}
    config = getattr(transformers, name)(
        vocab_size=len(tokenizer),
        **{**sizes, **special, "bos_token_id": tokenizer.cls_token_id, "eos_token_id": tokenizer.sep_token_id},
        **(named if labels else {}),
        **settings,
    )
    torch.manual_seed(seed)
    model = _AUTO[kind].from_config(config)
    # Biases start at zero; random values make sure that a test would notice if they were ignored.
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    if trunk is not None:
        shared = transformers.AutoModel.from_pretrained(checkpoint(family, "embedding", trunk)).state_dict()
        model.base_model.load_state_dict({key: shared[key] for key in model.base_model.state_dict()})
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@cache
def _tokenizer(kind: str, typed: bool) -> Any:
    tokenizer, names = _BUILDERS[kind]()
    inputs = ["input_ids", *(["token_type_ids"] if typed else []), "attention_mask"]
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=LENGTH, model_input_names=inputs, **names
    )


def _wordpiece() -> tuple[Tokenizer, dict[str, str]]:
    """Like bert-base-uncased: accents stripped, lower case, CJK characters apart."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    normalizer, parts = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    pieces = _pieces(normalizer, parts, 180)
    vocabulary = [*special, *pieces, *(f"##{piece}" for piece in pieces)]
    tokenizer = Tokenizer(models.WordPiece({piece: n for n, piece in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, parts
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer, _names(*special)


def _bytes() -> tuple[Tokenizer, dict[str, str]]:
    """Like roberta-base: any text is made of 256 bytes, and a space belongs to the word after it."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        SENTENCES,
        trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, _names("<pad>", "<unk>", "<s>", "</s>", "<mask>")


def _unigram() -> tuple[Tokenizer, dict[str, str]]:
    """Like xlm-roberta-base: SentencePiece pieces, with a space written as a lower block."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    # The segmentation with the fewest pieces wins, then the one with the more frequent pieces.
    scored = [(piece, -8.0 - n / 100) for n, piece in enumerate(_pieces(normalizer, pre_tokenizers.Metaspace(), 200))]
    tokenizer = Tokenizer(models.Unigram([*((name, 0.0) for name in special), *scored], special.index("<unk>")))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer, _names("<pad>", "<unk>", "<s>", "</s>", "<mask>")


def _pieces(normalizer: Any, parts: Any, size: int) -> list[str]:
    """Pieces of words by byte pair encoding, the only trainer whose result is the same in every process."""
    trained = Tokenizer(models.BPE())
    trained.normalizer, trained.pre_tokenizer = normalizer, parts
    trained.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=size, show_progress=False))
    return sorted(trained.get_vocab(), key=trained.get_vocab().__getitem__)


def _names(pad: str, unk: str, cls: str, sep: str, mask: str) -> dict[str, str]:
    return {"pad_token": pad, "unk_token": unk, "cls_token": cls, "sep_token": sep, "mask_token": mask}


_BUILDERS = {"wordpiece": _wordpiece, "bytes": _bytes, "unigram": _unigram}
