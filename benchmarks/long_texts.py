"""What windows of long texts are worth, and how their answers are best made one: reviews made of SST-2's sentences.

    python -m benchmarks.long_texts --data=SST-2 --seeds 1 2 3

A text is eight sentences, of which five or more are of its label, in any order. MiniLM is trained on texts that are cut
and on all of their windows, and each of these models answers the texts cut, and in windows whose logits or whose
probabilities are averaged. `--pure=8`: all eight sentences are of the label.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

SENTENCES, LEAST_WORDS = 8, 8


def made(path: Path, count: int, pure: int, seed: int) -> list[dict[str, str]]:
    """So many texts of the sentences of a file, half of them of each label."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    of_label = {
        label: [
            row["sentence"].strip()
            for row in rows
            if row["label"] == label and len(row["sentence"].split()) >= LEAST_WORDS
        ]
        for label in "01"
    }
    rng = np.random.default_rng(seed)
    found = []
    for i in range(count):
        label = "01"[i % 2]
        own = int(rng.integers(pure, SENTENCES + 1))
        labels = rng.permutation([label] * own + ["10"[i % 2]] * (SENTENCES - own))
        found.append({"text": " ".join(str(rng.choice(of_label[one])) for one in labels), "label": label})
    return found


def window_logits(run: Any, kind: Any, texts: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits [W, 2] of all windows, the text of each [W] and its new tokens [W]."""
    from bert_tf.kinds import Examples
    from bert_tf.kinds.outputs import Outputs

    pipeline = run.pipeline()
    features = kind.features(pipeline.tokenizer, Examples(texts=texts))
    return np.stack(Outputs(pipeline.model, features, batch_examples=64)()), features.example, features.new_tokens


def merged(logits: np.ndarray, example: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
    """What each way of making one answer guesses, [E]."""
    from scipy.special import softmax

    def mean(values: np.ndarray) -> np.ndarray:
        sums = np.zeros((example[-1] + 1, values.shape[1]))
        np.add.at(sums, example, values * weight[:, None])
        return sums.argmax(axis=1)

    first = np.searchsorted(example, np.arange(example[-1] + 1))
    return {
        "the first window": logits[first].argmax(axis=1),
        "mean of logits": mean(logits),
        "mean of probabilities": mean(softmax(logits, axis=-1)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with SST-2's train.tsv and dev.tsv")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--train", type=int, default=600, help="texts")
    parser.add_argument("--validation", type=int, default=600, help="texts")
    parser.add_argument("--length", type=int, default=48, help="tokens of a row")
    parser.add_argument("--pure", type=int, default=5, help="fewest sentences of a text that are of its label")
    flags = parser.parse_args()

    import bert_tf
    from bert_tf.data import InMemory
    from bert_tf.kinds import Classification

    for seed in flags.seeds:
        rows = {
            "train": made(flags.data / "train.tsv", flags.train, flags.pure, seed),
            "validation": made(flags.data / "dev.tsv", flags.validation, flags.pure, 100 + seed),
        }
        kinds = {
            name: Classification(
                source=InMemory(rows), text=("text",), label="label", classes=("0", "1"),
                sequence_length=flags.length, long_texts=name,
            )
            for name in ("cut", "windows")
        }  # fmt: skip
        texts = [row["text"] for row in rows["validation"]]
        labels = np.array([int(row["label"]) for row in rows["validation"]])
        for name, kind in kinds.items():
            settings = {"seed": seed, "training.epochs": 3 if name == "cut" else 1, "training.learning_rate": 1e-4,
                        "training.precision": "auto"}  # fmt: skip
            with tempfile.TemporaryDirectory() as folder:
                run = bert_tf.train(kind, run=Path(folder) / name, settings=settings)
                logits = window_logits(run, kinds["windows"], texts)
            scores = {way: 100 * float(np.mean(guess == labels)) for way, guess in merged(*logits).items()}
            listed = ", ".join(f"{way} {score:.1f}" for way, score in scores.items())
            print(
                f"seed {seed}, trained on {'first windows' if name == 'cut' else 'all windows'}: {listed}", flush=True
            )


if __name__ == "__main__":
    main()
