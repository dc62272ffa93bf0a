"""MNLI: does a text entail a sentence, contradict it, or neither? (Williams et al., 2018, https://aclanthology.org/N18-1101)"""

from bert_tf.data import Tsv
from bert_tf.kinds import Classification

DEV = {"validation": "dev_matched.tsv", "validation_mismatched": "dev_mismatched.tsv"}

TASK = Classification(
    source=Tsv(
        files={"train": "train.tsv", **DEV},
        hub_names={"sentence1": "premise", "sentence2": "hypothesis", "gold_label": "label"},
        hub_splits={"validation": "validation_matched"},
    ),
    text=("sentence1", "sentence2"),
    label="gold_label",
    classes=("entailment", "neutral", "contradiction"),
    metrics=("accuracy",),
    also_score=("validation_mismatched",),
    sequence_length=128,
    how_to_get="The real set: unzip https://dl.fbaipublicfiles.com/glue/data/MNLI.zip and give --data=MNLI, "
    "or give --data=tfds:glue/mnli or --data=hf:glue/mnli.",
)
