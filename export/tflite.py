"""TFLite: files for phones, with the vocabulary and labels inside, for MediaPipe Tasks and LiteRT."""

from bert_tf.exporting.tflite.artefact import TFLite

ARTEFACT = TFLite()
