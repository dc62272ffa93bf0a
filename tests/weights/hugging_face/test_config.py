"""config.json: each key is used, harmless, or refused where it changes answers."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from bert_tf.errors import UserError
from bert_tf.layers.feed_forward import activate
from bert_tf.models import BertBackbone, BertConfig
from bert_tf.weights import load
from bert_tf.weights.hugging_face.config import config_from, head_settings, remarks_on
from bert_tf.weights.hugging_face.labels import class_names
from bert_tf.weights.leave import Leave
from bert_tf.weights.members import BERT, MEMBERS
from bert_tf.weights.members.member import ACTIVATIONS
from tests.weights.tiny import altered, inputs

PATH = Path("x/config.json")
LEAST = {
    "vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 5,
}  # fmt: skip
NEEDED = {"deberta-v2": {"pos_att_type": "c2p", "relative_attention": True}}  # besides


def keys_of(member):
    """Of each of a member's tables."""
    rows = [*member.used.values(), *(used for used, _ in member.optional.values())]
    used = {key for row in rows for key in (row.key, row.also) if key}
    used |= {row.key for row in member.dropouts}
    return [used, set(member.changing), set(member.elsewhere), set(member.harmless)]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def tanh_gelu(x):
    return 0.5 * x * (1 + math.tanh(0.7978845608 * (x + 0.044715 * x**3)))


# Transformers' `activations.py`, in plain numbers.
THEIRS = {
    "gelu": lambda x: x * 0.5 * (1 + math.erf(x / math.sqrt(2))),
    "gelu_new": tanh_gelu,
    "gelu_fast": lambda x: 0.5 * x * (1 + math.tanh(x * 0.7978845608 * (1 + 0.044715 * x * x))),
    "quick_gelu": lambda x: x * sigmoid(1.702 * x),
    "relu": lambda x: max(x, 0.0),
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * math.tanh(math.log1p(math.exp(x))),
    "tanh": math.tanh,
    "linear": lambda x: x,
}
THEIRS |= {"gelu_python": THEIRS["gelu"], "swish": THEIRS["silu"]}
THEIRS |= dict.fromkeys(("gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate"), tanh_gelu)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_compute_what_theirs_do(name):
    x = np.linspace(-5, 5, 41, dtype="float32")
    ours = activate(config_from({**LEAST, "hidden_act": name}, PATH)["activation"], x)
    np.testing.assert_allclose(ours, [THEIRS[name](float(value)) for value in x], rtol=0, atol=1e-6)


