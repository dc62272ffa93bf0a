"""ALBERT (Lan et al., 2019, https://arxiv.org/abs/1909.11942): layers that share their blocks, on narrower tables.

Reference: `AlbertConfig` of Transformers 2 to 5, and google-research/albert's, whose further keys its code never read.
"""

from __future__ import annotations

from bert_tf.weights.members.bert import BERT
from bert_tf.weights.members.member import (
    ABSENT,
    BEGIN_AND_END,
    CHANGING,
    COUNT,
    OFF,
    Changing,
    HeadDropout,
    Member,
    Pooler,
    Used,
)
from bert_tf.weights.tables import OWN, OWN_PARTS, SAME, TRANSPOSED, Row

BLOCK = "encoder.albert_layer_groups.{group}.albert_layers.{place}."

ALBERT = Member(
    model_type="albert",
    name="ALBERT",
    prefix="Albert",
    classes=(
        "Model", "ForPreTraining", "ForMaskedLM", "ForSequenceClassification", "ForMultipleChoice",
        "ForTokenClassification", "ForQuestionAnswering",
    ),
    used={
        **BERT.used,
        "embedding_dim": Used("embedding_size", 128, COUNT),
        "layer_groups": Used("num_hidden_groups", 1, COUNT),
        "blocks_per_layer": Used("inner_group_num", 1, COUNT),
        "activation": BERT.used["activation"]._replace(default="gelu_new"),
        "hidden_dropout": BERT.used["hidden_dropout"]._replace(default=0.0),
        "attention_dropout": BERT.used["attention_dropout"]._replace(default=0.0),
    },
    fixed={"model_type": "albert", "position_kind": "learned"},
    changing={
        **CHANGING,
        "net_structure_type": OFF,
        "gap_size": OFF,
        "num_memory_blocks": OFF,
        "layers_to_keep": ABSENT,
        "down_scale_factor": Changing("1 or absent", lambda value, raw: value in (None, 1)),
    },
    dropouts=(
        HeadDropout(
            "classifier_dropout_prob", ("ForSequenceClassification", "ForTokenClassification", "ForMultipleChoice"), 0.1
        ),
    ),
    pooler=Pooler("tanh", in_head=False),
    projects=True,
    rows=(
        *(row for row in BERT.rows if row.path.startswith("embeddings/")),
        Row("embeddings/projection/kernel", "encoder.embedding_hidden_mapping_in.weight", TRANSPOSED),
        Row("embeddings/projection/bias", "encoder.embedding_hidden_mapping_in.bias", SAME),
        Row("block_{i}/attention/query/kernel", BLOCK + "attention.query.weight", TRANSPOSED),
        Row("block_{i}/attention/query/bias", BLOCK + "attention.query.bias", SAME),
        Row("block_{i}/attention/key/kernel", BLOCK + "attention.key.weight", TRANSPOSED),
        Row("block_{i}/attention/key/bias", BLOCK + "attention.key.bias", SAME),
        Row("block_{i}/attention/value/kernel", BLOCK + "attention.value.weight", TRANSPOSED),
        Row("block_{i}/attention/value/bias", BLOCK + "attention.value.bias", SAME),
        Row("block_{i}/attention/output/kernel", BLOCK + "attention.dense.weight", TRANSPOSED),
        Row("block_{i}/attention/output/bias", BLOCK + "attention.dense.bias", SAME),
        Row("block_{i}/attention_norm/gamma", BLOCK + "attention.LayerNorm.weight", SAME),
        Row("block_{i}/attention_norm/beta", BLOCK + "attention.LayerNorm.bias", SAME),
        Row("block_{i}/feed_forward/intermediate/kernel", BLOCK + "ffn.weight", TRANSPOSED),
        Row("block_{i}/feed_forward/intermediate/bias", BLOCK + "ffn.bias", SAME),
        Row("block_{i}/feed_forward/output/kernel", BLOCK + "ffn_output.weight", TRANSPOSED),
        Row("block_{i}/feed_forward/output/bias", BLOCK + "ffn_output.bias", SAME),
        Row("block_{i}/feed_forward_norm/gamma", BLOCK + "full_layer_layer_norm.weight", SAME),
        Row("block_{i}/feed_forward_norm/beta", BLOCK + "full_layer_layer_norm.bias", SAME),
        Row("pooler/dense/kernel", "pooler.weight", TRANSPOSED),
        Row("pooler/dense/bias", "pooler.bias", SAME),
        *(row for row in BERT.rows if row.path.startswith(("classifier/", "span/"))),
        Row("masked_lm/dense/kernel", "predictions.dense.weight", TRANSPOSED),
        Row("masked_lm/dense/bias", "predictions.dense.bias", SAME),
        Row("masked_lm/norm/gamma", "predictions.LayerNorm.weight", SAME),
        Row("masked_lm/norm/beta", "predictions.LayerNorm.bias", SAME),
        Row("masked_lm/bias", "predictions.bias", SAME),
        Row("masked_lm/decoder/table", "predictions.decoder.weight", SAME),  # a copy of the token table, where tied
        Row("masked_lm/decoder/bias", "predictions.decoder.bias", SAME),  # a copy of the bias above
        Row("next_sentence/kernel", "sop_classifier.classifier.weight", TRANSPOSED),
        Row("next_sentence/bias", "sop_classifier.classifier.bias", SAME),
        *(row for row in OWN if not row.path.startswith("next_sentence/")),
    ),
    parts={
        "embeddings.": "backbone", "encoder.": "backbone", "pooler.": "pooler", "classifier.": "classifier",
        "qa_outputs.": "span", "predictions.": "masked_lm", "sop_classifier.": "next_sentence", **OWN_PARTS,
    },
    backbone=("embeddings.", "encoder.", "pooler."),
    base="albert.",
    tokens={"unk_token": "<unk>", "pad_token": "<pad>"},
    token_ids=BEGIN_AND_END,
)  # fmt: skip
