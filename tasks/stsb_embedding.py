"""STS-B by sentence vectors: how alike are two sentences? (Cer et al., 2017, https://aclanthology.org/S17-2001)"""

from bert_tf.data import Csv, Either, Tsv
from bert_tf.kinds import Embedding

COLUMNS = ("sentence1", "sentence2", "score")

TASK = Embedding(
    source=Either(
        forms=(
            Tsv(files={"train": "train.tsv", "validation": "dev.tsv"}),
            Csv(files={"train": "train.csv", "validation": "dev.csv"}, columns=COLUMNS, header=False),
        ),
        hub_names={"score": "label"},
    ),
    text=("sentence1", "sentence2"),
    score="score",
    score_range=(0.0, 5.0),
    loss="cosine",
    metrics=("spearman", "pearson"),
    sequence_length=256,
    how_to_get="The real set: unzip https://dl.fbaipublicfiles.com/glue/data/STS-B.zip and give --data=STS-B, "
    "or give --data=tfds:glue/stsb or --data=hf:glue/stsb.",
)
