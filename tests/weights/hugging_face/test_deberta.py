"""config.json of a DeBERTa as published, and the files of v3, whose masked-LM head has other names."""

from __future__ import annotations

import json
import logging
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import bert_tf
from bert_tf.errors import UserError
from bert_tf.models import size_config, weights_by_path
from bert_tf.weights.hugging_face.config import config_from, remarks_on
from bert_tf.weights.hugging_face.save import to_hugging_face_config
from bert_tf.weights.members import MEMBERS

PATH = Path("x/config.json")
MEMBER = MEMBERS["deberta-v2"]
# As microsoft/deberta-v3-base has them.
PUBLISHED: dict[str, Any] = {
    "model_type": "deberta-v2", "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
    "hidden_size": 768, "initializer_range": 0.02, "intermediate_size": 3072, "max_position_embeddings": 512,
    "relative_attention": True, "position_buckets": 256, "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "pos_att_type": "p2c|c2p", "layer_norm_eps": 1e-7, "max_relative_positions": -1, "position_biased_input": False,
    "num_attention_heads": 12, "num_hidden_layers": 12, "type_vocab_size": 0, "vocab_size": 128100,
}  # fmt: skip
# What the other sizes, and files that Transformers has saved, have besides.
MORE = {"attention_head_size": 64, "pooler_dropout": 0, "pooler_hidden_act": "gelu", "pooler_hidden_size": 768,
        "legacy": True}  # fmt: skip


def test_the_published_file_is_used_to_its_last_key():
    config = config_from(PUBLISHED | MORE, PATH)
    assert not remarks_on(PUBLISHED | MORE, PATH, MEMBER)
    assert bert_tf.BertConfig.from_dict(config) == size_config("deberta-v3-base", vocabulary_size=128100)
    assert config["farthest_distance"] == 512
    written = to_hugging_face_config(config, MEMBER)
    same = PUBLISHED | {
        "pos_att_type": ("c2p", "p2c"),
        "max_relative_positions": 512,
        "pad_token_id": 0,
        "legacy": True,
    }
    same |= {"conv_kernel_size": 0, "conv_act": "tanh"}
    assert written == {key: value for key, value in same.items() if key != "model_type"}


@pytest.mark.parametrize(
    ("keys", "field", "found"),
    [
        ({"pos_att_type": ["p2c"]}, "distance_terms", "p2c"),
        ({"pos_att_type": ["p2c", "c2p"]}, "distance_terms", "c2p|p2c"),
        ({"pos_att_type": "C2P"}, "distance_terms", "c2p"),
        ({"position_buckets": None}, "distance_buckets", 0),
        ({"position_buckets": -1}, "distance_buckets", 0),
        ({"max_relative_positions": 128}, "farthest_distance", 128),
        ({"max_relative_positions": None, "max_position_embeddings": 700}, "farthest_distance", 700),
        ({"norm_rel_ebd": None}, "distance_norm", False),
        ({"conv_kernel_size": 3, "conv_act": "gelu"}, "kernel_size", 3),
        ({"embedding_size": 128}, "embedding_dim", 128),
        ({"position_biased_input": True}, "position_kind", "learned"),
    ],
)
def test_keys_say_fields(keys, field, found):
    raw = {key: value for key, value in (PUBLISHED | keys).items() if value is not None}
    assert config_from(raw, PATH)[field] == found


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"conv_kernel_size": 4}, "`conv_kernel_size` must be 0 or an odd number. Received: 4"),
        ({"conv_groups": 2}, "`conv_groups` must be 1 or absent: the model would be another one"),
        ({"relative_attention": False}, "`pos_att_type` must be c2p, p2c or both, with `relative_attention` true"),
        ({"pos_att_type": ["c2p", "p2p"]}, r"`pos_att_type` must be c2p, p2c or both.* Received: \[\"c2p\", \"p2p\"\]"),
        ({"pos_att_type": None}, "lacks pos_att_type"),
        ({"position_buckets": 1}, "`position_buckets` must be an integer other than 1. Received: 1"),
        ({"position_buckets": "256"}, "`position_buckets` must be an integer other than 1"),
        ({"max_relative_positions": 2.5}, "`max_relative_positions` must be an integer. Received: 2.5"),
        ({"norm_rel_ebd": "batch_norm"}, "`norm_rel_ebd` must be one of none, layer_norm"),
        ({"attention_head_size": 32}, "`attention_head_size` must be hidden_size / num_attention_heads or absent"),
        ({"pooler_hidden_act": "tanh"}, "`pooler_hidden_act` must be gelu or absent"),
        ({"pooler_hidden_size": 7}, "`pooler_hidden_size` must be hidden_size or absent"),
        ({"pooler_dropout": 0.1}, "`pooler_dropout` must be 0 or absent"),
        ({"type_vocab_size": -1}, "`type_vocab_size` must be an integer of at least 0"),
    ],
)
def test_what_is_not_followed_is_refused_by_name(keys, said):
    with pytest.raises(UserError, match=said):
        config_from({key: value for key, value in (PUBLISHED | keys).items() if value is not None}, PATH)


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deberta")
    with zipfile.ZipFile(Path(__file__).parents[2] / "golden" / "deberta-v2.zip") as archive:
        archive.extractall(folder)
    return folder


