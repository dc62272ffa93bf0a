"""SQuAD v2.0: as v1.1, with questions that have no answer (Rajpurkar et al., 2018, https://arxiv.org/abs/1806.03822)"""

from bert_tf.data import Squad
from bert_tf.kinds import SpanQA

TASK = SpanQA(
    source=Squad(files={"train": "train-v2.0.json", "validation": "dev-v2.0.json"}),
    metrics=("f1", "exact_match", "has_answer_f1", "has_answer_exact_match", "no_answer_f1", "no_answer_exact_match"),
    no_answer=True,
    sequence_length=384,
    stride=128,
    sample="squad",
    how_to_get="The real set: get train-v2.0.json and dev-v2.0.json from "
    "https://rajpurkar.github.io/SQuAD-explorer/dataset/ and give --data=FOLDER, or give --data=hf:rajpurkar/squad_v2.",
)
