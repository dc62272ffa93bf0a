"""What a TFLite model takes and gives, by its kind's contract, as one function of tensors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from bert_tf.kinds.serving import Contract, TensorNote
from bert_tf.models.base import inputs_of

if TYPE_CHECKING:
    from bert_tf.exporting.tflite.text.tokenizer import LiteTokenizer

INPUTS = (
    TensorNote(name="ids", description="Token numbers of [CLS] text [SEP] or [CLS] text [SEP] text [SEP], then 0."),
    TensorNote(name="mask", description="1 at tokens, 0 at padding."),
    TensorNote(name="segment_ids", description="0 for the first text, 1 for the second and its [SEP], 0 at padding."),
)


def tensors_function(
    model: Any,
    outputs: Contract,
    length: int | None,
    numbers: np.ndarray | None = None,
    *,
    rows: int | None = 1,
    longest: int | None = None,
) -> Any:
    """The model as a `tf.function` of ids, mask and segment_ids, int32 [rows, length].

    Args:
        length: tokens of a row; None: any number.
        rows: how many a call takes; None: any number.
        numbers: int32 [K], the model's token for each of the numbers that ids may be; None: they are the model's.
        longest: where `length` is None, the tokens of a single row that are read: its first, and the last, which is
            [SEP]. Readers that make rows of any length, as MediaPipe does, would ask for positions that the model has
            not. None: as many as the model has positions.
    """
    most: int = longest or model.config.max_positions
    spec = [tf.TensorSpec([rows, length], tf.int32, name=note.name) for note in INPUTS]

    def run(ids: tf.Tensor, mask: tf.Tensor, segment_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        if length is None and rows == 1:
            ids, mask, segment_ids = (_first_and_last(row, most) for row in (ids, mask, segment_ids))
        if numbers is not None:
            small = numbers.max() <= np.iinfo(np.int16).max  # and so is the file, then
            ids = tf.cast(tf.gather(tf.constant(numbers, tf.int16 if small else tf.int32), ids), tf.int32)
        # Looked up by a number that comes in, the positions are a table to the converter, which it can bring to 8 bits.
        positions = tf.minimum(tf.cumsum(mask, axis=1, exclusive=True), most - 1)
        inputs = {"token_ids": ids, "padding_mask": mask, "segment_ids": segment_ids, "position_ids": positions}
        return encoded(model, outputs, inputs)

    return tf.function(run, input_signature=spec, autograph=False)


def _first_and_last(row: Any, longest: int) -> Any:
    """[B, T] -> [B, T] if T <= longest, else its first longest - 1 columns and the last one."""
    return tf.concat([row[:, : longest - 1], row[:, longest - 1 :][:, -1:]], axis=1)


def text_names(outputs: Contract, columns: int) -> tuple[str, ...]:
    """What the inputs of a model are called that takes so many texts."""
    return outputs.text_names or ("text", "pair")[:columns]


def text_inputs(names: Sequence[str]) -> tuple[TensorNote, ...]:
    """The inputs of `text_function`."""
    return tuple(TensorNote(name=name, description=f"The {name}, in UTF-8.") for name in names)


def text_function(model: Any, outputs: Contract, names: Sequence[str], tokenizer: LiteTokenizer) -> Any:
    """The model as a `tf.function` of strings [1], called `names`. What is too long is cut off.

    Models that say something of each token also give ids, starts and ends, int32 [1, T]: the tokens, and where each
    begins and ends in the bytes of its text.
    """
    spec = [tf.TensorSpec([1], tf.string, name=name) for name in names]
    first_tokens = outputs.first_tokens
    if first_tokens is not None:
        first_tokens = min(first_tokens, (tokenizer.length - 2 - tokenizer.separators) // 2)

    def run(*texts: tf.Tensor) -> dict[str, tf.Tensor]:
        row = tokenizer(texts, first_tokens=first_tokens)
        found = encoded(model, outputs, inputs_of(row))
        places = {"ids": row["token_ids"], "starts": row["starts"], "ends": row["ends"]} if outputs.per_token else {}
        return found | places

    return tf.function(run, input_signature=spec, autograph=False)


def text_outputs(outputs: Contract) -> tuple[TensorNote, ...]:
    """The outputs of `text_function`, in the order of the alphabet."""
    notes = (
        TensorNote(name="ids", description="The tokens' numbers."),
        TensorNote(name="starts", description="Where each token begins in the bytes of its text; 0 for special ones."),
        TensorNote(name="ends", description="Where each token ends in the bytes of its text; 0 for special ones."),
    )
    found = (*outputs.outputs, *(notes if outputs.per_token else ()))
    return tuple(sorted(found, key=lambda note: note.name))


@contextlib.contextmanager
def made_for(model: Any, *, mask_value: float | None, eight_bits: bool) -> Iterator[None]:
    """Within it the model is as a converter wants it: its file has one graph, so attention has no branches and loops.

    Args:
        mask_value: what is added to the scores of what must not be seen; None: the model's own.
        eight_bits: the tables of token and position vectors are split into rows and the sizes of their columns. In 8
            bits a table has one scale, and some columns are many times as large as others.
    """
    backbone = model.backbone
    embeddings = backbone.embeddings
    before = backbone.mask_value
    tables = [table for table in (embeddings.token, embeddings.position) if table is not None and eight_bits]
    backbone.mask_value = before if mask_value is None else mask_value
    attentions = [block.attention for block in backbone.blocks]
    try:
        for attention in attentions:
            attention.may_branch = False
        for table in tables:
            table.split = _split(np.asarray(table.table))
        yield
    finally:
        backbone.mask_value = before
        for attention in attentions:
            attention.may_branch = True
        for table in tables:
            table.split = None


def _split(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[V, D] as rows within [-1, 1], float32 [V, D], and the size of each column, [D]."""
    columns = np.abs(table).max(axis=0)
    columns = np.where(columns == 0, 1.0, columns).astype(np.float32)
    return (table / columns).astype(np.float32), columns


def encoded(model: Any, outputs: Contract, inputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """What a file with such a contract gives for rows, int32 [B, T] by name."""
    found = tf.nest.map_structure(lambda x: tf.cast(x, tf.float32), outputs.call(model, inputs))
    if outputs.places:
        is_real = tf.expand_dims(inputs["padding_mask"], -1) > 0  # [B, T, 1]
        found = tf.where(is_real, found, tf.reduce_min(found, axis=1, keepdims=True))  # which needs no other scale
    return outputs.encode(model.scores(found) if outputs.scores else found)
