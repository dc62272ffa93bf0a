"""Safetensors files: what the library writes is read, and what is broken is named."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from bert_tf.errors import UserError
from bert_tf.weights.readers.safe import read_safetensors


@pytest.fixture(name="path")
def path_fixture(tmp_path):
    rng = np.random.default_rng(1)
    arrays = {"a": rng.normal(size=(3, 4)).astype("float32"), "b": np.arange(5), "c": np.asarray(2.5, "float32")}
    save_file(arrays, tmp_path / "model.safetensors", metadata={"format": "pt"})
    return tmp_path / "model.safetensors"


def write(path, header, data=b""):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data)


def test_reads_what_the_library_writes(path):
    from safetensors.numpy import load_file

    expected, tensors = load_file(path), read_safetensors(path)
    assert set(tensors) == set(expected)
    for name, tensor in tensors.items():
        assert tensor.shape == expected[name].shape
        np.testing.assert_array_equal(tensor.read(), expected[name])


def test_half_precision_becomes_float32_exactly(tmp_path):
    values = np.asarray([1.5, -2.0, 0.0078125, 3e38], "float32")
    bfloat = (values.view(np.uint32) >> 16).astype("<u2")
    header = {
        "h": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]},
        "b": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [4, 12]},
        "d": {"dtype": "F64", "shape": [1], "data_offsets": [12, 20]},
    }
    data = values[:2].astype("<f2").tobytes() + bfloat.tobytes() + np.asarray([0.1], "float64").tobytes()
    write(tmp_path / "x", header, data)
    tensors = {name: tensor.read() for name, tensor in read_safetensors(tmp_path / "x").items()}
    assert {array.dtype for array in tensors.values()} == {np.dtype("float32")}
    np.testing.assert_array_equal(tensors["h"], values[:2])
    np.testing.assert_array_equal(tensors["b"], (bfloat.astype(np.uint32) << 16).view(np.float32).reshape(2, 2))
    np.testing.assert_array_equal(tensors["d"], np.asarray([0.1], "float32"))


@pytest.mark.parametrize("keep", [0, 5, 100, -1, -40])
def test_a_truncated_file_is_named_with_both_lengths(path, keep):
    whole = path.read_bytes()
    path.write_bytes(whole[:keep])
    with pytest.raises(UserError, match=rf"model.safetensors is truncated.* has {len(whole[:keep])}$"):
        read_safetensors(path)


def test_a_longer_file_is_corrupted(path):
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(UserError, match=rf"corrupted: its header asks for {size} bytes, the file has {size + 1}"):
        read_safetensors(path)


A = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"{not json", "its header: expected JSON. Received"),
        (b"\xff\xfe", "its header: expected JSON, in UTF-8"),
        ([1], "JSON list, not an object"),
        ({"a": A | {"shape": [3]}}, r"tensor a, F32 \[3\], needs 12 bytes from 0, and its header gives it 0 to 8"),
        ({"a": A, "b": A}, r"tensor b, F32 \[2\], needs 8 bytes from 8, and its header gives it 0 to 8"),
        ({"a": A | {"shape": [-2]}}, r"tensor a, F32 \[-2\], needs -8 bytes"),
        ({"a": A | {"dtype": "F8_E4M3"}}, "tensor a is of type F8_E4M3; known types: F64, F32"),
        ({"a": {"dtype": "F32"}}, "an entry of its header is malformed"),
        ({"a": None}, "an entry of its header is malformed"),
        ({"a": A | {"shape": ["x"]}}, "an entry of its header is malformed"),
    ],
)
def test_a_broken_header_is_named(tmp_path, header, message):
    write(tmp_path / "model.safetensors", header, bytes(8))
    with pytest.raises(UserError, match=rf"model.safetensors.*{message}"):
        read_safetensors(tmp_path / "model.safetensors")


def test_a_git_lfs_pointer_and_a_missing_file_are_named(tmp_path):
    (tmp_path / "x").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(UserError, match="x is a Git LFS pointer"):
        read_safetensors(tmp_path / "x")
    with pytest.raises(UserError, match="y cannot be read: No such file"):
        read_safetensors(tmp_path / "y")
