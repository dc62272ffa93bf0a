"""This library where text goes in and answers come out, as its users call it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import bert_tf
from benchmarks.speed.sides.nearest import nearest
from benchmarks.speed.work import Repetition, Work, call_ms, rate

WORD = "good "  # one token in every vocabulary that the rows use
SPECIAL_TOKENS = 2
CALLS = 200


def read(texts: str) -> list[str]:
    """The lines of a file."""
    return Path(texts).read_text(encoding="utf-8").splitlines()


def predict(*, run: str, texts: str) -> Work:
    """Texts a second of what the command `predict` does once its model is open: a run, or an exported file."""
    from bert_tf.data.inputs import Input
    from bert_tf.inference.answering import answers_of
    from bert_tf.inference.engine.precision import use_all_cores

    use_all_cores()
    pipeline, lines, found = bert_tf.Pipeline(run, precision="auto"), read(texts), list[str]()
    inputs = [Input(place=f"texts:{number}", texts=(line,)) for number, line in enumerate(lines, start=1)]

    def work() -> None:
        found[:] = [str(answer["label"]) for answer, _ in answers_of(pipeline, inputs)]

    work()
    return Work(lambda: rate(work, len(lines)), answers=lambda: found)


def labels(*, run: str, texts: str) -> Work:
    """Texts a second of `Pipeline`."""
    pipeline, lines, found = bert_tf.Pipeline(run, precision="auto"), read(texts), list[str]()

    def work() -> None:
        found[:] = [str(answer["label"]) for answer in pipeline(lines)]

    work()
    return Work(lambda: rate(work, len(lines)), answers=lambda: found)


def vectors(*, folder: str, texts: str) -> Work:
    """Texts a second of `Pipeline.encode`, of a folder of sentence-transformers or an exported file."""
    from bert_tf.inference.engine.precision import use_all_cores

    use_all_cores()  # as the command search does
    pipeline, lines = bert_tf.Pipeline(folder, precision="auto"), read(texts)
    answers = nearest(pipeline.encode(lines))
    return Work(lambda: rate(lambda: pipeline.encode(lines), len(lines)), answers=lambda: answers)


def one_text(*, run: str, tokens: int) -> Work:
    """Milliseconds of a call of `Pipeline` on one text: a run, a folder of Transformers or a SavedModel."""
    pipeline, text = bert_tf.Pipeline(run), WORD * (tokens - SPECIAL_TOKENS)
    return Work(lambda: call_ms(lambda: pipeline(text), CALLS))


def one_text_lite(*, export: str, tokens: int) -> Work:
    """Milliseconds from a string to the scores of a TFLite file in LiteRT, with our tokenizer before it."""
    from bert_tf.exporting.tflite.loaded import input_row
    from bert_tf.runtimes.tflite import LiteFile

    tokenizer = bert_tf.BertTokenizer.from_pretrained(export)
    file, text = LiteFile(Path(export) / "model_int8.tflite"), WORD * (tokens - SPECIAL_TOKENS)

    def work() -> Any:
        ids = np.asarray(tokenizer([text], max_length=tokens)["token_ids"])[0]
        assert len(ids) == tokens
        return file(input_row(ids, np.zeros_like(ids), tokens))

    return Work(lambda: call_ms(work, CALLS))


def generation(*, tokens: int, examples: int, source: int) -> Work:
    """Tokens a second, greedily, in bfloat16, of a model of MiniLM's size with random weights, keys and values kept."""
    import keras

    from bert_tf.models import Generation

    keras.utils.set_random_seed(1)
    config = bert_tf.BertConfig(
        vocabulary_size=30522, hidden_dim=384, num_layers=6, num_heads=12, intermediate_dim=1536
    )
    model = bert_tf.BertSeq2Seq(config, dtype="bfloat16")
    ids = np.random.default_rng(0).integers(1000, 30000, size=(examples, source))
    inputs = {"token_ids": tf.constant(ids, tf.int32), "padding_mask": tf.ones(ids.shape, tf.int32)}
    settings = Generation(max_length=tokens, min_length=tokens)  # no text ends early, so that all do the same work
    write = tf.function(lambda: model.generate(inputs, settings, end_id=102))
    write()
    return Work(lambda: rate(lambda: write()["score"].numpy(), tokens * examples))


def tokenizer(*, backbone: str, texts: str) -> Work:
    """Texts a second from a list of strings to ragged ids."""
    tokenize, lines = bert_tf.Tokenizer.from_pretrained(backbone).tokenize, read(texts)
    ids = tokenize(lines)
    answers = [" ".join(map(str, row)) for row in ids.to_list()]
    return Work(lambda: rate(lambda: tokenize(lines), len(lines)), answers=lambda: answers)


def gemm(*, width: int = 1536, seconds: float = 1.0) -> Work:
    """GFLOP/s, the best of the products of a second."""
    matrix = tf.cast(tf.random.stateless_uniform([width, width], seed=[0, 0]), tf.bfloat16)
    product = tf.function(lambda: tf.matmul(matrix, matrix))

    def once() -> Repetition:
        fastest, began = float("inf"), time.perf_counter()
        while time.perf_counter() - began < seconds:
            start = time.perf_counter()
            product().numpy()
            fastest = min(fastest, time.perf_counter() - start)
        return Repetition(2e-9 * width**3 / fastest)

    product()
    return Work(once)
