"""Makes tests/golden/tokenizers.json.gz: random tokenizer folders, and what Transformers makes of texts with them.

Needs transformers and tokenizers (no PyTorch):
    python benchmarks/make_golden_tokenizers.py [--count=120] [--seed=1]

Half of the folders are written by Transformers itself; the others have the files that its older versions wrote, with
settings drawn at random from what people have in them. A folder is kept as its files, {name: text}. Beside it stands
the truth: the ids of each text without special tokens around it, what those ids are decoded to, or the error's class.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import random
import tempfile
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent.parent / "tests" / "golden" / "tokenizers.json.gz"
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = (
    *"abcdefghij", *(f"##{c}" for c in "abcdefghij123"), *"123", "film", "##s", "good", "covid", "##19", "É", "é",
    "##é", "E", "E1", "The", "中", "国", "日", "今日", "##日", ".", ",", "!", "[", "]", "<", ">", "mask", "sep", "has",
    "\u302e", "[unused1]", "[unused2]",
)  # fmt: skip
TEXTS = (
    "The good films.", "a COVID19 film, covid19s E1!", "[MASK] [SEP] [sep] [mask]", "café É é e\u0301", "今日 中国a 日",
    "a<e1>b <E1> E1E1 e1a", "[unused1]  [unused2] [UNK]", " covid19 covid19 ", "a  [ent]  b [ENT]", "x" * 101,
    "\u302e a\u200db \x00c\u00a0d", "has_covid19 covid19_ covid19.", "",
)  # fmt: skip
CONTENTS = ("covid19", "E1", "<e1>", "[ENT]", "[unused1]", "film", "é", "中国", "a b", "good film", "[DIST]", "##19x")


def token(rng: random.Random) -> dict[str, Any]:
    special = rng.random() < 0.4
    flags = {name: rng.random() < 0.15 for name in ("lstrip", "rstrip", "single_word")}
    normalized = rng.random() < 0.5 if rng.random() < 0.3 else not special
    return {"content": "", "normalized": normalized, "special": special, **flags}


def tokens(rng: random.Random) -> list[dict[str, Any]]:
    """Added tokens, of which no two are the same when lower-cased."""
    found: dict[str, dict[str, Any]] = {}
    for content in rng.sample(CONTENTS, rng.choice((0, 0, 1, 2, 4))):
        found.setdefault(content.lower(), token(rng) | {"content": content})
    return list(found.values())


def settings(rng: random.Random) -> dict[str, Any]:
    """Of tokenizer_config.json, as Transformers 2 to 5 wrote them and as people changed them."""
    drawn: dict[str, tuple[float, tuple[Any, ...]]] = {
        "do_lower_case": (0.95, (True, True, False)),
        "strip_accents": (0.5, (None, None, True, False)),
        "tokenize_chinese_chars": (0.5, (True, True, False)),
        "tokenizer_class": (0.7, ("BertTokenizer", "BertTokenizerFast", None)),
        "model_max_length": (0.6, (512, 128, 512.0, 1e30, 1000000000000000019884624838656)),
        "do_basic_tokenize": (0.4, (True, True, None, False)),
        "never_split": (0.3, (None, [], ["covid19"])),
        "name_or_path": (0.2, ("bert-base-cased",)),
        "special_tokens_map_file": (0.2, (None,)),
        "tokenizer_file": (0.2, (None,)),
        "padding_side": (0.2, ("right", "right", "left")),
        "truncation_side": (0.2, ("right", "right", "left")),
        "split_special_tokens": (0.15, (False, True)),
        "clean_up_tokenization_spaces": (0.3, (True, False)),
        "wordpieces_prefix": (0.1, ("##",)),
        "word_tokenizer_type": (0.05, ("basic", "mecab")),
        "model_input_names": (0.1, (["input_ids", "attention_mask"],)),
        "my_own_key": (0.1, (7,)),
        "ent_token": (0.1, ("[ENT]",)),
    }
    return {key: rng.choice(values) for key, (chance, values) in drawn.items() if rng.random() < chance}


def written_by_transformers(rng: random.Random, folder: Path) -> None:
    from transformers import AddedToken, BertTokenizer, PreTrainedTokenizerFast

    ids = {t: i for i, t in enumerate((*SPECIAL, *WORDS))}
    chosen = ("do_lower_case", "strip_accents", "tokenize_chinese_chars")
    options = {k: v for k, v in settings(rng).items() if k in chosen}
    x: Any = BertTokenizer(vocab=ids, **options)
    if rng.random() < 0.25:
        x = PreTrainedTokenizerFast(
            tokenizer_object=x.backend_tokenizer,
            **{f"{name[1:-1].lower()}_token": name for name in SPECIAL},
        )
    for entry in tokens(rng):
        flags = {k: v for k, v in entry.items() if k not in ("content", "special")}
        added = AddedToken(entry["content"], **flags)
        if entry["special"] and rng.random() < 0.5:
            x.add_special_tokens({"additional_special_tokens": [added]}, replace_extra_special_tokens=False)
        else:
            x.add_tokens([added], special_tokens=entry["special"])
    x.save_pretrained(folder)
    if rng.random() < 0.3:  # as older versions left it: a vocabulary beside, which need not be the newest
        lines = (*SPECIAL, *WORDS)[: rng.choice((None, -1))]
        (folder / "vocab.txt").write_bytes("".join(f"{t}\n" for t in lines).encode())


def as_older_versions(rng: random.Random, folder: Path) -> None:
    words = [*SPECIAL, *WORDS]
    if rng.random() < 0.15:
        words.insert(rng.randrange(5, len(words)), rng.choice(("", "film", "b ")))
    if rng.random() < 0.05:
        words.remove("[MASK]")
    end = rng.choice(("\n", "\n", "\r\n"))
    text = end.join(words) + rng.choice(("", end, end, end * 2))
    (folder / "vocab.txt").write_bytes(text.encode())
    config, added = settings(rng), tokens(rng)
    base = len(set(text.splitlines()))
    behind = [entry for entry in added if entry["content"] not in words]
    numbered = {e["content"]: base + i for i, e in enumerate(behind)}
    names: dict[str, Any] = {f"{t[1:-1].lower()}_token": t for t in SPECIAL}
    form = rng.choice(("decoder", "decoder", "old", "old", "none"))
    specials = [e["content"] for e in added if e["special"]]
    if form == "decoder":
        known = {t: i for i, t in enumerate(words)} | numbered
        config["added_tokens_decoder"] = {str(known[e["content"]]): e for e in added}
    if form in ("decoder", "old") and numbered:
        (folder / "added_tokens.json").write_text(json.dumps(numbered))
    if form != "none" and specials:
        key = rng.choice(("additional_special_tokens", "additional_special_tokens", "extra_special_tokens"))
        (config if rng.random() < 0.5 else names)[key] = specials
    if rng.random() < 0.3 and form == "none":
        config["extra_special_tokens"] = {"entity": "[ENT]"}
    if rng.random() < 0.6:
        mask = {"content": "[MASK]", "lstrip": rng.random() < 0.3, "normalized": False, "rstrip": False,
                "single_word": False}  # fmt: skip
        names["mask_token"] = mask if rng.random() < 0.3 else "[MASK]"
        (folder / "special_tokens_map.json").write_text(json.dumps(names))
    if rng.random() < 0.95:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))


def truth(folder: Path) -> dict[str, Any]:
    from transformers import AutoTokenizer

    try:
        x: Any = AutoTokenizer.from_pretrained(folder)
        ids = [x(text, add_special_tokens=False)["input_ids"] for text in TEXTS]
        return {
            "ids": ids,
            "decoded": [x.decode(row, skip_special_tokens=True) for row in ids],
            "around": x("a", "b")["input_ids"],
        }
    except Exception as error:  # whatever it is, it is what the reader of the folder gets
        return {"error": type(error).__name__}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args()
    import tokenizers
    import transformers

    cases = []
    for number in range(flags.count):
        rng = random.Random(1000 * flags.seed + number)
        with tempfile.TemporaryDirectory() as name, contextlib.suppress(KeyError):
            folder = Path(name)
            (as_older_versions if number % 2 else written_by_transformers)(rng, folder)
            (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
            files = {p.name: p.read_bytes().decode() for p in sorted(folder.iterdir())}
            files = {n: json.dumps(json.loads(t), ensure_ascii=False) if n.endswith(".json") else t
                     for n, t in files.items()}  # fmt: skip
            cases.append({"files": files, "truth": truth(folder)})
    versions = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    content = f'{{"versions": {json.dumps(versions)},\n"texts": {json.dumps(TEXTS)},\n"cases": [\n{lines}\n]}}\n'
    OUT.write_bytes(gzip.compress(content.encode(), mtime=0))
    print(f"{OUT}: {len(cases)} folders, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
