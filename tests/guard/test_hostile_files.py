"""Files that a stranger would write: each is refused in a line, nothing runs or is written, and it costs little."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import resource
import shutil
import struct
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from bert_tf import weights
from bert_tf.errors import UserError
from bert_tf.text import files as text_files
from tests.weights.tiny import TINY, altered

MOST_SECONDS, MOST_BYTES = 5, 300 << 20  # of processor time, and of memory, for each


@pytest.fixture(autouse=True)
def bounded():
    """Each test costs little."""
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.process_time() - started < MOST_SECONDS
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MOST_BYTES


def folder_of(place: Path, name: str, content: bytes) -> Path:
    """A folder of the tiny model whose weights are `content`."""
    place.mkdir(exist_ok=True)
    shutil.copy(TINY / "config.json", place)
    (place / name).write_bytes(content)
    return place


def safetensors(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


F32 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
HEADERS = {
    "lies about its length": (struct.pack("<Q", 1 << 60) + b"{}", "its header should be 1152921504606846976 bytes"),
    "overlaps": (safetensors({"a": F32, "b": F32}, bytes(4)), "tensor b, F32 .* needs 4 bytes from 4"),
    "leaves a gap": (safetensors({"a": {**F32, "data_offsets": [4, 8]}}, bytes(8)), "needs 4 bytes from 0"),
    "states a size": (safetensors({"a": {**F32, "shape": [10**18]}}, bytes(4)), "needs 4000000000000000000 bytes"),
    "goes below zero": (safetensors({"a": {**F32, "shape": [-1, -1]}}, bytes(4)), "is corrupted"),
    "has 400,000 axes": (
        safetensors(b'{"a": {"dtype": "F32", "data_offsets": [0, 4], "shape": [' + b"3," * 400_000 + b"1]}}", bytes(4)),
        "a shape of 400,001 axes",
    ),
    "is deep": (safetensors(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "at most 64 levels"),
    "has long numbers": (safetensors(b'{"a": ' + b"9" * 1_000_000 + b"}"), "a number of 1,000,000 digits"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_safetensors_header(tmp_path, name):
    content, message = HEADERS[name]
    with pytest.raises(UserError, match=message) as caught:
        weights.load(folder_of(tmp_path, "model.safetensors", content))
    assert len(str(caught.value)) < 500


class Payload:
    """Writes a mark where a pickle with it is loaded."""

    def __init__(self, call, *arguments) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


def nested(levels: int, protocol: int = 2) -> bytes:
    """A pickle of some hundred bytes: a dict whose key is a tuple of 2 ** levels tuples."""
    assert protocol == 2
    key = b")" + b"q\x00" + b"".join(b"h%ch%c\x86q%c" % (i, i, i + 1) for i in range(levels))
    return b"\x80\x02}" + key + b"K\x01s."


def zipped(pickled: bytes, how: int = zipfile.ZIP_STORED, **more: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for name, content in more.items():
            archive.writestr(f"archive/data/{name}", content)
    return file.getvalue()


@pytest.mark.parametrize("form", ["bare", "zip"])
@pytest.mark.parametrize("disguise", ["os.system", "exec", "eval", "in a list", "in a state"])
def test_a_pickle_with_a_payload(tmp_path, form, disguise):
    mark = tmp_path / "mark"
    call = Payload(os.system, f"touch {mark}")
    value = {
        "os.system": call,
        "exec": Payload(exec, f"open({str(mark)!r}, 'w')"),
        "eval": Payload(eval, f"open({str(mark)!r}, 'w')"),
        "in a list": {"weight": [[call]]},
        "in a state": {"weight": Payload(dict, [("a", call)])},
    }[disguise]
    content = pickle.dumps(value, protocol=2)
    content = content if form == "bare" else zipped(content)
    with pytest.raises(UserError, match=r"pytorch_model\.bin.* (not|nothing was) executed|no PyTorch state dict"):
        weights.load(folder_of(tmp_path / "model", "pytorch_model.bin", content))
    assert not mark.exists()


@pytest.mark.parametrize("form", ["bare", "zip"])
def test_a_small_pickle_of_very_many_tuples(tmp_path, form):
    content = nested(60) if form == "bare" else zipped(nested(60))
    assert len(content) < 700
    with pytest.raises(UserError, match=r"no PyTorch state dict|which no state dict has"):
        weights.load(folder_of(tmp_path, "pytorch_model.bin", content))


def test_a_zip_file_that_unpacks_to_gigabytes(tmp_path):
    content = zipped(b"\x80\x02}.", zipfile.ZIP_DEFLATED, **{"0": bytes(32 << 20)})
    assert len(content) < 100_000
    with pytest.raises(UserError, match=r"states 33,554,436 bytes of content, and has"):
        weights.load(folder_of(tmp_path, "pytorch_model.bin", content))


@pytest.mark.parametrize("key", ["num_hidden_layers", "vocab_size", "max_position_embeddings", "intermediate_size"])
def test_a_config_of_a_model_that_its_file_does_not_have(tmp_path, key):
    folder = altered(tmp_path, config={key: 10**9})
    with pytest.raises(UserError, match=r"its config states sizes that its tensors, .* do not have") as caught:
        weights.load(folder)
    assert "=1000000000" in str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "vocab.txt", "tokenizer.json"])
@pytest.mark.parametrize("what", ["pipe", "device", "gigabytes"])
def test_what_is_no_regular_file(tmp_path, name, what):
    folder = altered(tmp_path / "model")
    shutil.copy(TINY.parent / "tiny" / "config.json", folder)
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n")
    path = folder / name
    path.unlink(missing_ok=True)
    if what == "pipe":
        os.mkfifo(path)
    elif what == "device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(1 << 30)
    read = weights.load if name == "config.json" else text_files.read
    if what != "gigabytes" and name in ("tokenizer_config.json", "tokenizer.json"):
        read(folder)  # a name of these that is no file is none: they need not be there
        return
    with pytest.raises(UserError, match=r"expected a (regular file|file of at most)|holds no config.json|no tokenizer"):
        read(folder)


@pytest.mark.parametrize("shard", ["../outside.safetensors", "/etc/passwd", "a/b.safetensors", "", "a" * 5000])
def test_an_index_that_names_files_elsewhere(tmp_path, shard):
    folder = tmp_path / "model"
    folder.mkdir()
    shutil.copy(TINY / "model.safetensors", tmp_path / "outside.safetensors")
    shutil.copy(TINY / "config.json", folder)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": shard}}))
    with pytest.raises(UserError, match=r"must lie in the same folder|cannot be read|not there"):
        weights.load(folder)


@pytest.mark.parametrize(
    "wrong", ["an external link", "external storage", "a virtual dataset", "no values", "a circle"]
)
def test_hdf5(tmp_path, wrong):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["a"] = np.ones(4, np.float32)
    folder = altered(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    with h5py.File(folder / "tf_model.h5", "w") as file:
        file["b"] = np.ones(4, np.float32)
        if wrong == "an external link":
            file["link"] = h5py.ExternalLink(str(secret), "/a")
        elif wrong == "external storage":
            file.create_dataset("a", (4,), np.float32, external=[(str(secret), 0, 16)])
        elif wrong == "a virtual dataset":
            layout = h5py.VirtualLayout((4,), np.float32)
            layout[:] = h5py.VirtualSource(str(secret), "a", (4,))
            file.create_virtual_dataset("a", layout)
        elif wrong == "no values":
            file.create_dataset("a", (10**12,), np.float32, chunks=(1000,))
        else:
            file.create_group("g")["again"] = file["/"]
    said = r"link to another file|in another file|which .* bytes do not have"
    with pytest.raises(UserError, match="holds no BERT: .* It has b" if wrong == "a circle" else said):
        weights.load(folder)


def test_a_preset_that_names_any_class(tmp_path):
    (tmp_path / "model.weights.h5").write_bytes(b"")
    described = {"class_name": "Lambda", "module": "builtins", "registered_name": "os>system", "config": {"x": "y"}}
    (tmp_path / "config.json").write_text(json.dumps(described))
    with pytest.raises(UserError, match=r"`class_name` must be BertBackbone\. Received: Lambda"):
        weights.load(tmp_path)


@pytest.mark.parametrize("content", ['{"do_lower_case": "false"}', '{"do_lower_case": 0}', '{"do_lower_case": [1]}'])
def test_a_text_is_no_bool(tmp_path, content):
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n")
    (tmp_path / "tokenizer_config.json").write_text(content)
    with pytest.raises(UserError, match=r"tokenizer_config\.json: `do_lower_case` must be true or false\. Received: "):
        text_files.read(tmp_path)


@pytest.mark.parametrize("packed", [True, False])
def test_a_gzip_file_that_unpacks_to_gigabytes(tmp_path, packed):
    from bert_tf.data.inputs import Reading, read_inputs

    path = tmp_path / ("in.csv.gz" if packed else "in.txt.gz")
    with gzip.GzipFile(path, "wb") as file:
        file.write(b"sentence\n" * packed)
        for _ in range(100):
            file.write(b"a" * (1 << 20))
    assert path.stat().st_size < 300_000
    with pytest.raises(UserError, match=r"unpacks to more than .* times|of at most"):
        list(read_inputs(None, str(path), Reading(columns=("sentence",))))


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "a.csv"])
def test_arrays_of_objects_are_no_rows(tmp_path, name):
    from bert_tf.data.inputs import Reading, read_inputs

    mark = tmp_path / "mark"
    objects = np.array([Payload(os.system, f"touch {mark}")], object)
    with (tmp_path / name).open("wb") as file:
        np.savez(file, a=objects) if name.endswith("z") else np.save(file, objects, allow_pickle=True)
    with pytest.raises(UserError, match=r"expected text|a zip archive|a binary file|no format"):
        list(read_inputs(None, str(tmp_path / name), Reading(columns=("sentence",))))
    assert not mark.exists()


@pytest.mark.parametrize("name", ["hf://../../etc", "hf:///etc/passwd", "hf://a/../b", "hf://..", "hf://a\\b/c"])
def test_a_hubs_name_is_no_path(name):
    with pytest.raises(UserError, match=r"is not of the form|could not be fetched|needs huggingface_hub"):
        weights.resolve(name)


@pytest.mark.parametrize("path", ["../outside", "/etc", "a/../../b", "a" * 5000, 3, "\0"])
@pytest.mark.parametrize("kind", ["Transformer", "Pooling", "Dense"])
def test_modules_elsewhere(tmp_path, path, kind):
    folder = altered(tmp_path / "model")
    (folder / "modules.json").write_text(json.dumps([{"path": path, "type": f"sentence_transformers.models.{kind}"}]))
    with pytest.raises(UserError, match=r"modules\.json: `path` must lie in the folder\. Received: "):
        weights.load(folder)