def test_the_least_config_has_their_defaults():
    config = config_from(LEAST, PATH)
    assert (config["max_positions"], config["num_segments"], config["layer_norm_epsilon"]) == (512, 2, 1e-12)
    assert (config["hidden_dropout"], config["activation"], config["pad_token_id"]) == (0.1, "gelu", 0)
    assert (
        config_from({**LEAST, **dict.fromkeys(("model_type", "hidden_act", "position_embedding_type"))}, PATH) == config
    )
    assert not remarks_on(LEAST, PATH)


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("is_decoder", True, "true"),
        ("add_cross_attention", True, "true"),
        ("position_embedding_type", "relative_key_query", '"relative_key_query"'),
        ("position_embedding_type", "alibi", '"alibi"'),
        ("pruned_heads", {"1": [0]}, r"\{"),
        ("quantization_config", {"load_in_8bit": True}, r"\{"),
        ("per_layer_config", {"0": {"hidden_act": "relu"}}, r"\{"),
        ("embedding_size", 4, "4"),
        ("adapters", {"adapters": {"x": "houlsby"}}, r"\{"),
        ("auto_map", {"AutoModel": "modeling.X", "AutoConfig": "c.Y"}, r"\{"),
        ("feed_forward_type", "geglu", '"geglu"'),
        ("use_task_id", True, "true"),
        ("problem_type", "ranking", '"ranking"'),
        ("problem_type", ["regression"], r"\["),
        ("directionality", "uni", '"uni"'),
    ],
)
def test_what_changes_answers_is_refused_by_name_and_can_be_left_out(key, value, shown):
    raw = {**LEAST, key: value}
    with pytest.raises(
        UserError, match=rf'x/config.json: `{key}` must be .*Received: {shown}.*--set model.ignore=.*"{key}"'
    ):
        config_from(raw, PATH)
    assert config_from(raw, PATH, Leave([key])) == config_from(LEAST, PATH)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("is_decoder", False), ("position_embedding_type", "absolute"), ("pruned_heads", {}),
        ("pruned_heads", {"0": []}), ("quantization_config", None), ("embedding_size", 8),
        ("adapters", {"adapters": {}, "config_map": {}}),
        ("auto_map", {"AutoTokenizer": ["x", None]}), ("problem_type", None), ("problem_type", "regression"),
        ("chunk_size_feed_forward", 3), ("is_encoder_decoder", False), ("classifier_dropout", None),
        ("use_cache", True), ("directionality", "bidi"),
    ],
)  # fmt: skip
def test_what_does_not_change_answers_is_taken_without_a_word(key, value):
    raw = {**LEAST, key: value}
    assert config_from(raw, PATH) == config_from(LEAST, PATH)
    assert not remarks_on(raw, PATH)


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("hidden_size", "8", r"an integer of at least 1. Received: \"8\""),
        ("hidden_size", 8.5, "an integer of at least 1. Received: 8.5"),
        ("num_hidden_layers", True, "an integer of at least 1. Received: true"),
        ("type_vocab_size", 0, "an integer of at least 1. Received: 0"),
        ("layer_norm_eps", "1e-12", r"a number above 0. Received: \"1e-12\""),
        ("layer_norm_eps", 0, "a number above 0. Received: 0"),
        ("hidden_dropout_prob", 1.0, r"a number in \[0, 1\). Received: 1.0"),
        ("hidden_act", "gelu_10", r"one of gelu, .*, linear. Received: \"gelu_10\""),
        ("hidden_act", {"name": "gelu"}, r"one of gelu, .*. Received: \{"),
        ("pad_token_id", [0], r"an integer. Received: \[0\]"),
        ("num_attention_heads", 3, "divide `hidden_size`. Received: num_attention_heads=3, hidden_size=8"),
        ("model_type", "ernie", f"{' or '.join(MEMBERS)}. Received: ernie"),
        ("architectures", ["FunnelModel"], "of BERT. Received: FunnelModel"),
        ("architectures", ["DebertaForTokenClassification"], "of BERT. Received: Deberta"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_key(key, value, rule):
    with pytest.raises(UserError, match=rf"x/config.json: `{key}` must (be )?{rule}"):
        config_from({**LEAST, key: value}, PATH)


def test_a_padding_token_outside_of_the_vocabulary_changes_nothing_and_is_said(tmp_path):
    """As in Transformers, whose embedding only starts at zeros there."""
    model = BertBackbone.from_pretrained(altered(tmp_path / "x"))
    other = altered(tmp_path / "y", config={"pad_token_id": -1})
    (said,) = load(other).warnings
    assert "`pad_token_id` is -1, which is no token" in said
    np.testing.assert_array_equal(
        BertBackbone.from_pretrained(other)(inputs())["pooled_output"], model(inputs())["pooled_output"]
    )


def test_keys_in_no_table_are_named_in_a_warning(tmp_path):
    folder = altered(tmp_path / "x", config={"my_key": 1, "another": None, "language": "de", "top_k": 50})
    assert load(folder).warnings == (
        f"{folder / 'config.json'} has keys that BERT does not know, not used: another, my_key",
    )


def test_a_class_that_is_not_known_is_named(tmp_path):
    for names in (["TFBertForSequenceClassification"], ["FlaxBertModel"], ["BertForMaskedLM"], "BertModel"):
        assert not remarks_on({**LEAST, "architectures": names}, PATH)
    (said,) = load(altered(tmp_path / "x", config={"architectures": ["BertCrfForNer"]})).warnings
    assert "`architectures` is BertCrfForNer, not known here" in said


VALUES = (None, True, -1, 0, 3, 2.5, float("nan"), "x", "gelu", [], [1], ["x"], {}, {"0": "a"}, {"a": [1]}, [[{}]])


@pytest.mark.parametrize(
    ("model_type", "key"),
    [(kind, key) for kind, member in MEMBERS.items() for key in sorted(set().union(*keys_of(member)[:3]))],
)
def test_any_value_is_used_or_refused_in_one_line(model_type, key):
    """Never a traceback: whatever stands there, it is a UserError that names the key, or a model."""
    member = MEMBERS[model_type]
    least = {used.key: LEAST.get(BERT.key_of(field)) for field, used in member.used.items()}
    least = {"model_type": member.model_type, **{name: value for name, value in least.items() if value is not None}}
    least |= NEEDED.get(model_type, {})
    for value in VALUES:
        raw, refused, config = {**least, key: value}, "", {}
        try:
            config = config_from(raw, PATH)
            head_settings(raw, PATH, member)
        except UserError as error:
            refused = str(error)
        if refused:
            assert f"`{key}`" in refused or f"lacks {key}" in refused, (value, refused)
            continue
        BertConfig.from_dict(config)
        assert isinstance(remarks_on(raw, PATH, member), list)
        labels, _ = class_names(raw, 3)
        assert labels is None or (len(set(labels)) == 3 and all(isinstance(name, str) for name in labels))


@pytest.mark.parametrize("member", MEMBERS.values(), ids=list(MEMBERS))
def test_a_key_stands_in_one_table(member):
    tables = keys_of(member)
    assert sum(map(len, tables)) == len(set().union(*tables))


def test_a_config_with_a_byte_order_mark_is_read(tmp_path):
    folder = altered(tmp_path / "x")
    text = (folder / "config.json").read_bytes()
    (folder / "config.json").write_bytes(b"\xef\xbb\xbf" + text)
    assert load(folder).config == config_from(json.loads(text), PATH)


def test_a_heads_dropout_must_be_one(tmp_path):
    with pytest.raises(
        UserError, match=r"config.json: `classifier_dropout` must be a number in \[0, 1\). Received: \"0.1\""
    ):
        load(altered(tmp_path / "x", config={"classifier_dropout": "0.1"}))
