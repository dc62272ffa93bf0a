"""One table a format: our weight path, their name, and a layout that can be undone.

Loading reads a table forwards, saving reads the same rows backwards. `{i}` is the block's number; where a file counts
blocks in groups, `{group}` is that of its group and `{place}` its place within it. `{j}` numbers what stands in a block
several times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from bert_tf.weights.checkpoint import Arrays, Tensor

Shape = tuple[int, ...]


class Layout(NamedTuple):
    """How a tensor lies in their file and in ours."""

    shape: Callable[[Shape], Shape]  # their shape -> our shape, for any shape that a broken file may have
    apply: Callable[[np.ndarray], np.ndarray]  # their array -> our array
    undo: Callable[[np.ndarray, int], np.ndarray]  # our array, number of heads N -> their array, or its part of it
    parts: int = 1  # how many rows share their array, in their order along its first axis


class Row(NamedTuple):
    """One tensor: its path here, its name there, how it lies there."""

    path: str
    name: str
    layout: Layout


def _merged(shape: Callable[[Shape], Shape], undo: Callable[[np.ndarray, int], np.ndarray]) -> Layout:
    return Layout(shape, lambda theirs: theirs.reshape(shape(theirs.shape)), undo)


SAME = Layout(lambda shape: shape, lambda theirs: theirs, lambda ours, heads: ours)
TRANSPOSED = Layout(lambda shape: shape[::-1], np.transpose, lambda ours, heads: ours.T)  # [out, in] -> [in, out]
HEADS_OUT = _merged(  # [D, N, H] -> [D, N*H]
    lambda shape: (shape[0], math.prod(shape[1:])) if shape else shape,
    lambda ours, heads: ours.reshape(ours.shape[0], heads, -1),
)
HEADS_IN = _merged(  # [N, H, D] -> [N*H, D]
    lambda shape: (math.prod(shape[:-1]), shape[-1]) if shape else shape,
    lambda ours, heads: ours.reshape(heads, -1, ours.shape[-1]),
)
HEADS_BIAS = _merged(lambda shape: (math.prod(shape),), lambda ours, heads: ours.reshape(heads, -1))  # [N, H] -> [N*H]


def part(number: int, count: int) -> Layout:
    """One of several matrices, or vectors, that their file has as one: [count*out, in] -> [in, out]."""

    def shape(theirs: Shape) -> Shape:
        is_whole = bool(theirs) and theirs[0] % count == 0
        return ((theirs[0] // count, *theirs[1:]) if is_whole else theirs)[::-1]

    return Layout(shape, lambda theirs: np.split(theirs, count)[number].T, lambda ours, heads: ours.T, count)


# Heads that Transformers does not have of most members, under names of ours; the last is ELECTRA's own.
OWN = (
    Row("sentence_score/kernel", "sentence_score.weight", TRANSPOSED),
    Row("sentence_score/bias", "sentence_score.bias", SAME),
    Row("next_sentence/kernel", "seq_relationship.weight", TRANSPOSED),
    Row("next_sentence/bias", "seq_relationship.bias", SAME),
    Row("replaced_transform/dense/kernel", "discriminator_predictions.dense.weight", TRANSPOSED),
    Row("replaced_transform/dense/bias", "discriminator_predictions.dense.bias", SAME),
    Row("replaced/kernel", "discriminator_predictions.dense_prediction.weight", TRANSPOSED),
    Row("replaced/bias", "discriminator_predictions.dense_prediction.bias", SAME),
)
OWN_PARTS = {
    "sentence_score.": "sentence_score", "seq_relationship.": "next_sentence",
    "discriminator_predictions.dense_prediction.": "replaced", "discriminator_predictions.": "replaced_transform",
}  # fmt: skip

# A head for texts that has two layers, both under its own name: RoBERTa's, and those made after it.
CLASSIFICATION_HEAD = (
    Row("pooler/dense/kernel", "classifier.dense.weight", TRANSPOSED),
    Row("pooler/dense/bias", "classifier.dense.bias", SAME),
    Row("classifier/kernel", "classifier.out_proj.weight", TRANSPOSED),
    Row("classifier/bias", "classifier.out_proj.bias", SAME),
)

MOST_BLOCKS = 1000  # of a file that are looked for
MOST_REPEATS = 100  # of what stands in a block several times
HUGGING_FACE = (
    Row("embeddings/token/table", "embeddings.word_embeddings.weight", SAME),
    Row("embeddings/segment/table", "embeddings.token_type_embeddings.weight", SAME),
    Row("embeddings/position/table", "embeddings.position_embeddings.weight", SAME),
    Row("embeddings/norm/gamma", "embeddings.LayerNorm.weight", SAME),
    Row("embeddings/norm/beta", "embeddings.LayerNorm.bias", SAME),
    Row("block_{i}/attention/query/kernel", "encoder.layer.{i}.attention.self.query.weight", TRANSPOSED),
    Row("block_{i}/attention/query/bias", "encoder.layer.{i}.attention.self.query.bias", SAME),
    Row("block_{i}/attention/key/kernel", "encoder.layer.{i}.attention.self.key.weight", TRANSPOSED),
    Row("block_{i}/attention/key/bias", "encoder.layer.{i}.attention.self.key.bias", SAME),
    Row("block_{i}/attention/value/kernel", "encoder.layer.{i}.attention.self.value.weight", TRANSPOSED),
    Row("block_{i}/attention/value/bias", "encoder.layer.{i}.attention.self.value.bias", SAME),
    Row("block_{i}/attention/output/kernel", "encoder.layer.{i}.attention.output.dense.weight", TRANSPOSED),
    Row("block_{i}/attention/output/bias", "encoder.layer.{i}.attention.output.dense.bias", SAME),
    Row("block_{i}/attention_norm/gamma", "encoder.layer.{i}.attention.output.LayerNorm.weight", SAME),
    Row("block_{i}/attention_norm/beta", "encoder.layer.{i}.attention.output.LayerNorm.bias", SAME),
    Row("block_{i}/feed_forward/intermediate/kernel", "encoder.layer.{i}.intermediate.dense.weight", TRANSPOSED),
    Row("block_{i}/feed_forward/intermediate/bias", "encoder.layer.{i}.intermediate.dense.bias", SAME),
    Row("block_{i}/feed_forward/output/kernel", "encoder.layer.{i}.output.dense.weight", TRANSPOSED),
    Row("block_{i}/feed_forward/output/bias", "encoder.layer.{i}.output.dense.bias", SAME),
    Row("block_{i}/feed_forward_norm/gamma", "encoder.layer.{i}.output.LayerNorm.weight", SAME),
    Row("block_{i}/feed_forward_norm/beta", "encoder.layer.{i}.output.LayerNorm.bias", SAME),
    Row("pooler/dense/kernel", "pooler.dense.weight", TRANSPOSED),
    Row("pooler/dense/bias", "pooler.dense.bias", SAME),
    Row("classifier/kernel", "classifier.weight", TRANSPOSED),
    Row("classifier/bias", "classifier.bias", SAME),
    Row("span/kernel", "qa_outputs.weight", TRANSPOSED),
    Row("span/bias", "qa_outputs.bias", SAME),
    Row("masked_lm/dense/kernel", "cls.predictions.transform.dense.weight", TRANSPOSED),
    Row("masked_lm/dense/bias", "cls.predictions.transform.dense.bias", SAME),
    Row("masked_lm/norm/gamma", "cls.predictions.transform.LayerNorm.weight", SAME),
    Row("masked_lm/norm/beta", "cls.predictions.transform.LayerNorm.bias", SAME),
    Row("masked_lm/bias", "cls.predictions.bias", SAME),
    Row("masked_lm/decoder/table", "cls.predictions.decoder.weight", SAME),  # a copy of the token table, where tied
    Row("masked_lm/decoder/bias", "cls.predictions.decoder.bias", SAME),  # a copy of the bias above
    Row("next_sentence/kernel", "cls.seq_relationship.weight", TRANSPOSED),
    Row("next_sentence/bias", "cls.seq_relationship.bias", SAME),
    *(row for row in OWN if not row.path.startswith("next_sentence/")),
)

GOOGLE = (
    Row("embeddings/token/table", "bert/embeddings/word_embeddings", SAME),
    Row("embeddings/segment/table", "bert/embeddings/token_type_embeddings", SAME),
    Row("embeddings/position/table", "bert/embeddings/position_embeddings", SAME),
    Row("embeddings/norm/gamma", "bert/embeddings/LayerNorm/gamma", SAME),
    Row("embeddings/norm/beta", "bert/embeddings/LayerNorm/beta", SAME),
    Row("block_{i}/attention/query/kernel", "bert/encoder/layer_{i}/attention/self/query/kernel", SAME),
    Row("block_{i}/attention/query/bias", "bert/encoder/layer_{i}/attention/self/query/bias", SAME),
    Row("block_{i}/attention/key/kernel", "bert/encoder/layer_{i}/attention/self/key/kernel", SAME),
    Row("block_{i}/attention/key/bias", "bert/encoder/layer_{i}/attention/self/key/bias", SAME),
    Row("block_{i}/attention/value/kernel", "bert/encoder/layer_{i}/attention/self/value/kernel", SAME),
    Row("block_{i}/attention/value/bias", "bert/encoder/layer_{i}/attention/self/value/bias", SAME),
    Row("block_{i}/attention/output/kernel", "bert/encoder/layer_{i}/attention/output/dense/kernel", SAME),
    Row("block_{i}/attention/output/bias", "bert/encoder/layer_{i}/attention/output/dense/bias", SAME),
    Row("block_{i}/attention_norm/gamma", "bert/encoder/layer_{i}/attention/output/LayerNorm/gamma", SAME),
    Row("block_{i}/attention_norm/beta", "bert/encoder/layer_{i}/attention/output/LayerNorm/beta", SAME),
    Row("block_{i}/feed_forward/intermediate/kernel", "bert/encoder/layer_{i}/intermediate/dense/kernel", SAME),
    Row("block_{i}/feed_forward/intermediate/bias", "bert/encoder/layer_{i}/intermediate/dense/bias", SAME),
    Row("block_{i}/feed_forward/output/kernel", "bert/encoder/layer_{i}/output/dense/kernel", SAME),
    Row("block_{i}/feed_forward/output/bias", "bert/encoder/layer_{i}/output/dense/bias", SAME),
    Row("block_{i}/feed_forward_norm/gamma", "bert/encoder/layer_{i}/output/LayerNorm/gamma", SAME),
    Row("block_{i}/feed_forward_norm/beta", "bert/encoder/layer_{i}/output/LayerNorm/beta", SAME),
    Row("pooler/dense/kernel", "bert/pooler/dense/kernel", SAME),
    Row("pooler/dense/bias", "bert/pooler/dense/bias", SAME),
    Row("classifier/kernel", "output_weights", TRANSPOSED),  # run_classifier.py
    Row("classifier/bias", "output_bias", SAME),
    Row("span/kernel", "cls/squad/output_weights", TRANSPOSED),  # run_squad.py
    Row("span/bias", "cls/squad/output_bias", SAME),
    Row("masked_lm/dense/kernel", "cls/predictions/transform/dense/kernel", SAME),  # run_pretraining.py
    Row("masked_lm/dense/bias", "cls/predictions/transform/dense/bias", SAME),
    Row("masked_lm/norm/gamma", "cls/predictions/transform/LayerNorm/gamma", SAME),
    Row("masked_lm/norm/beta", "cls/predictions/transform/LayerNorm/beta", SAME),
    Row("masked_lm/bias", "cls/predictions/output_bias", SAME),
    Row("next_sentence/kernel", "cls/seq_relationship/output_weights", TRANSPOSED),
    Row("next_sentence/bias", "cls/seq_relationship/output_bias", SAME),
)

# The paths of a Keras weights file: classes in snake case, numbered from the second on (`{keras_i}`); "vars/0" is the
# kernel, gamma or table, "vars/1" the bias or beta. The classifier lies in a second file, task.weights.h5.
_BLOCK = "layers/transformer_encoder{keras_i}/"
_ATTENTION = _BLOCK + "_self_attention_layer/"
KERAS_HUB = (
    Row("embeddings/token/table", "layers/reversible_embedding/vars/0", SAME),
    Row("embeddings/segment/table", "layers/embedding/vars/0", SAME),
    Row("embeddings/position/table", "layers/position_embedding/vars/0", SAME),
    Row("embeddings/norm/gamma", "layers/layer_normalization/vars/0", SAME),
    Row("embeddings/norm/beta", "layers/layer_normalization/vars/1", SAME),
    Row("block_{i}/attention/query/kernel", _ATTENTION + "query_dense/vars/0", HEADS_OUT),
    Row("block_{i}/attention/query/bias", _ATTENTION + "query_dense/vars/1", HEADS_BIAS),
    Row("block_{i}/attention/key/kernel", _ATTENTION + "key_dense/vars/0", HEADS_OUT),
    Row("block_{i}/attention/key/bias", _ATTENTION + "key_dense/vars/1", HEADS_BIAS),
    Row("block_{i}/attention/value/kernel", _ATTENTION + "value_dense/vars/0", HEADS_OUT),
    Row("block_{i}/attention/value/bias", _ATTENTION + "value_dense/vars/1", HEADS_BIAS),
    Row("block_{i}/attention/output/kernel", _ATTENTION + "output_dense/vars/0", HEADS_IN),
    Row("block_{i}/attention/output/bias", _ATTENTION + "output_dense/vars/1", SAME),
    Row("block_{i}/attention_norm/gamma", _BLOCK + "_self_attention_layer_norm/vars/0", SAME),
    Row("block_{i}/attention_norm/beta", _BLOCK + "_self_attention_layer_norm/vars/1", SAME),
    Row("block_{i}/feed_forward/intermediate/kernel", _BLOCK + "_feedforward_intermediate_dense/vars/0", SAME),
    Row("block_{i}/feed_forward/intermediate/bias", _BLOCK + "_feedforward_intermediate_dense/vars/1", SAME),
    Row("block_{i}/feed_forward/output/kernel", _BLOCK + "_feedforward_output_dense/vars/0", SAME),
    Row("block_{i}/feed_forward/output/bias", _BLOCK + "_feedforward_output_dense/vars/1", SAME),
    Row("block_{i}/feed_forward_norm/gamma", _BLOCK + "_feedforward_layer_norm/vars/0", SAME),
    Row("block_{i}/feed_forward_norm/beta", _BLOCK + "_feedforward_layer_norm/vars/1", SAME),
    Row("pooler/dense/kernel", "layers/dense/vars/0", SAME),
    Row("pooler/dense/bias", "layers/dense/vars/1", SAME),
    Row("classifier/kernel", "task:layers/dense/vars/0", SAME),
    Row("classifier/bias", "task:layers/dense/vars/1", SAME),
    Row("masked_lm/dense/kernel", "task:layers/masked_lm_head/_intermediate_dense/vars/0", SAME),
    Row("masked_lm/dense/bias", "task:layers/masked_lm_head/_intermediate_dense/vars/1", SAME),
    Row("masked_lm/norm/gamma", "task:layers/masked_lm_head/_intermediate_layer_norm/vars/0", SAME),
    Row("masked_lm/norm/beta", "task:layers/masked_lm_head/_intermediate_layer_norm/vars/1", SAME),
    Row("masked_lm/bias", "task:layers/masked_lm_head/vars/0", SAME),
)

# Starts of names -> the part of the model that what they name belongs to. The first that fits counts.
PARTS = (
    (
        HUGGING_FACE,
        {
            "embeddings.": "backbone", "encoder.": "backbone", "pooler.": "pooler", "classifier.": "classifier",
            "qa_outputs.": "span", "cls.predictions.": "masked_lm", "cls.seq_relationship.": "next_sentence",
            **OWN_PARTS,
        },
    ),
    (
        GOOGLE,
        {
            "bert/pooler/": "pooler", "bert/": "backbone", "cls/predictions/": "masked_lm", "cls/squad/": "span",
            "cls/seq_relationship/": "next_sentence",
        },
    ),
    (
        KERAS_HUB,
        {
            "layers/": "backbone", "task:layers/dense/": "classifier", "task:layers/masked_lm_head/": "masked_lm",
        },
    ),
)  # fmt: skip


def blocks_of(config: Mapping[str, Any]) -> dict[str, int]:
    """`num_blocks`, `group_size` and `repeats` of the functions below, by BertConfig's fields.

    >>> blocks_of({"num_layers": 12, "layer_groups": 2, "blocks_per_layer": 3, "num_feed_forwards": 4})
    {'num_blocks': 6, 'group_size': 3, 'repeats': 3}
    """
    size, repeats = config.get("blocks_per_layer", 1), config.get("num_feed_forwards", 1) - 1
    blocks = (config.get("layer_groups") or config["num_layers"]) * size
    return {"num_blocks": blocks, "group_size": size, "repeats": repeats}


def expand(table: tuple[Row, ...], num_blocks: int, group_size: int = 1, repeats: int = 0) -> list[Row]:
    """Rows with the blocks' numbers filled in.

    Args:
        num_blocks: how many blocks have weights of their own.
        group_size: how many of them stand in a group of the file's.
        repeats: how often what is numbered within a block stands there.
    """
    rows = []
    for row in table:
        for i in range(num_blocks) if "{i}" in row.path else range(1):
            group, place = divmod(i, group_size)
            for j in range(repeats) if "{j}" in row.path else range(1):
                name = row.name.format(i=i, keras_i=f"_{i}" if i else "", group=group, place=place, j=j)
                rows.append(Row(row.path.format(i=i, j=j), name, row.layout))
    return rows


def read_forwards(
    table: tuple[Row, ...], tensors: Mapping[str, Tensor], num_blocks: int, group_size: int = 1, repeats: int = 0
) -> tuple[Arrays, dict[str, Shape]]:
    """Their names -> our paths. Returns our arrays, and the names (and shapes) that no row knows."""
    found, used = {}, set()
    # What a config states is held to the tensors later.
    known = expand(table, min(num_blocks, MOST_BLOCKS), group_size, min(repeats, MOST_REPEATS))
    for row in known:
        if row.name in tensors:
            used.add(row.name)
            found[row.path] = _ours(tensors[row.name], row.layout)
    rest = {name: tensor for name, tensor in sorted(tensors.items()) if name not in used}
    parts = next((parts for known, parts in PARTS if known is table), {})
    strays = {}
    for name, tensor in rest.items():
        part = next((part for start, part in parts.items() if name.startswith(start)), None)
        strays |= {} if part is None else {tensor.name: part}
    return Arrays(found, strays), {tensor.name: tensor.shape for tensor in rest.values()}


def read_backwards(
    table: tuple[Row, ...],
    arrays: Mapping[str, np.ndarray],
    num_blocks: int,
    num_heads: int,
    group_size: int = 1,
    repeats: int = 0,
) -> dict[str, np.ndarray]:
    """Our paths -> their names. Raises ValueError naming paths that the table has no row for."""
    rows = [row for row in expand(table, num_blocks, group_size, repeats) if row.path in arrays]
    unknown = sorted(set(arrays) - {row.path for row in rows})
    if unknown:
        raise ValueError(f"this format has no place for: {', '.join(unknown)}")
    found: dict[str, list[np.ndarray]] = {}
    for row in rows:
        found.setdefault(row.name, []).append(row.layout.undo(np.asarray(arrays[row.path]), num_heads))
    for row in rows:
        if len(found[row.name]) != row.layout.parts:
            raise ValueError(f"{row.name} is {row.layout.parts} of our arrays. Received: {len(found[row.name])}")
    return {
        name: np.ascontiguousarray(np.concatenate(parts) if len(parts) > 1 else parts[0])
        for name, parts in found.items()
    }


def _ours(tensor: Tensor, layout: Layout) -> Tensor:
    return Tensor(tensor.name, layout.shape(tensor.shape), lambda: layout.apply(tensor.read()))
