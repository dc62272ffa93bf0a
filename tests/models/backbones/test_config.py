import dataclasses
import json
import subprocess
import sys
from typing import Any

import pytest

from bert_tf.layers.feed_forward import ACTIVATIONS
from bert_tf.models import SIZES, BertBackbone, BertConfig, size_config, weights_by_path
from bert_tf.models.backbones import config_checks

SMALL: dict[str, Any] = {
    "vocabulary_size": 11,
    "hidden_dim": 8,
    "num_layers": 2,
    "num_heads": 2,
    "intermediate_dim": 16,
}


def test_the_config_knows_the_activations_that_the_layers_have():
    assert config_checks.ACTIVATIONS == ACTIVATIONS


def test_to_dict_and_back():
    config = BertConfig(**SMALL, hidden_dropout=0.2, position_kind="sinusoidal", recompute=True)
    assert BertConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_a_config_is_frozen_and_replace_makes_another():
    config = BertConfig(**SMALL)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.hidden_dim = 4  # pyright: ignore[reportAttributeAccessIssue]
    assert config.replace(num_layers=5) == BertConfig.from_dict(SMALL | {"num_layers": 5})
    assert config.num_layers == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocabulary_size": 0}, "`vocabulary_size` must be an integer of at least 1. Received: vocabulary_size=0"),
        ({"num_layers": 2.0}, "`num_layers`.*num_layers=2.0"),
        ({"max_positions": True}, "`max_positions`.*max_positions=True"),
        ({"hidden_dropout": 1}, r"`hidden_dropout` must be a number in \[0, 1\). Received: hidden_dropout=1"),
        ({"attention_dropout": "0.1"}, "`attention_dropout`.*'0.1'"),
        ({"layer_norm_epsilon": 0.0}, "`layer_norm_epsilon` must be a number above 0.*=0.0"),
        ({"initializer_range": float("nan")}, "`initializer_range`.*nan"),
        (
            {"activation": "swish"},
            "`activation` must be one of gelu, gelu_tanh, quick_gelu, relu, silu, mish, tanh, linear.*'swish'",
        ),
        ({"position_kind": "rotary"}, "`position_kind` must be one of learned, sinusoidal.*'rotary'"),
        ({"position_initializer": "ones"}, "`position_initializer` must be one of random, sinusoidal.*'ones'"),
        ({"pad_token_id": 11}, r"`pad_token_id` must be an integer in \[0, 11\).*pad_token_id=11"),
        ({"embedding_dim": 0}, "`embedding_dim` must be an integer of at least 1, or None. Received: embedding_dim=0"),
        ({"embedding_dim": 4}, "`embedding_dim` must be None of a BERT. Received: embedding_dim=4"),
        ({"layer_groups": 1}, "`layer_groups` must be 0 of a BERT. Received: layer_groups=1"),
        ({"model_type": "albert", "layer_groups": 3}, r"`layer_groups` must be an integer in \[0, 2\]. Received: .*=3"),
        ({"model_type": "albert", "blocks_per_layer": 0}, "`blocks_per_layer` must be an integer of at least 1. .*=0"),
        ({"model_type": "roberta", "first_position": 2}, r"`first_position` must be `pad_token_id` \+ 1 of a RoB.*=2"),
        ({"recompute": 1}, "`recompute` must be true or false.*recompute=1"),
        ({"norm_first": 1}, "`norm_first` must be true or false.*norm_first=1"),
        ({"norm_first": True}, "`norm_first` must be False of a BERT.*norm_first=True"),
        ({"local_attention": 1}, "`local_attention` must be 0, or an integer of at least 2.*local_attention=1"),
        ({"global_every": 0}, "`global_every` must be an integer of at least 1.*global_every=0"),
        ({"rotary_base": 0}, "`rotary_base` must be a number above 0.*rotary_base=0"),
        ({"head_activation": "swish"}, "`head_activation` must be None, or one of gelu.*'swish'"),
        ({"head_pooling": "max"}, "`head_pooling` must be one of cls, mean.*'max'"),
        ({"feed_forward_dropout": 1.0}, r"`feed_forward_dropout` must be a number in \[0, 1\)"),
        ({"distance_terms": "c2p"}, "`distance_terms` must be '' of a BERT. Received: distance_terms='c2p'"),
        ({"model_type": "deberta-v2", "distance_terms": "p2p"}, "`distance_terms` must be one of c2p, p2c, .*'p2p'"),
        ({"model_type": "deberta-v2", "distance_buckets": 1}, "`distance_buckets` must be 0, or at least 2. .*=1"),
        ({"model_type": "deberta-v2", "farthest_distance": -1}, "`farthest_distance` must be an integer of at least 1"),
        (
            {"model_type": "deberta-v2", "distance_buckets": 8, "farthest_distance": 5, "max_positions": 6},
            "`farthest_distance` must be above 5 with 8 `distance_buckets`. Received: farthest_distance=5",
        ),
        ({"model_type": "deberta-v2", "position_kind": "rotary"}, "`position_kind` must be one of learned, none"),
        ({"model_type": "deberta-v2", "num_segments": -1}, "`num_segments` must be an integer of at least 0"),
        ({"bottleneck_dim": -1}, "`bottleneck_dim` must be an integer of at least 0.*bottleneck_dim=-1"),
        ({"bottleneck_dim": 4}, "`bottleneck_dim` must be 0 of a BERT.*bottleneck_dim=4"),
        ({"model_type": "mobilebert", "bottleneck_dim": 4}, "`shared_bottleneck` must be True, or else `bottleneck_at"),
        ({"model_type": "mobilebert", "shared_bottleneck": True}, "`shared_bottleneck` must be False without `bott"),
        ({"num_feed_forwards": 0}, "`num_feed_forwards` must be an integer of at least 1.*num_feed_forwards=0"),
        ({"norm_kind": "rms"}, "`norm_kind` must be one of layer_norm, no_norm.*'rms'"),
        ({"norm_kind": "no_norm"}, "`norm_kind` must be 'layer_norm' of a BERT.*'no_norm'"),
        ({"trigram": True}, "`trigram` must be False of a BERT"),
        ({"has_pooler": 0}, "`has_pooler` must be true or false.*has_pooler=0"),
        (
            {"model_type": "mobilebert", "bottleneck_dim": 4, "bottleneck_attention": True, "shared_bottleneck": True},
            "`shared_bottleneck` must be False with `bottleneck_attention`",
        ),
        (
            {"model_type": "mobilebert", "bottleneck_dim": 5, "bottleneck_attention": True},
            "`num_heads` must divide `bottleneck_dim`. Received: num_heads=2, bottleneck_dim=5",
        ),
        ({"num_heads": 3}, "`num_heads` must divide `hidden_dim`. Received: num_heads=3, hidden_dim=8"),
        ({"heads": 3}, "`BertConfig` knows no heads. Known: vocabulary_size, hidden_dim"),
    ],
)
def test_bad_fields_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        BertConfig.from_dict(SMALL | changes)
    with pytest.raises(ValueError, match=message):
        BertConfig(**SMALL).replace(**changes)


