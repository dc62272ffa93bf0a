"""SentencePiece's byte pairs, trained on the spot, and the `tokenizers` library set up as Transformers does it."""

from __future__ import annotations

import functools
import io
import json
import random
from pathlib import Path
from typing import Any

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE

from bert_tf.text.sentence_pieces.files.model_file import NORMAL, ModelFile, read_model
from tests.text.sentence_pieces.reference import Reference, precompiled, removed_by

SENTENCES = (
    "The pieces of a word are found by merging its characters, the best pair first.",
    "Über die Brücke gehen fünf Mädchen; hinter ihnen läuft ein großer Hund.",
    "L'été dernier, j'ai mangé une crêpe à côté d'un vieux château.",
    "Москва слезам не верит, а река течёт дальше. 日本語の文章を書いてみました。한국어 문장도 있습니다.",
    "１２３ ＡＢＣ ﬁne ﬂow … ½ ㎏ ℃ 1,200 and 3,5 aaaa bbbbbbb ababab ------ !!!",
    "unaffable unbelievable unbreakable, and tokenization of tokens; running, runner, runs",
)
NAMES = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "<pad>", "mask_token": "[MASK]", "unk_token": "<unk>"}


@functools.cache
def trained(**options: Any) -> bytes:
    """A model's file."""
    rng, out = random.Random(0), io.BytesIO()
    words = sorted({word for sentence in SENTENCES for word in sentence.split()})
    lines = [*SENTENCES * 3, *(" ".join(rng.choices(words, k=8)) for _ in range(300))]
    settings = {"vocab_size": 400, "character_coverage": 1.0, "pad_id": 3, "control_symbols": "[CLS],[SEP],[MASK]"}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=out, model_type="bpe", minloglevel=2, num_threads=1,
        hard_vocab_limit=False, **(settings | options),
    )  # fmt: skip
    return out.getvalue()


def written(folder: Path, blob: bytes, config: dict[str, Any]) -> ModelFile:
    """A folder with the model and a tokenizer_config.json that names the special tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.model").write_bytes(blob)
    (folder / "tokenizer_config.json").write_text(json.dumps(NAMES | config), encoding="utf-8")
    return read_model(folder / "tokenizer.model")


def merges_of(model: ModelFile) -> list[tuple[str, str]]:
    """As Transformers' `SpmConverter.build_tokenizer_from_spm_proto` finds them."""
    normal = {p.text: (p.score, i) for i, p in enumerate(model.pieces) if p.kind == NORMAL}
    ranked = []
    for token, (score, number) in normal.items():
        for split in range(1, len(token)):
            left, right = token[:split], token[split:]
            if left in normal and right in normal:
                ranked.append((-score, number, left, right))
    return [(left, right) for _, _, left, right in sorted(ranked)]


def reference(model: ModelFile, *, legacy: bool = True) -> Reference:
    """The library's tokenizer of a model's file, by the model's own settings."""
    kind: Any = BPE
    x: Any = Tokenizer(kind(
        vocab={p.text: i for i, p in enumerate(model.pieces)}, merges=merges_of(model),
        unk_token=model.pieces[model.unk_id].text, fuse_unk=True, byte_fallback=model.byte_fallback,
    ))  # fmt: skip
    steps: list[Any] = [precompiled(model.charsmap)] if model.charsmap else []
    if model.remove_extra_whitespaces:
        steps += [normalizers.Replace(Regex(r"\A +| +\z"), ""), normalizers.Replace(Regex(" {2,}"), " ")]
    steps += [normalizers.Replace(" ", "▁")]
    if model.add_dummy_prefix:
        steps += [normalizers.Replace(Regex(r"\A▁"), "▁▁")] if legacy else []
        scheme = "always" if legacy else "first"
        x.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=scheme, split=False)
    x.normalizer = normalizers.Sequence(steps)
    return named(x, removed_by(model.charsmap))


def named(x: Any, removed: frozenset[str] = frozenset()) -> Reference:
    """With its special tokens, and what stands around a text."""
    x.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in (*NAMES.values(), "<s>", "</s>")])
    around = [(t, x.token_to_id(t)) for t in ("[CLS]", "[SEP]")]
    x.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=around
    )
    return Reference(x, removed)
