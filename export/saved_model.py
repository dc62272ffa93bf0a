"""A SavedModel: text in, answers out, for TensorFlow Serving. How to serve it: serving/README.md."""

from bert_tf.exporting.saved_model.artefact import SavedModel

# The sizes are also allowed_batch_sizes of serving/batching_parameters.txt.
ARTEFACT = SavedModel(batch_sizes=(1, 2, 4, 8, 16, 32))
