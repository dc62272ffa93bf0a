"""From pieces to entities in the graph, on texts whose right answer can be read off."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from seqeval.metrics.sequence_labeling import get_entities

from bert_tf.data.tagged.label_sets import LabelSet, of_types, read_labels
from bert_tf.kinds.tagging.entities import Pieces, entities, pieces_of, tokenize_windows, words_of
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY

TYPES = ("person", "place")
TOKENIZER = BertTokenizer([*VOCABULARY, *'"()-—“”’', "##て", "##ก"])


TEXTS = tf.TensorSpec([None], tf.string)
# Traced once for all texts, as a saved model is.
PIECES = tf.function(
    lambda texts: pieces_of(tokenize_windows(TOKENIZER, texts, max_length=64, stride=8)), input_signature=[TEXTS]
)
PLAIN = of_types(TYPES)


@functools.cache
def graph(labels: LabelSet) -> Callable[..., dict[str, Any]]:
    def run(texts: Any, pieces: Pieces, probabilities: Any) -> dict[str, Any]:
        return entities(pieces, words_of(texts, pieces), probabilities, labels)

    places = Pieces(*[tf.TensorSpec([None], tf.int32)] * 3)
    return tf.function(run, input_signature=[TEXTS, places, tf.TensorSpec([None, len(labels.labels)], tf.float32)])


def run(texts: list[str], said: dict[str, int], labels: LabelSet = PLAIN) -> list[list[tuple[str, str]]]:
    """Entities of texts, for a model that gives each character of `said` its label, and every other piece the first.

    Returns: for each text the type and the words of each entity.
    """
    pieces = PIECES(texts)
    firsts = [texts[e][s] for e, s in zip(pieces.example.numpy(), pieces.starts.numpy(), strict=True)]
    tags = np.array([said.get(character, labels.outside) for character in firsts], np.int32)
    probabilities = np.full((len(tags), len(labels.labels)), 0.05, np.float32)
    probabilities[np.arange(len(tags)), tags] = 0.8
    found = {name: x.numpy() for name, x in graph(labels)(texts, pieces, probabilities).items()}
    answers: list[list[tuple[str, str]]] = [[] for _ in texts]
    for example, kind, start, end in zip(*(found[name] for name in ("example", "type", "start", "end")), strict=True):
        answers[example].append((labels.types[kind], texts[example][start:end]))
    np.testing.assert_allclose(found["score"], 0.8, rtol=1e-6)
    return answers


O, BP, IP, BL, IL = range(5)  # noqa: E741


@pytest.mark.parametrize(
    ("text", "said", "expected"),
    [
        ("x y z", {"x": BP, "y": IP}, [("person", "x y")]),
        ("x y z", {"x": BP, "y": BP, "z": IL}, [("person", "x"), ("person", "y"), ("place", "z")]),
        ("x y z", {"y": IL, "z": IL}, [("place", "y z")]),  # I without a B begins one, as in conlleval
        ("x y z", {"x": IL, "z": IL}, [("place", "x"), ("place", "z")]),
        # The first piece of a word decides, whatever the model says of the others.
        ("xy zb", {"x": BP, "y": BL, "b": BL}, [("person", "xy")]),
        ("a-x b", {"x": BP}, []),
        ("x-a b", {"x": BP}, [("person", "x-a")]),
        # Closing punctuation goes where the model says that it is outside.
        ("x y, z.", {"x": BP, "y": IP, "z": BL}, [("person", "x y"), ("place", "z")]),
        ("x!", {"x": BP}, [("person", "x")]),
        ("x!", {"x": BP, "!": IP}, [("person", "x!")]),
        ("x.y. b", {"x": BL, ".": O}, [("place", "x.y")]),
        ("x.y. b", {"x": BL, ".": IL}, [("place", "x.y.")]),
        ("x.y. z", {"x": BL, "z": IL}, [("place", "x.y. z")]),  # inside an entity it breaks nothing
        ("x's b, y’s z", {"x": BP, "y": BL}, [("person", "x"), ("place", "y")]),
        (". x ,", {".": BP}, [("person", ".")]),
        # Opening marks are words of their own.
        ('"x y" (z)', {"x": BP, "y": IP, "z": BL}, [("person", "x y"), ("place", "z")]),
        ("(“x” b", {"x": BP}, [("person", "x")]),
        ('x"y b', {"x": BP, "y": BL}, [("person", 'x"y')]),  # but not within a word
        # So are dashes and Chinese characters.
        ("x—y b", {"x": BP, "y": BL}, [("person", "x"), ("place", "y")]),
        ("我爱x北京b", {"北": BL, "京": IL, "x": BP}, [("person", "x"), ("place", "北京")]),
        # And marks that stand right behind them, in front of other letters.
        ("我（x）b", {"x": BP, "b": BL}, [("person", "x"), ("place", "b")]),
        ("我，x。", {"x": BP}, [("person", "x")]),
        ("我,x.y", {"x": BP, "y": BL}, [("person", "x.y")]),
        ("北京。", {"北": BL, "京": IL, "。": IL}, [("place", "北京。")]),
        # In other scripts without spaces every piece is a word.
        ("xてyก b", {"x": BP, "て": IP, "y": BL, "ก": BP}, [("person", "xて"), ("place", "y"), ("person", "ก")]),
        # Any space is a space, and what is not seen takes no place.
        ("x\u00a0y\tz\nb", {"x": BP, "y": IP, "z": IP}, [("person", "x\u00a0y\tz")]),
        ("x\u200by z", {"x": BP, "y": BL}, [("person", "x\u200by")]),
        ("\u00e9x y", {"\u00e9": BP}, [("person", "\u00e9x")]),
        ("", {}, []),
        (" \u200b ", {}, []),
    ],
)
def test_entities_of_a_text(text, said, expected):
    # Nothing reaches over into another text, before or after it.
    assert run(["x", text, "", text, "z"], said)[1:4] == [expected, [], expected]


def test_no_text_at_all():
    texts = tf.constant([], tf.string)
    pieces = pieces_of(tokenize_windows(TOKENIZER, texts, max_length=8, stride=2))
    found = entities(pieces, words_of(texts, pieces), tf.zeros([0, 5]), PLAIN)
    assert {name: tuple(values.shape) for name, values in found.items()} == dict.fromkeys(found, (0,))


def test_the_score_is_the_mean_over_words():
    pieces = Pieces(*(tf.constant(x) for x in ([0, 0, 0], [0, 2, 4], [1, 3, 5])))
    probabilities = tf.constant([[0.1, 0.9, 0.0], [0.3, 0.0, 0.7], [0.6, 0.2, 0.2]])
    labels = read_labels(("O", "B-person", "I-person"))
    found = entities(pieces, words_of(tf.constant(["x y z"]), pieces), probabilities, labels)
    np.testing.assert_allclose(found["score"], [0.8])


SETS = (
    ("O", "B-a", "I-a", "B-b", "I-b"),
    ("I-b", "B-a", "O", "I-a", "B-b"),
    ("O", "I-a", "I-b"),
    ("O", "B-a", "B-b"),
    ("O", "B-a", "I-a", "B-b"),
    ("B-a", "I-a", "E-a", "S-a", "O", "S-b", "B-b"),
    ("O", "B_a", "L_a", "U_a", "I_a", "u_b"),
    ("a-B", "a-M", "a-E", "a-S", "O"),
    ("O", "a", "b"),
    ("B", "I", "O"),
    ("O", "B-a", "I-a", "[CLS]", "[SEP]", "X"),
    ("o", "b-a", "i-a"),
    ("NOUN", "VERB", "X"),
    ("LABEL_0", "LABEL_1", "LABEL_2"),
)


def spelled_out(label: str, labels: tuple[str, ...]) -> str:
    """A label as seqeval has it, written down by hand for the sets above."""
    plain = {"U": "S", "u": "S", "L": "E", "M": "I", "b": "B", "i": "I"}
    if labels in (("NOUN", "VERB", "X"), ("LABEL_0", "LABEL_1", "LABEL_2")):
        return f"S-{label}"
    if label in ("O", "o", "X", "[CLS]", "[SEP]"):
        return "O"
    if labels == ("O", "a", "b"):
        return f"I-{label}"
    if labels == ("B", "I", "O"):
        return f"{label}-entity"
    letter, name = (label[2:], label[0]) if labels[0] == "a-B" else (label[0], label[2:])
    return f"{plain.get(letter, letter)}-{name}"


@pytest.mark.parametrize("labels", SETS, ids=" ".join)
def test_any_labels_give_the_entities_that_seqeval_finds(labels):
    rng = np.random.default_rng(3)
    letters = "abcdefghijklmnopqrstuvwxyz"
    for _ in range(20):
        tags = rng.integers(0, len(labels), len(letters))
        found = run([" ".join(letters)], dict(zip(letters, tags, strict=True)), read_labels(labels))[0]
        expected = get_entities([spelled_out(labels[tag], labels) for tag in tags])
        assert found == [(name, " ".join(letters[start : end + 1])) for name, start, end in expected]


def test_where_each_word_has_a_label_closing_marks_are_words():
    labels = read_labels(("NOUN", "PUNCT", "PART"))
    said = {".": 1, ",": 1, "'": 2, "s": 2, "?": 1}
    assert run(["x's b, U.S.?"], said, labels)[0] == [
        *(
            ("NOUN", "x"),
            ("PART", "'s"),
            ("NOUN", "b"),
            ("PUNCT", ","),
            ("NOUN", "U.S"),
            ("PUNCT", "."),
            ("PUNCT", "?"),
        ),
    ]
    assert run([""], said, labels) == [[]]


def by_force(length: int, room: int, stride: int) -> list[list[tuple[int, int]]]:
    """For each piece the windows where the nearest cut is furthest, and its place in them."""
    starts = [0]
    while starts[-1] + room < length:
        starts.append(starts[-1] + room - stride)
    found = []
    for piece in range(length):
        context = {}
        for window, start in enumerate(starts):
            if start <= piece < start + room:
                left = np.inf if window == 0 else piece - start
                right = np.inf if window == len(starts) - 1 else start + room - 1 - piece
                context[window] = min(left, right)
        best = max(context.values())
        found.append([(window, piece - starts[window]) for window, value in context.items() if value == best])
    return found


@pytest.mark.parametrize(("room", "stride"), [(6, 2), (6, 3), (6, 5), (5, 0), (1, 0), (7, 1)])
def test_each_piece_counts_in_the_window_where_it_is_furthest_from_a_cut(room, stride):
    lengths = [0, 1, room, room + 1, 3 * room, 3 * room + 2]
    texts = [" ".join(["x"] * length) for length in lengths]
    rows = tokenize_windows(TOKENIZER, texts, max_length=room + 2, stride=stride)
    scored, example = rows["scored"].numpy(), rows["example"].numpy()
    assert not (scored & (rows["padding_mask"].numpy() == 0)).any()
    for e, length in enumerate(lengths):
        windows = np.argwhere(scored[example == e])
        allowed = by_force(length, room, stride)
        assert len(windows) == length
        for (window, column), choices in zip(windows, allowed, strict=True):
            assert (window, column - 1) in choices
    pieces = pieces_of(rows)
    assert pieces.example.numpy().tolist() == np.repeat(np.arange(len(lengths)), lengths).tolist()
    assert pieces.starts.numpy().tolist() == [2 * i for length in lengths for i in range(length)]