def test_a_missing_field_is_named():
    with pytest.raises(ValueError, match=r"`BertConfig` needs num_heads, intermediate_dim. Received: hidden_dim"):
        BertConfig.from_dict({name: SMALL[name] for name in ("vocabulary_size", "hidden_dim", "num_layers")})


def parameters(config):
    if config.model_type == "modernbert":
        return parameters_of_modernbert(config)
    if config.model_type == "deberta-v2":
        return parameters_of_deberta(config)
    if config.model_type == "mobilebert":
        return parameters_of_mobilebert(config)
    width, inner, narrow = config.hidden_dim, config.intermediate_dim, config.table_dim
    rows = config.vocabulary_size + config.num_segments + config.max_positions + config.first_position
    tables = rows * narrow + 2 * narrow + config.relative_buckets * config.num_heads
    projection = 0 if narrow == width and config.model_type != "albert" else (narrow + 1) * width
    block = 4 * (width + 1) * width + (width + 1) * inner + (inner + 1) * width + 4 * width
    pooler = 0 if config.member.pooler.in_head else (width + 1) * width
    blocks = config.layer_groups * config.blocks_per_layer if config.model_type == "albert" else config.num_layers
    return tables + projection + blocks * block + pooler


def parameters_of_modernbert(config):
    """Without biases: of the norms, the first block lacks one, and there is one at the end."""
    width, inner = config.hidden_dim, config.intermediate_dim
    block = 4 * width * width + 3 * width * inner + 2 * width
    return config.vocabulary_size * width + width + config.num_layers * block


