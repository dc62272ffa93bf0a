"""What keeping keys and values saves: python benchmarks/generation.py [--tokens=60] [--examples=8] [--beams=1]

The same model of MiniLM's size, with random weights, writes the same texts with and without them, turn by turn in one
process. Without, each new token runs the whole row again, in the same loop. Prints a table, and whether the texts and
scores are the same.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from bert_tf.layers import take_positions
from bert_tf.models import BertConfig, BertSeq2Seq, Generation
from bert_tf.models.generation.beam_search import beam_search
from bert_tf.models.generation.decoding import decode

END = 102


def whole_rows(model: BertSeq2Seq, inputs: dict[str, tf.Tensor], settings: Generation) -> dict[str, tf.Tensor]:
    """As `BertSeq2Seq.generate`, but every step works the rows out from their first token on."""
    beams, length, size = settings.beams, settings.max_length, tf.shape(inputs["token_ids"])[1]
    source = {name: tf.repeat(value, beams, axis=0) for name, value in inputs.items()}
    lengths = tf.reduce_sum(source["padding_mask"], axis=1)
    rows = tf.shape(lengths)[0]
    places = tf.range(length)

    def logits_of(written, place):
        """Of the token after `written` [B * K, L], of which the first `place` are there."""
        real = tf.cast(places[None] < place, tf.int32) * tf.ones([rows, 1], tf.int32)
        batch = {
            "token_ids": tf.concat([source["token_ids"], written], axis=1),
            "segment_ids": tf.concat([tf.zeros([rows, size], tf.int32), tf.ones_like(written)], axis=1),
            "padding_mask": tf.concat([source["padding_mask"], real], axis=1),
            "position_ids": tf.concat(
                [tf.zeros([rows, 1], tf.int32) + tf.range(size), lengths[:, None] + places], axis=1
            ),
        }
        x = model.backbone(batch, sequence_to_sequence=True)["sequence_output"]
        last = tf.where(place == 0, lengths - 1, size + place - 1)
        return model.masked_lm(take_positions(x, last[:, None])[:, 0], model.backbone.embeddings.token.table)

    def step(tokens, place, written):
        written = tf.where(places == place, tf.reshape(tokens, [-1, 1]), written)
        return logits_of(written, place + 1), written

    start = tf.zeros([rows, length], tf.int32)
    first = logits_of(start, tf.constant(0))[::beams]
    search = beam_search if beams > 1 else decode
    return search(step, first, start, settings, end_id=END)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokens", type=int, default=60)
    parser.add_argument("--source", type=int, default=64, help="tokens of a source")
    parser.add_argument("--examples", type=int, default=8)
    parser.add_argument("--beams", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    flags = parser.parse_args()
    keras.utils.set_random_seed(1)
    config = BertConfig(vocabulary_size=30522, hidden_dim=384, num_layers=6, num_heads=12, intermediate_dim=1536)
    model = BertSeq2Seq(config)
    ids = np.random.default_rng(0).integers(1000, 30000, size=(flags.examples, flags.source))
    inputs = {"token_ids": tf.constant(ids, tf.int32), "padding_mask": tf.ones(ids.shape, tf.int32)}
    # No text ends before its last token, so both do the same work.
    settings = Generation(max_length=flags.tokens, min_length=flags.tokens, beams=flags.beams)
    ways = {
        "kept keys and values": tf.function(lambda: model.generate(inputs, settings, end_id=END)),
        "whole rows": tf.function(lambda: whole_rows(model, inputs, settings)),
    }
    found = {name: write() for name, write in ways.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(flags.rounds):
        for name, write in ways.items():
            began = time.perf_counter()
            write()["score"].numpy()
            seconds[name].append(time.perf_counter() - began)
    first, second = found.values()
    same = np.array_equal(first["token_ids"], second["token_ids"])
    apart = float(np.abs(first["score"].numpy() - second["score"].numpy()).max())
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    print(f"{flags.examples} texts of {flags.tokens} tokens, sources of {flags.source}, {flags.beams} beams")
    for name, median in medians.items():
        print(f"{name:22} {median:7.3f} s (least {min(seconds[name]):.3f})")
    ratios = np.array(seconds["whole rows"]) / np.array(seconds["kept keys and values"])
    print(f"times faster: {np.median(ratios):.1f} (from {ratios.min():.1f} to {ratios.max():.1f})")
    print(f"same texts: {same}; scores apart by {apart:.1e} at most")


if __name__ == "__main__":
    main()
