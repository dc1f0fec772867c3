"""A cache of the Hugging Face hub with tiny random checkpoints in the place of the models that the examples name.

Each has the architecture, the labels, the length, the tokenizer class and the kinds of files of the real one, as far as
public pages tell, so that all but the numbers is as it will be.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, processors

from tests.workers import tiny


@dataclass(frozen=True)
class Published:
    """A model of the hub.

    - ``family``: of ``tests/workers/tiny.py``; ``kind``: its head's.
    - ``files``: what it has of a tokenizer, beside tokenizer_config.json.
    - ``tokenizer``: what tokenizer_config.json says.
    - ``settings``: of config.json.
    - ``more``: further files, with what they hold.
    """

    family: str
    kind: str
    labels: tuple[str, ...] = ()
    files: tuple[str, ...] = ("tokenizer.json",)
    tokenizer: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


_BERTS = {"<s>": "[CLS]", "</s>": "[SEP]", "<pad>": "[PAD]", "<unk>": "[UNK]", "<mask>": "[MASK]"}
"""RoBERTa's special tokens -> what BERT calls them."""

_CONLL = ("O", "B-MISC", "I-MISC", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
_UNIVERSAL = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ",
    "SYM", "VERB", "X",
)  # fmt: skip
# Pages show some of these; the rest is spelled after them, from the taxonomy of 26 that they belong to.
_DOMAINS = (
    "adult", "arts-and-entertainment", "autos-and-vehicles", "beauty-and-fitness", "books-and-literature",
    "business-and-industrial", "computers-and-electronics", "finance", "food-and-drink", "games", "health",
    "hobbies-and-leisure", "home-and-garden", "internet-and-telecom", "jobs-and-education", "law-and-government",
    "news", "online-communities", "people-and-society", "pets-and-animals", "real-estate", "science",
    "sensitive-subjects", "shopping", "sports", "travel-and-transportation",
)  # fmt: skip
_KINDS = (("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize"))
_POOLED = [
    {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
    for n, (kind, path) in enumerate(_KINDS)
]

MODELS: dict[str, Published] = {
    "distilbert/distilbert-base-uncased-finetuned-sst-2-english": Published(
        "distilbert", "sequence", ("NEGATIVE", "POSITIVE"), ("vocab.txt",),
        {"do_lower_case": True, "model_max_length": 512},
    ),
    "FacebookAI/xlm-roberta-large-finetuned-conll03-english": Published(
        "xlm-roberta", "token", ("B-LOC", "B-MISC", "B-ORG", "I-LOC", "I-MISC", "I-ORG", "I-PER", "O"),
        tokenizer={"model_max_length": 512},
    ),
    "argilla/ModernBERT-domain-classifier": Published(
        "modernbert", "sequence", _DOMAINS, tokenizer={"model_max_length": 8192},
        settings={"max_position_embeddings": 8192},
    ),
    "unitary/toxic-bert": Published(
        "bert", "sequence", ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"), ("vocab.txt",),
        {"do_lower_case": True, "model_max_length": 512}, {"problem_type": "multi_label_classification"},
    ),
    "dslim/bert-base-NER": Published(
        "bert", "token", _CONLL, ("vocab.txt",), {"do_lower_case": False, "max_len": 512, "init_inputs": []}
    ),
    "OpenMed/OpenMed-NER-DiseaseDetect-SuperClinical-434M": Published(
        "deberta-v2", "token", ("O", "B-DISEASE", "I-DISEASE"), tokenizer={"model_max_length": 512},
    ),
    "MoritzLaurer/deberta-v3-base-zeroshot-v2.0": Published(
        "deberta-v2", "sequence", ("entailment", "not_entailment"), tokenizer={"model_max_length": 512},
    ),
    "MoritzLaurer/DeBERTa-v3-base-mnli-fever-anli": Published(
        "deberta-v2", "sequence", ("entailment", "neutral", "contradiction"), tokenizer={"model_max_length": 512},
    ),
    # The real one has spm.model alone, which takes sentencepiece to read.
    "yangheng/deberta-v3-base-absa-v1.1": Published(
        "deberta-v2", "sequence", ("Negative", "Neutral", "Positive"), tokenizer={"model_max_length": 512},
    ),
    "deepset/roberta-base-squad2": Published(
        "roberta", "span", (), ("vocab.json", "merges.txt"), {"do_lower_case": False, "model_max_length": 512}
    ),
    "cross-encoder/quora-distilroberta-base": Published(
        "roberta", "sequence", ("LABEL_0",), ("vocab.json", "merges.txt", "tokenizer.json"), {"model_max_length": 512}
    ),
    "vblagoje/bert-english-uncased-finetuned-pos": Published(
        "bert", "token", _UNIVERSAL, ("vocab.txt",), {"model_max_length": 512, "do_lower_case": True}
    ),
    "sentence-transformers/all-MiniLM-L6-v2": Published(
        "minilm", "embedding", (), ("vocab.txt", "tokenizer.json"), {"do_lower_case": True, "model_max_length": 512},
        more={"modules.json": _POOLED, "1_Pooling/config.json": {"pooling_mode_mean_tokens": True}},
    ),
    "BAAI/bge-small-en-v1.5": Published(
        "bert", "embedding", (), ("vocab.txt", "tokenizer.json"), {"do_lower_case": True, "model_max_length": 512},
        more={"modules.json": _POOLED, "1_Pooling/config.json": {
            "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}},
    ),
    "nlptown/bert-base-multilingual-uncased-sentiment": Published(
        "bert", "sequence", ("1 star", "2 stars", "3 stars", "4 stars", "5 stars"), ("vocab.txt",),
        {"do_lower_case": True, "max_len": 512},
    ),
}  # fmt: skip


def commit(name: str) -> str:
    """The commit that the cache has of a model, in 40 hex digits as the hub's are."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def build(folder: Path) -> None:
    """Lays the cache of all ``MODELS`` out in ``folder``, which HF_HUB_CACHE then names."""
    for name, model in MODELS.items():
        repository = folder / f"models--{name.replace('/', '--')}"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs/main").write_text(commit(name))
        # Two models never have the same trunk by chance.
        torch.manual_seed(int(commit(name)[:8], 16))
        _publish(model, repository / "snapshots" / commit(name))


def _publish(model: Published, folder: Path) -> None:
    tokenizer = _tokenizer(model)
    _save_model(model, tokenizer, folder)
    tokenizer.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if name not in (*model.files, "tokenizer_config.json"):
            (folder / name).unlink(missing_ok=True)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    if "vocab.txt" in model.files:
        (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece, _ in vocabulary))
    if "vocab.json" in model.files:
        (folder / "vocab.json").write_text(json.dumps(dict(vocabulary)))
        merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
        (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{' '.join(pair)}\n" for pair in merges))
    config = dict(model.tokenizer)
    if "tokenizer.json" in model.files:
        config = {**json.loads((folder / "tokenizer_config.json").read_text()), **config}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    for name, content in model.more.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content))


def _save_model(model: Published, tokenizer: Any, folder: Path) -> None:
    name, sizes, _ = tiny.FAMILIES[model.family]
    named = {"id2label": dict(enumerate(model.labels)), "label2id": {label: n for n, label in enumerate(model.labels)}}
    # RoBERTa counts positions from 2 on.
    positions = 514 if "roberta" in model.family else 512
    special = {key: getattr(tokenizer, key) for key in ("pad_token_id", "cls_token_id", "sep_token_id")}
    config = getattr(transformers, name)(**{
        **sizes, **special, "bos_token_id": tokenizer.cls_token_id, "eos_token_id": tokenizer.sep_token_id,
        "vocab_size": len(tokenizer), "max_position_embeddings": positions, **(named if model.labels else {}),
        **model.settings,
    })  # fmt: skip
    tiny._AUTO[model.kind].from_config(config).save_pretrained(folder)


def _tokenizer(model: Published) -> Any:
    """A tokenizer of the class that the real model has, over a vocabulary of a few hundred pieces."""
    built = tiny._BUILDERS[tiny.FAMILIES[model.family][2]]()[0]
    parts = json.loads(built.to_str())["model"]
    match model.family:
        case "modernbert":
            return _renamed(built)
        case "xlm-roberta":
            return transformers.XLMRobertaTokenizer(vocab=[tuple(entry) for entry in parts["vocab"]])
        case "deberta-v2":
            names = [_BERTS.get(piece, piece) for piece, _ in parts["vocab"]]
            scores = [score for _, score in parts["vocab"]]
            return transformers.DebertaV2Tokenizer(
                vocab=list(zip(names, scores, strict=True)), unk_id=names.index("[UNK]")
            )
        case "roberta":
            merges: Any = [tuple(pair) for pair in parts["merges"]]
            return transformers.RobertaTokenizer(vocab=parts["vocab"], merges=merges)
        case "distilbert":
            return transformers.DistilBertTokenizer(vocab=parts["vocab"])
        case _:
            lower = model.tokenizer.get("do_lower_case", True)
            return transformers.BertTokenizer(vocab=parts["vocab"], do_lower_case=lower)


def _renamed(tokenizer: Tokenizer) -> Any:
    """With BERT's special tokens, and as ModernBERT has it a file without a class of its own."""
    text = tokenizer.to_str()
    for name, wanted in _BERTS.items():
        text = text.replace(f'"{name}"', f'"{wanted}"')
    renamed = Tokenizer.from_str(text)
    ends = [(name, renamed.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    renamed.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]", ends)
    names = {f"{kind}_token": f"[{kind.upper()}]" for kind in ("cls", "sep", "pad", "unk", "mask")}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=renamed, model_input_names=["input_ids", "attention_mask"], **names
    )
