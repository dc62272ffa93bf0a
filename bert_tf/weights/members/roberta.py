"""RoBERTa (Liu et al., 2019, https://arxiv.org/abs/1907.11692), XLM-RoBERTa, the same in many languages, and CamemBERT,
the same in French.

Positions begin in the row of their table after the padding token's own number, texts of a pair have no segments of
their own, and two </s> stand between them. Reference: `RobertaConfig`, `XLMRobertaConfig`, `CamembertConfig` of
Transformers 2 to 5.
"""

from __future__ import annotations

from dataclasses import replace

from bert_tf.weights.members.bert import BERT
from bert_tf.weights.members.member import (
    BEGIN_AND_END,
    CHANGING,
    COUNT,
    PLACE,
    HeadDropout,
    Member,
    Pooler,
    Used,
)
from bert_tf.weights.members.mpnet import MPNET
from bert_tf.weights.tables import CLASSIFICATION_HEAD, OWN

ROBERTA = Member(
    model_type="roberta",
    name="RoBERTa",
    prefix="Roberta",
    classes=(
        "Model", "ForMaskedLM", "ForSequenceClassification", "ForMultipleChoice", "ForTokenClassification",
        "ForQuestionAnswering",
    ),
    used={
        "first_position": Used("pad_token_id", 1, PLACE, more=-1),
        **BERT.used,
        "pad_token_id": Used("pad_token_id", 1, PLACE),
        "max_positions": Used("max_position_embeddings", 512, COUNT, more="first_position"),
    },
    fixed={"model_type": "roberta", "position_kind": "learned"},
    changing=CHANGING,
    dropouts=(HeadDropout("classifier_dropout", ("ForSequenceClassification", "ForTokenClassification"), None),),
    pooler=Pooler("tanh", in_head=False, dropout_before=("ForSequenceClassification",)),
    masked_lm_activation="gelu",
    tells_segments=False,
    rows=(
        *(row for row in BERT.rows if row.path.startswith(("embeddings/", "block_"))),
        *(row for row in BERT.rows if row.path.startswith(("pooler/", "classifier/", "span/"))),
        *(row for row in MPNET.rows if row.path.startswith("masked_lm/")),
        *OWN,
    ),
    head_rows={"ForSequenceClassification": CLASSIFICATION_HEAD},
    parts=MPNET.parts,
    backbone=MPNET.backbone,
    base="roberta.",
    tokens={**MPNET.tokens, "unk_token": "<unk>"},
    pair_separators=2,
    token_ids=BEGIN_AND_END,
)  # fmt: skip

# Conneau et al., 2020, https://arxiv.org/abs/1911.02116. Its tensors lie under RoBERTa's own name.
XLM_ROBERTA = replace(
    ROBERTA,
    model_type="xlm-roberta",
    name="XLM-RoBERTa",
    prefix="XLMRoberta",
    fixed={**ROBERTA.fixed, "model_type": "xlm-roberta"},
)

# Martin et al., 2020, https://arxiv.org/abs/1911.03894. Its tensors do, too.
CAMEMBERT = replace(
    ROBERTA,
    model_type="camembert",
    name="CamemBERT",
    prefix="Camembert",
    fixed={**ROBERTA.fixed, "model_type": "camembert"},
)
