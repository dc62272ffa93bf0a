"""WNLI: is what a pronoun is said to mean right? (Levesque et al., 2012; as in GLUE, https://arxiv.org/abs/1804.07461)"""

from bert_tf.data import Tsv
from bert_tf.kinds import Classification

TASK = Classification(
    source=Tsv(files={"train": "train.tsv", "validation": "dev.tsv"}),
    text=("sentence1", "sentence2"),
    label="label",
    classes=("not_entailment", "entailment"),
    metrics=("accuracy",),
    sequence_length=128,
    how_to_get="The real set: unzip https://dl.fbaipublicfiles.com/glue/data/WNLI.zip and give --data=WNLI, "
    "or give --data=tfds:glue/wnli or --data=hf:glue/wnli.",
)
