"""References for a measure: the floor, a linear probe on the frozen trunk, and results that others report."""

from __future__ import annotations

import json
from pathlib import Path

FLOORS = {
    "pos ewt.test accuracy": 0.96,
    "ner uner_ewt.test span F1": 0.77,
    "ner wikigold.test span F1": 0.72,
    "sentiment cad.test accuracy": 0.87,
    "sentiment tweeteval_sentiment.test macro F1": 0.60,
    "moderation davidson.test macro F1": 0.74,
    "moderation tweeteval_offensive.test AUROC": 0.86,
    "moderation own functional cases balanced accuracy": 0.75,
    "aspect-sentiment mams_atsa.test accuracy": 0.70,
    "nli taxinli.test accuracy": 0.55,
    "zero-shot clinc150.test, 15 unseen intents accuracy": 0.70,
    "question-answering qed.dev token F1": 0.55,
    "similarity stsb_nomsrpar.test Spearman": 0.80,
    "pii presidio.test span F2": 0.80,
    "pii presidio.test recall checked numbers": 0.95,
    "pii presidio.test recall of overlaps of any type": 0.95,
    "coreference gap.test F1": 0.60,
    "language own sentences, 20 languages accuracy": 0.95,
}

# Per task a widely used checkpoint, on the set that its card or paper reports, which is mostly not this one.
ELSEWHERE = {
    "pos ewt.test accuracy": "flair/upos-english: 0.986 on OntoNotes",
    "ner uner_ewt.test span F1": "NameTag 3, multilingual: 0.870, this set",
    "ner wikigold.test span F1": "dslim/bert-base-NER: 0.926 on CoNLL-2003",
    "sentiment cad.test accuracy": "distilbert-base-uncased-finetuned-sst-2-english: 0.913 on SST-2 dev",
    "sentiment tweeteval_sentiment.test macro F1": "twitter-roberta-base-sentiment: 0.726 macro recall, this set",
    "moderation tweeteval_offensive.test AUROC": "twitter-roberta-base-offensive: 0.805 macro F1, this set",
    "moderation tweeteval_hate.test AUROC": "twitter-roberta-base-hate: 0.523 macro F1, this set",
    "aspect-sentiment mams_atsa.test accuracy": "CapsNet-BERT (Jiang et al. 2019): 0.834, whole set",
    "nli taxinli.test accuracy": "roberta-large-mnli: 0.902 on all of MultiNLI dev",
    "question-answering qed.dev token F1": "deepset/roberta-base-squad2: 0.829 on SQuAD 2.0 dev",
    "question-answering qed.dev exact match": "deepset/roberta-base-squad2: 0.799 on SQuAD 2.0 dev",
    "similarity stsb_nomsrpar.test Spearman": "all-MiniLM-L6-v2: 0.820 on all of the STS benchmark (MTEB)",
    "coreference gap.test F1": "best baseline of Webster et al. 2018: 0.669, this set",
    "coreference litbank.test CoNLL F1": "f-coref: 0.785 on OntoNotes",
}

STATED = {
    "pos ewt.test accuracy": 0.949,
    "ner uner_ewt.test span F1": 0.63,
    "sentiment cad.test accuracy": 0.833,
    "moderation davidson.test macro F1": 0.70,
}
PROBES = Path(__file__).parent / "probe.json"


def baselines() -> dict[str, float]:
    """Scores of a linear probe on the frozen trunk, by ``Measured.key``: stated with the floors, or of ``probe.py``."""
    computed = json.loads(PROBES.read_bytes()) if PROBES.exists() else {}
    return {key: value for part in computed.values() for key, value in part.items()} | STATED
