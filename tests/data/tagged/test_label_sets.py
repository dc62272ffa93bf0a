"""What labels say, in the ways that models and files have them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from bert_tf.data.tagged.label_sets import of_types, read_labels


@pytest.mark.parametrize(
    ("labels", "scheme", "types", "read"),
    [
        ("O B-PER I-PER B-LOC I-LOC", "iob", "PER LOC", "O B0 I0 B1 I1"),
        ("I-LOC O B-PER I-PER B-LOC", "iob", "LOC PER", "I0 O B1 I1 B0"),
        ("O B-creative-work I-creative-work", "iob", "creative-work", "O B0 I0"),
        ("o b-per i-per", "iob", "per", "O B0 I0"),
        ("O B_PER I_PER", "iob", "PER", "O B0 I0"),
        ("O PER-B PER-I", "iob", "PER", "O B0 I0"),
        ("B-NP I-NP B-VP", "iob", "NP VP", "B0 I0 B1"),
        ("O I-PER I-LOC", "io", "PER LOC", "O I0 I1"),
        ("O PER LOC", "io", "PER LOC", "O I0 I1"),
        ("O B-PER B-LOC", "iob", "PER LOC", "O B0 B1"),
        ("O B-PER I-PER MISC", "iob", "PER MISC", "O B0 I0 I1"),
        ("O B-A I-A E-A S-A", "bioes", "A", "O B0 I0 E0 S0"),
        ("O B-A I-A L-A U-A", "bioes", "A", "O B0 I0 E0 S0"),
        ("B-A M-A E-A S-A O", "bioes", "A", "B0 I0 E0 S0 O"),
        ("B I O", "iob", "entity", "B0 I0 O"),
        ("B M E S", "bioes", "entity", "B0 I0 E0 S0"),
        ("B I E S O", "bioes", "entity", "B0 I0 E0 S0 O"),
        ("O B-A I-A X [CLS] [SEP] [PAD]", "iob", "A", "O B0 I0 O O O O"),
        ("NOUN VERB X O-", "words", "NOUN VERB X O-", "S0 S1 S2 S3"),
        ("LABEL_0 LABEL_1", "words", "LABEL_0 LABEL_1", "S0 S1"),
        ("0 , . ?", "words", "0 , . ?", "S0 S1 S2 S3"),
        ("NN B-x", "words", "NN B-x", "S0 S1"),
        ("O", "words", "O", "S0"),
    ],
)
def test_labels_say_what_they_are(labels, scheme, types, read):
    found = read_labels(labels.split())
    assert (found.scheme, found.types) == (scheme, tuple(types.split()))
    both = zip(found.letters, found.type_of, strict=True)
    assert [letter if kind < 0 else f"{letter}{kind}" for letter, kind in both] == read.split()
    assert all(label in found.description for label in found.unused)


def test_a_scheme_that_is_given_wins():
    words = read_labels(("O", "B-A", "I-A"), "words")
    assert (words.is_entities, words.types) == (False, ("O", "B-A", "I-A"))
    entities = read_labels(("PER", "LOC"), "io")
    assert (entities.is_entities, entities.letters) == (True, ("I", "I"))


def test_the_labels_of_types_read_as_themselves():
    plain = of_types(("PER", "creative-work"))
    assert plain == read_labels(plain.labels)
    assert (plain.labels, plain.outside) == (("O", "B-PER", "I-PER", "B-creative-work", "I-creative-work"), 0)


@pytest.mark.parametrize(
    "labels", ["O B-a I-a B-b I-b", "O I-a I-b", "O B-a I-a E-a S-a B-b I-b E-b S-b", "I-b S-a O B-a"]
)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_entities_begin_where_seqeval_begins_them(labels, data):
    names = labels.split()
    tags = data.draw(st.lists(st.sampled_from(range(len(names))), max_size=12))
    begins = read_labels(names).begins(np.array(tags, int))
    assert np.flatnonzero(begins).tolist() == [start for _, start, _ in get_entities([names[tag] for tag in tags])]


def test_what_continues_a_word():
    labels = read_labels(("O", "B-a", "I-a", "E-a", "S-a", "B-b"))
    assert [labels.continuation(i) for i in range(6)] == [0, 2, 2, None, None, None]
    assert [read_labels(("NOUN", "VERB")).continuation(i) for i in range(2)] == [0, 1]
