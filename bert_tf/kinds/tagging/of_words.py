"""Words that are given one by one: a text is made of them as in training, and the answers are theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bert_tf.data.tagged.joining import join_words
from bert_tf.data.tagged.label_sets import OUTSIDE, LabelSet
from bert_tf.kinds.serving import OfWords
from bert_tf.kinds.tagging.features import first_pieces
from bert_tf.kinds.tagging.scoring import UNSEEN, plain_tags


def of_words(sentences: Sequence[Sequence[str]], labels: LabelSet, joiner: str | None) -> OfWords:
    """Texts of lists of words, and what turns an answer to a text into one for its words.

    That has `text`, `words`, `labels` (a label for each, in IOB2 where there are entities) and, where there are,
    `entities`: `text`, `label`, `score` (None where the model is unsure whether it is one), `start` and `end` in
    characters of the text, `start_word` and `end_word`, the place of its first word and that behind its last.

    Raises: ValueError for an empty word, or words that are no texts.
    """
    for i, words in enumerate(sentences):
        for j, word in enumerate(words):
            if not isinstance(word, str) or not word:
                raise ValueError(f"`texts[{i}][{j}]` must be a word. Received: {word!r:.80}")
    joined = join_words(sentences, joiner)
    numbers = {name.encode(): number for number, name in enumerate(labels.labels)}

    def as_json(i: int, answer: Mapping[str, Any]) -> dict[str, Any]:
        words, starts, text = sentences[i], np.asarray(joined.starts[i], np.int64), joined.texts[i]
        ends = starts + np.array([len(word) for word in words], np.int64)
        found = np.full(len(words), UNSEEN)
        if len(words):
            places, pieces = first_pieces(starts, ends, np.asarray(answer["piece_start"]))
            found[places] = [numbers[bytes(answer["piece_tag"][piece])] for piece in pieces]
        follows = [place > 0 and ends[place - 1] == start for place, start in enumerate(starts)]
        tags = plain_tags(labels, found, follows)
        if not labels.is_entities:
            plain = [OUTSIDE if tag == OUTSIDE else tag.partition("-")[2] for tag in tags]
            return {"text": text, "words": list(words), "labels": plain}
        entities = [
            {
                "text": text[starts[first] : ends[last]],
                "label": label,
                "score": _score(answer, label, int(starts[first]), int(ends[last])),
                "start": int(starts[first]),
                "end": int(ends[last]),
                "start_word": first,
                "end_word": last + 1,
            }
            for first, last, label in _entities(tags)
        ]
        return {"text": text, "words": list(words), "labels": tags, "entities": entities}

    return OfWords(joined.texts, as_json)


def _entities(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """The first and last word and the type of each entity of tags in IOB2."""
    found: list[tuple[int, int, str]] = []
    for i, tag in enumerate(tags):
        letter, _, label = tag.partition("-")
        if letter == "I" and found and found[-1][1] == i - 1 and found[-1][2] == label:
            found[-1] = (found[-1][0], i, label)
        elif letter in ("B", "I"):
            found.append((i, i, label))
    return found


def _score(answer: Mapping[str, Any], label: str, start: int, end: int) -> float | None:
    """That of the entity of this type which the graph found in the same characters, or in most of them."""
    best, score = 0, None
    columns = (answer[name] for name in ("label", "start", "end", "score"))
    for name, first, last, found in zip(*columns, strict=True):
        common = min(end, int(last)) - max(start, int(first))
        if bytes(name).decode("utf-8") == label and common > best:
            best, score = common, float(found)
    return score
