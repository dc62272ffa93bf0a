"""Short names under which people know published checkpoints -> the places where they are."""

from __future__ import annotations

import re

# Names of the Hugging Face hub without their organisation, which the hub itself still redirects. Whole words and
# cased or multilingual forms are named as https://huggingface.co/google-bert and /distilbert list them.
ORGANISATIONS = {
    "google-bert": (
        "bert-base-uncased", "bert-base-cased", "bert-large-uncased", "bert-large-cased",
        "bert-large-uncased-whole-word-masking", "bert-large-cased-whole-word-masking",
        "bert-large-uncased-whole-word-masking-finetuned-squad", "bert-large-cased-whole-word-masking-finetuned-squad",
        "bert-base-multilingual-uncased", "bert-base-multilingual-cased", "bert-base-chinese", "bert-base-german-cased",
        "bert-base-german-dbmdz-cased", "bert-base-german-dbmdz-uncased", "bert-base-cased-finetuned-mrpc",
    ),
    "distilbert": (
        "distilbert-base-uncased", "distilbert-base-cased", "distilbert-base-multilingual-cased",
        "distilbert-base-german-cased", "distilbert-base-uncased-distilled-squad",
        "distilbert-base-cased-distilled-squad", "distilbert-base-uncased-finetuned-sst-2-english",
        "distilroberta-base",
    ),
    "FacebookAI": ("roberta-base", "roberta-large", "roberta-large-mnli", "xlm-roberta-base", "xlm-roberta-large"),
    "microsoft": (
        "mpnet-base", "deberta-v3-xsmall", "deberta-v3-small", "deberta-v3-base", "deberta-v3-large",
        "deberta-v2-xlarge", "deberta-v2-xxlarge",
    ),
    "albert": ("albert-base-v2", "albert-large-v2", "albert-xlarge-v2", "albert-xxlarge-v2"),
    "sentence-transformers": (
        "all-MiniLM-L6-v2", "all-MiniLM-L12-v2", "all-mpnet-base-v2", "multi-qa-MiniLM-L6-cos-v1",
        "multi-qa-mpnet-base-dot-v1", "paraphrase-mpnet-base-v2", "msmarco-distilbert-base-v4",
        "multi-qa-distilbert-cos-v1", "paraphrase-MiniLM-L6-v2", "distiluse-base-multilingual-cased-v2",
    ),
    "dslim": ("bert-base-NER", "bert-large-NER"),
    "google": ("bert_uncased_L-2_H-128_A-2", "bert_uncased_L-4_H-256_A-4"),
}  # fmt: skip
KERAS_HUB = re.compile(
    r"(?:bert|distil_bert)_[a-z0-9]+_(?:en|zh|multi)(?:_[a-z0-9]+)*"
    r"|(?:all|paraphrase|multi_qa|msmarco)_minilm(?:_[a-z0-9]+)+_en"
    r"|(?:bge|mxbai_embed|multilingual_e5)(?:_[a-z0-9.]+)+"
)
"""What KerasHub's presets of the family are called: bert_base_en_uncased, distil_bert_base_multi."""


def place_of(name: str) -> str | None:
    """The place that a name stands for elsewhere, or None.

    >>> place_of("bert-base-uncased"), place_of("sentence-transformers/all-MiniLM-L6-v2")
    ('hf://google-bert/bert-base-uncased', 'hf://sentence-transformers/all-MiniLM-L6-v2')
    >>> place_of("bert_tiny_en_uncased"), place_of("nothing")
    ('keras_hub://bert_tiny_en_uncased', None)
    """
    for organisation, known in ORGANISATIONS.items():
        if name in known:
            return f"hf://{organisation}/{name}"
    if KERAS_HUB.fullmatch(name):
        return f"keras_hub://{name}"
    parts = name.split("/")
    is_hub_name = len(parts) == 2 and all(parts) and not name.startswith((".", "~"))
    return f"hf://{name}" if is_hub_name else None


def known_names() -> list[str]:
    """The short names that have a place."""
    return [name for names in ORGANISATIONS.values() for name in names]
