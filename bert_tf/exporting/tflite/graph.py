"""What a TFLite model takes and gives, for each kind of task, as one function of tensors."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from bert_tf.exporting.tflite.metadata import TensorNote
from bert_tf.kinds import (
    Classification,
    ExtractiveSummarization,
    MultiLabel,
    Pretraining,
    Regression,
    SpanQA,
    Tagging,
)
from bert_tf.kinds.vectors.spec import SentenceVectors
from bert_tf.models.base import inputs_of

if TYPE_CHECKING:
    from bert_tf.data.tagged.label_sets import LabelSet
    from bert_tf.exporting.tflite.text.tokenizer import LiteTokenizer
    from bert_tf.kinds.base import Kind

INPUTS = (
    TensorNote(name="ids", description="Token numbers of [CLS] text [SEP] or [CLS] text [SEP] text [SEP], then 0."),
    TensorNote(name="mask", description="1 at tokens, 0 at padding."),
    TensorNote(name="segment_ids", description="0 for the first text, 1 for the second and its [SEP], 0 at padding."),
)
LEAST = 1e-37  # of probabilities, so that their logarithm is finite


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The outputs of a kind of task.

    Args:
        name: of the model, in its metadata.
        description: what the model does.
        outputs: in the order of the file's, which is that of the alphabet.
        encode: the Keras model's output, in float32, [B, ...] or [B, T, ...], to the outputs by name.
        decode: the outputs back to what the Keras model gives, but for what no answer depends on.
        labels: what the last axis of a labelled output stands for.
        per_token: whether the outputs are one a token, [B, T, ...].
        reader: which of the tasks that readers on phones have this is: "classifier", "embedder" or "answerer"; "": none
            of them.
        places: whether the outputs, [B, T, 2], say where something is. Readers look for the largest in a whole row, and
            training leaves what stands at padding to chance, so there it is made the row's least.
        scores: whether the outputs are the model's `scores` of its logits, rather than these.
        facts: what else is to be known to make answers of the outputs, for task.json.
    """

    name: str
    description: str
    outputs: tuple[TensorNote, ...]
    encode: Callable[[Any], dict[str, Any]]
    decode: Callable[[Mapping[str, Any]], Any]
    labels: Sequence[str] | None = None
    per_token: bool = False
    reader: str = ""
    places: bool = False
    scores: bool = False
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def contract(kind: Kind) -> Contract:
    """What models of `kind` give. Classifiers and question answerers are named and ordered as MediaPipe's
    TextClassifier and the Task Library's BertNLClassifier and BertQuestionAnswerer want them.

    Raises: ValueError for a kind that gives nothing of the sort.
    """
    probability = TensorNote(name="probability", description="How likely each label is.", labels=True)
    if isinstance(kind, Classification):
        return Contract(
            name="Text classifier",
            description="Which of several classes a text is of.",
            outputs=(probability,),
            encode=lambda x: {"probability": tf.nn.softmax(x)},
            decode=lambda found: _log(found["probability"]),
            labels=kind.output_names,
            reader="classifier",
        )
    if isinstance(kind, MultiLabel):
        return Contract(
            name="Text classifier",
            description="Which labels hold for a text; each by itself.",
            outputs=(probability,),
            encode=lambda x: {"probability": tf.sigmoid(x)},
            decode=lambda found: _log(found["probability"]) - _log(1.0 - found["probability"]),
            labels=kind.output_names,
            reader="classifier",
            facts={"label_holds_from": kind.threshold},
        )
    if isinstance(kind, Regression):
        return Contract(
            name="Text regression",
            description="A number, or several, for a text.",
            outputs=(TensorNote(name="value", description="The numbers.", labels=True),),
            encode=lambda x: {"value": tf.identity(x)},
            decode=lambda found: found["value"],
            labels=kind.output_names,
            scores=True,
        )
    if isinstance(kind, Tagging):
        return Contract(
            name="Tagger",
            description="Which words of a text name something, and what: a label for each token.",
            outputs=(probability,),
            encode=lambda x: {"probability": tf.nn.softmax(x)},
            decode=lambda found: _log(found["probability"]),
            labels=kind.tag_names,
            per_token=True,
            facts=_facts_of_tags(kind.label_set),
        )
    if isinstance(kind, SpanQA):
        ends = TensorNote(name="end_logits", description="How well an answer ends at each token.")
        starts = TensorNote(name="start_logits", description="How well an answer starts at each token.")
        return Contract(
            name="Question answerer",
            description="Where in a text (the second) the answer to a question (the first) starts and ends.",
            outputs=(ends, starts),
            encode=lambda x: {"end_logits": x[..., 1], "start_logits": x[..., 0]},
            decode=lambda found: tf.stack([found["start_logits"], found["end_logits"]], axis=-1),
            per_token=True,
            reader="answerer",
            places=True,
            facts={"no_answer_at": 0 if kind.no_answer else None, "most_answer_tokens": kind.answer_tokens},
        )
    if isinstance(kind, SentenceVectors):
        return Contract(
            name="Text embedder",
            description="A vector for a text; those of alike texts have a cosine near 1.",
            outputs=(TensorNote(name="embedding", description="The vector."),),
            encode=lambda x: {"embedding": tf.identity(x)},
            decode=lambda found: found["embedding"],
            reader="embedder",
        )
    if isinstance(kind, ExtractiveSummarization):
        return Contract(
            name="Extractive summarizer",
            description="How well each sentence of a text fits in a summary. A row is [CLS] sentence [SEP] [CLS] "
            "sentence [SEP] ..., and its segments are 0 and 1 in turns, by sentence.",
            outputs=(TensorNote(name="score", description="The logit of each token's sentence."),),
            encode=lambda x: {"score": tf.identity(x)},
            decode=lambda found: found["score"],
            per_token=True,
        )
    if isinstance(kind, Pretraining):
        return Contract(
            name="Masked language model",
            description="Which token stands at each place of a text, wanted where that has [MASK].",
            outputs=(
                TensorNote(name="logits", description="For each token of the vocabulary, how well it fits there."),
            ),
            encode=lambda x: {"logits": tf.identity(x["masked_lm_logits"])},
            decode=lambda found: found["logits"],
            per_token=True,
        )
    raise ValueError(f"`kind` must give the same tensors whatever it answers. Received: {type(kind).__name__}")


