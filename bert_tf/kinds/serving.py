"""What is served of a task: all that the formats of export read of a kind. Plain data, without TensorFlow.

A kind's folder fills it in, in its `serving.py`; what it leaves out has a default that does for any model with one
output. So a new kind, or one of your own, is served and exported without a line elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bert_tf.terminal.parts import Part, plain

Named = Mapping[str, Any]
"""Tensors by name."""
LEAST = 1e-37  # of probabilities, so that their logarithm is finite


@dataclass(frozen=True, kw_only=True)
class TensorNote:
    """What is said of an input or output of a TFLite file.

    Args:
        name: what readers find it by.
        labels: whether its last axis is that of the file's labels.
        least_score: scores below it are no answer; 0: every score is one.
    """

    name: str
    description: str
    labels: bool = False
    least_score: float = 0.0


def from_model(named: Callable[[Any], Named]) -> Callable[[Any, Any], Callable[[Named], Named]]:
    """`Tensors.run` of a model that is asked once.

    Args:
        named: what the model gives, in float32, to the outputs by name.
    """

    def run(model: Any, tokenizer: Any) -> Callable[[Named], Named]:
        import tensorflow as tf

        def call(inputs: Named) -> Named:
            found = model(inputs, training=False)
            return named(tf.nest.map_structure(lambda value: tf.cast(value, tf.float32), found))

        return call

    return run


LOGITS = from_model(lambda outputs: {"logits": outputs})


@dataclass(frozen=True, kw_only=True)
class Tensors:
    """The signature `tensors` of a SavedModel: int32 tensors in, what the model gives out.

    Args:
        inputs: their names, any of "token_ids", "segment_ids" and "padding_mask".
        shape: of each of them; None is any number. The first axis is that of the examples, the last that of the tokens.
        spare_positions: of the model's positions those that no row may fill.
        run: the model and its tokenizer to a function from the inputs by name to the outputs by name.
    """

    inputs: tuple[str, ...] = ("token_ids", "segment_ids", "padding_mask")
    shape: tuple[int | None, ...] = (None, None)
    spare_positions: int = 0
    run: Callable[[Any, Any], Callable[[Named], Named]] = LOGITS


@dataclass(frozen=True, kw_only=True)
class Signatures:
    """The signatures of a SavedModel, besides the texts of the task's columns that go in.

    `details` gives all that `answer_function` does, ragged answers [B, (N), ...] as dense ones with their counts;
    `serving_default` what an answer is to whoever asks.

    Args:
        counts: name of a count -> the ragged answers that have so many. Another one has its own, `<name>_count`.
        inner: answers and counts that only scoring needs: `serving_default` leaves them out.
        added: what `serving_default` gives besides, from all that `details` gives.
        classes: what the last axis of the answer `probabilities` [B, C] stands for; then there is `classify`.
        number: the answer, [B, 1], that `regress` gives; "": there is no such signature.
        tensors: the signature that takes tensors.
    """

    counts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inner: tuple[str, ...] = ()
    added: Callable[[Named], Named] = lambda answers: {}
    classes: tuple[str, ...] = ()
    number: str = ""
    tensors: Tensors = field(default_factory=Tensors)


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A TFLite file: a row of tokens in, [1, T], and what the model gives for it out.

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
        row: the texts that a row is made of, each with its [SEP]; empty: those of the task's columns.
        stride: tokens that neighbouring windows of a long text share; None: a text has one window.
        call: the Keras model and its inputs for rows, [B, T] by name, to what it gives for them.
        given: where the model is asked for more than rows, what it gives then: from what it gives for the rows, and the
            inputs by name.
        settings: settings of the task that answers of a file have, where it gives less than the model.
        text_names: what the inputs of a file that takes text are called; empty: "text", or "text" and "pair".
        first_tokens: most tokens of the first of two texts, where only the second is cut to fit; None: the longer is.
        nothing: of a file that takes text: which number of a token's outputs stands for "nothing here"; None: none.
    """

    name: str = "Model"
    description: str = "What the task's model gives for a text."
    outputs: tuple[TensorNote, ...] = (TensorNote(name="logits", description="The model's outputs."),)
    encode: Callable[[Any], dict[str, Any]] = lambda x: {"logits": x}
    decode: Callable[[Named], Any] = lambda found: found["logits"]
    labels: Sequence[str] | None = None
    per_token: bool = False
    reader: str = ""
    places: bool = False
    scores: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    row: tuple[str, ...] = ()
    stride: int | None = None
    call: Callable[[Any, Named], Any] = lambda model, inputs: model(inputs, training=False)
    given: Callable[[Any, Named], Any] = lambda found, inputs: found
    settings: Mapping[str, Any] = field(default_factory=dict)
    text_names: tuple[str, ...] = ()
    first_tokens: int | None = None
    nothing: int | None = None


