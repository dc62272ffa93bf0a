"""CoLA: is an English sentence acceptable grammar? (Warstadt et al., 2019, https://aclanthology.org/Q19-1040)"""

from bert_tf.data import Tsv
from bert_tf.kinds import Classification

TASK = Classification(
    source=Tsv(
        files={"train": "train.tsv", "validation": "dev.tsv"},
        columns=("source", "label", "mark", "sentence"),
        header=False,
    ),
    text=("sentence",),
    label="label",
    classes=("unacceptable", "acceptable"),
    metrics=("matthews_correlation",),
    sequence_length=64,
    how_to_get="The real set: unzip https://dl.fbaipublicfiles.com/glue/data/CoLA.zip and give --data=CoLA, "
    "or give --data=tfds:glue/cola or --data=hf:glue/cola.",
)
