"""MRPC: do two sentences from the news say the same? (Dolan and Brockett, 2005, https://aclanthology.org/I05-5002)"""

from bert_tf.data import Tsv
from bert_tf.kinds import Classification

TASK = Classification(
    source=Tsv(
        files={"train": "train.tsv", "validation": "dev.tsv"},
        columns=("label", "id1", "id2", "sentence1", "sentence2"),  # in the files: Quality, #1 ID, ..., #2 String
    ),
    text=("sentence1", "sentence2"),
    label="label",
    classes=("not_equivalent", "equivalent"),
    metrics=("f1", "accuracy"),
    sequence_length=128,
    how_to_get="The real set: a folder with GLUE's train.tsv and dev.tsv, which its download_glue_data.py makes of "
    "Microsoft's files; or give --data=tfds:glue/mrpc or --data=hf:glue/mrpc.",
)