def test_the_head_of_v3_is_read_by_its_own_names_and_written_by_the_usual_ones(golden, tmp_path):
    """Transformers has both, by `legacy`; what they compute is the same."""
    folder, strict = golden / "lm_predictions", {"new_weights": "forbid", "extra_weights": "forbid"}
    model = bert_tf.BertMaskedLM.from_pretrained(folder, **strict)
    with np.load(folder / "truth.npz") as file:
        truth = dict(file)
    mask = truth["attention_mask"].astype("int32")
    found = model({"token_ids": truth["input_ids"].astype("int32"), "padding_mask": mask})["masked_lm_logits"]
    np.testing.assert_allclose(np.asarray(found)[mask == 1], truth["logits"][mask == 1], atol=1e-5, rtol=0)
    model.save_pretrained(tmp_path / "x")
    raw = json.loads((tmp_path / "x" / "config.json").read_text())
    assert (raw["legacy"], raw["max_relative_positions"]) == (True, 26)
    theirs, ours = (load_file(place / "model.safetensors") for place in (folder, tmp_path / "x"))
    assert {name for name in ours if not name.startswith("deberta.")} == {
        "cls.predictions.bias", "cls.predictions.transform.dense.weight", "cls.predictions.transform.dense.bias",
        "cls.predictions.transform.LayerNorm.weight", "cls.predictions.transform.LayerNorm.bias",
    }  # fmt: skip
    kernel = theirs["lm_predictions.lm_head.dense.weight"]
    np.testing.assert_array_equal(ours["cls.predictions.transform.dense.weight"], kernel)
    again = bert_tf.BertMaskedLM.from_pretrained(tmp_path / "x", **strict)
    for path, weight in weights_by_path(model).items():
        np.testing.assert_array_equal(weights_by_path(again)[path], weight, err_msg=path)


def test_what_the_published_files_have_besides_is_left_aside(golden, tmp_path, caplog):
    """A table of positions that is not added, and the head that tells replaced tokens, of a form of its own."""
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "config.json").write_bytes((golden / "backbone" / "config.json").read_bytes())
    tensors = load_file(golden / "backbone" / "model.safetensors")
    more = {"embeddings.position_embeddings.weight": (26, 6), "mask_predictions.dense.weight": (6, 6)}
    save_file(tensors | {name: np.ones(shape, "float32") for name, shape in more.items()}, folder / "model.safetensors")
    with caplog.at_level(logging.WARNING):
        model = bert_tf.BertBackbone.from_pretrained(folder)
    assert "has no place for them: mask_predictions.dense.weight" in caplog.text
    assert "position" not in caplog.text
    np.testing.assert_array_equal(
        weights_by_path(model)["relative_vectors/table"], tensors["encoder.rel_embeddings.weight"]
    )
