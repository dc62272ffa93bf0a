"""Tokenizers trained on the spot from sentences: python -m benchmarks.speed.trained_tokenizers KIND SENTENCES FOLDER

KIND is byte_pairs, as RoBERTa's, or sentence_pieces, a unigram model as XLM-RoBERTa's. Writes a
tokenizer.json with the tokenizer_config.json that names its special tokens.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

NAMES = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
SIZES = {"byte_pairs": 20_000, "sentence_pieces": 8_000}


def trained(kind: str, lines: list[str]) -> Any:
    """A tokenizer of the library, with its special tokens."""
    settings: dict[str, Any] = {
        "vocab_size": SIZES[kind], "special_tokens": [AddedToken(name, special=True) for name in NAMES],
        "show_progress": False,
    }  # fmt: skip
    if kind == "byte_pairs":
        found: Any = Tokenizer(models.BPE())
        found.pre_tokenizer, found.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        trainer: Any = trainers.BpeTrainer(initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **settings)
    else:
        found = Tokenizer(models.Unigram())
        found.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
        found.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(unk_token="<unk>", **settings)
    found.train_from_iterator(lines, trainer)
    sep, cls = ((name, found.token_to_id(name)) for name in ("</s>", "<s>"))
    found.post_processor = processors.RobertaProcessing(sep, cls)
    return found


def main(kind: str, sentences: str, folder: str) -> None:
    lines = Path(sentences).read_text(encoding="utf-8").splitlines()
    trained(kind, lines).save(str(Path(folder) / "tokenizer.json"))
    names = {f"{part}_token": name for part, name in zip(("cls", "pad", "sep", "unk", "mask"), NAMES, strict=True)}
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
    (Path(folder) / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
