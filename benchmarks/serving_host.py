"""What stands in for TensorFlow Serving where there is none: its Predict over REST and gRPC, on TensorFlow's C API.

    python -m benchmarks.serving_host SAVED_MODEL --name=sst2 [--rest-port=8501] [--grpc-port=8500]

It shows that a SavedModel answers a server without Python TensorFlow and that the example clients speak to one. It puts
requests together as the model's batching_params.pbtxt says, by TensorFlow Serving's rules (`serving_batches`). It has
no versions and no warm-up, and is not meant to serve anybody.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from benchmarks.c_api import STRING, Session, fields, fields_of_entry, to_bytes
from benchmarks.serving_batches import Batcher, Parameters, read_parameters
from bert_tf.exporting.saved_model.wire import field, number_field

BATCHING = "batching_params.pbtxt"
INT32 = 3
DTYPES = {np.dtype(np.float32): 1, np.dtype(np.int32): 3, np.dtype(np.int64): 9, np.dtype(np.bool_): 10}
PREDICT = "/tensorflow.serving.PredictionService/Predict"


class Served:
    """A model whose requests are put together.

    Args:
        folder: the SavedModel.
        parameters: how; None: as its batching_params.pbtxt says, or one at a time without one.
    """

    def __init__(self, folder: str, parameters: Parameters | None = None) -> None:
        session = Session(folder)
        path = Path(folder) / BATCHING
        self.signatures = session.signatures
        self.parameters = parameters or (read_parameters(path) if path.is_file() else None)
        self.run = session.run if self.parameters is None else Batcher(session.run, self.parameters).run


class Rest(BaseHTTPRequestHandler):
    """`GET /v1/models/NAME` and `POST /v1/models/NAME:predict`, as TensorFlow Serving documents them."""

    session: Served
    name: str

    def do_GET(self) -> None:
        known = self.path == f"/v1/models/{self.name}"
        state = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        self._send(200 if known else 404, {"model_version_status": [state]} if known else {"error": "no such model"})

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != f"/v1/models/{self.name}:predict":
            self._send(404, {"error": f"no such method: {self.path}"})
            return
        try:
            self._send(200, predicted(self.session, json.loads(content)))
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            self._send(400, {"error": str(error)})

    def _send(self, status: int, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a check's own lines are what is to be read."""


class Grpc(grpc.GenericRpcHandler):
    """Predict; any other method is unimplemented."""

    def __init__(self, session: Served, name: str) -> None:
        self.session, self.name = session, name

    def service(self, handler_call_details: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(self.predict) if handler_call_details.method == PREDICT else None

    def predict(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        """PredictRequest to PredictResponse, both as bytes."""
        signature, name, inputs = "serving_default", "", {}
        for number, value in fields(request):
            if number == 1:
                spec = dict(fields(value))
                name, signature = spec.get(1, b"").decode(), spec.get(3, signature.encode()).decode()
            elif number == 2:
                key, tensor = fields_of_entry(value)
                inputs[key] = array_of(tensor)
        if name != self.name:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no model {name!r}")
        try:
            outputs = self.session.run(inputs, signature)
        except (KeyError, RuntimeError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        entries = (field(1, key.encode()) + field(2, tensor_of(value)) for key, value in outputs.items())
        return b"".join(field(1, entry) for entry in entries)


def predicted(session: Served, request: Mapping[str, Any]) -> dict[str, Any]:
    """A REST request in rows ("instances") or columns ("inputs") to the answer in the same."""
    signature = request.get("signature_name", "serving_default")
    names = list(session.signatures[signature].inputs)
    columns = request.get("inputs")
    if columns is None:
        rows = [row if isinstance(row, Mapping) else {names[0]: row} for row in request["instances"]]
        columns = {name: [row[name] for row in rows] for name in names}
    elif not isinstance(columns, Mapping):
        columns = {names[0]: columns}
    outputs = session.run({name: to_bytes(value) for name, value in columns.items()}, signature)
    plain = {name: texts(value.tolist()) for name, value in outputs.items()}
    single = next(iter(plain.values())) if len(plain) == 1 else None
    if "inputs" in request:
        return {"outputs": plain if single is None else single}
    together = [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]
    return {"predictions": together if single is None else single}


def texts(value: Any) -> Any:
    """Bytes as text, however nested."""
    if isinstance(value, list):
        return [texts(item) for item in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def array_of(tensor: bytes) -> np.ndarray:
    """A TensorProto of strings as an array of bytes objects, or of int32. Raises: RuntimeError for another type."""
    shape: list[int] = []
    strings: list[bytes] = []
    numbers, content, kind = b"", None, 0
    for number, value in fields(tensor):
        if number == 1:
            kind = value
        elif number == 2:
            shape = [dict(fields(dim)).get(1, 0) for key, dim in fields(value) if key == 2]
        elif number == 4:
            content = value
        elif number == 7:
            numbers += value
        elif number == 8:
            strings.append(value)
    if kind == INT32:
        found = np.array(list(varints(numbers)), np.int32) if content is None else np.frombuffer(content, np.int32)
        return np.broadcast_to(found, shape) if found.size == 1 else found.reshape(shape)  # one number stands for all
    if kind != STRING:
        raise RuntimeError(f"expected strings or int32. Received: a tensor of the type {kind}")
    return np.array([*strings, None], object)[:-1].reshape(shape)


def varints(packed: bytes) -> Iterator[int]:
    """Whole numbers of 64 bits, seven bits a byte, the lowest first."""
    value = shift = 0
    for byte in packed:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value - (1 << 64 if value >> 63 else 0)
            value = shift = 0


def tensor_of(array: np.ndarray) -> bytes:
    """An array as a TensorProto."""
    shape = field(2, b"".join(field(2, number_field(1, size)) for size in array.shape))
    if array.dtype == object:
        return number_field(1, STRING) + shape + b"".join(field(8, text) for text in array.ravel())
    return number_field(1, DTYPES[array.dtype]) + shape + field(4, array.tobytes())


def start(folder: str, *, name: str, rest_port: int = 0, grpc_port: int = 0) -> tuple[int, int]:
    """Serves in threads of this process. Returns the ports, REST's and gRPC's; 0 takes any that is free."""
    session = Served(folder)
    handler = type("Handler", (Rest,), {"session": session, "name": name})
    rest = ThreadingHTTPServer(("127.0.0.1", rest_port), handler)
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((Grpc(session, name),))
    grpc_port = server.add_insecure_port(f"127.0.0.1:{grpc_port}")
    server.start()
    SERVERS.append(server)
    return rest.server_address[1], grpc_port


SERVERS: list[Any] = []  # a gRPC server stops when nothing holds it


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("saved_model")
    parser.add_argument("--name", required=True)
    parser.add_argument("--rest-port", type=int, default=8501)
    parser.add_argument("--grpc-port", type=int, default=8500)
    flags = parser.parse_args(argv)
    ports = start(flags.saved_model, name=flags.name, rest_port=flags.rest_port, grpc_port=flags.grpc_port)
    print(json.dumps({"rest": ports[0], "grpc": ports[1]}), flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
