"""Unmodified MediaPipe, in an environment of its own, opens TFLite files that `bert_tf.export` wrote; its answers to
raw text are compared with predict's.

    python3.11 -m venv /tmp/mp && /tmp/mp/bin/pip install mediapipe==1.2.2
    python -m benchmarks.mediapipe_check --python=/tmp/mp/bin/python --run=runs/sst2 --data=DATA/sst2/dev.tsv \
        models/sst2/model_float32.tflite models/sst2/model_int8.tflite

Classifiers are opened as TextClassifier, models of sentence vectors as TextEmbedder. MediaPipe has a tokenizer of its
own: a file that gives back its inputs shows for how many texts its tokens are other than ours.

With --library=task_library and a Python that has tflite-support it is the TFLite Task Library instead:
BertNLClassifier, and BertQuestionAnswerer for span QA (whose --data is SQuAD's JSON; it sees one window of a context).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

SIDE = Path(__file__).with_name("mediapipe_side.py")
SHOWN = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="a Python that has MediaPipe")
    parser.add_argument("--library", default="mediapipe", choices=("mediapipe", "task_library"))
    parser.add_argument("--run", required=True, help="the run that the files were made of")
    parser.add_argument("--data", required=True, help="SST-2's dev.tsv, or SQuAD's JSON")
    parser.add_argument("--training-texts", help="as --data, in whose spelling the files' vocabulary has pieces")
    parser.add_argument("--examples", type=int, default=1000, help="the first so many; default: 1000")
    parser.add_argument("files", nargs="+", help="TFLite files")
    flags = parser.parse_args()

    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.kinds import SpanQA
    from bert_tf.kinds.vectors.spec import SentenceVectors

    pipeline = Pipeline(flags.run)
    examples = _read(Path(flags.data), flags.examples)
    texts, pairs = examples if isinstance(examples, tuple) else (examples, None)
    ours = pipeline(texts) if pairs is None else pipeline(texts, pairs)
    sent: Sequence[Any] = texts if pairs is None else list(zip(texts, pairs, strict=True))
    task = "answer" if isinstance(pipeline.kind, SpanQA) else "classify"
    task = "embed" if isinstance(pipeline.kind, SentenceVectors) else task
    if flags.library == "mediapipe":
        _compare_tokens(flags.python, pipeline, texts, flags.training_texts)
    for file in flags.files:
        theirs = _ask(flags.python, flags.library, task, file, sent)
        print(f"{file}: {_compare(task, ours, theirs)}")


def _read(path: Path, count: int) -> Any:
    if path.suffix != ".json":
        lines = path.read_text(encoding="utf-8").split("\n")[1:]
        return [line.split("\t")[0] for line in lines if line][:count]
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    rows = [
        (question["question"].strip(), paragraph["context"])
        for article in articles
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ][:count]
    return [question for question, _ in rows], [context for _, context in rows]


def _ask(python: str, library: str, task: str, file: str, texts: Sequence[Any]) -> list[Any]:
    command = [python, str(SIDE), library, task, file]
    done = subprocess.run(command, input=json.dumps(texts), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout[done.stdout.index("[") :])


def _compare(task: str, ours: Sequence[Any], theirs: Sequence[Any]) -> str:
    if task == "embed":
        vectors = np.array([answer["vector"] for answer in ours]), np.array(theirs)
        one, other = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in vectors)
        cosines = np.sum(one * other, axis=1)
        close = (cosines > 0.999).mean()
        return f"cosine at least {cosines.min():.6f}, mean {cosines.mean():.6f}, over 0.999 for {close:.2%}"
    if task == "answer":
        same = np.mean([answer["answer"] == their for answer, their in zip(ours, theirs, strict=True)])
        return f"{len(ours)} questions, {same:.2%} of the answers the same"
    labels = [max(scores, key=lambda name, of=scores: of[name]) for scores in theirs]
    same = [answer["label"] == label for answer, label in zip(ours, labels, strict=True)]
    gaps = [
        max(abs(answer["probabilities"][name] - score) for name, score in scores.items())
        for answer, scores in zip(ours, theirs, strict=True)
    ]
    counts = f"{sum(same)} of {len(same)} labels the same ({np.mean(same):.2%})"
    return f"{counts}, probabilities differ by {max(gaps):.1e} at most, {np.mean(gaps):.1e} on average"


def _compare_tokens(python: str, pipeline: Any, texts: Sequence[str], training_texts: str | None) -> None:
    from bert_tf.exporting.tflite.text.words import words_for_others

    length = pipeline.sequence_length
    rows = pipeline.tokenizer(list(texts), max_length=length, padding="max_length")["token_ids"].numpy()
    words, numbers = words_for_others(pipeline.tokenizer, _read(Path(training_texts), 10**9) if training_texts else ())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokens.tflite"
        path.write_bytes(_echo(words, length))
        found = numbers[np.array(_ask(python, "mediapipe", "embed", str(path), texts)).astype(np.int64)]
    other = np.flatnonzero((found != rows).any(axis=1))
    print(f"{len(other)} of {len(texts)} texts have other tokens than ours")
    for i in other[:SHOWN]:
        sides = [" ".join(words[number] for number in row if number) for row in (rows[i], found[i])]
        print(f"  {texts[i]!r}\n    ours   {sides[0]}\n    theirs {sides[1]}")


def _echo(words: Sequence[str], length: int) -> bytes:
    """A model of sentence vectors whose vector is the tokens that it was given."""
    import tensorflow as tf

    from bert_tf.exporting.tflite.convert import convert, frozen
    from bert_tf.exporting.tflite.file import finish
    from bert_tf.exporting.tflite.graph import INPUTS
    from bert_tf.exporting.tflite.metadata import files, metadata
    from bert_tf.kinds.serving import TensorNote

    spec = [tf.TensorSpec([1, length], tf.int32, name=note.name) for note in INPUTS]
    echo = tf.function(
        lambda ids, mask, segment_ids: {"embedding": tf.cast(ids + 0 * (mask + segment_ids), tf.float32)},
        input_signature=spec,
    )
    outputs = (TensorNote(name="embedding", description="The tokens' numbers."),)
    described = metadata(name="Tokens", description="", inputs=INPUTS, outputs=outputs, has_tokenizer=True)
    return finish(
        convert(frozen(echo), "float32"),
        [note.name for note in INPUTS],
        ["embedding"],
        description="",
        metadata=described,
        contents=files(vocabulary=words, labels=None),
    )


if __name__ == "__main__":
    main()
