"""ChnSentiCorp: is a Chinese review of a hotel, a book or a computer positive? (Tan and Zhang, 2008)"""

from bert_tf.data import Tsv
from bert_tf.kinds import Classification

TASK = Classification(
    source=Tsv(
        files={"train": "train.tsv", "validation": "dev.tsv"},
        columns=("text", "label"),
        header=False,
    ),
    text=("text",),
    label="label",
    classes=("negative", "positive"),
    sequence_length=192,
    how_to_get="The real set: a folder with train.tsv and dev.tsv, on each line a review, a tab, negative or positive; "
    "or give --data=hf:lansinuote/ChnSentiCorp.",
)
