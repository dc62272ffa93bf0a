"""Vectors of somebody's own texts: what the columns are, and which loss that makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bert_tf.config import OwnDataConfig
from bert_tf.data import Beir, Source
from bert_tf.data.rows.cells import as_bool, as_number, plain
from bert_tf.data.splits.names import TRAIN, VALIDATION
from bert_tf.errors import UserError
from bert_tf.kinds.base import Kind
from bert_tf.kinds.own_data import Column, Given, Inferred, OwnKind, columns_of, not_there
from bert_tf.kinds.own_data.base import table_source
from bert_tf.kinds.own_data.columns import listed
from bert_tf.kinds.vectors.embedding import TRIPLET_METRIC, Embedding
from bert_tf.kinds.vectors.retrieval import Retrieval

SCORES = ("score", "label", "similarity", "labels", "rating", "relevance", "gold", "target", "is_duplicate")
GROUPS = (  # usual names of texts that go together, in their order
    ("anchor", "positive", "negative"),
    ("query", "positive", "negative"),
    ("question", "positive", "negative"),
    ("anchor", "positive"),
    ("query", "positive"),
    ("query", "document"),
    ("query", "passage"),
    ("query", "answer"),
    ("question", "answer"),
    ("sentence1", "sentence2"),
    ("sentence_a", "sentence_b"),
    ("text1", "text2"),
)
RANGES = ((0.0, 1.0), (0.0, 5.0), (1.0, 5.0), (0.0, 4.0), (0.0, 10.0), (0.0, 100.0), (-1.0, 1.0))
"""What people give scores in: the first that holds all of them and is used to both ends counts."""
BEIR = "beir"
SHARE = 0.1
SHORTEST, LONGEST = 64, 256  # tokens; what is searched later may be longer than what was trained on
RANKING = ("mrr", "ndcg_at_10", "recall_at_10")


def whole(own: OwnDataConfig, given: Given) -> Inferred | None:
    """Of a folder as BEIR's sets are; None of anything else. Raises: UserError for one that cannot be learned from."""
    place = given.place
    beir = Beir()
    if place is None or not place.is_dir() or beir.exact_path(place, "documents") is None:
        return None
    for split in ("queries", TRAIN):
        if beir.exact_path(place, split) is None:
            raise UserError(
                f"{place}: expected {beir.files['documents']}, {beir.files['queries']} and {beir.files[TRAIN]}, by "
                f"which a model learns. Received: a folder without {beir.files[split]}"
            )
    if isinstance(own.validation, str):
        raise UserError(f"--validation={own.validation}: expected a share such as 0.1, or {beir.files[VALIDATION]}")
    has_part = beir.exact_path(place, VALIDATION) is not None and own.validation is None
    share = None if has_part else own.validation or SHARE
    judged = f"those of {beir.files[VALIDATION]}" if has_part else f"about {100 * (share or 0):g} % of those judged"
    return Inferred(
        settings={"layout": BEIR, "validation": share, "metrics": own.metrics or Retrieval.metrics},
        lines=[
            f"{place}: documents, queries and what is relevant to what, as BEIR has them",
            "loss: each query finds its document among those of the batch (contrastive)",
            f"validation: the queries, {judged}; every document is searched",
        ],
        sequence_length=LONGEST,
    )


def infer(own: OwnDataConfig, given: Given) -> Inferred:
    """Raises: UserError for columns that are not there or cannot be told, and scores that are none."""
    columns = columns_of(given)
    text, label = _columns(own, columns, given.origin)
    if label is not None and as_number(label) is not None and given.place is not None:
        raise UserError(
            f"{given.origin}: expected a first line that names the columns, such as sentence1,sentence2,score. "
            f"Received: one that is data: {', '.join(map(repr, (*text, label)))}"
        )
    settings: dict[str, Any] = {"text": text, "label": label and (label,), "group": own.group or text[:1]}
    if label is None:
        losses = ("contrastive", "triplet")[: len(text) - 1]
        metrics = RANKING if len(text) == 2 else (TRIPLET_METRIC, *RANKING[:1])
        line = f"{' and '.join(map(repr, text))}: each row a text and one that belongs to it"
        line += f"; {text[2]!r}: one that does not" if len(text) == 3 else ""
        what = ["its own text is to be found among those of the batch", "and the negatives"][: len(text) - 1]
        lines = [line, f"loss: {own.loss or losses[0]}: {' '.join(what) if not own.loss else 'as asked'}"]
    else:
        low, high = own.score_range or _range(columns[label], given.origin)
        settings["score_range"] = (low, high)
        losses, metrics = ("cosine", "contrastive"), ("spearman", "pearson")
        is_yes_no = columns[label].distinct <= 2 and (low, high) == (0.0, 1.0)
        what = "1 where they mean the same and 0 where not" if is_yes_no else f"a score from {low:g} to {high:g}"
        lines = [
            f"{' and '.join(map(repr, text))}: pairs of texts; {label!r}: {what} (--score-range=LOW,HIGH)",
            f"loss: {own.loss or losses[0]}: the cosine of two vectors is to be the share of that range",
        ]
    if own.loss is not None and own.loss not in losses:
        raise UserError(f"--loss={own.loss}: expected {' or '.join(losses)} for these columns")
    settings |= {"loss": own.loss or losses[0], "metrics": own.metrics or metrics}
    cells = [columns[name].cells for name in text]
    rest = [name for name in columns if name not in (*text, label, given.split_column)]
    return Inferred(
        settings=settings,
        warnings=[
            f"the first line names the columns {', '.join(map(repr, text))}: if that is a row of data, put a line of "
            "names before it"
        ]
        if given.place is not None and all(len(name.split()) > 2 for name in text)
        else [],
        lines=[*lines, *([f"columns that are not read: {', '.join(rest)}"] if rest else [])],
        texts=[[cell] for column in cells for cell in column if isinstance(cell, str) and cell.strip()],
        shortest=SHORTEST,
        longest=LONGEST,
    )


