"""From files to batches: sources, packing and bucketing."""

from bert_tf.data.batching.batches import batch_arrays, replica_batches
from bert_tf.data.batching.epochs import Epochs, plan_batches
from bert_tf.data.batching.features import Features, encode
from bert_tf.data.batching.plan import BatchLayout, Plan, choose_layout, plan_epoch
from bert_tf.data.batching.stream import BatchPlans, Stream
from bert_tf.data.corpora.corpus import TextCorpus
from bert_tf.data.rows.cells import number, text, yes_or_no
from bert_tf.data.rows.labels import class_index, class_indices
from bert_tf.data.rows.span_answers import SpanAnswer
from bert_tf.data.rows.table import Table
from bert_tf.data.sources.annotated.source import Annotated
from bert_tf.data.sources.base import HuggingFaceDataset, Source, Tfds
from bert_tf.data.sources.beir import Beir
from bert_tf.data.sources.conll import Conll
from bert_tf.data.sources.cranfield import Cranfield
from bert_tf.data.sources.either import Either
from bert_tf.data.sources.in_memory import InMemory
from bert_tf.data.sources.literal_lines import LiteralLines
from bert_tf.data.sources.parallel import Parallel
from bert_tf.data.sources.squad import Squad
from bert_tf.data.sources.stories import Stories
from bert_tf.data.sources.table_files import Csv, JsonLines, Parquet, Tsv
from bert_tf.data.sources.tmx import Tmx
from bert_tf.data.splits.parallel import ParallelFolder
from bert_tf.data.splits.source import Splits

__all__ = [
    "Annotated",
    "BatchLayout",
    "BatchPlans",
    "Beir",
    "Conll",
    "Cranfield",
    "Csv",
    "Either",
    "Epochs",
    "Features",
    "HuggingFaceDataset",
    "InMemory",
    "JsonLines",
    "LiteralLines",
    "Parallel",
    "ParallelFolder",
    "Parquet",
    "Plan",
    "Source",
    "SpanAnswer",
    "Splits",
    "Squad",
    "Stories",
    "Stream",
    "Table",
    "TextCorpus",
    "Tfds",
    "Tmx",
    "Tsv",
    "batch_arrays",
    "choose_layout",
    "class_index",
    "class_indices",
    "encode",
    "number",
    "plan_batches",
    "plan_epoch",
    "replica_batches",
    "text",
    "yes_or_no",
]
