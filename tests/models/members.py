"""Small models of the family's members, for what all of them go through."""

from __future__ import annotations

from string import ascii_uppercase
from typing import Any

from benchmarks.random_run import LETTERS, SPECIAL
from benchmarks.random_run import WORDS as RUN_WORDS
from bert_tf.weights.members import MEMBERS

SHAPES: dict[str, dict[str, Any]] = {
    "distilbert": {"model_type": "distilbert", "num_segments": 0},
    "electra": {"model_type": "electra", "embedding_dim": 6},
    "mpnet": {"model_type": "mpnet", "num_segments": 0, "first_position": 2, "relative_buckets": 32, "pad_token_id": 1},
    "roberta": {"model_type": "roberta", "num_segments": 1, "pad_token_id": 1},
    "xlm-roberta": {"model_type": "xlm-roberta", "num_segments": 1, "pad_token_id": 1},
    "camembert": {"model_type": "camembert", "num_segments": 1, "pad_token_id": 1},
    "albert": {"model_type": "albert", "embedding_dim": 6, "activation": "gelu_tanh"},
    "modernbert": {  # its second block is local: two tokens to each side
        "model_type": "modernbert", "num_segments": 0, "position_kind": "rotary", "norm_first": True, "gated": True,
        "attention_bias": False, "feed_forward_bias": False, "norm_bias": False, "feed_forward_dropout": 0.1,
        "local_attention": 4, "global_every": 2, "rotary_base": 160000.0, "head_activation": "gelu", "head_bias": False,
    },
    "deberta-v2": {
        "model_type": "deberta-v2", "num_segments": 0, "position_kind": "none", "distance_terms": "c2p|p2c",
        "distance_buckets": 4, "shares_distances": True, "distance_norm": True,
    },
    "mobilebert": {
        "model_type": "mobilebert", "embedding_dim": 3, "trigram": True, "bottleneck_dim": 6, "shared_bottleneck": True,
        "num_feed_forwards": 3, "norm_kind": "no_norm", "activation": "relu", "initializer_range": 0.2,
    },
}  # fmt: skip
"""Fields of a member's config that are not as BERT's. A line here puts a member into docs/family_table.md."""
WORDS: dict[str, dict[str, Any]] = {
    "mpnet": {**MEMBERS["mpnet"].tokens, "pair_separators": 2},
}
"""Arguments of a member's tokenizer that are not as BERT's."""


def of_member(member: str, kind: str = "") -> dict[str, Any]:
    """What `run_of` takes for a run on a member, with its own kind of tokenizer."""
    shape = dict(SHAPES.get(member, {}))
    if kind == "text_to_text":  # which refuses to see the next token
        shape.pop("trigram", None)
    start = {name: shape.pop(name) for name in ("initializer_range",) if name in shape}
    return {"shape": shape, "words": WORDS.get(member, {}), "tokenizer": tokenizer_of(member), **start}


def tokenizer_of(member: str) -> Any:
    """A small tokenizer of a member's own, of texts in Latin letters; None of those whose own is WordPiece."""
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    if member in ("roberta", "modernbert"):
        from bert_tf import BytePairTokenizer
        from bert_tf.text.byte_pairs.alphabet import ALPHABET

        options: dict[str, Any] = {}
        if member == "modernbert":
            names = list(SPECIAL)
            options = {f"{name.strip('[]').lower()}_token": name for name in names} | {"pair_separators": 1}
        merges = [("g", "o"), ("o", "d"), ("go", "od"), ("Ġ", "good"), ("b", "a"), ("ba", "d"), ("Ġ", "bad")]
        return BytePairTokenizer([*names, *ALPHABET.values(), *map("".join, merges)], merges, **options)
    if member not in ("xlm-roberta", "camembert", "albert", "deberta-v2"):
        return None
    from bert_tf.text.sentence_pieces.tokenizer import SentencePieceTokenizer

    lower = member == "albert"
    options: dict[str, Any] = {"pair_separators": MEMBERS[member].pair_separators}
    if options["pair_separators"] == 1:
        names = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
        options |= {"cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    pieces = ["▁", *(f"▁{word}" for word in RUN_WORDS), *LETTERS, *("" if lower else ascii_uppercase)]
    scored = [*((name, 0.0) for name in names), *((piece, -2.0 - i / 9) for i, piece in enumerate(pieces))]
    return SentencePieceTokenizer(scored, normalizer=({"type": "Lowercase"},) * lower, **options)
