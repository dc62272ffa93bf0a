"""SciTLDR, abstracts only: a paper in one sentence of its abstract (Cachola et al., 2020, https://arxiv.org/abs/2004.15011)"""

from bert_tf.data import JsonLines
from bert_tf.kinds import ExtractiveSummarization

TASK = ExtractiveSummarization(
    source=JsonLines(files={"train": "train.jsonl", "validation": "dev.jsonl", "test": "test.jsonl"}),
    text="source",
    summary="target",
    num_sentences=1,
    sequence_length=512,
    sample="scitldr",
    how_to_get="The real set: give --data=SciTLDR-Data/SciTLDR-A of https://github.com/allenai/scitldr, "
    "or give --data=hf:allenai/scitldr:Abstract.",
)
