"""Asks TensorFlow Serving over gRPC: pip install tensorflow-serving-api

    python grpc_client.py --model=sst2 "A joy from start to end." "Two hours I want back."
    python grpc_client.py --model=squad --inputs='{"question": ["Who?"], "context": ["Ann wrote it."]}'

Prints an answer a line, as JSON. Of lists that are padded to the longest of the batch, `count` says how many are meant.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import grpc
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc


def predict(
    address: str,
    model: str,
    inputs: dict[str, list[str]],
    *,
    signature: str = "serving_default",
    timeout_s: float = 30.0,
) -> list[dict[str, Any]]:
    """One answer a text.

    Args:
        inputs: the texts, by the names of the signature's inputs.
    Raises: grpc.RpcError where the server refuses: `code()` and `details()` say why.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model, signature
    for name, texts in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto([text.encode("utf-8") for text in texts], tf.string))
    with grpc.insecure_channel(address) as channel:
        response = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=timeout_s)
    columns = {name: _plain(tf.make_ndarray(tensor).tolist()) for name, tensor in response.outputs.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def input_names(address: str, model: str, *, timeout_s: float = 30.0) -> list[str]:
    """What the model's serving_default takes."""
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = model
    with grpc.insecure_channel(address) as channel:
        response = prediction_service_pb2_grpc.PredictionServiceStub(channel).GetModelMetadata(
            request, timeout=timeout_s
        )
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    return list(signatures.signature_def["serving_default"].inputs)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.decode("utf-8") if isinstance(value, bytes) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="localhost:8500", help="default: localhost:8500")
    parser.add_argument("--model", required=True, help="its name, as the server knows it")
    parser.add_argument("--inputs", type=json.loads, help="texts by the names of the inputs as JSON, instead of texts")
    parser.add_argument("texts", nargs="*", help="texts, for a model that takes one")
    flags = parser.parse_args()
    try:
        inputs = flags.inputs or {input_names(flags.address, flags.model)[0]: flags.texts}
        answers = predict(flags.address, flags.model, inputs)
    except grpc.RpcError as error:
        sys.exit(f"grpc_client.py: {flags.address}: {error}")
    for answer in answers:
        print(json.dumps(answer, ensure_ascii=False))


if __name__ == "__main__":
    main()
