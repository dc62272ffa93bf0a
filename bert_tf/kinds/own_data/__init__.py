"""Tasks made of somebody's own files: what every kind's `own_data.py` stands on. This folder is no kind."""

from bert_tf.kinds.own_data.base import Inferred, OwnKind
from bert_tf.kinds.own_data.columns import Column, chosen_text, column_called, columns_of, not_there
from bert_tf.kinds.own_data.given import Given

__all__ = ["Column", "Given", "Inferred", "OwnKind", "chosen_text", "column_called", "columns_of", "not_there"]
