"""README.md of a SavedModel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from bert_tf.exporting.readmes import SAMPLES, python, table, write
from bert_tf.exporting.run import Run

PLAIN = """
import tensorflow as tf
import tensorflow_text  # noqa: F401  has the tokenizer's operators: without this line loading fails

model = tf.saved_model.load(".")  # hold it in a variable: its functions die with it
answers = model.signatures["serving_default"]({arguments})
for name, value in answers.items():
    print(name, value.numpy())
"""
PIPELINE = """
import bert_tf

print(bert_tf.Pipeline(".")({arguments}))
"""


def write_readme(folder: Path, run: Run, signatures: Mapping[str, Any]) -> None:
    """Args:
    signatures: concrete functions by name.
    """
    columns = run.kind.text_columns
    texts = dict(zip(columns, cycle(SAMPLES), strict=False))
    arguments = ", ".join(f"{name}=tf.constant([{text!r}])" for name, text in texts.items())
    name = Path(run.config.task).stem
    parts = [
        f"The task {name} ({type(run.kind).__name__}): raw text in, answers out. In Python, with "
        "`pip install tensorflow tensorflow-text` and nothing of bert_tf:",
        python(PLAIN.format(arguments=arguments)),
        "Where bert_tf is installed, with answers as `python -m bert_tf.predict` prints them:",
        python(PIPELINE.format(arguments=", ".join(map(repr, texts.values())) if len(texts) <= 2 else repr(texts))),
        "TensorFlow Serving gets the folder that holds this numbered one. It links the tokenizer's operators; "
        "`batching_params.pbtxt` says how it may put requests together:\n\n"
        f"```\ntensorflow_model_server --port=8500 --rest_api_port=8501 --model_name={name} \\\n"
        "    --model_base_path=FOLDER_ABOVE --enable_batching=true --enable_per_model_batching_parameters=true\n```",
        "TensorFlow's C API, and what stands on it (Go, Rust, Java), opens it after `TF_LoadLibrary` of "
        "`tensorflow_text/python/ops/_fast_wordpiece_tokenizer.so` from the wheel of tensorflow-text. "
        "`saved_model_cli show --all --dir .` works as it is; `saved_model_cli run` needs the operators too:\n\n"
        "```\npython -c 'import tensorflow_text; from tensorflow.python.tools.saved_model_cli import main; main()' \\\n"
        f"    run --dir . --tag_set serve --signature_def serving_default --input_exprs '{_expressions(texts)}'\n```",
        "Signatures, where B is how many texts there are and T how many tokens:",
        table(["signature", "takes", "gives"], [_row(name, graph) for name, graph in signatures.items()]),
        "A list [B, any] is as long as the longest of its batch; a count says how many of its entries are valid. "
        "`tensors` refuses ids that are no token's, and more tokens than the model has positions; the rows of all "
        "requests that a server puts together must be padded to the same T.",
        "It cannot be trained further, and opens neither in Keras (`--format=keras`) nor on a phone "
        "(`--format=tflite`). `assets/` holds the vocabulary, the labels, `task.json` and the run's recipe; "
        "`export_report.md` what the export lost.",
    ]
    write(folder, "A SavedModel of bert_tf", parts)


def _expressions(texts: Mapping[str, str]) -> str:
    return ";".join(f'{name}=["{text}"]' for name, text in texts.items())


def _row(name: str, graph: Any) -> list[str]:
    takes = [f"`{name}` {_shape(spec)}" for name, spec in graph.structured_input_signature[1].items()]
    if not takes:
        takes = [f"`{spec.name}` {_shape(spec)}" for spec in graph.structured_input_signature[0]]
    gives = [f"`{name}` {_shape(value)}" for name, value in graph.structured_outputs.items()]
    return [f"`{name}`", ", ".join(takes), ", ".join(gives)]


def _shape(spec: Any) -> str:
    sizes: Sequence[int | None] = spec.shape.as_list()
    return f"{spec.dtype.name} [{', '.join(['B', *('any' if size is None else str(size) for size in sizes[1:])])}]"
