# pyright: reportMissingImports=false
# The same job with Transformers: the answer to a question in a file. The question-answering pipeline is gone since 5.
import sys
from pathlib import Path

import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForQuestionAnswering.from_pretrained(sys.argv[1]).eval()
question, context = "When is breakfast served?", Path("handbook.txt").read_text(encoding="utf-8")
windows = tokenizer(
    question,
    context,
    truncation="only_second",
    max_length=384,
    stride=128,
    padding=True,
    return_overflowing_tokens=True,
    return_offsets_mapping=True,
    return_tensors="pt",
)
offsets = windows.pop("offset_mapping")
windows.pop("overflow_to_sample_mapping")
with torch.no_grad():
    outputs = model(**windows)
best, answer = float("-inf"), (0, 0)
for row in range(len(offsets)):
    inside = torch.tensor([part == 1 for part in windows.sequence_ids(row)])
    starts = outputs.start_logits[row].masked_fill(~inside, float("-inf"))
    ends = outputs.end_logits[row].masked_fill(~inside, float("-inf"))
    for start in starts.topk(20).indices:
        for end in ends.topk(20).indices:
            if start <= end < start + 30 and starts[start] + ends[end] > best:
                best = float(starts[start] + ends[end])
                answer = (int(offsets[row][start][0]), int(offsets[row][end][1]))
print(context[slice(*answer)], answer)
