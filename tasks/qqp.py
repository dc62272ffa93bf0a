"""QQP: do two questions of Quora's ask the same? (Quora, 2017; as in GLUE, https://arxiv.org/abs/1804.07461)"""

from bert_tf.data import Tsv
from bert_tf.kinds import Classification

TASK = Classification(
    source=Tsv(
        files={"train": "train.tsv", "validation": "dev.tsv"},
        hub_names={"is_duplicate": "label"},
    ),
    text=("question1", "question2"),
    label="is_duplicate",
    classes=("not_duplicate", "duplicate"),
    metrics=("f1", "accuracy"),
    sequence_length=128,
    defaults={"data": {"skip_bad_rows": True}},  # a few rows of the published file are cut in two, or lack a question
    how_to_get="The real set: unzip https://dl.fbaipublicfiles.com/glue/data/QQP-clean.zip and give --data=QQP, "
    "or give --data=tfds:glue/qqp or --data=hf:glue/qqp.",
)
