"""MobileBERT (Sun et al., 2020, https://arxiv.org/abs/2004.02984): narrow blocks on wide vectors, for phones.

A block's input is brought to a narrow width and back, there are several feed-forwards in it, and no norms are worked
out; a token's vector is made of its neighbours' too. Reference: `MobileBertConfig` of Transformers 3 to 5, and the
released code, google-research/mobilebert.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bert_tf.weights.members.bert import BERT
from bert_tf.weights.members.member import CHANGING, COUNT, SWITCH, Changing, HeadDropout, Member, Pooler, Rule, Used
from bert_tf.weights.tables import SAME, TRANSPOSED, Row

BLOCK = "encoder.layer.{i}."
NORM_KINDS = ("layer_norm", "no_norm")


def _is_wide(raw: Mapping[str, Any]) -> bool:
    return raw.get("use_bottleneck") is False


def _is_inner_width(value: Any, raw: Mapping[str, Any]) -> bool:
    """What Transformers writes besides, and works out of two other keys."""
    inner = raw.get("hidden_size") if _is_wide(raw) else raw.get("intra_bottleneck_size", 128)
    return value is None or value == inner


def _around(ours: str, theirs: str) -> tuple[Row, ...]:
    """The rows of a dense layer and its norm."""
    return (
        Row(f"{ours}/dense/kernel", f"{theirs}.dense.weight", TRANSPOSED),
        Row(f"{ours}/dense/bias", f"{theirs}.dense.bias", SAME),
        Row(f"{ours}/norm/gamma", f"{theirs}.LayerNorm.weight", SAME),
        Row(f"{ours}/norm/beta", f"{theirs}.LayerNorm.bias", SAME),
    )


MOBILEBERT = Member(
    model_type="mobilebert",
    name="MobileBERT",
    prefix="MobileBert",
    classes=(
        "Model", "ForPreTraining", "ForMaskedLM", "ForNextSentencePrediction", "ForSequenceClassification",
        "ForMultipleChoice", "ForTokenClassification", "ForQuestionAnswering",
    ),
    used={
        **BERT.used,
        "activation": BERT.used["activation"]._replace(default="relu"),
        "hidden_dropout": BERT.used["hidden_dropout"]._replace(default=0.0),
        "embedding_dim": Used("embedding_size", 128, COUNT),
        "trigram": Used("trigram_input", True, SWITCH),
        "bottleneck_dim": Used("intra_bottleneck_size", 128, COUNT, find=lambda raw: 0 if _is_wide(raw) else None),
        "bottleneck_attention": Used(
            "use_bottleneck_attention", False, SWITCH, find=lambda raw: False if _is_wide(raw) else None
        ),
        "shared_bottleneck": Used(
            "key_query_shared_bottleneck", True, SWITCH,
            find=lambda raw: False if _is_wide(raw) or raw.get("use_bottleneck_attention") is True else None,
        ),
        "num_feed_forwards": Used("num_feedforward_networks", 4, COUNT),
        "norm_kind": Used(
            "normalization_type", "no_norm", Rule(f"one of {', '.join(NORM_KINDS)}", lambda value: value in NORM_KINDS)
        ),
        "has_pooler": Used("classifier_activation", True, SWITCH),
    },
    fixed={"model_type": "mobilebert", "position_kind": "learned"},
    changing={
        **CHANGING,
        "use_bottleneck": Changing(
            "true, false or absent", lambda value, raw: value is None or isinstance(value, bool)
        ),
        "true_hidden_size": Changing(
            "intra_bottleneck_size, or hidden_size where use_bottleneck is false, or absent", _is_inner_width
        ),
    },
    written={"use_bottleneck": lambda config: config["bottleneck_dim"] > 0},
    dropouts=(
        HeadDropout(
            "classifier_dropout", ("ForSequenceClassification", "ForTokenClassification", "ForMultipleChoice"), None
        ),
    ),
    pooler=Pooler("tanh", in_head=False),
    projects_tokens=True,
    unset_epsilon=1e-5,
    rows=(
        *BERT.rows,
        Row("embeddings/projection/kernel", "embeddings.embedding_transformation.weight", TRANSPOSED),
        Row("embeddings/projection/bias", "embeddings.embedding_transformation.bias", SAME),
        *_around("block_{i}/bottleneck", BLOCK + "bottleneck.input"),
        *_around("block_{i}/attention_bottleneck", BLOCK + "bottleneck.attention"),
        Row("block_{i}/feed_forward_{j}/intermediate/kernel", BLOCK + "ffn.{j}.intermediate.dense.weight", TRANSPOSED),
        Row("block_{i}/feed_forward_{j}/intermediate/bias", BLOCK + "ffn.{j}.intermediate.dense.bias", SAME),
        Row("block_{i}/feed_forward_{j}/output/kernel", BLOCK + "ffn.{j}.output.dense.weight", TRANSPOSED),
        Row("block_{i}/feed_forward_{j}/output/bias", BLOCK + "ffn.{j}.output.dense.bias", SAME),
        Row("block_{i}/feed_forward_norm_{j}/gamma", BLOCK + "ffn.{j}.output.LayerNorm.weight", SAME),
        Row("block_{i}/feed_forward_norm_{j}/beta", BLOCK + "ffn.{j}.output.LayerNorm.bias", SAME),
        *_around("block_{i}/output_bottleneck", BLOCK + "output.bottleneck"),
        Row("masked_lm/own", "cls.predictions.dense.weight", TRANSPOSED),
    ),
    parts=BERT.parts,
    backbone=BERT.backbone,
    base="mobilebert.",
)  # fmt: skip
