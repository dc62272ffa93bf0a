"""Byte-level byte pairs of the `tokenizers` library, trained on the spot, and texts to compare with."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

import bert_tf
from tests.text.reference import CONTROLS, EMOJI, SPACES, fuzzed_texts

ROBERTA = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
MODERN = ("[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]")
CORPUS = (
    "The film wasn't bad, but they'll say it's 2 hours too long; we've seen 1,000 better ones since 1999.",
    "A good story needs no tricks: I'd watch it again, and you're welcome to join me at 7.30 p.m.!",
    "Über die Brücke gehen wir täglich, schließlich wäre der Umweg größer als gedacht.",
    "Le café était fermé, l'hôtel aussi; nous n'avons trouvé qu'un vieux château à côté.",
    "Мы читаем книги и пишем письма, а потом снова читаем книги.",
    "今天天气很好, 我们去公园散步。明天也许会下雨。",
    "東京の桜はとても綺麗です。한국어 문장도 있습니다.",
    "print('hello world')\n    if x == 10:\n        return [x ** 2 for x in range(100)]\n\n\n# done",
    "don't won't can't shouldn't they're we're I'm he's she'd it'll you've",
    "aaaa bbbbbb abababab ----- ===== ......   !!!??? 😀👍🏽❤️ naïve façade ½ ² Ⅷ ٣٤٥",
    "the cat sat on the mat; the cat ate the rat; the rat ran, the mat sat, the hat spat",
)
PIECES = (
    *("'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "'", "''", "'r", "'v", "'l", "'x", "’s", "'é", "'1"),
    *(" ", "  ", "   ", "\n", "\n\n", " \n", "\n ", "\t", "\r\n", "\u00a0", " \u00a0", "\u3000", "\u0085", "\u200b"),
    *(
        "a",
        "ab",
        "don",
        "film",
        "é",
        "e\u0301",
        "中",
        "国文",
        "😀",
        "1",
        "12",
        "٣",
        "½",
        "²",
        "_",
        "-",
        "--",
        ".",
        "...",
    ),
    *("Ġ", "Ċ", "ÿ", "Ã", "<s>", "<mask>", "[MASK]", "\x00", "\x01", "\x02", "\x03", "\x7f", "\ufeff", "\U0010ffff"),
)


def trained(
    *,
    size: int = 600,
    add_prefix_space: bool = False,
    trim_offsets: bool = True,
    separators: int = 2,
    all_bytes: bool = True,
    use_regex: bool = True,
    unknown: bool = False,
    fuse_unknown: bool = False,
    ignore_merges: bool = False,
    compose: bool = False,
    added: tuple[AddedToken, ...] = (),
) -> Any:
    """A tokenizer set up as Transformers does it for RoBERTa (`separators`=2) or ModernBERT (1)."""
    special = ROBERTA if separators == 2 else MODERN
    cls, sep, unk = (special[0], special[2], special[3]) if separators == 2 else (special[1], special[2], special[0])
    model: Any = BPE
    x: Any = Tokenizer(model(unk_token=unk if unknown else None, fuse_unk=fuse_unknown))
    x.normalizer = normalizers.NFC() if compose else None
    x.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=use_regex)
    trainer = BpeTrainer(
        vocab_size=size,
        min_frequency=1,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if all_bytes else [],
        show_progress=False,
    )
    x.train_from_iterator(CORPUS if all_bytes else [text for text in CORPUS if text.isascii()], trainer)
    x.model.ignore_merges = ignore_merges
    x.decoder = decoders.ByteLevel()
    x.add_special_tokens([AddedToken(t, special=True, normalized=False, lstrip=t == special[4]) for t in special])
    for token in added:
        (x.add_special_tokens if token.special else x.add_tokens)([token])
    ids = {token: x.token_to_id(token) for token in (cls, sep)}
    if separators == 2:
        x.post_processor = processors.RobertaProcessing(
            (sep, ids[sep]), (cls, ids[cls]), trim_offsets, add_prefix_space
        )
    else:
        x.post_processor = processors.TemplateProcessing(
            single=f"{cls} $A {sep}", pair=f"{cls} $A {sep} $B {sep}", special_tokens=list(ids.items())
        )
    return x


def ours(theirs: Any, folder: Path) -> bert_tf.Tokenizer:
    """The same tokenizer here, by the file that the library writes."""
    folder.mkdir(parents=True, exist_ok=True)
    theirs.save(str(folder / "tokenizer.json"))
    return bert_tf.Tokenizer.from_pretrained(folder)


def texts_of(theirs: Any, count: int, *, seed: int) -> list[str]:
    """Texts of tokens, of pieces that are split in odd ways, and of all that is fuzzed for words too."""
    rng = random.Random(seed)
    tokens = [theirs.decode([number], skip_special_tokens=False) for number in range(theirs.get_vocab_size())]
    odd = [*PIECES, *SPACES, *CONTROLS, *EMOJI]
    texts = fuzzed_texts(count // 2, seed=seed, vocabulary=tokens)
    while len(texts) < count:
        words = (rng.choice(tokens if rng.random() < 0.4 else odd) for _ in range(rng.choice((1, 2, 3, 5, 9, 14))))
        texts.append(rng.choice(("", "", " ")).join(words))
    return texts
