"""ModernBERT (Warner et al., 2024, https://arxiv.org/abs/2412.13663): rotary positions, GeGLU, and local attention.

Norms stand before attention and feed-forward, two blocks of three look at their neighbours alone, and a text may have
8,192 tokens. Reference: `ModernBertConfig` of Transformers 4.48 to 5.24: before 5, every n-th block and two thetas; in
5 `layer_types` and `rope_parameters`, which count where both are there. Both versions read what is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bert_tf.weights.members.bert import BERT
from bert_tf.weights.members.member import (
    ACTIVATION,
    ACTIVATIONS,
    BEGIN_AND_END,
    CHANGING,
    COUNT,
    HARMLESS,
    INTEGER,
    POSITIVE,
    SHARE,
    SWITCH,
    Changing,
    HeadDropout,
    Member,
    Pooler,
    Rule,
    Used,
    is_int,
)
from bert_tf.weights.tables import OWN, OWN_PARTS, SAME, TRANSPOSED, Row, part

BLOCK = "layers.{i}."
KINDS = FULL, LOCAL = "full_attention", "sliding_attention"
WINDOW = Rule("an integer of at least 2", lambda value: is_int(value) and value >= 2)
POOLING = Rule("one of cls, mean", lambda value: value in ("cls", "mean"))


def _every(types: Any, raw: Mapping[str, Any]) -> int | None:
    """Every how many blocks one looks everywhere, by a list of all blocks; None where it is not so."""
    if not isinstance(types, list) or not types or any(kind not in KINDS for kind in map(str, types)):
        return None
    wholes = [i for i, kind in enumerate(types) if kind == FULL]
    stated: Any = raw.get("global_attn_every_n_layers")
    choices: list[int] = [stated] if is_int(stated) and stated > 0 else []
    choices.append(wholes[1] if len(wholes) > 1 else len(types))
    return next((n for n in choices if wholes == list(range(0, len(types), n))), None)


def _is_regular(types: Any, raw: Mapping[str, Any]) -> bool:
    if types is None:
        return True
    return _every(types, raw) is not None and len(types) == raw.get("num_hidden_layers")


def _has_plain_angles(value: Any, raw: Mapping[str, Any]) -> bool:
    """Whether no angle is scaled: `rope_parameters` may only say the thetas of both kinds of blocks."""
    if value is None:
        return True
    if not isinstance(value, dict) or not set(value) <= set(KINDS):
        return False
    return all(
        said is None
        or (
            isinstance(said, dict)
            and set(said) <= {"rope_type", "type", "rope_theta"}
            and {said.get("rope_type"), said.get("type")} <= {None, "default"}
            and (said.get("rope_theta") is None or POSITIVE.holds(said["rope_theta"]))
        )
        for said in value.values()
    )


def _theta(kind: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda raw: ((raw.get("rope_parameters") or {}).get(kind) or {}).get("rope_theta")


MODERNBERT = Member(
    model_type="modernbert",
    name="ModernBERT",
    prefix="ModernBert",
    classes=(
        "Model", "ForMaskedLM", "ForSequenceClassification", "ForMultipleChoice", "ForTokenClassification",
        "ForQuestionAnswering",
    ),
    used={
        **{field: BERT.used[field] for field in ("vocabulary_size", "hidden_dim", "num_layers", "num_heads")},
        "intermediate_dim": BERT.used["intermediate_dim"],
        "max_positions": Used("max_position_embeddings", 8192, COUNT),
        "hidden_dropout": Used("embedding_dropout", 0.0, SHARE),
        "attention_dropout": Used("attention_dropout", 0.0, SHARE),
        "feed_forward_dropout": Used("mlp_dropout", 0.0, SHARE),
        "layer_norm_epsilon": Used("norm_eps", 1e-5, POSITIVE),
        "activation": Used("hidden_activation", "gelu", ACTIVATION, ACTIVATIONS),
        "initializer_range": Used("initializer_range", 0.02, POSITIVE),
        "pad_token_id": Used("pad_token_id", 50283, INTEGER),
        "attention_bias": Used("attention_bias", False, SWITCH),
        "feed_forward_bias": Used("mlp_bias", False, SWITCH),
        "norm_bias": Used("norm_bias", False, SWITCH),
        "local_attention": Used("local_attention", 128, WINDOW),
        "global_every": Used(
            "global_attn_every_n_layers", 3, COUNT, find=lambda raw: _every(raw.get("layer_types"), raw)
        ),
        "rotary_base": Used("global_rope_theta", 160000.0, POSITIVE, find=_theta(FULL)),
        "local_rotary_base": Used("local_rope_theta", 10000.0, POSITIVE, find=_theta(LOCAL)),
        "head_activation": Used("classifier_activation", "gelu", ACTIVATION, ACTIVATIONS),
        "head_bias": Used("classifier_bias", False, SWITCH),
        "decoder_bias": Used("decoder_bias", True, SWITCH),
        "head_pooling": Used("classifier_pooling", "cls", POOLING),
    },
    fixed={
        "model_type": "modernbert", "position_kind": "rotary", "num_segments": 0, "norm_first": True, "gated": True,
    },
    changing={
        **CHANGING,
        "layer_types": Changing(
            f"{FULL} at every n-th of num_hidden_layers blocks from the first one on, {LOCAL} at others, or absent",
            _is_regular,
        ),
        "rope_parameters": Changing(
            f"rope_theta of {FULL} and {LOCAL} without scaling (rope_type default), or absent", _has_plain_angles
        ),
        "rope_scaling": Changing("empty or absent", lambda value, raw: not value),
        "sliding_window": Changing(  # which Transformers 5 takes in place of local_attention
            "absent: local_attention says it", lambda value, raw: value is None
        ),
        "head_dim": Changing("absent", lambda value, raw: value is None),
        "layer_norm_eps": Changing(  # which the published files have besides, and Transformers does not use
            "norm_eps or absent", lambda value, raw: value in (None, raw.get("norm_eps", 1e-5))
        ),
    },
    # How it starts, is compiled, and which of its logits a training gives.
    harmless=frozenset({
        *HARMLESS, "initializer_cutoff_factor", "deterministic_flash_attn", "reference_compile",
        "repad_logits_with_grad", "sparse_prediction", "sparse_pred_ignore_index",
    }),
    dropouts=(
        HeadDropout(
            "classifier_dropout",
            ("ForSequenceClassification", "ForMultipleChoice", "ForTokenClassification", "ForQuestionAnswering"),
            0.0,
        ),
    ),
    pooler=Pooler("gelu", in_head=True, has_norm=True, of_tokens=True),
    masked_lm_activation="gelu",
    tells_segments=False,
    rows=(
        Row("embeddings/token/table", "embeddings.tok_embeddings.weight", SAME),
        Row("embeddings/norm/gamma", "embeddings.norm.weight", SAME),
        Row("embeddings/norm/beta", "embeddings.norm.bias", SAME),
        Row("block_{i}/attention_norm/gamma", BLOCK + "attn_norm.weight", SAME),
        Row("block_{i}/attention_norm/beta", BLOCK + "attn_norm.bias", SAME),
        Row("block_{i}/attention/query/kernel", BLOCK + "attn.Wqkv.weight", part(0, 3)),
        Row("block_{i}/attention/key/kernel", BLOCK + "attn.Wqkv.weight", part(1, 3)),
        Row("block_{i}/attention/value/kernel", BLOCK + "attn.Wqkv.weight", part(2, 3)),
        Row("block_{i}/attention/query/bias", BLOCK + "attn.Wqkv.bias", part(0, 3)),
        Row("block_{i}/attention/key/bias", BLOCK + "attn.Wqkv.bias", part(1, 3)),
        Row("block_{i}/attention/value/bias", BLOCK + "attn.Wqkv.bias", part(2, 3)),
        Row("block_{i}/attention/output/kernel", BLOCK + "attn.Wo.weight", TRANSPOSED),
        Row("block_{i}/attention/output/bias", BLOCK + "attn.Wo.bias", SAME),
        Row("block_{i}/feed_forward_norm/gamma", BLOCK + "mlp_norm.weight", SAME),
        Row("block_{i}/feed_forward_norm/beta", BLOCK + "mlp_norm.bias", SAME),
        Row("block_{i}/feed_forward/intermediate/kernel", BLOCK + "mlp.Wi.weight", TRANSPOSED),
        Row("block_{i}/feed_forward/intermediate/bias", BLOCK + "mlp.Wi.bias", SAME),
        Row("block_{i}/feed_forward/output/kernel", BLOCK + "mlp.Wo.weight", TRANSPOSED),
        Row("block_{i}/feed_forward/output/bias", BLOCK + "mlp.Wo.bias", SAME),
        Row("final_norm/gamma", "final_norm.weight", SAME),
        Row("final_norm/beta", "final_norm.bias", SAME),
        Row("pooler/dense/kernel", "head.dense.weight", TRANSPOSED),
        Row("pooler/dense/bias", "head.dense.bias", SAME),
        Row("pooler/norm/gamma", "head.norm.weight", SAME),
        Row("pooler/norm/beta", "head.norm.bias", SAME),
        Row("classifier/kernel", "classifier.weight", TRANSPOSED),
        Row("classifier/bias", "classifier.bias", SAME),
        # Under other heads than their own, of which Transformers has none that has these besides.
        Row("span/kernel", "span.weight", TRANSPOSED),
        Row("span/bias", "span.bias", SAME),
        Row("masked_lm/dense/kernel", "masked_lm.dense.weight", TRANSPOSED),
        Row("masked_lm/dense/bias", "masked_lm.dense.bias", SAME),
        Row("masked_lm/norm/gamma", "masked_lm.norm.weight", SAME),
        Row("masked_lm/norm/beta", "masked_lm.norm.bias", SAME),
        Row("masked_lm/decoder/table", "masked_lm.decoder.weight", SAME),
        Row("masked_lm/bias", "masked_lm.decoder.bias", SAME),
        *OWN,
    ),
    head_rows={
        "ForQuestionAnswering": (
            Row("span/kernel", "classifier.weight", TRANSPOSED),
            Row("span/bias", "classifier.bias", SAME),
            Row("classifier/kernel", "span.weight", TRANSPOSED),
            Row("classifier/bias", "span.bias", SAME),
        ),
        # Its layer before the last one is also what other heads on such a file start from, as in Transformers.
        "ForMaskedLM": (
            Row("masked_lm/dense/kernel", "head.dense.weight", TRANSPOSED),
            Row("masked_lm/dense/bias", "head.dense.bias", SAME),
            Row("masked_lm/norm/gamma", "head.norm.weight", SAME),
            Row("masked_lm/norm/beta", "head.norm.bias", SAME),
            Row("masked_lm/decoder/table", "decoder.weight", SAME),  # a copy of the token table, where tied
            Row("masked_lm/bias", "decoder.bias", SAME),
        ),
    },
    parts={
        "embeddings.": "backbone", "layers.": "backbone", "final_norm.": "backbone", "head.": "pooler",
        "classifier.": "classifier", "span.": "span", "masked_lm.": "masked_lm", **OWN_PARTS,
    },
    head_parts={
        "ForQuestionAnswering": {"classifier.": "span", "span.": "classifier"},
        "ForMaskedLM": {"head.": "masked_lm", "decoder.": "masked_lm"},
    },
    backbone=("embeddings.", "layers.", "final_norm."),
    base="model.",
    words={"model_input_names": ["input_ids", "attention_mask"]},
    token_ids={**BEGIN_AND_END, "cls_token_id": "cls_token", "sep_token_id": "sep_token"},
)  # fmt: skip
