"""DeBERTa v2 and v3 (He et al., 2020, https://arxiv.org/abs/2006.03654; 2021, https://arxiv.org/abs/2111.09543).

Attention compares tokens with vectors of distances, too; positions are mostly not added. Reference: `DebertaV2Config`
of Transformers 4 and 5. The head that guesses tokens is written under the names that Transformers calls legacy; those
of its other form, which the published files of v3 have, are read as well and mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bert_tf.weights.members.bert import BERT
from bert_tf.weights.members.member import (
    ACTIVATION,
    ACTIVATIONS,
    CHANGING,
    COUNT,
    ELSEWHERE,
    HARMLESS,
    INTEGER,
    OFF,
    PLACE,
    SWITCH,
    Changing,
    HeadDropout,
    Member,
    Pooler,
    Rule,
    Used,
    is_int,
)
from bert_tf.weights.tables import OWN, OWN_PARTS, SAME, TRANSPOSED, Row

BLOCK = "encoder.layer.{i}.attention.self."
LM_HEAD = "lm_predictions.lm_head."
NORMS = {"none": False, "layer_norm": True}
NORM = Rule(f"one of {', '.join(NORMS)}", lambda value: isinstance(value, str) and value in NORMS)
TERMS = {("c2p", "p2c"): "c2p|p2c", ("c2p",): "c2p", ("p2c",): "p2c"}
# What holds is found by `_terms`.
TERM = Rule("c2p, p2c or both, with `relative_attention` true", lambda value: False)
KERNEL = Rule("0 or an odd number", lambda value: is_int(value) and value >= 0 and (value == 0 or value % 2 == 1))
BUCKETS = Rule("an integer other than 1", lambda value: is_int(value) and value > 1)


def _terms(raw: Mapping[str, Any]) -> tuple[str, ...] | None:
    """`pos_att_type` as a key of `TERMS`, from a list or a text such as "p2c|c2p"; None if it cannot be one."""
    said = raw.get("pos_att_type")
    said = [term.strip() for term in said.lower().split("|")] if isinstance(said, str) else said
    if raw.get("relative_attention") is not True or not isinstance(said, list):
        return None
    return next((terms for terms in TERMS if sorted(map(str, said)) == list(terms)), None)


def _below_one(key: str, stands_for: Any) -> Any:
    """What a number below 1, or none, of a key stands for: a function of config.json."""

    def find(raw: Mapping[str, Any]) -> Any:
        value = raw.get(key, -1)
        return stands_for(raw) if is_int(value) and value < 1 else None

    return find


def _is_head_size(value: Any, raw: Mapping[str, Any]) -> bool:
    heads = raw.get("num_attention_heads")
    return value is None or (is_int(value) and is_int(heads) and value * heads == raw.get("hidden_size"))


def _size_or_absent(size: str) -> Changing:
    return Changing(f"{size} or absent", lambda value, raw: value in (None, raw.get(size)))


DEBERTA_V2 = Member(
    model_type="deberta-v2",
    name="DeBERTa v2",
    prefix="DebertaV2",
    classes=(
        "Model", "ForMaskedLM", "ForSequenceClassification", "ForMultipleChoice", "ForTokenClassification",
        "ForQuestionAnswering",
    ),
    used={
        **BERT.used,
        "num_segments": Used("type_vocab_size", 0, PLACE),
        "layer_norm_epsilon": BERT.used["layer_norm_epsilon"]._replace(default=1e-7),
        "position_kind": Used("position_biased_input", True, SWITCH, {True: "learned", False: "none"}),
        "distance_terms": Used("pos_att_type", None, TERM, TERMS, find=_terms),
        "distance_buckets": Used("position_buckets", 0, BUCKETS, find=_below_one("position_buckets", lambda raw: 0)),
        "farthest_distance": Used(
            "max_relative_positions", 0, INTEGER,
            find=_below_one("max_relative_positions", lambda raw: raw.get("max_position_embeddings") or 512),
        ),
        "shares_distances": Used("share_att_key", False, SWITCH),
        "distance_norm": Used("norm_rel_ebd", "none", NORM, NORMS),
        "kernel_size": Used("conv_kernel_size", 0, KERNEL),
        "kernel_activation": Used("conv_act", "tanh", ACTIVATION, ACTIVATIONS),
    },
    optional={"embedding_dim": (Used("embedding_size", None, COUNT), None)},
    fixed={"model_type": "deberta-v2"},
    elsewhere=frozenset({*ELSEWHERE, "relative_attention"}),
    changing={
        **CHANGING,
        "conv_groups": Changing("1 or absent", lambda value, raw: value in (None, 1)),
        "attention_head_size": Changing("hidden_size / num_attention_heads or absent", _is_head_size),
        "pooler_hidden_size": _size_or_absent("hidden_size"),
        "pooler_hidden_act": Changing("gelu or absent", lambda value, raw: value in (None, "gelu")),
        "pooler_dropout": OFF._replace(rule="0 or absent"),
    },
    harmless=frozenset({*HARMLESS, "legacy"}),  # which names its masked-LM head has: the tensors say it
    written={"relative_attention": True, "legacy": True},
    dropouts=(HeadDropout("cls_dropout", ("ForSequenceClassification", "ForMultipleChoice"), None),),
    pooler=Pooler("gelu", in_head=True),
    norm_last=True,
    rows=(
        *(row for row in BERT.rows if row.path.startswith("embeddings/")),
        Row("embeddings/projection/kernel", "embeddings.embed_proj.weight", TRANSPOSED),
        Row("relative_vectors/table", "encoder.rel_embeddings.weight", SAME),
        Row("relative_vectors/norm/gamma", "encoder.LayerNorm.weight", SAME),
        Row("relative_vectors/norm/beta", "encoder.LayerNorm.bias", SAME),
        Row("block_{i}/attention/query/kernel", BLOCK + "query_proj.weight", TRANSPOSED),
        Row("block_{i}/attention/query/bias", BLOCK + "query_proj.bias", SAME),
        Row("block_{i}/attention/key/kernel", BLOCK + "key_proj.weight", TRANSPOSED),
        Row("block_{i}/attention/key/bias", BLOCK + "key_proj.bias", SAME),
        Row("block_{i}/attention/value/kernel", BLOCK + "value_proj.weight", TRANSPOSED),
        Row("block_{i}/attention/value/bias", BLOCK + "value_proj.bias", SAME),
        Row("block_{i}/attention/distance_key/kernel", BLOCK + "pos_key_proj.weight", TRANSPOSED),
        Row("block_{i}/attention/distance_key/bias", BLOCK + "pos_key_proj.bias", SAME),
        Row("block_{i}/attention/distance_query/kernel", BLOCK + "pos_query_proj.weight", TRANSPOSED),
        Row("block_{i}/attention/distance_query/bias", BLOCK + "pos_query_proj.bias", SAME),
        *(row for row in BERT.rows if row.path.startswith(("block_{i}/attention/output/", "block_{i}/attention_norm"))),
        *(row for row in BERT.rows if row.path.startswith(("block_{i}/feed_forward", "pooler/", "classifier/"))),
        Row("block_0/convolution/kernel", "encoder.conv.conv.weight", TRANSPOSED),  # [out, in, K] -> [K, in, out]
        Row("block_0/convolution/bias", "encoder.conv.conv.bias", SAME),
        Row("block_0/convolution/norm/gamma", "encoder.conv.LayerNorm.weight", SAME),
        Row("block_0/convolution/norm/beta", "encoder.conv.LayerNorm.bias", SAME),
        *(row for row in BERT.rows if row.path.startswith(("span/", "masked_lm/"))),
        *OWN,
    ),
    also_read=(
        Row("masked_lm/dense/kernel", LM_HEAD + "dense.weight", TRANSPOSED),
        Row("masked_lm/dense/bias", LM_HEAD + "dense.bias", SAME),
        Row("masked_lm/norm/gamma", LM_HEAD + "LayerNorm.weight", SAME),
        Row("masked_lm/norm/beta", LM_HEAD + "LayerNorm.bias", SAME),
        Row("masked_lm/bias", LM_HEAD + "bias", SAME),
    ),
    parts={
        "embeddings.": "backbone", "encoder.": "backbone", "pooler.": "pooler", "classifier.": "classifier",
        "qa_outputs.": "span", "cls.predictions.": "masked_lm", LM_HEAD: "masked_lm", **OWN_PARTS,
    },
    backbone=("embeddings.", "encoder."),
    base="deberta.",
)  # fmt: skip