def parameters_of_deberta(config):
    """With no positions, no pooler, and dense layers of its own for distances or none."""
    width, inner = config.hidden_dim, config.intermediate_dim
    span = config.distance_buckets or config.farthest_distance
    tables = config.vocabulary_size * width + 2 * span * width + (2 + 2 * config.distance_norm) * width
    block = 4 * (width + 1) * width + (width + 1) * inner + (inner + 1) * width + 4 * width
    own = 0 if config.shares_distances else len(config.distance_terms.split("|"))
    convolution = (config.kernel_size * width + 3) * width if config.kernel_size else 0
    return tables + convolution + config.num_layers * (block + own * (width + 1) * width)


def parameters_of_mobilebert(config):
    """The encoder has the width `wide`; norms and dense layers of its blocks, `narrow`."""
    wide, narrow, inner = config.hidden_dim, config.block_dim, config.intermediate_dim
    tables = config.vocabulary_size * config.embedding_dim + (config.num_segments + config.max_positions) * wide
    seen = 3 * config.embedding_dim if config.trigram else config.embedding_dim
    tables += (seen + 1) * wide + 2 * wide
    into = (wide + 1) * narrow + 2 * narrow  # and its norm
    values = narrow if config.bottleneck_attention else wide
    attention = 3 * (narrow + 1) * narrow + (values + 1) * narrow + 2 * narrow
    feed_forward = (narrow + 1) * inner + (inner + 1) * narrow + 2 * narrow
    block = attention + config.num_feed_forwards * feed_forward + (1 + config.shared_bottleneck) * into
    block += (narrow + 1) * wide + 2 * wide
    return tables + config.num_layers * block + ((wide + 1) * wide if config.has_pooler else 0)


def test_parameters_are_counted_as_the_model_has_them():
    electra = BertConfig.from_dict(SMALL | {"model_type": "electra"})
    modern = size_config("modernbert-base", **SMALL)
    albert = BertConfig.from_dict(SMALL | {"model_type": "albert", "num_layers": 3})
    several = albert.replace(layer_groups=2, blocks_per_layer=2, embedding_dim=3)
    counted = [size_config(name, **SMALL) for name in ("distilbert-base", "mpnet-base", "roberta-base")]
    distances = size_config("deberta-v3-base", **SMALL)
    other = {"distance_terms": "p2c", "distance_buckets": 0, "farthest_distance": 3, "distance_norm": False}
    own = distances.replace(shares_distances=False, **other)
    convolved = size_config("deberta-v2-xlarge", **SMALL)
    mobile = size_config("mobilebert", **SMALL, bottleneck_dim=4, embedding_dim=3)
    tiny = size_config("mobilebert-tiny", **SMALL, bottleneck_dim=4, embedding_dim=3, has_pooler=True)
    counted = (*counted, electra, electra.replace(embedding_dim=3), modern, albert, several, mobile, tiny)
    plain = (BertConfig(**SMALL), *counted)
    for config in (*plain, distances, convolved, own, own.replace(distance_terms="c2p|p2c")):
        assert BertBackbone(config).count_params() == parameters(config)


# Tokens of the published checkpoints, and parameters of `AutoModel` with them.
WITH_OWN_WORDS = {
    "mpnet-base": (30_527, 109_486_464),
    "roberta-base": (50_265, 124_645_632),
    "roberta-large": (50_265, 355_359_744),
    "xlm-roberta-base": (250_002, 278_043_648),
    "xlm-roberta-large": (250_002, 559_890_432),
}


