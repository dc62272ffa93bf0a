"""pytorch_model.bin: read as PyTorch wrote it, and never executed."""

from __future__ import annotations

import collections
import io
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bert_tf.errors import UserError
from bert_tf.weights import load
from bert_tf.weights.readers.pickled import read_pickled
from bert_tf.weights.readers.safe import read_safetensors

TINY = Path(__file__).resolve().parents[2] / "golden" / "tiny"
SAVED = TINY.parent / "pickled.zip"  # made by benchmarks/make_golden_pickled.py


@pytest.mark.parametrize("name", ["pytorch_model.bin", "legacy.bin"])
def test_both_forms_hold_what_the_safetensors_file_holds(name):
    expected, tensors = read_safetensors(TINY / "model.safetensors"), read_pickled(TINY / name)
    assert set(tensors) == set(expected)
    for key, tensor in tensors.items():
        assert tensor.shape == expected[key].shape
        np.testing.assert_array_equal(tensor.read(), expected[key].read())


def test_half_precision_and_a_transposed_view():
    expected, tensors = read_safetensors(TINY / "model.safetensors"), read_pickled(TINY / "half.bin")
    for key, tensor in tensors.items():
        array = tensor.read()
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, expected[key].read(), rtol=2**-8, atol=1e-7)


def saved(folder, name):
    """A file that PyTorch wrote, with the config of its model beside it."""
    with zipfile.ZipFile(SAVED) as archive:
        archive.extract(name, folder)
    shutil.copyfile(TINY / "config.json", folder / "config.json")
    return folder / name


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("lightning.ckpt", {"optimizer_states.0.state.0.exp_avg", "callbacks.ModelCheckpoint.score"}),
        ("deepspeed.pt", set()),
        ("whole.pt", set()),
        ("whole_old.pt", set()),
        ("parallel.pt", set()),
        ("everything.pth", set()),
        ("own_classes.bin", set()),
        ("parameters.bin", set()),
        ("parts.pt", set()),
        ("tuple.pt", {"1.state.0.exp_avg"}),
    ],
)
def test_a_model_is_found_in_what_people_save_it_in(tmp_path, name, left):
    expected, checkpoint = load(TINY), load(saved(tmp_path, name))
    assert set(checkpoint.arrays) == set(expected.arrays)
    for path, array in expected.arrays.items():
        np.testing.assert_array_equal(checkpoint.arrays[path], array)
    assert left <= set(checkpoint.extra)
    assert not checkpoint.arrays.strays


def test_objects_are_named_and_not_made(tmp_path):
    (remark,) = read_pickled(saved(tmp_path, "own_classes.bin")).remarks
    assert remark.endswith("holds objects of __main__.Kind, __main__.Settings: none was made")


def test_several_models_and_quantised_weights_are_refused_by_name(tmp_path):
    with pytest.raises(UserError, match=r"holds 2 models, under ema.bert., model.bert.: .*ignore=..model.\*.\]"):
        load(saved(tmp_path, "two.pt"))
    assert not load(tmp_path / "two.pt", ignore=["model.*"]).arrays["pooler/dense/kernel"].any()
    with pytest.raises(UserError, match=r"quantized.bin holds weights quantised to 8 bits \(torch.qint8\)"):
        load(saved(tmp_path, "quantized.bin"))


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (os.mkdir, (str(self.marker),))


