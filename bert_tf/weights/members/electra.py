"""ELECTRA (Clark et al., 2020, https://arxiv.org/abs/2003.10555): BERT's encoder on narrower tables of vectors.

A discriminator tells replaced tokens from original ones, a generator guesses hidden ones; both are the same encoder.
Reference: `ElectraConfig` of Transformers 2 to 5.
"""

from __future__ import annotations

from bert_tf.weights.members.bert import BERT
from bert_tf.weights.members.member import CHANGING, COUNT, Changing, HeadDropout, Member, Pooler, Used
from bert_tf.weights.tables import CLASSIFICATION_HEAD, OWN, OWN_PARTS, SAME, TRANSPOSED, Row

CHOICE = "ForMultipleChoice"


def _only_of_choices(rule: str, usual: object) -> Changing:
    """A key that the head which chooses among texts alone looks at."""

    def is_neutral(value, raw):
        return value == usual or CHOICE not in str(raw.get("architectures") or CHOICE)

    return Changing(f"{rule} or absent", is_neutral)


ELECTRA = Member(
    model_type="electra",
    name="ELECTRA",
    prefix="Electra",
    classes=(
        "Model", "ForReplacedTokens", "ForMaskedLM", "ForSequenceClassification", "ForMultipleChoice",
        "ForTokenClassification", "ForQuestionAnswering",
    ),
    # Theirs for pre-training is the discriminator alone.
    ends={"ForReplacedTokens": "ForPreTraining", "ForPreTraining": "ForPairPreTraining"},
    used={**BERT.used, "embedding_dim": Used("embedding_size", 128, COUNT)},
    fixed={"model_type": "electra", "position_kind": "learned"},
    changing={
        **CHANGING,
        "summary_type": _only_of_choices("first", "first"),
        "summary_use_proj": _only_of_choices("true", True),
        "summary_activation": _only_of_choices("gelu", "gelu"),
    },
    dropouts=(
        HeadDropout("classifier_dropout", ("ForSequenceClassification", "ForTokenClassification"), None),
        HeadDropout("summary_last_dropout", (CHOICE,), 0.1),
    ),
    pooler=Pooler("gelu", in_head=True, dropout_before=("ForSequenceClassification",)),
    masked_lm_activation="gelu",
    rows=(
        *(row for row in BERT.rows if row.path.startswith(("embeddings/", "block_"))),
        Row("embeddings/projection/kernel", "embeddings_project.weight", TRANSPOSED),
        Row("embeddings/projection/bias", "embeddings_project.bias", SAME),
        Row("masked_lm/dense/kernel", "generator_predictions.dense.weight", TRANSPOSED),
        Row("masked_lm/dense/bias", "generator_predictions.dense.bias", SAME),
        Row("masked_lm/norm/gamma", "generator_predictions.LayerNorm.weight", SAME),
        Row("masked_lm/norm/beta", "generator_predictions.LayerNorm.bias", SAME),
        Row("masked_lm/decoder/table", "generator_lm_head.weight", SAME),  # a copy of the token table, where tied
        Row("masked_lm/bias", "generator_lm_head.bias", SAME),
        Row("classifier/kernel", "classifier.weight", TRANSPOSED),
        Row("classifier/bias", "classifier.bias", SAME),
        Row("span/kernel", "qa_outputs.weight", TRANSPOSED),
        Row("span/bias", "qa_outputs.bias", SAME),
        Row("pooler/dense/kernel", "pooler.dense.weight", TRANSPOSED),  # ours: each of their heads has its own name
        Row("pooler/dense/bias", "pooler.dense.bias", SAME),
        *OWN,
    ),
    head_rows={
        "ForSequenceClassification": CLASSIFICATION_HEAD,
        CHOICE: (
            Row("pooler/dense/kernel", "sequence_summary.summary.weight", TRANSPOSED),
            Row("pooler/dense/bias", "sequence_summary.summary.bias", SAME),
        ),
    },
    parts={
        "embeddings.": "backbone", "embeddings_project.": "backbone", "encoder.": "backbone", "pooler.": "pooler",
        "classifier.dense.": "pooler", "sequence_summary.": "pooler", "classifier.": "classifier",
        "qa_outputs.": "span", "generator_predictions.": "masked_lm", "generator_lm_head.": "masked_lm",
        **OWN_PARTS,
    },
    backbone=("embeddings.", "embeddings_project.", "encoder."),
    base="electra.",
    words={"tokenizer_class": "ElectraTokenizer"},
)  # fmt: skip
