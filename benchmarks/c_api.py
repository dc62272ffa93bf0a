"""A SavedModel through TensorFlow's C API alone: no Python TensorFlow is in the process, as in a server written in C.

The libraries are those inside the wheels: libtensorflow_framework, libtensorflow_cc (which has the C API), and
tensorflow_text's operators, which TensorFlow Serving links. As a program it answers JSON lines on standard input:

    python -m benchmarks.c_api SAVED_MODEL [SIGNATURE] < requests.jsonl

A request is {"inputs": {NAME: [TEXT, ...]}}, where a text may also be {"b64": ...}; {"signature": ...} picks another.
An answer is {"outputs": {NAME: [...]}}, strings as {"b64": ...}, or {"error": ...}.
"""

from __future__ import annotations

import base64
import ctypes
import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

STRING = 7
DTYPES = {1: np.float32, 2: np.float64, 3: np.int32, 9: np.int64, 10: np.bool_}
NUMBERS = {np.dtype(dtype): number for number, dtype in DTYPES.items()}
STRING_BYTES = 24
TEXT_OPERATORS = ("_fast_wordpiece_tokenizer.so",)


class Output(ctypes.Structure):
    _fields_ = (("operation", ctypes.c_void_p), ("index", ctypes.c_int))


class Buffer(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("deallocator", ctypes.c_void_p))


class Signature:
    """Names of a signature's arguments and results -> names of tensors; `method` is what Serving goes by."""

    def __init__(self, message: bytes) -> None:
        self.inputs, self.outputs, self.method = {}, {}, ""
        for number, value in fields(message):
            if number in (1, 2):
                key, info = fields_of_entry(value)
                (self.inputs if number == 1 else self.outputs)[key] = next(
                    name.decode() for field, name in fields(info) if field == 1
                )
            elif number == 3:
                self.method = value.decode()


class Session:
    """A loaded SavedModel. `run` may be called from several threads at once.

    Raises: RuntimeError with the library's message if it cannot be loaded.
    """

    def __init__(self, folder: str | Path) -> None:
        self.library = library = load_library()
        graph, options = library.TF_NewGraph(), library.TF_NewSessionOptions()
        tags, meta, status = (ctypes.c_char_p * 1)(b"serve"), library.TF_NewBuffer(), Status(library)
        self.session = library.TF_LoadSessionFromSavedModel(
            options, None, str(folder).encode(), tags, 1, graph, meta, status.pointer
        )
        status.check()
        self.graph = graph
        content = ctypes.cast(meta, ctypes.POINTER(Buffer)).contents
        self.signatures = dict(signatures_in(ctypes.string_at(content.data, content.length)))
        library.TF_DeleteBuffer(meta)
        library.TF_DeleteSessionOptions(options)

    def run(self, inputs: Mapping[str, Any], signature: str = "serving_default") -> dict[str, np.ndarray]:
        """What a signature gives; strings are arrays of bytes objects.

        Args:
            inputs: by name: numbers as an array, strings as a list, however nested, or array of bytes objects.
        Raises: RuntimeError with the library's message where it refuses; KeyError for a name that is not known.
        """
        library, called = self.library, self.signatures[signature]
        names = list(called.outputs)
        feeds = (Output * len(inputs))(*(self._output(called.inputs[name]) for name in inputs))
        fetches = (Output * len(names))(*(self._output(called.outputs[name]) for name in names))
        tensors = [self._tensor(value) for value in inputs.values()]
        values = (ctypes.c_void_p * len(tensors))(*(tensor for tensor, _ in tensors))
        results, status = (ctypes.c_void_p * len(names))(), Status(library)
        library.TF_SessionRun(
            self.session, None, feeds, values, len(tensors), fetches, results, len(names), None, 0, None, status.pointer
        )  # fmt: skip
        for tensor, strings in tensors:
            for string in strings:
                library.TF_StringDealloc(string)
            library.TF_DeleteTensor(tensor)
        status.check()
        return {name: self._array(result) for name, result in zip(names, results, strict=True)}

    def _output(self, name: str) -> Output:
        operation, _, index = name.partition(":")
        return Output(self.library.TF_GraphOperationByName(self.graph, operation.encode()), int(index or 0))

    def _tensor(self, value: Any) -> tuple[int, list[int]]:
        """A tensor of the library's, and the places of its strings."""
        library, array = self.library, np.asarray(value)
        is_string = array.dtype.kind in "SO"
        array = np.asarray(value, object) if is_string else np.ascontiguousarray(array)
        sizes = (ctypes.c_int64 * max(array.ndim, 1))(*array.shape)
        number = STRING if is_string else NUMBERS[array.dtype]
        length = array.size * STRING_BYTES if is_string else array.nbytes
        tensor = library.TF_AllocateTensor(number, sizes, array.ndim, length)
        data = library.TF_TensorData(tensor)
        if not is_string:
            ctypes.memmove(data, array.ctypes.data, array.nbytes)
            return tensor, []
        places = [data + STRING_BYTES * i for i in range(array.size)]
        for place, text in zip(places, array.ravel(), strict=True):
            library.TF_StringInit(place)
            library.TF_StringCopy(place, text, len(text))
        return tensor, places

    def _array(self, tensor: int) -> np.ndarray:
        library = self.library
        shape = tuple(library.TF_Dim(tensor, axis) for axis in range(library.TF_NumDims(tensor)))
        number, data = library.TF_TensorType(tensor), library.TF_TensorData(tensor)
        if number == STRING:
            found = np.empty(int(np.prod(shape)), object)
            for i in range(found.size):
                place = data + STRING_BYTES * i
                found[i] = ctypes.string_at(library.TF_StringGetDataPointer(place), library.TF_StringGetSize(place))
            found = found.reshape(shape)
        else:
            raw = ctypes.string_at(data, library.TF_TensorByteSize(tensor)) if data else b""
            found = np.frombuffer(raw, DTYPES[number]).reshape(shape)
        library.TF_DeleteTensor(tensor)
        return found


