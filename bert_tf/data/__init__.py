"""From files to batches: sources, packing and bucketing, the `tf.data` pipeline."""

from bert_tf.data.batches import batch_arrays, blocks, dataset
from bert_tf.data.beir import Beir
from bert_tf.data.cells import number, text, yes_or_no
from bert_tf.data.conll import Conll
from bert_tf.data.cranfield import Cranfield
from bert_tf.data.either import Either
from bert_tf.data.epochs import Epochs, plan_batches
from bert_tf.data.features import Features, encode
from bert_tf.data.in_memory import InMemory
from bert_tf.data.labels import class_index, class_indices
from bert_tf.data.literal_lines import LiteralLines
from bert_tf.data.parallel import Parallel
from bert_tf.data.plan import Layout, Plan, choose_layout, plan_epoch
from bert_tf.data.pretraining.corpus import TextCorpus
from bert_tf.data.sources import HuggingFaceDataset, Source, Tfds
from bert_tf.data.span_answers import SpanAnswer
from bert_tf.data.squad import Squad
from bert_tf.data.stories import Stories
from bert_tf.data.stream import BatchPlans, Stream
from bert_tf.data.table import Table
from bert_tf.data.table_files import Csv, JsonLines, Parquet, Tsv
from bert_tf.data.tmx import Tmx

__all__ = [
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
    "Layout",
    "LiteralLines",
    "Parallel",
    "Parquet",
    "Plan",
    "Source",
    "SpanAnswer",
    "Squad",
    "Stories",
    "Stream",
    "Table",
    "TextCorpus",
    "Tfds",
    "Tmx",
    "Tsv",
    "batch_arrays",
    "blocks",
    "choose_layout",
    "class_index",
    "class_indices",
    "dataset",
    "encode",
    "number",
    "plan_batches",
    "plan_epoch",
    "text",
    "yes_or_no",
]
