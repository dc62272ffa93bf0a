"""Transformers fine-tunes a BERT on SQuAD and is scored on its dev set: what a run of `--task=squad` is held against.

    .venv-parity/bin/python -m benchmarks.transformers_span_qa --data=SQUAD --backbone=MINILM_FOLDER --seed=1

Windows, optimizer, schedule, the choice of answers and the defaults are those of Transformers' question answering
example: float32, every window padded to 384 tokens. --pad=longest pads to the longest window of a batch instead, which
trains the same in less time. Prints JSON.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from benchmarks.transformers_loop import arguments, autocast, fine_tune, padded
from bert_tf.metrics.span_answers import squad_scores

LENGTH, STRIDE = 384, 128
N_BEST, ANSWER_TOKENS = 20, 30
SCORED_AT_ONCE = 32


def main() -> None:
    parser = arguments(__doc__, epochs=2, batch=12, learning_rate=3e-5)
    parser.add_argument("--pad", default="max_length", choices=("max_length", "longest"))
    flags = parser.parse_args()

    transformers.logging.set_verbosity_error()
    transformers.set_seed(flags.seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(flags.backbone)
    model = transformers.AutoModelForQuestionAnswering.from_pretrained(flags.backbone)
    rows = training_rows(tokenizer, read(Path(flags.data) / "train-v1.1.json"))
    length = LENGTH if flags.pad == "max_length" else None
    result: dict[str, Any] = fine_tune(model, rows, lambda part: batch(tokenizer, part, length), flags)
    result |= {"windows": len(rows), **vars(flags)}
    if flags.max_steps is None:
        questions = read(Path(flags.data) / "dev-v1.1.json")
        with autocast(flags):
            answers = answer(model.eval(), tokenizer, questions)
        scores = squad_scores(answers, [[text for text, _ in question["answers"]] for question in questions])
        result |= {name: round(100 * value, 2) for name, value in scores.items()}
    print(json.dumps(result))


def read(path: Path) -> list[dict[str, Any]]:
    """Questions, each with its context and its answers: their texts, and where they begin."""
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    return [
        {
            "question": question["question"].lstrip(),
            "context": paragraph["context"],
            "answers": [(found["text"], found["answer_start"]) for found in question["answers"]],
        }
        for article in articles
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ]


def windows(tokenizer: Any, questions: list[dict[str, Any]]) -> Any:
    return tokenizer(
        [question["question"] for question in questions],
        [question["context"] for question in questions],
        truncation="only_second",
        max_length=LENGTH,
        stride=STRIDE,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )


def training_rows(tokenizer: Any, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A window each, with the tokens its answer begins and ends at: both 0, [CLS], where it is not in the window."""
    found = windows(tokenizer, questions)
    rows = []
    for i, number in enumerate(found["overflow_to_sample_mapping"]):
        text, start = questions[number]["answers"][0]
        end = start + len(text)
        offsets, sides = found["offset_mapping"][i], found.sequence_ids(i)
        context = [place for place, side in enumerate(sides) if side == 1]
        first, last = context[0], context[-1]
        if offsets[first][0] > start or offsets[last][1] < end:
            place = (0, 0)
        else:
            begin = max(place for place in context if offsets[place][0] <= start)
            place = (begin, min(place for place in context if offsets[place][1] >= end))
        rows.append({"ids": found["input_ids"][i], "segments": found["token_type_ids"][i], "place": place})
    return rows


def batch(tokenizer: Any, rows: list[dict[str, Any]], length: int | None) -> dict[str, torch.Tensor]:
    first, last = (torch.tensor([row["place"][side] for row in rows]) for side in (0, 1))
    return padded(tokenizer, rows, length) | {"start_positions": first, "end_positions": last}


@torch.inference_mode()
def answer(model: Any, tokenizer: Any, questions: list[dict[str, Any]]) -> list[str]:
    """The best answer over all windows of each question: of the 20 best starts with the 20 best ends."""
    found = windows(tokenizer, questions)
    rows = [
        {"ids": ids, "segments": segments}
        for ids, segments in zip(found["input_ids"], found["token_type_ids"], strict=True)
    ]
    best = [(-np.inf, "")] * len(questions)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]["ids"]))
    for start in range(0, len(order), SCORED_AT_ONCE):
        part = order[start : start + SCORED_AT_ONCE]
        output = model(**padded(tokenizer, [rows[i] for i in part]))
        for i, starts, ends in zip(
            part, output.start_logits.float().numpy(), output.end_logits.float().numpy(), strict=True
        ):
            number, offsets = found["overflow_to_sample_mapping"][i], found["offset_mapping"][i]
            sides = found.sequence_ids(i)
            for first in np.argsort(-starts)[:N_BEST].tolist():
                for last in np.argsort(-ends)[:N_BEST].tolist():
                    if not first <= last < min(len(sides), first + ANSWER_TOKENS):
                        continue
                    if sides[first] != 1 or sides[last] != 1:
                        continue
                    score = float(starts[first] + ends[last])
                    if score > best[number][0]:
                        text = questions[number]["context"][offsets[first][0] : offsets[last][1]]
                        best[number] = (score, text)
    return [text for _, text in best]


if __name__ == "__main__":
    main()