def source(own: OwnDataConfig, rows: Source | None) -> Source:
    """All that a text is the first of stays on one side; of a folder of BEIR's all documents of a query do."""
    if own.layout == BEIR:
        return table_source(own, Beir(), same=("query",))
    return table_source(own, rows, same=own.group or ())


def make(own: OwnDataConfig, rows: Source, sequence_length: int) -> Kind:
    """`Retrieval` of a folder of BEIR's, `Embedding` of a table."""
    assert own.metrics
    if own.layout == BEIR:
        return Retrieval(source=rows, sequence_length=sequence_length, metrics=own.metrics)
    assert own.text
    assert own.loss
    scored: dict[str, Any] = {"score": own.label[0], "score_range": own.score_range} if own.label else {}
    return Embedding(
        source=rows, text=own.text, loss=own.loss, metrics=own.metrics, sequence_length=sequence_length, **scored
    )


OWN_DATA = OwnKind(
    keys=("text", "label", "loss", "score_range", "layout", "group", "metrics"),
    example="--text=anchor,positive",
    infer=infer,
    whole=whole,
    source=source,
    make=make,
)


def _columns(own: OwnDataConfig, columns: Mapping[str, Column], origin: str) -> tuple[tuple[str, ...], str | None]:
    """The columns of the texts, two or three, and that of the score, or None."""
    for flag, names in (("--text", own.text), ("--label", own.label)):
        for name in names or ():
            if name not in columns:
                raise not_there(flag, name, columns, origin)
    if own.label is not None and len(own.label) > 1:
        raise UserError(f"--label={','.join(own.label)}: expected one column of scores")
    text = own.text or _texts(columns, own.label or (), origin)
    if len(text) not in (2, 3) or len(set(text)) < len(text):
        raise UserError(
            f"--text={','.join(text)}: expected two columns, a text and one that belongs to it, or three, with one "
            f"that does not: --text=anchor,positive,negative. The columns are {listed(columns)}"
        )
    if own.label:
        return text, own.label[0]
    free = {name: column for name, column in columns.items() if name not in text and column.there}
    called = [name for name in free if name.strip().casefold() in SCORES]
    scores = [] if len(text) == 3 else [name for name in free if _is_scores(free[name])]
    scores = [name for name in scores if name in called] or scores
    if len(scores) > 1:
        raise UserError(
            f"{origin}: which column says how alike the texts are? Say --label=COLUMN. Received: several may be "
            f"({', '.join(scores)})"
        )
    if called and not scores and own.loss is None:
        raise UserError(
            f"{origin}: {called[0]!r} looks like a label, {free[called[0]].looks}, of which the loss makes nothing. "
            "Two texts may have a number, such as 1 where they mean the same and 0 where not; to learn from all rows "
            "as texts that belong together, say --loss=contrastive"
        )
    return text, scores[0] if scores else None


def _texts(columns: Mapping[str, Column], taken: Sequence[str], origin: str) -> tuple[str, ...]:
    called = {name.strip().casefold(): name for name in columns if name not in taken}
    for names in GROUPS:
        if all(name in called for name in names):
            return tuple(called[name] for name in names)
    free = {name: column for name, column in columns.items() if name not in taken}
    texts = [name for name, column in free.items() if column.is_text]
    if len(texts) < 2:
        texts = [name for name, column in free.items()
                 if column.there and not (column.is_numbers or column.is_index or column.is_lists)]  # fmt: skip
    if len(texts) not in (2, 3):
        raise UserError(
            f"{origin}: which columns have the texts? Say --text=ONE,OTHER. Received: {len(texts)} that may be. The "
            f"columns are {listed(columns)}"
        )
    return tuple(texts)


def _is_scores(column: Column) -> bool:
    is_truth = bool(column.some) and all(as_bool(plain(cell)) is not None for cell in column.there)
    return is_truth or (column.is_numbers and not column.is_index)


def _range(column: Column, origin: str) -> tuple[float, float]:
    """The scale of scores: a usual one that they fill, else their own least and greatest."""
    numbers = [as_number(value) if as_bool(value) is None else float(bool(as_bool(value))) for value in column.there]
    found = [number for number in numbers if number is not None]
    if len(found) < len(numbers) or not found or min(found) == max(found):
        raise UserError(
            f"--label={column.name}: expected numbers that say how alike two texts are, two different ones at least. "
            f"Received: a column of {origin} with {column.looks}"
        )
    low, high = min(found), max(found)
    for least, most in RANGES:
        if least <= low and high <= most and high > 0.8 * most and low < least + 0.2 * (most - least):
            return least, most
    return low, high
