"""Models from files, and files from models: `from_pretrained` and `save_pretrained` of every model."""

from bert_tf.models.pretrained.loading import config_of, load_into, load_model
from bert_tf.models.pretrained.saving import FORMATS, arrays_by_path, save_model

__all__ = ["FORMATS", "arrays_by_path", "config_of", "load_into", "load_model", "save_model"]
