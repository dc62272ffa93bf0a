"""SST-2: is a sentence of a film review positive? (Socher et al., 2013, https://aclanthology.org/D13-1170)"""

from bert_tf.data import Tsv
from bert_tf.kinds import Classification

TASK = Classification(
    source=Tsv(files={"train": "train.tsv", "validation": "dev.tsv"}),
    text=("sentence",),
    label="label",
    classes=("negative", "positive"),
    metrics=("accuracy",),
    sequence_length=64,
    sample="sst2",
    how_to_get="The real set: unzip https://dl.fbaipublicfiles.com/glue/data/SST-2.zip and give --data=SST-2, "
    "or give --data=tfds:glue/sst2 or --data=hf:glue/sst2.",
)