def tensors_function(
    model: Any, outputs: Contract, length: int | None, numbers: np.ndarray | None = None, *, longest: int | None = None
) -> Any:
    """The model as a `tf.function` of ids, mask and segment_ids, int32 [1, length].

    Args:
        length: tokens of a row; None: any number.
        numbers: int32 [K], the model's token for each of the numbers that ids may be; None: they are the model's.
        longest: where `length` is None, the tokens of a row that are read: its first, and the last, which is [SEP].
            Readers that make rows of any length, as MediaPipe does, would ask for positions that the model has not.
            None: as many as the model has positions.
    """
    most: int = longest or model.config.max_positions
    spec = [tf.TensorSpec([1, length], tf.int32, name=note.name) for note in INPUTS]

    def run(ids: tf.Tensor, mask: tf.Tensor, segment_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        if length is None:
            ids, mask, segment_ids = (_first_and_last(row, most) for row in (ids, mask, segment_ids))
        if numbers is not None:
            small = numbers.max() <= np.iinfo(np.int16).max  # and so is the file, then
            ids = tf.cast(tf.gather(tf.constant(numbers, tf.int16 if small else tf.int32), ids), tf.int32)
        # Looked up by a number that comes in, the positions are a table to the converter, which it can bring to 8 bits.
        positions = tf.minimum(tf.cumsum(mask, axis=1, exclusive=True), most - 1)
        inputs = {"token_ids": ids, "padding_mask": mask, "segment_ids": segment_ids, "position_ids": positions}
        return _encoded(model, outputs, inputs)

    return tf.function(run, input_signature=spec, autograph=False)


def _first_and_last(row: Any, longest: int) -> Any:
    """[1, T] -> [1, T] if T <= longest, else its first longest - 1 columns and the last one."""
    return tf.concat([row[:, : longest - 1], row[:, longest - 1 :][:, -1:]], axis=1)


def text_names(kind: Kind) -> tuple[str, ...]:
    """What the inputs of a model are called that takes text."""
    return ("question", "context") if isinstance(kind, SpanQA) else ("text", "pair")[: len(kind.text_columns)]


def text_inputs(kind: Kind) -> tuple[TensorNote, ...]:
    """The inputs of `text_function`."""
    return tuple(TensorNote(name=name, description=f"The {name}, in UTF-8.") for name in text_names(kind))


def text_function(model: Any, outputs: Contract, kind: Kind, tokenizer: LiteTokenizer) -> Any:
    """The model as a `tf.function` of strings [1]. What is too long is cut off.

    Models that say something of each token also give ids, starts and ends, int32 [1, T]: the tokens, and where each
    begins and ends in the bytes of its text.
    """
    spec = [tf.TensorSpec([1], tf.string, name=name) for name in text_names(kind)]
    first_tokens = None
    if isinstance(kind, SpanQA):
        first_tokens = min(kind.question_tokens, (tokenizer.length - 3) // 2)

    def run(*texts: tf.Tensor) -> dict[str, tf.Tensor]:
        row = tokenizer(texts, first_tokens=first_tokens)
        found = _encoded(model, outputs, inputs_of(row))
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
    """Within it the model is as a converter wants it.

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
    try:
        for table in tables:
            table.split = _split(np.asarray(table.table))
        yield
    finally:
        backbone.mask_value = before
        for table in tables:
            table.split = None


def _split(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[V, D] as rows within [-1, 1], float32 [V, D], and the size of each column, [D]."""
    columns = np.abs(table).max(axis=0)
    columns = np.where(columns == 0, 1.0, columns).astype(np.float32)
    return (table / columns).astype(np.float32), columns


def _encoded(model: Any, outputs: Contract, inputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    found = tf.nest.map_structure(lambda x: tf.cast(x, tf.float32), model(inputs, training=False))
    if outputs.places:
        is_real = inputs["padding_mask"][..., None] > 0  # [B, T, 1]
        found = tf.where(is_real, found, tf.reduce_min(found, axis=1, keepdims=True))  # which needs no other scale
    return outputs.encode(model.scores(found) if outputs.scores else found)


def _facts_of_tags(labels: LabelSet) -> dict[str, Any]:
    """How words' labels make entities: for each label its letter (B, I, E, S, or O outside) and type."""
    return {
        "tag_scheme": labels.scheme,
        "tag_letters": list(labels.letters),
        "tag_types": [None if number < 0 else labels.types[number] for number in labels.type_of],
        "tag_of_a_word": "that of its first piece",
    }


def _log(x: Any) -> Any:
    return tf.math.log(tf.maximum(tf.cast(x, tf.float32), LEAST))
