"""OpenVINO: files for Intel's processors, and others, which use their bfloat16 and 8-bit units."""

from bert_tf.exporting.openvino.artefact import OpenVino

ARTEFACT = OpenVino()
