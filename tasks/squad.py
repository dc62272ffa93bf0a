"""SQuAD v1.1: which words of a paragraph answer a question? (Rajpurkar et al., 2016, https://arxiv.org/abs/1606.05250)"""

from bert_tf.data import Squad
from bert_tf.kinds import SpanQA

TASK = SpanQA(
    source=Squad(files={"train": "train-v1.1.json", "validation": "dev-v1.1.json"}),
    metrics=("f1", "exact_match"),
    sequence_length=384,
    stride=128,
    sample="squad",
    how_to_get="The real set: get train-v1.1.json and dev-v1.1.json from "
    "https://rajpurkar.github.io/SQuAD-explorer/dataset/ and give --data=FOLDER, or give --data=hf:rajpurkar/squad.",
)
