"""config.json of a ModernBERT: what two versions of Transformers write about blocks and angles, and which counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bert_tf.weights.hugging_face.config import config_from, remarks_on
from bert_tf.weights.hugging_face.save import to_hugging_face_config
from bert_tf.weights.members import MEMBERS

PATH = Path("x/config.json")
# As answerdotai/ModernBERT-base has them, of Transformers 4.47.
PUBLISHED: dict[str, Any] = {
    "architectures": ["ModernBertForMaskedLM"], "attention_bias": False, "attention_dropout": 0.0,
    "bos_token_id": 50281, "classifier_activation": "gelu", "classifier_bias": False, "classifier_dropout": 0.0,
    "classifier_pooling": "mean", "cls_token_id": 50281, "decoder_bias": True, "deterministic_flash_attn": False,
    "embedding_dropout": 0.0, "eos_token_id": 50282, "global_attn_every_n_layers": 3, "global_rope_theta": 160000.0,
    "gradient_checkpointing": False, "hidden_activation": "gelu", "hidden_size": 768,
    "initializer_cutoff_factor": 2.0, "initializer_range": 0.02, "intermediate_size": 1152, "layer_norm_eps": 1e-05,
    "local_attention": 128, "local_rope_theta": 10000.0, "max_position_embeddings": 8192, "mlp_bias": False,
    "mlp_dropout": 0.0, "model_type": "modernbert", "norm_bias": False, "norm_eps": 1e-05, "num_attention_heads": 12,
    "num_hidden_layers": 22, "pad_token_id": 50283, "position_embedding_type": "absolute", "sep_token_id": 50282,
    "tie_word_embeddings": True, "torch_dtype": "float32", "transformers_version": "4.47.0.dev0", "vocab_size": 50368,
}  # fmt: skip
FULL, LOCAL = "full_attention", "sliding_attention"


def every(**keys: Any) -> int:
    return config_from({**PUBLISHED, "num_hidden_layers": 4, **keys}, PATH)["global_every"]


def test_the_published_file_is_used_to_its_last_key():
    config = config_from(PUBLISHED, PATH)
    assert not remarks_on(PUBLISHED, PATH, MEMBERS["modernbert"])
    found = [config[name] for name in ("rotary_base", "local_rotary_base", "global_every", "local_attention")]
    assert found == [160000.0, 10000.0, 3, 128]
    assert (config["head_pooling"], config["norm_bias"], config["decoder_bias"]) == ("mean", False, True)
    written = to_hugging_face_config(config, MEMBERS["modernbert"])
    assert {key: PUBLISHED[key] for key in written} == written


@pytest.mark.parametrize(
    ("types", "stated", "found"),
    [
        ([FULL, LOCAL, LOCAL, FULL], None, 3),
        ([FULL, LOCAL, FULL, LOCAL], 3, 2),  # the list counts
        ([FULL] * 4, 3, 1),
        ([FULL, LOCAL, LOCAL, LOCAL], None, 4),
        ([FULL, LOCAL, LOCAL, LOCAL], 7, 7),
        (None, 5, 5),
        (None, None, 3),
    ],
)
def test_layer_types_are_every_so_many_blocks(types, stated, found):
    assert every(layer_types=types, global_attn_every_n_layers=stated) == found


def test_thetas_of_rope_parameters_count():
    def bases(**keys: Any) -> tuple[float, float]:
        config = config_from({**PUBLISHED, **keys}, PATH)
        return config["rotary_base"], config["local_rotary_base"]

    both = {FULL: {"rope_type": "default", "rope_theta": 7.0}, LOCAL: {"rope_theta": 9.0}}
    assert bases(rope_parameters=both) == (7.0, 9.0)
    assert bases(rope_parameters={FULL: {"rope_type": "default"}, LOCAL: None}) == (160000.0, 10000.0)
    assert bases(rope_parameters={LOCAL: {"rope_theta": 9.0}}, global_rope_theta=None) == (160000.0, 9.0)
