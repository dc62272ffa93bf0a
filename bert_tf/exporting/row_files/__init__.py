"""What formats share whose files take batches of rows of tokens, of any number and length: ONNX and OpenVINO."""
