"""A `.keras` file, which keras.saving.load_model opens where bert_tf is installed, and the tokenizer beside it."""

from bert_tf.exporting.models import Keras

ARTEFACT = Keras()
