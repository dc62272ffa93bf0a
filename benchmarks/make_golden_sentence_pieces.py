"""Makes tests/golden/sentence_pieces.tar.xz: small models of SentencePiece, and what Transformers makes of them.

python -m benchmarks.make_golden_sentence_pieces, with sentencepiece and transformers>=5 installed.

For each family the archive has the model as SentencePiece's trainer wrote it with a tokenizer_config.json; the folder
that Transformers saved of it; and in truths.json the pieces as SentencePiece reads them, and for some texts the ids,
the offsets and the decoded texts of Transformers' tokenizer of each folder.
"""

from __future__ import annotations

import io
import json
import random
import tarfile
import tempfile
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent.parent / "tests" / "golden" / "sentence_pieces.tar.xz"
SENTENCES = (
    "The pieces of a word are found by the best sum of their scores.",
    "Über die Brücke gehen fünf Mädchen; hinter ihnen läuft ein großer Hund.",
    "L’été dernier, j’ai mangé une crêpe à côté d’un vieux château.",
    "Москва слезам не верит, а река течёт дальше.",
    "日本語の文章を書いてみました。東京は大きい街です。",
    "한국어 문장도 여기에 있습니다.",
    "أهلا وسهلا بكم في المدينة الكبيرة",
    "नमस्ते दुनिया, यह एक वाक्य है।",
    "สวัสดีชาวโลก นี่คือประโยคหนึ่ง",
    "１２３ ＡＢＣ ﬁne ﬂow … ½ ㎏ ℃ 1,200 and 3,5",
    "A long, long road: running, runner, runs; walked, walking, walks!",
    "unaffable unbelievable unbreakable, and tokenization of tokens",
)
ANGLE = {"bos_id": 1, "eos_id": 2, "unk_id": 0}
SQUARE = {
    "pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3, "pad_piece": "[PAD]", "bos_piece": "[CLS]",
    "eos_piece": "[SEP]", "unk_piece": "[UNK]",
}  # fmt: skip
# Folder -> class in Transformers, its model's file, and how it is trained.
FAMILIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "xlm-roberta": ("XLMRoberta", "sentencepiece.bpe.model", {"vocab_size": 500, **ANGLE}),
    "camembert": ("Camembert", "sentencepiece.bpe.model",
                  {"vocab_size": 400, "normalization_rule_name": "identity", **ANGLE}),
    "albert": ("Albert", "spiece.model", {
        "vocab_size": 450, "normalization_rule_name": "nmt_nfkc_cf", "pad_id": 0, "unk_id": 1, "bos_id": -1,
        "eos_id": -1, "control_symbols": "[CLS],[SEP],[MASK]"}),
    "deberta": ("DebertaV2", "spm.model", {"vocab_size": 420, "normalization_rule_name": "nfkc", **SQUARE}),
}  # fmt: skip
TEXTS = (
    "The runner walked", "", "  two  spaces ", "crêpe ﬁne １２３", "日本語の文章 Q&A", "x<mask>y <s> [MASK] z",
    "1,234, ``quoted'' ÀÉ İst", "tab\tnew\nline\r\nend", "U.S. (abc) e\u0301\u0323", "한국어 नमस्ते สวัสดี", "▁a ▁▁b",
    "unknown: \U0001f600\U0001f600 \u4e00",
)  # fmt: skip


def train(**options: Any) -> bytes:
    import sentencepiece

    rng = random.Random(0)
    words = sorted({word for sentence in SENTENCES for word in sentence.split()})
    lines = [*SENTENCES * 3, *(" ".join(rng.choices(words, k=8)) for _ in range(400))]
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=out, minloglevel=2, num_threads=1, character_coverage=1.0,
        hard_vocab_limit=False, **options,
    )  # fmt: skip
    return out.getvalue()


def truth(tokenizer: Any) -> dict[str, Any]:
    encodings = [tokenizer(text, return_offsets_mapping=True) for text in TEXTS]
    ids = [encoding["input_ids"] for encoding in encodings]
    return {
        "ids": ids,
        "offsets": [encoding["offset_mapping"] for encoding in encodings],
        "pair": tokenizer("first text", "second one")["input_ids"],
        "decoded": [tokenizer.decode(row) for row in ids],
        "skipped": [tokenizer.decode(row, skip_special_tokens=True) for row in ids],
        "size": len(tokenizer),
    }


def _of_nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def main() -> None:
    import sentencepiece
    from transformers import AutoTokenizer

    truths: dict[str, Any] = {"texts": TEXTS, "pieces": {}, "folders": {}}
    with tempfile.TemporaryDirectory() as root:
        for name, (prefix, file, options) in FAMILIES.items():
            blob, folder = train(**options), Path(root, f"{name}_model")
            folder.mkdir()
            (folder / file).write_bytes(blob)
            config = {"tokenizer_class": f"{prefix}Tokenizer", "model_max_length": 64}
            (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
            model = sentencepiece.SentencePieceProcessor(model_proto=blob)
            kinds = [2 if model.IsUnknown(i) else 3 if model.IsControl(i) else 1 for i in range(model.GetPieceSize())]
            pieces = [(model.IdToPiece(i), model.GetScore(i), kind) for i, kind in enumerate(kinds)]
            truths["pieces"][folder.name] = pieces
            tokenizer = AutoTokenizer.from_pretrained(folder)
            saved = folder.with_name(f"{name}_json")
            tokenizer.save_pretrained(saved)
            for place in (folder, saved):
                truths["folders"][place.name] = truth(AutoTokenizer.from_pretrained(place))
        Path(root, "truths.json").write_text(json.dumps(truths, ensure_ascii=False), encoding="utf-8")
        with tarfile.open(OUT, "w:xz") as packed:  # The same map of characters is in several of them.
            for path in sorted(Path(root).rglob("*")):
                packed.add(path, path.relative_to(root).as_posix(), recursive=False, filter=_of_nobody)
    print(f"{OUT}: {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