@dataclass(frozen=True, kw_only=True)
class Calls:
    """How a README asks the model, in Python, where `model` and `tokenizer` are there. {texts} stands for the texts, as
    the tokenizer's arguments: those of a row.

    Args:
        ours: a block that prints what our model gives.
        transformers: what Transformers' model gives, an expression.
        cannot: what Transformers does not do with the weights; then it is not asked.
    """

    ours: str = "print(model(tokenizer({texts})))"
    transformers: str = 'model(**tokenizer({texts}, padding=True, return_tensors="pt"))'
    cannot: str = ""


def lengths_of_texts(columns: int) -> Callable[[int], tuple[int, ...]]:
    """`Serving.lengths` of texts that share a row, [CLS] text [SEP] text [SEP] ...; the first of two is short."""

    def lengths(tokens: int) -> tuple[int, ...]:
        room = tokens - 1 - columns
        if columns != 2:
            return (room // columns,) * (columns - 1) + (room - room // columns * (columns - 1),)
        first = min(12, room // 2)
        return first, room - first

    return lengths


@dataclass(frozen=True)
class OfWords:
    """Lists of words as texts.

    Args:
        texts: one for each list.
        as_json: the number of a list and its row of `answer_function`'s tensors to the answer for its words.
    """

    texts: Sequence[str]
    as_json: Callable[[int, Named], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What is served of a task.

    Args:
        labels: names of what the model tells apart, in the order of its outputs; empty where there is nothing of the
            sort.
        signatures: of a SavedModel.
        contract: of a TFLite file.
        vector: the answer that is a vector [B, D] of the text, which can be compared with others'; "": there is none.
        refuses: why a format, such as "tflite", or a flavour of one, such as "tflite:text", is not for this task: what
            was expected, and what came.
        lengths: how many tokens the text of each column has in an example of so many in all, special ones included;
            None: as `lengths_of_texts` has them. Examples to be timed, and to warm up a server, are made so.
        calls: how READMEs ask the model.
        shown: what a terminal shows of an answer, as `Kind.as_json` gives it.
        over_texts: where the first text asks about the second: of a question, several texts by their names, and the
            rows of `answer_function`'s tensors for each, the answer over all of them, as predict gives it; see
            `bert_tf.kinds.span_qa.over_texts`. None: nothing is asked.
        of_words: where each word has a label: what makes texts of lists of words, and of their answers those for words;
            see `bert_tf.kinds.tagging.of_words`. None: words have none.

    >>> from bert_tf.data import InMemory
    >>> from bert_tf.kinds import SpanQA
    >>> kind = SpanQA(source=InMemory({}), no_answer=True)
    >>> kind.serving.contract.text_names, kind.serving.contract.facts["no_answer_at"]
    (('question', 'context'), 0)
    """

    labels: tuple[str, ...] = ()
    signatures: Signatures = field(default_factory=Signatures)
    contract: Contract = field(default_factory=Contract)
    vector: str = ""
    refuses: Mapping[str, str] = field(default_factory=dict)
    lengths: Callable[[int], tuple[int, ...]] | None = None
    calls: Calls = field(default_factory=Calls)
    shown: Callable[[Named], Sequence[Part]] = plain
    over_texts: Callable[[str, Mapping[str, str], Sequence[Named]], dict[str, Any]] | None = None
    of_words: Callable[[Sequence[Sequence[str]]], OfWords] | None = None


def log(x: Any) -> Any:
    """The logarithm of probabilities, finite at 0 too."""
    import tensorflow as tf

    return tf.math.log(tf.maximum(tf.cast(x, tf.float32), LEAST))
