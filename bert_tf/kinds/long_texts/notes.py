"""What is said of texts that are longer than a row: in answers, in a run's result, and as a warning. No TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bert_tf.data.batching.cut import Cut

TEXT_TOKENS, CUT_TOKENS, TEXT_WINDOWS = "text_tokens", "cut_tokens", "text_windows"
LENGTHS = (TEXT_TOKENS, CUT_TOKENS, TEXT_WINDOWS)
"""Parts of answers, int32 [B]: tokens of all texts of an input together, special ones included; how many of them were
not read; and, where long texts are read in windows, how many windows there were."""
MANY_LONG = 0.03


def answer_lengths(inputs: Mapping[str, Any], cut: Any) -> dict[str, Any]:
    """The parts of an answer that say what was cut off its texts.

    Args:
        inputs: of the model, [B, T].
        cut: int32 [B], as the tokenizer counts it.
    """
    import tensorflow as tf

    return {TEXT_TOKENS: tf.reduce_sum(inputs["padding_mask"], axis=1) + cut, CUT_TOKENS: cut}


def notes_of(answer: Mapping[str, Any]) -> dict[str, int]:
    """What a printed answer says of its texts' lengths: `windows` where there were several, and `cut_tokens` where some
    were not read.

    >>> notes_of({"text_tokens": 40, "cut_tokens": 8, "text_windows": 1}), notes_of({"label": b"good"})
    ({'cut_tokens': 8}, {})
    """
    windows, cut = int(answer.get(TEXT_WINDOWS, 1)), int(answer.get(CUT_TOKENS, 0))
    return ({"windows": windows} if windows > 1 else {}) | ({CUT_TOKENS: cut} if cut else {})


def cut_of(answers: Sequence[Mapping[str, Any]]) -> Cut | None:
    """What was cut off the texts of answers; None where they do not say."""
    if not answers or CUT_TOKENS not in answers[0]:
        return None
    tokens, lost = (np.array([int(answer[name]) for answer in answers]) for name in (TEXT_TOKENS, CUT_TOKENS))
    return Cut(tokens, lost)


def said(cuts: Mapping[str, Cut], max_length: int, remedy: str) -> str | None:
    """One line on what is cut in the splits of a data set; None where nothing is.

    Args:
        cuts: by split.
        max_length: most tokens of a row.
        remedy: a sentence on what reads more of them.

    >>> said({"train": Cut(np.array([4, 9]), np.array([0, 2]))}, 7, "More is ...")
    'train: 1 of 2 texts (50.0 %) too long for 7 tokens, 15.4 % of all tokens cut; the longest text has 9. More is ...'
    """
    parts = [
        f"{split}: {cut.texts:,} of {len(cut):,} texts ({100 * cut.share_of_texts:.1f} %) too long for {max_length} "
        f"tokens, {100 * cut.share_of_tokens:.1f} % of all tokens cut"
        for split, cut in cuts.items()
        if cut.texts
    ]
    longest = max((cut.longest for cut in cuts.values()), default=0)
    return f"{'; '.join(parts)}; the longest text has {longest:,}. {remedy}" if parts else None


def prefers_windows(text_tokens: Sequence[int] | np.ndarray, sequence_length: int) -> bool:
    """Whether so many texts are longer than a row that windows of them are worth their time: more than 3 %.

    Args:
        text_tokens: tokens of each text, or about so many.

    >>> prefers_windows([20] * 95 + [90] * 5, 64), prefers_windows([20] * 98 + [90] * 2, 64)
    (True, False)
    """
    lengths = np.asarray(text_tokens)
    return bool(len(lengths)) and float(np.mean(lengths > sequence_length)) > MANY_LONG
