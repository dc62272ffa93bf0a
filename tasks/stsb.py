"""STS-B: how alike are two sentences, from 0 to 5? (Cer et al., 2017, https://aclanthology.org/S17-2001)"""

from bert_tf.data import Csv, Either, Tsv
from bert_tf.kinds import Regression

COLUMNS = ("sentence1", "sentence2", "score")

TASK = Regression(
    source=Either(
        forms=(
            Tsv(files={"train": "train.tsv", "validation": "dev.tsv"}),
            Csv(files={"train": "train.csv", "validation": "dev.csv"}, columns=COLUMNS, header=False),
        ),
        hub_names={"score": "label"},
    ),
    text=("sentence1", "sentence2"),
    label="score",
    low=0,
    high=5,
    metrics=("spearman", "pearson"),
    sequence_length=128,
    how_to_get="The real set: unzip https://dl.fbaipublicfiles.com/glue/data/STS-B.zip and give --data=STS-B, "
    "or give --data=tfds:glue/stsb or --data=hf:glue/stsb.",
)
