"""README.md of a Hugging Face folder."""

from __future__ import annotations

import json
from pathlib import Path

from bert_tf.exporting.readmes import SAMPLES, python, write
from bert_tf.exporting.run import Run
from bert_tf.weights.members import is_of_transformers

OURS = """
import bert_tf

model = bert_tf.{model}.from_pretrained(".")
tokenizer = bert_tf.{tokenizer}.from_pretrained(".")
{call}
"""
THEIRS = """
import torch
import transformers

tokenizer = transformers.AutoTokenizer.from_pretrained(".")
model = transformers.{architecture}.from_pretrained(".").eval()
with torch.inference_mode():
    print({call})
"""
VECTORS = """
import sentence_transformers

print(sentence_transformers.SentenceTransformer(".").encode({texts}))
"""


def classes_of(run: Run) -> dict[str, str]:
    """The names of the run's classes here."""
    return {"model": type(run.model).__name__, "tokenizer": type(run.tokenizer).__name__}


def write_readme(folder: Path, run: Run) -> None:
    architecture = json.loads((folder / "config.json").read_text(encoding="utf-8"))["architectures"][0]
    calls = run.kind.serving.calls
    parts = [
        f"The model of the task {Path(run.config.task).stem} ({type(run.kind).__name__}). With `pip install bert_tf`:",
        python(OURS.format(**classes_of(run), call=call_of(run, calls.ours))),
    ]
    if calls.cannot:
        parts.append(f"Transformers reads its weights as a {architecture}, but {calls.cannot}.")
    elif is_of_transformers(architecture):
        parts += [
            "With `pip install torch transformers`:",
            python(THEIRS.format(architecture=architecture, call=call_of(run, calls.transformers))),
        ]
    else:
        parts.append(f"Transformers has no class {architecture}: this model opens in bert_tf alone.")
    if (folder / "modules.json").is_file():
        parts += ["With `pip install sentence-transformers`:", python(VECTORS.format(texts=f"[{SAMPLES[0]!r}]"))]
    parts += [
        "Both give the model's numbers (logits, vectors). How answers are made of them is the task's: thresholds, "
        "windows over long texts, which piece of a word carries its tag. `bert_tf.Pipeline` over the run folder, or "
        "`--format=saved_model`, does that; of what Transformers has no name for, config.json keeps the model's part "
        'under "bert_tf".',
        "`export_report.md` says how its answers compare with the run's.",
    ]
    write(folder, "A model of bert_tf in Hugging Face's format", parts)


def call_of(run: Run, call: str) -> str:
    """One of a kind's `Calls`, with sample texts as the tokenizer's arguments."""
    texts = run.kind.serving.contract.row or run.kind.text_columns
    return call.replace("{texts}", ", ".join(f"[{text!r}]" for text in SAMPLES[: len(texts)])).strip()
