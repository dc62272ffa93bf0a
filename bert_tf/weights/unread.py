"""What lies in a folder that no reader reads, and what to do with it."""

from __future__ import annotations

from pathlib import Path

NAMED = 12  # most files that a message names
# A file's pattern -> what it is; the first that is there is said.
KNOWN = (
    ("saved_model.pb", "a SavedModel, a graph as it is served (such as a module of TensorFlow Hub), which cannot be "
     "trained further here: take the checkpoint it was made of; one that bert_tf exported opens with bert_tf.Pipeline"),
    ("*.keras", "a Keras file: load it with keras.saving.load_model"),
    ("*.onnx", "an ONNX graph: take the model it was made of"),
    ("openvino_model.xml", "an OpenVINO graph: take the model it was made of"),
    ("*.gguf", "a GGUF file: take the model it was made of"),
    ("model.*.safetensors", "a variant of the weights"),
    ("*.ckpt.meta", "a TF 1 checkpoint of which .index or .data-* is missing: copy all three files"),
    ("*.index", "a TensorFlow checkpoint whose .data-* file is missing: copy both"),
    ("*.data-*-of-*", "a TensorFlow checkpoint whose .index file is missing: copy both"),
)  # fmt: skip


def what_is_here(folder: Path) -> str:
    """A clause for an error's end: what was found in a folder without weights that are read."""
    for pattern, meaning in KNOWN:
        found = next(iter(sorted(folder.glob(pattern))), None)
        if found is not None:
            return f"{found.name} is there: {meaning}"
    names = sorted(f"{path.name}/" if path.is_dir() else path.name for path in folder.iterdir())
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"there are {', '.join(names[:NAMED])}{more}" if names else "the folder is empty"
