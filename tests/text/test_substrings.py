from __future__ import annotations

import tensorflow as tf

from bert_tf.text.substrings import substrings

TEXTS = ["naïve 有趣 𝔘", "", b"a\xffb\x00c"]


def test_places_are_characters():
    owner, starts, ends = [0, 0, 2, 0, 2, 1], [0, 6, 1, 8, 3, 0], [5, 8, 3, 10, 5, 0]
    found = substrings(tf.constant(TEXTS), *(tf.constant(values, tf.int32) for values in (owner, starts, ends)))
    assert [text.decode() for text in found.numpy()] == ["naïve", "有趣", "\ufffdb", " 𝔘", "\x00c", ""]


def test_no_places():
    nothing = tf.zeros([0], tf.int32)
    assert substrings(tf.constant(TEXTS), nothing, nothing, nothing).shape == [0]
    assert substrings(tf.constant([], tf.string), nothing, nothing, nothing).shape == [0]


def test_as_tensorflows_own_with_each_text_copied():
    text = "Ann was in Paris 有趣 " * 50
    starts = tf.range(0, 900, 7)
    ends = starts + 5
    owner = tf.zeros_like(starts)
    expected = tf.strings.substr(tf.gather(tf.constant([text]), owner), starts, ends - starts, unit="UTF8_CHAR")
    tf.debugging.assert_equal(substrings(tf.constant([text]), owner, starts, ends), expected)


def test_a_megabyte_with_many_places_stays_small():
    """Copying the text for each place would take 100 GB."""
    starts = tf.range(0, 1_000_000, 10)
    found = substrings(tf.constant(["a" * 1_000_000]), tf.zeros_like(starts), starts, starts + 9)
    assert found.shape == [100_000]
    assert found[-1].numpy() == b"a" * 9
