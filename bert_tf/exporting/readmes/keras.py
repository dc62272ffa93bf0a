"""README.md of a .keras file."""

from __future__ import annotations

from pathlib import Path

from bert_tf.exporting.readmes import python, write
from bert_tf.exporting.readmes.huggingface import call_of, classes_of
from bert_tf.exporting.run import Run

CODE = """
import keras
from bert_tf import {tokenizer}, {model}  # Keras must know the model's class

model = keras.saving.load_model("model.keras")
assert isinstance(model, {model})
tokenizer = {tokenizer}.from_pretrained("tokenizer")
{call}
"""


def write_readme(folder: Path, run: Run) -> None:
    parts = [
        f"The model of the task {Path(run.config.task).stem} ({type(run.kind).__name__}), to be trained further in "
        "Keras, or built with. It needs `pip install bert_tf`.",
        python(CODE.format(**classes_of(run), call=call_of(run, run.kind.serving.calls.ours))),
        "It gives the model's numbers (logits, vectors), as Keras models do. Answers as `python -m bert_tf.predict` "
        "prints them come from `bert_tf.Pipeline` over a run folder, or over the formats `saved_model` and "
        "`huggingface`; this file does not hold what the task is.",
        "`export_report.md` says how its answers compare with the run's.",
    ]
    write(folder, "A Keras file of bert_tf", parts)
