"""ONNX: files that ONNX Runtime and others run, on servers, in browsers and in other languages."""

from bert_tf.exporting.onnx.artefact import Onnx

ARTEFACT = Onnx()
