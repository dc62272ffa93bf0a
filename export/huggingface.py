"""A Hugging Face folder: config.json, model.safetensors and the tokenizer, as Transformers loads them."""

from bert_tf.exporting.models import HuggingFace

ARTEFACT = HuggingFace()
