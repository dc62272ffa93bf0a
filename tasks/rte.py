"""RTE: does a text entail a sentence? (as in GLUE, Wang et al., 2019, https://arxiv.org/abs/1804.07461)"""

from bert_tf.data import Tsv
from bert_tf.kinds import Classification

TASK = Classification(
    source=Tsv(files={"train": "train.tsv", "validation": "dev.tsv"}),
    text=("sentence1", "sentence2"),
    label="label",
    classes=("entailment", "not_entailment"),
    metrics=("accuracy",),
    sequence_length=256,
    how_to_get="The real set: unzip https://dl.fbaipublicfiles.com/glue/data/RTE.zip and give --data=RTE, "
    "or give --data=tfds:glue/rte or --data=hf:glue/rte.",
)
