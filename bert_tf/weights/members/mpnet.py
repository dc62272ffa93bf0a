"""MPNet (Song et al., 2020, https://arxiv.org/abs/2004.09297): a bias for distances in attention, and no segments.

Its positions begin at row 2 of their table, its rows of tokens with <s>, and two </s> stand between the texts of a
pair. Reference: `MPNetConfig` of Transformers 4 and 5.
"""

from __future__ import annotations

from bert_tf.weights.members.bert import BERT
from bert_tf.weights.members.member import BEGIN_AND_END, CHANGING, Changing, Member, Pooler, Rule, Used, is_int
from bert_tf.weights.tables import CLASSIFICATION_HEAD, OWN, OWN_PARTS, SAME, TRANSPOSED, Row

FIRST = 2  # after the padding's own row, which is that of its number
BUCKETS = 32
ROWS = Rule(f"an integer above {FIRST}", lambda value: is_int(value) and value > FIRST)
BLOCK = "encoder.layer.{i}."

MPNET = Member(
    model_type="mpnet",
    name="MPNet",
    prefix="MPNet",
    classes=(
        "Model", "ForMaskedLM", "ForSequenceClassification", "ForMultipleChoice", "ForTokenClassification",
        "ForQuestionAnswering",
    ),
    used={
        **{field: used for field, used in BERT.used.items() if field != "num_segments"},
        "max_positions": Used("max_position_embeddings", 512, ROWS, more=FIRST),
        "pad_token_id": BERT.used["pad_token_id"]._replace(default=1),
    },
    fixed={
        "model_type": "mpnet", "position_kind": "learned", "num_segments": 0, "first_position": FIRST,
        "relative_buckets": BUCKETS,
    },
    changing={
        **CHANGING,
        "relative_attention_num_buckets": Changing(
            f"{BUCKETS}, which Transformers computes with whatever it is", lambda value, raw: value in (None, BUCKETS)
        ),
    },
    written={"relative_attention_num_buckets": BUCKETS},
    pooler=Pooler("tanh", in_head=False, dropout_before=("ForSequenceClassification",)),
    masked_lm_activation="gelu",
    tells_segments=False,
    rows=(
        *(row for row in BERT.rows if row.path.startswith("embeddings/") and "segment" not in row.path),
        Row("relative_bias/table", "encoder.relative_attention_bias.weight", SAME),
        Row("block_{i}/attention/query/kernel", BLOCK + "attention.attn.q.weight", TRANSPOSED),
        Row("block_{i}/attention/query/bias", BLOCK + "attention.attn.q.bias", SAME),
        Row("block_{i}/attention/key/kernel", BLOCK + "attention.attn.k.weight", TRANSPOSED),
        Row("block_{i}/attention/key/bias", BLOCK + "attention.attn.k.bias", SAME),
        Row("block_{i}/attention/value/kernel", BLOCK + "attention.attn.v.weight", TRANSPOSED),
        Row("block_{i}/attention/value/bias", BLOCK + "attention.attn.v.bias", SAME),
        Row("block_{i}/attention/output/kernel", BLOCK + "attention.attn.o.weight", TRANSPOSED),
        Row("block_{i}/attention/output/bias", BLOCK + "attention.attn.o.bias", SAME),
        Row("block_{i}/attention_norm/gamma", BLOCK + "attention.LayerNorm.weight", SAME),
        Row("block_{i}/attention_norm/beta", BLOCK + "attention.LayerNorm.bias", SAME),
        *(row for row in BERT.rows if row.path.startswith("block_{i}/feed_forward")),
        *(row for row in BERT.rows if row.path.startswith(("pooler/", "classifier/", "span/"))),
        Row("masked_lm/dense/kernel", "lm_head.dense.weight", TRANSPOSED),
        Row("masked_lm/dense/bias", "lm_head.dense.bias", SAME),
        Row("masked_lm/norm/gamma", "lm_head.layer_norm.weight", SAME),
        Row("masked_lm/norm/beta", "lm_head.layer_norm.bias", SAME),
        Row("masked_lm/bias", "lm_head.bias", SAME),
        Row("masked_lm/decoder/table", "lm_head.decoder.weight", SAME),  # a copy of the token table, where tied
        Row("masked_lm/decoder/bias", "lm_head.decoder.bias", SAME),  # a copy of the bias above
        *OWN,
    ),
    head_rows={"ForSequenceClassification": CLASSIFICATION_HEAD},
    parts={
        "embeddings.": "backbone", "encoder.": "backbone", "pooler.": "pooler", "classifier.dense.": "pooler",
        "classifier.": "classifier", "qa_outputs.": "span", "lm_head.": "masked_lm", **OWN_PARTS,
    },
    backbone=("embeddings.", "encoder.", "pooler."),
    base="mpnet.",
    words={"tokenizer_class": "MPNetTokenizer", "model_input_names": ["input_ids", "attention_mask"]},
    tokens={"cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "mask_token": "<mask>"},
    pair_separators=2,
    token_ids=BEGIN_AND_END,
)  # fmt: skip