class Status:
    def __init__(self, library: Any) -> None:
        self.library, self.pointer = library, library.TF_NewStatus()

    def check(self) -> None:
        code, message = self.library.TF_GetCode(self.pointer), self.library.TF_Message(self.pointer)
        self.library.TF_DeleteStatus(self.pointer)
        if code:
            raise RuntimeError(message.decode(errors="replace"))


def load_library() -> Any:
    """The C API, with tensorflow_text's operators registered. Raises: RuntimeError where there is none."""
    tensorflow, text = (package_folder(name) for name in ("tensorflow", "tensorflow_text"))
    # Their symbols stay their own: the cryptography inside would take the place of Python's.
    ctypes.CDLL(str(tensorflow / "libtensorflow_framework.so.2"), ctypes.RTLD_LOCAL)
    library: Any = ctypes.CDLL(str(tensorflow / "libtensorflow_cc.so.2"), ctypes.RTLD_LOCAL)
    pointers = ("NewGraph", "NewSessionOptions", "NewBuffer", "NewStatus", "LoadSessionFromSavedModel", "LoadLibrary",
                "GraphOperationByName", "AllocateTensor", "TensorData", "StringGetDataPointer")  # fmt: skip
    for name in pointers:
        getattr(library, f"TF_{name}").restype = ctypes.c_void_p
    for name in ("TensorByteSize", "StringGetSize"):
        getattr(library, f"TF_{name}").restype = ctypes.c_size_t
    library.TF_Dim.restype, library.TF_Message.restype = ctypes.c_int64, ctypes.c_char_p
    p, i, s, z = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t
    of_one = (
        "TensorData", "TensorType", "NumDims", "TensorByteSize", "DeleteTensor", "GetCode", "Message", "DeleteStatus",
        "DeleteBuffer", "DeleteSessionOptions", "StringInit", "StringDealloc", "StringGetDataPointer", "StringGetSize",
    )  # fmt: skip
    arguments: dict[str, tuple[Any, ...]] = dict.fromkeys(of_one, (p,))
    arguments |= {
        "LoadSessionFromSavedModel": (p, p, s, p, i, p, p, p), "SessionRun": (p, p, p, p, i, p, p, i, p, i, p, p),
        "GraphOperationByName": (p, s), "AllocateTensor": (i, p, i, z), "LoadLibrary": (s, p),
        "StringCopy": (p, s, z), "Dim": (p, i),
    }  # fmt: skip
    for name, types in arguments.items():
        getattr(library, f"TF_{name}").argtypes = types
    for name in TEXT_OPERATORS:
        status = Status(library)
        library.TF_LoadLibrary(str(text / "python" / "ops" / name).encode(), status.pointer)
        status.check()
    return library


def package_folder(name: str) -> Path:
    """Where a package lies; it is not imported."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"{name} is not installed")
    return Path(spec.submodule_search_locations[0])


def signatures_in(meta_graph: bytes) -> Iterator[tuple[str, Signature]]:
    """The signatures of a MetaGraphDef, by name."""
    for number, value in fields(meta_graph):
        if number == 5:
            name, message = fields_of_entry(value)
            yield name, Signature(message)


def fields_of_entry(message: bytes) -> tuple[str, bytes]:
    """Key and value of a map's entry."""
    found = dict(fields(message))
    return found[1].decode(), found.get(2, b"")


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Numbers and values of a protocol buffer's fields: ints, or bytes."""
    view, place = memoryview(message), 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = view[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(view):
        number, wire = divmod(varint(), 8)
        if wire == 0:
            yield number, varint()
            continue
        size = {1: 8, 5: 4}.get(wire)
        size = varint() if size is None else size
        yield number, bytes(view[place : place + size])
        place += size


def main() -> None:
    session = Session(sys.argv[1])
    default = sys.argv[2] if len(sys.argv) > 2 else "serving_default"
    for line in sys.stdin:
        print(json.dumps(answered(session, json.loads(line), default)), flush=True)
    assert "tensorflow" not in sys.modules


def answered(session: Session, request: Mapping[str, Any], default: str) -> dict[str, Any]:
    """One request's answer, or the library's message."""
    inputs = {name: to_bytes(value) for name, value in request["inputs"].items()}
    try:
        outputs = session.run(inputs, request.get("signature", default))
    except RuntimeError as error:
        return {"error": str(error).splitlines()[0]}
    return {"outputs": {name: from_bytes(value.tolist()) for name, value in outputs.items()}}


def to_bytes(value: Any) -> Any:
    """Strings of JSON as bytes; numbers as an array."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    if isinstance(value, list):
        found = [to_bytes(item) for item in value]
        if not found:
            return np.empty(0, object)  # no texts
        return found if isinstance(found[0], bytes | list) else np.array(value, np.int32)
    return value


def from_bytes(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    return [from_bytes(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