def zipped(path, raw):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", raw)
        archive.writestr("archive/data/0", bytes(16))
    return path


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("form", ["zip", "legacy"])
def test_a_pickle_that_calls_something_is_refused_and_not_executed(tmp_path, form, protocol):
    raw = pickle.dumps({"weight": Evil(tmp_path / "executed")}, protocol)
    pickle.loads(raw)  # it is evil indeed
    (tmp_path / "executed").rmdir()
    if form == "zip":
        path = zipped(tmp_path / "pytorch_model.bin", raw)
    else:
        path = tmp_path / "pytorch_model.bin"
        path.write_bytes(raw)
    with pytest.raises(
        UserError, match=r"pytorch_model.bin: its pickle names (posix|nt)\.mkdir, which a state dict does not"
    ):
        read_pickled(path)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\x80\x02cbuiltins\neval\n.", r"its pickle names builtins\.eval, which"),
        (b"\x80\x02(ios\nsystem\n.", "its pickle uses the opcode INST, which"),
        (b"\x80\x02]\x81.", "its pickle uses the opcode NEWOBJ, which"),
        (b"\x80\x02\x82\x01.", "its pickle uses the opcode EXT1, which"),
        (b"\x80\x02]K\x01R.", r"its pickle calls \[\], which"),
        (
            b"\x80\x02ctorch._utils\n_rebuild_sparse_tensor\n)R.",
            r"its pickle names torch._utils._rebuild_sparse_tensor",
        ),
        (b"\x80\x02}X\x01\x00\x00\x00acsubprocess\nPopen\n)Rs.", r"its pickle names subprocess\.Popen, which"),
        (b"\x80\x02c__builtin__\neval\n)R.", r"its pickle names __builtin__\.eval, which"),
        (b"\x80\x02K\x01Q.", "corrupted or no PyTorch state dict"),
        (b"\x80\x02h\x05.", "corrupted or no PyTorch state dict"),
        (b"\x80\x02}q\x00", "corrupted or no PyTorch state dict"),
        (b"\x80\x02\xff", "corrupted or no PyTorch state dict"),
        (b"\x80\x02R.", "corrupted or no PyTorch state dict"),
        (b"\x80\x02}.", "holds no tensors by name"),
        (b"\x80\x02K\x07.", "holds no tensors by name"),
        (b"", "corrupted or no PyTorch state dict"),
    ],
)
def test_what_is_not_a_state_dict_is_named(tmp_path, raw, message):
    with pytest.raises(UserError, match=rf"pytorch_model.bin.*{message}"):
        read_pickled(zipped(tmp_path / "pytorch_model.bin", raw))


def state_dict(offset, shape, strides, key="0"):
    """A state dict of one tensor, pickled as torch.save does it, without PyTorch."""
    globals_ = {"rebuild": b"ctorch._utils\n_rebuild_tensor_v2\n", "storage": b"ctorch\nFloatStorage\n"}
    out = io.BytesIO()
    out.write(
        b"\x80\x02}X\x01\x00\x00\x00w" + globals_["rebuild"] + b"((X\x07\x00\x00\x00storage" + globals_["storage"]
    )
    out.write(b"X\x01\x00\x00\x00" + key.encode() + b"X\x03\x00\x00\x00cpuK\x04tQ")
    numbers = lambda values: b"(" + b"".join(b"J" + n.to_bytes(4, "little", signed=True) for n in values) + b"t"  # noqa: E731
    out.write(b"J" + offset.to_bytes(4, "little", signed=True) + numbers(shape) + numbers(strides) + b"\x89NtRs.")
    return out.getvalue()


def test_views_stay_inside_their_storage(tmp_path):
    path = tmp_path / "pytorch_model.bin"
    tensors = read_pickled(zipped(path, state_dict(0, (2, 2), (1, 2))))
    np.testing.assert_array_equal(tensors["w"].read(), np.zeros((2, 2), "float32"))
    for offset, shape, strides in [(1, (2, 2), (2, 1)), (0, (2, 2), (3, 1)), (-1, (2, 2), (2, 1)), (0, (2,), (-1,))]:
        with pytest.raises(UserError, match=r"corrupted: tensor w .* needs \S+ bytes, it has 16"):
            read_pickled(zipped(path, state_dict(offset, shape, strides)))
    with pytest.raises(UserError, match="corrupted or no PyTorch state dict"):
        read_pickled(zipped(path, state_dict(0, (2, 2), (2, 1), key="7")))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "legacy.bin"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.95])
def test_a_truncated_file_is_named(tmp_path, name, share):
    whole = (TINY / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=name):
        read_pickled(tmp_path / name)


def test_other_files_are_named(tmp_path):
    shutil.copyfile(TINY / "model.safetensors", tmp_path / "x.bin")
    with pytest.raises(UserError, match=r"x.bin is no PyTorch state dict: neither a zip file nor a pickle"):
        read_pickled(tmp_path / "x.bin")
    (tmp_path / "x.bin").write_bytes(pickle.dumps(collections.OrderedDict(a=1), 2))
    with pytest.raises(UserError, match=r"x.bin is a pickle, but no PyTorch state dict"):
        read_pickled(tmp_path / "x.bin")
