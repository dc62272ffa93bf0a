"""Small corpora and tokenizers for the tests of pre-training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bert_tf.data.corpora.examples import PretrainingStream
from bert_tf.data.corpora.masking import Masker, MaskSettings
from bert_tf.data.corpora.pairs import PairSettings
from bert_tf.data.corpora.portions import StorePortions
from bert_tf.data.corpora.store import Reading, TokenStore, open_store
from bert_tf.text import BertTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [chr(ord("a") + i) for i in range(26)]
VOCABULARY = [*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS), "."]


def tokenizer() -> BertTokenizer:
    """Every letter is a token, at the start of a word and inside."""
    return BertTokenizer(VOCABULARY)


def write_corpus(path: Path, *, documents: int, sentences: int = 12, seed: int = 0) -> Path:
    """A file of sentences of 1 to 9 words of 1 to 4 letters. Every word of document d begins with its letter."""
    rng = np.random.default_rng(seed)
    parts = []
    for document in range(documents):
        lines = []
        for _ in range(int(rng.integers(2, sentences + 1))):
            words = [
                LETTERS[document % 26] + "".join(rng.choice(LETTERS, rng.integers(0, 4)))
                for _ in range(rng.integers(1, 10))
            ]
            lines.append(" ".join(words) + ".")
        parts.append("\n".join(lines))
    path.write_text("\n\n".join(parts) + "\n")
    return path


def store(folder: Path, *, documents: int, sentences: int = 12, seed: int = 0) -> TokenStore:
    file = write_corpus(folder / "corpus.txt", documents=documents, sentences=sentences, seed=seed)
    return open_store([file], tokenizer(), Reading("sentences"), cache=folder / "cache")


def stream(
    corpus: TokenStore,
    *,
    pair: str = "next_sentence",
    length: int = 32,
    masking: str = "tokens",
    seed: int = 1,
    portion_tokens: int = 1 << 22,
) -> PretrainingStream:
    words = tokenizer()
    portions = StorePortions(
        corpus, np.arange(corpus.documents), PairSettings(pair, length), seed=seed, portion_tokens=portion_tokens
    )
    continues = np.array([token.startswith("##") for token in words.vocabulary])
    masker = Masker(MaskSettings(masking), words.vocabulary_size, words.mask_id, continues)
    special = (words.pad_id, words.unk_id, words.mask_id)
    return PretrainingStream(portions, masker, cls_id=words.cls_id, sep_id=words.sep_id, never_masked=special)
