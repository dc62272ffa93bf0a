"""Writes tests/golden/byte_pairs.json: folders of byte-level tokenizers as Transformers writes or reads them, and ids.

python benchmarks/make_golden_byte_pairs.py    (with Transformers 5)
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import tokenizers
import transformers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

OUT = Path(__file__).resolve().parents[1] / "tests" / "golden" / "byte_pairs.json"
CORPUS = ["the film wasn't bad, but they'll see it's long", "a good film, a bad film; 12 films!", "über die Brücke"] * 3
TEXTS = [
    "the film wasn't  bad.", "a <mask> film", " <mask>film <s>", "", "Über 12 Brücken\n\nthey'll", "e\u0301 [MASK] x",
    "a<b>b", "日本 film", "   ", "x [SEP] y",
]  # fmt: skip
PAIRS = [("a good film", "bad"), ("", "the <mask>"), ("über", " ")]
FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
         "merges.txt", "config.json")  # fmt: skip
ROBERTA, MODERN = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"], ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]


def trained(special: list[str]) -> Any:
    found = tokenizers.Tokenizer(models.BPE())
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    found.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    ))  # fmt: skip
    return found


def modern() -> Any:
    found = trained([])
    found.normalizer = normalizers.NFC()
    found.add_tokens([tokenizers.AddedToken(" " * n, normalized=True) for n in (3, 2)])
    found.add_special_tokens([tokenizers.AddedToken(t, lstrip=t == "[MASK]", normalized=False) for t in MODERN])
    ids = [(token, found.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    found.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=ids
    )
    return found


def written(folder: Path, case: str) -> None:
    """The files of a case."""
    names = {f"{name}_token": token for name, token in zip(("cls", "pad", "sep", "unk", "mask"), ROBERTA, strict=True)}
    raw = json.loads(trained(ROBERTA).to_str())
    vocab, merges = raw["model"]["vocab"], [tuple(pair) for pair in raw["model"]["merges"]]
    mask = transformers.AddedToken("<mask>", lstrip=True, special=True, normalized=False)
    if case == "saved":
        transformers.RobertaTokenizer(vocab, merges, model_max_length=64, mask_token=mask).save_pretrained(folder)
    elif case == "saved with more":
        made = transformers.RobertaTokenizer(vocab, merges, add_prefix_space=True, mask_token=mask)
        made.add_tokens(["<b>", transformers.AddedToken("日本", special=True)])
        made.save_pretrained(folder)
    elif case == "modern":
        named = {f"{n}_token": t for n, t in zip(("unk", "cls", "sep", "pad", "mask"), MODERN, strict=True)}
        transformers.PreTrainedTokenizerFast(tokenizer_object=modern(), **named).save_pretrained(folder)
    else:
        (folder / "vocab.json").write_text(json.dumps(vocab))
        (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
        (folder / "config.json").write_text('{"model_type": "roberta"}')
        if case == "older":
            flagged = {"content": "<mask>", "lstrip": True, "rstrip": False, "normalized": True, "single_word": False}
            config = {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True, "trim_offsets": False, **names}
            (folder / "tokenizer_config.json").write_text(json.dumps(config))
            (folder / "special_tokens_map.json").write_text(json.dumps(names | {"mask_token": flagged}))


def main() -> None:
    cases = {}
    for case in ("saved", "saved with more", "modern", "older", "alone"):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            written(folder, case)
            files = {name: (folder / name).read_text() for name in FILES if (folder / name).is_file()}
            read = transformers.AutoTokenizer.from_pretrained(folder)
            rows = []
            for text in (*[(text, None) for text in TEXTS], *PAIRS):
                found = read(*text, return_offsets_mapping=True)
                rows.append([*text, found["input_ids"], [list(place) for place in found["offset_mapping"]]])
            cases[case] = {"files": files, "rows": rows, "decoded": read.batch_decode([row[2] for row in rows])}
    OUT.write_text(json.dumps({"transformers": transformers.__version__, "cases": cases}, indent=1) + "\n")
    print(f"{OUT}: {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
