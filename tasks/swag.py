"""SWAG: which of four endings follows a sentence? (Zellers et al., 2018, https://aclanthology.org/D18-1009)"""

from bert_tf.data import Csv
from bert_tf.kinds import MultipleChoice

TASK = MultipleChoice(
    source=Csv(files={"train": "train.csv", "validation": "val.csv", "test": "test.csv"}),
    text="sent1",
    stem="sent2",
    choices=("ending0", "ending1", "ending2", "ending3"),
    label="label",
    sequence_length=128,
    sample="swag",
    how_to_get="The real set: git clone https://github.com/rowanz/swagaf and give --data=swagaf/data, "
    "or give --data=hf:allenai/swag:regular.",
)
