"""Pre-training on somebody's own text: which files it is."""

from __future__ import annotations

from bert_tf.config import OwnDataConfig
from bert_tf.data import Source, TextCorpus
from bert_tf.data.splits.names import TRAIN, VALIDATION
from bert_tf.errors import UserError
from bert_tf.kinds.base import Kind
from bert_tf.kinds.own_data import Given, Inferred, OwnKind
from bert_tf.kinds.pretraining.spec import Pretraining

SEQUENCE_LENGTH = 128


def whole(own: OwnDataConfig, given: Given) -> Inferred:
    """Raises: UserError for rows in memory, and where there are no text files."""
    if given.place is None:
        raise UserError(
            "`data`: pre-training reads text files: a file, a folder or a pattern. Received: rows in memory"
        )
    if own.validation is not None or own.split_column is not None:
        raise UserError(
            "--validation is not for --kind=pretraining: say --set pretraining.validation=FILE, or "
            "pretraining.validation_share=0.1"
        )
    corpus, where = TextCorpus(), str(given.place)
    train, is_share = corpus.split(where, TRAIN, None)
    size = sum(path.stat().st_size for path in train)
    held = "a share of the documents" if is_share else f"{len(corpus.split(where, VALIDATION, None)[0])} files"
    return Inferred(
        settings={},
        lines=[
            f"{where}: {len(train):,} text file{'s' * (len(train) > 1)}, {size / 1e6:,.1f} MB",
            f"sequence length: {SEQUENCE_LENGTH} tokens, of pieces of text put together to fill them",
            f"held out to be scored on: {held} (--set pretraining.validation=FILE)",
        ],
        sequence_length=SEQUENCE_LENGTH,
    )


def infer(own: OwnDataConfig, given: Given) -> Inferred:
    """The same: any data are read so."""
    return whole(own, given)


def source(own: OwnDataConfig, rows: Source | None) -> Source:
    return TextCorpus()


def make(own: OwnDataConfig, rows: Source, sequence_length: int) -> Kind:
    assert isinstance(rows, TextCorpus)
    return Pretraining(source=rows, sequence_length=sequence_length)


OWN_DATA = OwnKind(
    keys=(),
    example="--data='books/*.txt'",
    infer=infer,
    whole=whole,
    source=source,
    make=make,
    takes_patterns=True,
)
