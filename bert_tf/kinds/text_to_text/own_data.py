"""Text to text of somebody's own pairs: which column is read, which is written, and how long they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.config import OwnDataConfig
from bert_tf.data import ParallelFolder, Source
from bert_tf.data.files import DataFile, text_lines
from bert_tf.data.splits.names import TRAIN, VALIDATION
from bert_tf.data.splits.parallel import parallel_files
from bert_tf.errors import UserError
from bert_tf.kinds.base import Kind
from bert_tf.kinds.own_data import Given, Inferred, OwnKind
from bert_tf.kinds.own_data.base import table_source
from bert_tf.kinds.own_data.pairs import ROUGE, pair_of, settings_of
from bert_tf.kinds.text_to_text.spec import SPECIAL, TextToText

READ = ("dialogue", "document", "article", "source", "input", "text", "question", "original", "src", "body", "content")
WRITTEN = (
    "summary",
    "target",
    "output",
    "highlights",
    "translation",
    "answer",
    "reference",
    "tgt",
    "title",
    "headline",
)
PARALLEL = "parallel"
MUCH_SHORTER = 0.6
"""Up to this share of the length of what is read, what is written is taken for a summary."""
KEPT_WHOLE = 0.99
PIECES_A_WORD = 1.5  # about, of English and its like
LETTERS_A_PIECE = 4  # where words are longer than that, or not parted
STEP, LEAST_WRITTEN, MOST_WRITTEN, MOST_READ = 8, 16, 128, 512


def whole(own: OwnDataConfig, given: Given) -> Inferred | None:
    """Of a folder with a file for each of two columns, `train.de` and `train.en`; None of anything else."""
    if given.place is None or not given.place.is_dir() or not own.text or not own.target:
        return None
    files = parallel_files(given.place, (own.text[0], own.target))
    if TRAIN not in files:
        return None
    if isinstance(own.validation, str):
        raise UserError(f"--validation={own.validation}: expected a share such as 0.1, or two files in the folder")
    texts = {column: _lines(path, given) for column, path in files[TRAIN].items()}
    found = _inferred(own, own.text[0], own.target, texts[own.text[0]], texts[own.target])
    validation = None if VALIDATION in files else own.validation or 0.1
    where = _names(files.get(VALIDATION, {})) or f"about {100 * float(validation or 0):g} % of the lines"
    layout = {"layout": PARALLEL, "validation": validation}
    return Inferred(
        settings={**found.settings, **layout},
        lines=[f"{given.place}: lines of {_names(files[TRAIN])}", *found.lines, f"validation: {where}"],
        sequence_length=found.sequence_length,
    )


def infer(own: OwnDataConfig, given: Given) -> Inferred:
    """Raises: UserError for columns that are not there or cannot be told."""
    pair = pair_of(own, given, read=READ, written=WRITTEN)
    cells = (pair.columns[name].cells for name in (pair.read, pair.written))
    return _inferred(own, pair.read, pair.written, *cells)


def source(own: OwnDataConfig, rows: Source | None) -> Source:
    """All that one text is to become stays on one side."""
    assert own.text
    if own.layout == PARALLEL:
        assert own.target
        rows = ParallelFolder(columns=(own.text[0], own.target))
    return table_source(own, rows, same=own.group or own.text)


def make(own: OwnDataConfig, rows: Source, sequence_length: int) -> Kind:
    """The task; of its length a part is for what is written."""
    assert own.text
    assert own.target
    assert own.metrics
    return TextToText(
        source=rows,
        text=own.text[0],
        target=own.target,
        metrics=own.metrics,
        sequence_length=sequence_length,
        target_length=own.target_length or sequence_length // 2,
    )


OWN_DATA = OwnKind(
    keys=("text", "target", "target_length", "layout", "group", "metrics"),
    example="--text=dialogue --target=summary",
    infer=infer,
    whole=whole,
    source=source,
    make=make,
)


def _lines(path: Path, given: Given) -> list[str]:
    return [line.rstrip("\r\n") for line in text_lines(DataFile(path, given.encoding))]


def _names(files: Mapping[str, Path]) -> str:
    return " and ".join(path.name for path in files.values())


def _inferred(own: OwnDataConfig, read: str, written: str, sources: Sequence[Any], targets: Sequence[Any]) -> Inferred:
    lengths = [_tokens(cells) for cells in (sources, targets)]
    most = [_up(np.quantile(found, KEPT_WHOLE) + SPECIAL) if len(found) else STEP for found in lengths]
    room = own.target_length or int(min(max(most[1], LEAST_WRITTEN), MOST_WRITTEN))
    length = int(min(max(most[0], LEAST_WRITTEN) + room, MOST_READ))
    is_summary = (
        float(np.median(lengths[1])) < MUCH_SHORTER * float(np.median(lengths[0])) if all(map(len, lengths)) else False
    )
    settings = settings_of(own, read, written, ROUGE if is_summary else ("chrf",))
    metrics = settings["metrics"]
    cut = [int(np.sum(found > room_ - SPECIAL)) for found, room_ in zip(lengths, (length - room, room), strict=True)]
    how = "much shorter, so scored as a summary" if is_summary else "scored letter by letter, as no language is known"
    return Inferred(
        settings={**settings, "target_length": room},
        lines=[
            f"read: {read!r}; written: {written!r}, {how}: {', '.join(metrics)} (--metrics=bleu with "
            "--set data.language=de, say)",
            f"lengths: {length} tokens, {room} of them for what is written (--target-length); by their words about "
            f"{cut[0]:,} of {len(lengths[0]):,} texts and {cut[1]:,} targets are longer and are cut",
        ],
        warnings=["a model that writes learns from thousands of pairs: with fewer it mostly writes one and the same"]
        if len(lengths[0]) < 1000
        else [],
        sequence_length=length,
    )


def _tokens(cells: Sequence[Any]) -> np.ndarray:
    """About how many tokens each text has, by its words and letters."""
    texts = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    return np.array([max(PIECES_A_WORD * len(text.split()), len(text) / LETTERS_A_PIECE) for text in texts])


def _up(length: float) -> int:
    return int(-(-length // STEP) * STEP)