@pytest.mark.parametrize("name", list(SIZES))
def test_sizes_have_the_published_number_of_parameters(name):
    published = {"tiny": 4.4, "mini": 11.2, "small": 28.8, "medium": 41.4, "base": 109.5, "large": 335.1}
    published |= {"electra-small": 13.5, "electra-base": 108.9, "electra-large": 334.1}
    published |= {"albert-base": 11.8, "albert-large": 17.8, "albert-xlarge": 58.8, "albert-xxlarge": 222.7}
    published |= {"modernbert-base": 133.8, "modernbert-large": 374.5}
    published |= {"deberta-v3-xsmall": 33.2, "deberta-v3-small": 66.4, "deberta-v3-base": 108.9}
    published |= {"deberta-v3-large": 334.1, "deberta-v2-xlarge": 734.7, "deberta-v2-xxlarge": 1414.7}
    published |= {"distilbert-base": 66.4, "mpnet-base": 109.5}
    for member in ("roberta", "xlm-roberta"):
        published |= {f"{member}-base": 109.5, f"{member}-large": 335.1}
    if name.startswith("modernbert"):  # whose own vocabulary is another one, with 50,368 rows for its tokens
        whole = parameters(size_config(name, vocabulary_size=50368))
        assert round(whole / 1e6) == {"modernbert-base": 149, "modernbert-large": 395}[name]
    if name.startswith("deberta"):  # as KerasHub counts v3, and Transformers v2, with their own 128,100 tokens
        whole = {"xsmall": 70_682_112, "small": 141_304_320, "base": 183_831_552, "large": 434_012_160}
        whole |= {"xlarge": 884_593_152, "xxlarge": 1_564_549_632}
        assert parameters(size_config(name, vocabulary_size=128100)) == whole[name.split("-")[-1]]
    if name in WITH_OWN_WORDS:
        words, whole = WITH_OWN_WORDS[name]
        assert parameters(size_config(name, vocabulary_size=words, pad_token_id=1)) == whole
    count = parameters(size_config(name))
    assert count == SIZES[name].parameters
    if name.startswith("mobilebert"):  # the paper's numbers, which are not those of the released configs to the last
        assert count / 1e6 == pytest.approx({"mobilebert": 25.3, "mobilebert-tiny": 15.1}[name], rel=0.03)
        return
    assert round(count / 1e6, 1) == published[name]


def test_layers_that_share_run_the_same_blocks():
    albert = BertConfig.from_dict(SMALL | {"model_type": "albert", "num_layers": 5})
    assert (albert.block_order, albert.num_blocks) == ((0, 0, 0, 0, 0), 1)
    groups = albert.replace(layer_groups=2, blocks_per_layer=2)
    assert (groups.block_order, groups.num_blocks) == ((0, 1, 0, 1, 0, 1, 2, 3, 2, 3), 4)
    backbone = BertBackbone(groups)
    assert [block.name for block in backbone.blocks] == [f"block_{i}" for i in groups.block_order]
    assert BertConfig.from_dict(SMALL).block_order == (0, 1)


def test_an_unknown_size_lists_them():
    with pytest.raises(ValueError, match=r"`name` must be one of tiny, mini, .*large. Received: name='huge'"):
        size_config("huge")
    assert size_config("tiny", vocabulary_size=7).vocabulary_size == 7
    with pytest.raises(ValueError, match="knows no width"):
        size_config("tiny", width=7)


def test_weights_by_path_names_every_weight_once():
    config = BertConfig(**SMALL)
    paths = weights_by_path(BertBackbone(config, name="some_name"))
    block = ["attention/query", "attention/key", "attention/value", "attention/output"]
    block += ["feed_forward/intermediate", "feed_forward/output"]
    expected = {f"embeddings/{table}/table" for table in ("token", "segment", "position")}
    expected |= {f"embeddings/norm/{part}" for part in ("gamma", "beta")}
    expected |= {f"block_{i}/{dense}/{part}" for i in range(2) for dense in block for part in ("kernel", "bias")}
    norms = ("attention_norm", "feed_forward_norm")
    expected |= {f"block_{i}/{norm}/{part}" for i in range(2) for norm in norms for part in ("gamma", "beta")}
    expected |= {f"pooler/dense/{part}" for part in ("kernel", "bias")}
    assert set(paths) == expected
    assert tuple(paths["block_1/feed_forward/intermediate/kernel"].shape) == (8, 16)
    assert tuple(paths["embeddings/token/table"].shape) == (11, 8)


def test_the_config_needs_no_tensorflow():
    modules = "bert_tf.models.backbones.config, bert_tf.models.backbones.sizes"
    code = f"import sys, {modules}; print({{'tensorflow', 'keras'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
