"""QNLI: is the answer to a question in a sentence? (as in GLUE, Wang et al., 2019, https://arxiv.org/abs/1804.07461)"""

from bert_tf.data import Tsv
from bert_tf.kinds import Classification

TASK = Classification(
    source=Tsv(files={"train": "train.tsv", "validation": "dev.tsv"}),
    text=("question", "sentence"),
    label="label",
    classes=("entailment", "not_entailment"),
    metrics=("accuracy",),
    sequence_length=128,
    how_to_get="The real set: unzip https://dl.fbaipublicfiles.com/glue/data/QNLIv2.zip and give --data=QNLI, "
    "or give --data=tfds:glue/qnli or --data=hf:glue/qnli.",
)
