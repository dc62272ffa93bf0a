"""BERT (Devlin et al., 2019, https://arxiv.org/abs/1810.04805), as Google and Transformers keep it.

Reference: `PreTrainedConfig` and `BertConfig` of Transformers 2 to 5, and what forks of BERT write beside these.
"""

from __future__ import annotations

from bert_tf.weights.members.member import (
    ACTIVATION,
    ACTIVATIONS,
    CHANGING,
    COUNT,
    HARMLESS,
    INTEGER,
    OFF,
    POSITIVE,
    SHARE,
    Changing,
    HeadDropout,
    Member,
    Pooler,
    Rule,
    Used,
)
from bert_tf.weights.tables import HUGGING_FACE, PARTS

POSITION_KINDS = ("learned", "sinusoidal")
POSITION_KIND = Rule(f"one of {', '.join(POSITION_KINDS)}", lambda value: value in POSITION_KINDS)

BERT = Member(
    model_type="bert",
    name="BERT",
    prefix="Bert",
    classes=(
        "Model", "ForPreTraining", "LMHeadModel", "ForMaskedLM", "ForNextSentencePrediction",
        "ForSequenceClassification", "ForMultipleChoice", "ForTokenClassification", "ForQuestionAnswering",
    ),
    used={
        "vocabulary_size": Used("vocab_size", None, COUNT),
        "hidden_dim": Used("hidden_size", None, COUNT),
        "num_layers": Used("num_hidden_layers", None, COUNT),
        "num_heads": Used("num_attention_heads", None, COUNT),
        "intermediate_dim": Used("intermediate_size", None, COUNT),
        "max_positions": Used("max_position_embeddings", 512, COUNT),
        "num_segments": Used("type_vocab_size", 2, COUNT),
        "hidden_dropout": Used("hidden_dropout_prob", 0.1, SHARE),
        "attention_dropout": Used("attention_probs_dropout_prob", 0.1, SHARE),
        "layer_norm_epsilon": Used("layer_norm_eps", 1e-12, POSITIVE),
        "activation": Used("hidden_act", "gelu", ACTIVATION, ACTIVATIONS),
        "initializer_range": Used("initializer_range", 0.02, POSITIVE),
        "pad_token_id": Used("pad_token_id", 0, INTEGER),
    },
    # Ours: Transformers knows learned positions only, and gets the table.
    optional={"position_kind": (Used("position_kind", None, POSITION_KIND), "learned")},
    changing={
        **CHANGING,
        "embedding_size": Changing("hidden_size or absent", lambda value, raw: value in (None, raw.get("hidden_size"))),
        "feed_forward_type": Changing("original or absent", lambda value, raw: value in (None, "original")),
        "use_task_id": OFF,  # ERNIE 2: a further embedding
        "relative_attention": OFF,  # DeBERTa
        "use_relative_position": OFF,  # NEZHA
        "use_rotary_embeddings": OFF,
        "alibi": OFF,
        "directionality": Changing("bidi or absent", lambda value, raw: value in (None, "bidi")),
        "ln_type": Changing("postln or absent", lambda value, raw: value in (None, "postln")),
    },
    harmless=frozenset({
        *HARMLESS, "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head",
        "pooler_type", "task_type_vocab_size",
    }),
    written={"position_embedding_type": "absolute"},  # positions are saved as a table; CTranslate2 asks
    dropouts=(
        HeadDropout(
            "classifier_dropout", ("ForSequenceClassification", "ForTokenClassification", "ForMultipleChoice"), None
        ),
    ),
    pooler=Pooler("tanh", in_head=False),
    rows=HUGGING_FACE,
    parts=next(parts for rows, parts in PARTS if rows is HUGGING_FACE),
    backbone=("embeddings.", "encoder.", "pooler."),
    base="bert.",
)  # fmt: skip
