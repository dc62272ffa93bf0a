"""ONNX files, which ONNX Runtime and others run."""
