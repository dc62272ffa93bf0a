"""DistilBERT (Sanh et al., 2019, https://arxiv.org/abs/1910.01108): BERT without segments, its pooler in the heads.

Reference: `DistilBertConfig` of Transformers 2 to 5.
"""

from __future__ import annotations

from bert_tf.weights.members.member import (
    ACTIVATION,
    ACTIVATIONS,
    CHANGING,
    COUNT,
    ELSEWHERE,
    INTEGER,
    POSITIVE,
    SHARE,
    SWITCH,
    HeadDropout,
    Member,
    Pooler,
    Used,
)
from bert_tf.weights.tables import OWN, OWN_PARTS, SAME, TRANSPOSED, Row

BLOCK = "transformer.layer.{i}."

DISTILBERT = Member(
    model_type="distilbert",
    name="DistilBERT",
    prefix="DistilBert",
    classes=(
        "Model", "ForMaskedLM", "ForSequenceClassification", "ForMultipleChoice", "ForTokenClassification",
        "ForQuestionAnswering",
    ),
    used={
        "vocabulary_size": Used("vocab_size", None, COUNT),
        "hidden_dim": Used("dim", None, COUNT, also="hidden_size"),
        "num_layers": Used("n_layers", None, COUNT, also="num_hidden_layers"),
        "num_heads": Used("n_heads", None, COUNT, also="num_attention_heads"),
        "intermediate_dim": Used("hidden_dim", None, COUNT),
        "max_positions": Used("max_position_embeddings", 512, COUNT),
        "hidden_dropout": Used("dropout", 0.1, SHARE),
        "attention_dropout": Used("attention_dropout", 0.1, SHARE),
        "activation": Used("activation", "gelu", ACTIVATION, ACTIVATIONS),
        "initializer_range": Used("initializer_range", 0.02, POSITIVE),
        "pad_token_id": Used("pad_token_id", 0, INTEGER),
        "position_kind": Used("sinusoidal_pos_embds", False, SWITCH, {False: "learned", True: "sinusoidal"}),
    },
    fixed={"model_type": "distilbert", "num_segments": 0, "layer_norm_epsilon": 1e-12},
    elsewhere=frozenset({*ELSEWHERE, "tie_weights_"}),  # a copy of the token table is held against it
    changing=CHANGING,
    dropouts=(
        HeadDropout("seq_classif_dropout", ("ForSequenceClassification", "ForMultipleChoice"), 0.2),
        HeadDropout("qa_dropout", ("ForQuestionAnswering",), 0.1),
    ),
    pooler=Pooler("relu", in_head=True),
    tells_segments=False,
    rows=(
        Row("embeddings/token/table", "embeddings.word_embeddings.weight", SAME),
        Row("embeddings/position/table", "embeddings.position_embeddings.weight", SAME),
        Row("embeddings/norm/gamma", "embeddings.LayerNorm.weight", SAME),
        Row("embeddings/norm/beta", "embeddings.LayerNorm.bias", SAME),
        Row("block_{i}/attention/query/kernel", BLOCK + "attention.q_lin.weight", TRANSPOSED),
        Row("block_{i}/attention/query/bias", BLOCK + "attention.q_lin.bias", SAME),
        Row("block_{i}/attention/key/kernel", BLOCK + "attention.k_lin.weight", TRANSPOSED),
        Row("block_{i}/attention/key/bias", BLOCK + "attention.k_lin.bias", SAME),
        Row("block_{i}/attention/value/kernel", BLOCK + "attention.v_lin.weight", TRANSPOSED),
        Row("block_{i}/attention/value/bias", BLOCK + "attention.v_lin.bias", SAME),
        Row("block_{i}/attention/output/kernel", BLOCK + "attention.out_lin.weight", TRANSPOSED),
        Row("block_{i}/attention/output/bias", BLOCK + "attention.out_lin.bias", SAME),
        Row("block_{i}/attention_norm/gamma", BLOCK + "sa_layer_norm.weight", SAME),
        Row("block_{i}/attention_norm/beta", BLOCK + "sa_layer_norm.bias", SAME),
        Row("block_{i}/feed_forward/intermediate/kernel", BLOCK + "ffn.lin1.weight", TRANSPOSED),
        Row("block_{i}/feed_forward/intermediate/bias", BLOCK + "ffn.lin1.bias", SAME),
        Row("block_{i}/feed_forward/output/kernel", BLOCK + "ffn.lin2.weight", TRANSPOSED),
        Row("block_{i}/feed_forward/output/bias", BLOCK + "ffn.lin2.bias", SAME),
        Row("block_{i}/feed_forward_norm/gamma", BLOCK + "output_layer_norm.weight", SAME),
        Row("block_{i}/feed_forward_norm/beta", BLOCK + "output_layer_norm.bias", SAME),
        Row("pooler/dense/kernel", "pre_classifier.weight", TRANSPOSED),
        Row("pooler/dense/bias", "pre_classifier.bias", SAME),
        Row("classifier/kernel", "classifier.weight", TRANSPOSED),
        Row("classifier/bias", "classifier.bias", SAME),
        Row("span/kernel", "qa_outputs.weight", TRANSPOSED),
        Row("span/bias", "qa_outputs.bias", SAME),
        Row("masked_lm/dense/kernel", "vocab_transform.weight", TRANSPOSED),
        Row("masked_lm/dense/bias", "vocab_transform.bias", SAME),
        Row("masked_lm/norm/gamma", "vocab_layer_norm.weight", SAME),
        Row("masked_lm/norm/beta", "vocab_layer_norm.bias", SAME),
        Row("masked_lm/decoder/table", "vocab_projector.weight", SAME),  # a copy of the token table, where tied
        Row("masked_lm/bias", "vocab_projector.bias", SAME),
        *OWN,
    ),
    parts={
        "embeddings.": "backbone", "transformer.": "backbone", "pre_classifier.": "pooler",
        "classifier.": "classifier", "qa_outputs.": "span", "vocab_transform.": "masked_lm",
        "vocab_layer_norm.": "masked_lm", "vocab_projector.": "masked_lm", **OWN_PARTS,
    },
    backbone=("embeddings.", "transformer."),
    base="distilbert.",
    words={"tokenizer_class": "DistilBertTokenizer", "model_input_names": ["input_ids", "attention_mask"]},
)  # fmt: skip
