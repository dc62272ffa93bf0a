"""tf_model.h5, which the TensorFlow classes of Transformers (before version 5) wrote, under the names of PyTorch's.

A file holds a group a top layer, and in it each weight under its full name, such as
`tf_bert_model/bert/encoder/layer_._0/attention/self/query/kernel:0`. Weights that two layers share are there twice.
Dense kernels are [in, out], where PyTorch has [out, in].
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from bert_tf.errors import UserError
from bert_tf.weights.checkpoint import Tensor, Tensors
from bert_tf.weights.members import MEMBERS
from bert_tf.weights.readers.hdf5 import read_hdf5

# The first part of a weight's name that PyTorch's name has too; what stands before it is the names of models.
ROOTS = {
    row.name.partition(".")[0]
    for member in MEMBERS.values()
    for rows in (member.rows, *member.head_rows.values())
    for row in rows
}
LAYER = re.compile(r"(?<=/)(layer|albert_layer_groups|albert_layers)_(?:\._)?(\d+)(?=/)")
HEADS = {"mlm___cls": "cls", "nsp___cls": "cls"}
# Their name of a weight in its layer -> PyTorch's
WEIGHTS = {"kernel": "weight", "embeddings": "weight", "gamma": "weight", "beta": "bias", "weight": "weight"}
OPTIMIZERS = ("optimizer_weights/", "optimizer/")  # of a whole model that Keras saved
TABLE = "_embeddings"  # the first versions gave a table the name of its layer


def read_tf_h5(path: Path) -> Tensors:
    """The tensors of one file, whole or a shard, by PyTorch's names and in PyTorch's layout.

    A file that Keras wrote of such a model (`save_weights`, or `save`, with its optimizer) has the same names.

    Raises: UserError naming the file and what is wrong with it.
    """
    tensors: dict[str, Tensor] = {}
    found = read_hdf5(path)
    slots = [name for name in found if name.startswith(OPTIMIZERS)]
    for name, tensor in found.items():
        if name in slots:
            continue
        theirs = torch_name(name)
        if theirs in tensors:
            if _is_copy(tensors[theirs].name, name):
                continue
            raise UserError(f"{path} holds {theirs} twice: {tensors[theirs].name} and {name}")
        is_kernel = theirs != name and name.partition(":")[0].endswith("/kernel")
        tensors[theirs] = _transposed(tensor) if is_kernel else tensor
    remarks = [f"{path}: {len(slots)} tensors of its optimizer are not loaded, such as {slots[0]}"] if slots else []
    return Tensors(tensors, remarks)


def torch_name(name: str) -> str:
    """PyTorch's name of a weight; what is none of BERT's keeps its own."""
    plain = LAYER.sub(r"\1/\2", name.partition(":")[0])
    parts = [HEADS.get(part, part) for part in plain.split("/")]
    # A group has the name of a head too: its weights have the model's name, tf_bert_..., between the two.
    start = next((i for i in range(len(parts) - 1, -1, -1) if parts[i].startswith("tf_")), -1) + 1
    root = next((i for i in range(start, len(parts) - 1) if parts[i] in ROOTS), None)
    if root is None:
        return name
    *path, weight = parts[root:]
    if weight.endswith(TABLE):
        path, weight = [*path, weight], "weight"
    return ".".join([*path, WEIGHTS.get(weight, weight)])


def _is_copy(one: str, other: str) -> bool:
    """Whether both are one weight, under the two layers that share it."""
    return one.split("/")[1:] == other.split("/")[1:]


def _transposed(tensor: Tensor) -> Tensor:
    return Tensor(tensor.name, tensor.shape[::-1], lambda: np.transpose(tensor.read()))
