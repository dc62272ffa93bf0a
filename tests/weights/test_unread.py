"""Folders that are not read say what they are, and of several formats in one folder which is read."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.weights import load, save_google
from tests.weights.tiny import TINY, altered


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("adapter_model.safetensors", "adapter_model.safetensors is there|there are adapter_model.safetensors"),
        (
            "model.fp16.safetensors",
            "model.fp16.safetensors is there: a variant of the weights; .*/model.fp16.safetensors$",
        ),
        ("bert.keras", "bert.keras is there: a Keras file"),
        ("model.onnx", "an ONNX graph"),
        ("bert_model.ckpt.index", r"whose .data-\* file is missing"),
        ("bert_model.ckpt.data-00000-of-00001", "whose .index file is missing"),
        ("notes.txt", "there are notes.txt$"),
        ("best.bin", r"there are best.bin; a file of weights with a name of its own is read where .*/best.bin$"),
    ],
)
def test_what_is_there_is_named(tmp_path, file, said):
    (tmp_path / file).write_bytes(b"x")
    with pytest.raises(UserError, match=rf"holds no weights: expected .*; .*{said}"):
        load(tmp_path)


def test_a_saved_model_says_what_to_do(tmp_path):
    module = tf.Module()
    module.w = tf.Variable([1.0])
    tf.saved_model.save(module, str(tmp_path))
    with pytest.raises(UserError, match=r"saved_model.pb is there: a SavedModel.*take the checkpoint it was made of"):
        load(tmp_path)


def test_an_empty_folder_and_a_long_list(tmp_path):
    with pytest.raises(UserError, match=r"the folder is empty$"):
        load(tmp_path)
    for i in range(20):
        (tmp_path / f"{i:02d}.txt").touch()
    with pytest.raises(UserError, match=r"there are 00.txt, .*, 11.txt and 8 more$"):
        load(tmp_path)


def test_of_two_formats_in_one_folder_the_one_read_is_said(tmp_path, caplog):
    tiny = load(TINY)
    arrays = {path: array + 1 for path, array in tiny.arrays.items()}
    save_google(tmp_path / "x", tiny.config, arrays)
    for name in ("config.json", "model.safetensors"):
        shutil.copy(TINY / name, tmp_path / "x" / name)
    found = load(tmp_path / "x")
    assert found.format == "hugging_face"
    assert "is a Hugging Face folder and also a TF 1 checkpoint: the first is read" in caplog.text
    named = load(tmp_path / "x" / "bert_model.ckpt")
    np.testing.assert_array_equal(named.arrays["pooler/dense/bias"], arrays["pooler/dense/bias"])


def test_a_model_in_a_folder_within_is_named(tmp_path):
    altered(tmp_path / "checkpoint-500")
    (tmp_path / "training_args.bin").touch()
    with pytest.raises(UserError, match=r"checkpoint-500/, training_args.bin; there is a model in .*/checkpoint-500$"):
        load(tmp_path)
