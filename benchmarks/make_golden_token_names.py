"""Makes tests/golden/token_names.json: what Transformers' fast tokenizer says of tokens and ids, by its own names.

PYTHON-WITH-TRANSFORMERS benchmarks/make_golden_token_names.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from transformers import AddedToken, BertTokenizerFast

OUT = Path(__file__).resolve().parent.parent / "tests" / "golden" / "token_names.json"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "##ly", "film", ".", "é", "中"]
ADDED = {"<speaker>": True, "e1": False}  # token -> special
# Calls, as a name and its arguments.
CALLS: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("get_vocab", [], {}),
    ("__len__", [], {}),
    *(("convert_tokens_to_ids", [token], {}) for token in ("good", "zzz", "e1", "[MASK]", "")),
    ("convert_tokens_to_ids", [["good", "zzz", "<speaker>", "##ly"]], {}),
    ("convert_tokens_to_ids", [[]], {}),
    *(("convert_ids_to_tokens", [number], {}) for number in (0, 5, 13)),
    ("convert_ids_to_tokens", [[2, 5, 7, 13, 12, 3, 0]], {}),
    ("convert_ids_to_tokens", [[2, 5, 7, 13, 12, 3, 0]], {"skip_special_tokens": True}),
    ("convert_ids_to_tokens", [[]], {}),
    *(
        ("encode", [text, pair], {"add_special_tokens": special, **cut})
        for text, pair in (
            ("Goodly film.", None),
            ("good bad good bad film", "bad film . ."),
            ("e1 good [MASK] 中é", "<speaker>film"),
            ("film . . . .", "good good good good good good"),
            ("", None),
        )
        for special in (True, False)
        for cut in ({}, {"max_length": 4, "truncation": True})
    ),
    ("batch_decode", [[[2, 5, 7, 9, 3, 0], [6, 12, 8, 13]]], {"skip_special_tokens": True}),
    ("batch_decode", [[[2, 5, 7, 9, 3, 0], [6, 12, 8, 13]]], {"skip_special_tokens": False}),
]
PROPERTIES = [f"{name}_token{suffix}" for name in ("unk", "sep", "pad", "cls", "mask") for suffix in ("", "_id")]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "vocab.txt").write_text("".join(f"{token}\n" for token in VOCABULARY), encoding="utf-8")
        tokenizer = BertTokenizerFast.from_pretrained(folder)
        # Of an ordinary token that is not in lower case Transformers gives another spelling than its own vocabulary.
        tokenizer.add_special_tokens({"extra_special_tokens": [token for token in ADDED if ADDED[token]]})
        tokenizer.add_tokens([AddedToken(token) for token in ADDED if not ADDED[token]])
        calls = [[name, args, options, getattr(tokenizer, name)(*args, **options)] for name, args, options in CALLS]
    properties = {name: getattr(tokenizer, name) for name in PROPERTIES}
    golden = {"vocabulary": VOCABULARY, "added": ADDED, "calls": calls, "properties": properties}
    OUT.write_text(json.dumps(golden, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
