"""How many tokens examples are to have: from the lengths of the training texts, before TensorFlow is imported."""

from __future__ import annotations

import contextlib
import logging
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bert_tf import weights
from bert_tf.config import RunConfig
from bert_tf.kinds.building import reading_of, words_of
from bert_tf.kinds.long_texts.notes import prefers_windows
from bert_tf.models.backbones.sizes import is_size, size_config

LOOKED_AT = 5000  # texts
KEPT_WHOLE = 0.99  # the share of the training texts that are to be kept whole
STEP = 8
SHORTEST = 16
POSITIONS = 512  # where nothing says how many
PIECES = re.compile(r"[^\W_]+|\S", re.UNICODE)
CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
LONGEST_PIECE = 32


def positions_of(config: RunConfig) -> int:
    """How many tokens the run's backbone has positions for."""
    if config.model.max_positions is not None:
        return config.model.max_positions
    if is_size(config.backbone):
        return size_config(config.backbone).max_positions
    with _unsaid():
        return int(weights.load(config.backbone, ignore=config.model.ignore).config.get("max_positions", POSITIONS))


def token_counter(config: RunConfig) -> Callable[[str], int]:
    """A function that counts the tokens of a text by the run's vocabulary.

    It splits as BERT does but for rare characters, of which only the lengths are looked at here; the ids that are
    trained on are those of `bert_tf.text`.
    """
    from bert_tf.text.files import read

    with _unsaid():
        found, _ = read(words_of(config.backbone, config.vocabulary), **reading_of(config))
    vocabulary, lowercase = frozenset(found["vocabulary"]), bool(found["lowercase"])
    known: dict[str, int] = {}

    def pieces(word: str) -> int:
        at, count = 0, 0
        while at < len(word):
            end = min(len(word), at + LONGEST_PIECE)
            while end > at and (f"##{word[at:end]}" if at else word[at:end]) not in vocabulary:
                end -= 1
            if end == at:
                return 1  # the unknown token
            at, count = end, count + 1
        return count

    def count(text: str) -> int:
        text = CJK.sub(r" \g<0> ", text)
        if lowercase and not text.isascii():
            text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
        total = 0
        for word in PIECES.findall(text.lower() if lowercase else text):
            if word not in known:
                known[word] = pieces(word)
            total += known[word]
        return total

    return count


def lengths_of(texts: Sequence[Sequence[str]], config: RunConfig) -> np.ndarray:
    """int [E], how many tokens each example has, special ones included.

    Args:
        texts: of each example the texts that it is read as.
    """
    from bert_tf.text.files.choice import WORDPIECE, choose

    words, reading = words_of(config.backbone, config.vocabulary), reading_of(config)
    with _unsaid():
        row = choose(words, reading["ignore"])
        if row is WORDPIECE:
            count = token_counter(config)
            return np.array([sum(map(count, parts)) + len(parts) + 1 for parts in texts])
        tokenizer = row.tokenizer.from_pretrained(words, **reading)  # It counts by itself, with TensorFlow.
    parts = [len(of_example) for of_example in texts]
    counts = tokenizer.tokenize([text for of_example in texts for text in of_example]).row_lengths().numpy()
    sums = np.append(0, np.cumsum(counts))[np.append(0, np.cumsum(parts))]
    special = [tokenizer.pair_separators if number == 2 else 1 for number in parts]
    return np.diff(sums) + np.array(parts) + np.array(special)


def chosen_length(
    texts: Sequence[Sequence[str]],
    config: RunConfig,
    *,
    shortest: int | None = None,
    longest: int | None = None,
    longer: str = "are cut",
    takes_windows: bool = False,
) -> tuple[int, str, bool]:
    """Most tokens of an example, what is to be said of it, and whether longer ones are better read in windows.

    There are no more tokens than the backbone has positions.

    Args:
        texts: of each training example the texts that it is read as, joined by special tokens.
        shortest, longest: least and most tokens that are chosen, where the positions allow them.
        longer: what becomes of texts that are longer, if it is not windows.
        takes_windows: whether windows are possible.
    """
    positions = positions_of(config)
    limit = min(longest or positions, positions)
    some = texts[:: max(1, len(texts) // LOOKED_AT)]
    lengths = lengths_of(some, config)
    wanted = int(np.quantile(lengths, KEPT_WHOLE, method="higher"))
    length = min(max(shortest or SHORTEST, -(-wanted // STEP) * STEP), limit)
    cut = float((lengths > length).mean())
    most = f"the {positions} positions of {config.backbone} allow no more" if positions == length < wanted else ""
    said = f"sequence length: {length} tokens (half of the training texts have {int(np.median(lengths))} or fewer"
    said += f", the longest {lengths.max()}{'' if len(some) == len(texts) else f' of {len(some):,} looked at'})"
    windows = takes_windows and prefers_windows(lengths, length)
    if windows:
        longer = "are read in windows that overlap (data.long_texts=cut cuts them)"
    if cut:
        about = round(cut * len(texts))
        said += f"; {'about ' * (len(some) < len(texts))}{about:,} of {len(texts):,} are longer and {longer}"
    return length, f"{said}{f'; {most}' if most else ''}", windows


@contextlib.contextmanager
def _unsaid() -> Iterator[None]:
    """What readers say of files is said when the model is built."""
    loggers = [logging.getLogger(name) for name in ("bert_tf.text", "bert_tf.weights")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
