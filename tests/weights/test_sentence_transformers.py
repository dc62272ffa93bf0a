from __future__ import annotations

import json

import pytest

from bert_tf.errors import UserError
from bert_tf.weights.sentence_transformers import read_modules, write_modules

SETTINGS = [
    {"pooling": pooling, "normalize": normalize, "max_length": 40}
    for pooling in ("mean", "cls", "max")
    for normalize in (True, False)
]


def write(folder, *kinds, pooling=None, **files):
    types = [f"sentence_transformers.models.{kind}" for kind in kinds]
    modules = [{"idx": i, "path": "1_Pooling" if "Pool" in kind else "", "type": kind} for i, kind in enumerate(types)]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling or {}))
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))


@pytest.mark.parametrize("settings", SETTINGS)
def test_there_and_back(tmp_path, settings):
    write_modules(tmp_path, hidden_dim=6, **settings)
    assert read_modules(tmp_path) == settings


def test_a_folder_that_says_nothing(tmp_path):
    assert read_modules(tmp_path) == {}


def test_what_the_published_model_says():
    from bert_tf.weights import resolve

    assert read_modules(resolve("minilm")) == {"pooling": "mean", "normalize": True, "max_length": 256}


def test_newer_files(tmp_path):
    write(
        tmp_path, "Transformer", "Pooling", pooling={"pooling_mode": "cls"}, tokenizer_config={"model_max_length": 99}
    )
    assert read_modules(tmp_path) == {"pooling": "cls", "normalize": False, "max_length": 99}
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 1000000000000000019884624838656}')
    assert "max_length" not in read_modules(tmp_path)


@pytest.mark.parametrize(
    ("kinds", "pooling", "named"),
    [
        (["Transformer", "Pooling"], {"pooling_mode": "weightedmean"}, "weightedmean"),
        (["Transformer", "Pooling"], {"pooling_mode": ["mean", "max"]}, "mean and max"),
        (["Transformer", "Pooling"], {"pooling_mode_lasttoken": True}, "lasttoken"),
        (["Transformer", "Pooling", "Dense"], {"pooling_mode_mean_tokens": True}, "mean, then Dense"),
        (["Transformer"], {}, "none"),
    ],
)
def test_what_we_do_not_have_is_named(tmp_path, kinds, pooling, named):
    from bert_tf.models.embedder import POOLINGS

    write(tmp_path, *kinds, pooling=pooling)
    assert read_modules(tmp_path)["pooling"] == named
    assert named not in POOLINGS


def test_broken_files(tmp_path):
    (tmp_path / "modules.json").write_text("{")
    with pytest.raises(UserError, match=r"modules\.json: expected JSON"):
        read_modules(tmp_path)
    (tmp_path / "modules.json").write_text('{"a": 1}')
    with pytest.raises(UserError, match=r"expected a list of modules. Received: .'a': 1."):
        read_modules(tmp_path)
    write(tmp_path, "Transformer", "Pooling")
    (tmp_path / "1_Pooling" / "config.json").unlink()
    with pytest.raises(UserError, match=r"1_Pooling.config\.json: expected a file that can be read"):
        read_modules(tmp_path)
