"""The published sizes of the family: a row a size."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bert_tf.errors import UserError
from bert_tf.models.backbones.config import BertConfig
from bert_tf.weights import places
from bert_tf.weights.members import MEMBERS
from bert_tf.weights.well_known import place_of


class Size(NamedTuple):
    """A published size.

    Args:
        layers, width, heads, feed_forward: of the encoder.
        model_type: which member of the family it is of.
        embedding: width of the tables of vectors; None: `width`.
        parameters: of the encoder, with its pooler where it has one, and 30,522 tokens.
        options: further fields of BertConfig, where their config.json says more than sizes.

    What else config.json would have is as it is where it says nothing.
    """

    layers: int
    width: int
    heads: int
    feed_forward: int
    model_type: str
    embedding: int | None
    parameters: int
    options: Mapping[str, Any] = {}


# Of their config.json: 514 rows of positions, of which two are before the first token's.
MPNET = {"max_positions": 512, "layer_norm_epsilon": 1e-5}
ROBERTA = {**MPNET, "num_segments": 1}
# tiny to medium: Turc et al., 2019, https://arxiv.org/abs/1908.08962; base, large: Devlin et al., 2019,
# https://arxiv.org/abs/1810.04805; electra-*, its discriminators: Clark et al., 2020, table 6,
# https://arxiv.org/abs/2003.10555; modernbert-*: Warner et al., 2024, table 4, https://arxiv.org/abs/2412.13663;
# albert-*: Lan et al., 2019, table 1, https://arxiv.org/abs/1909.11942, with the heads of their released configs;
# deberta-v3-*: He et al., 2021, section 5, https://arxiv.org/abs/2111.09543, and their released configs; deberta-v2-*:
# https://github.com/microsoft/DeBERTa;
# distilbert-base: Sanh et al., 2019, https://arxiv.org/abs/1910.01108; mpnet-base: Song et al., 2020,
# https://arxiv.org/abs/2004.09297; roberta-*: Liu et al., 2019, table 9, https://arxiv.org/abs/1907.11692;
# xlm-roberta-*: Conneau et al., 2020, https://arxiv.org/abs/1911.02116; mobilebert*: Sun et al., 2020, table 1,
# https://arxiv.org/abs/2004.02984, and the configs of the released code (F-4_OPT, F-2_tiny_OPT),
# https://github.com/google-research/google-research/tree/master/mobilebert/config.
DEBERTA_V3: dict[str, Any] = {
    "position_kind": "none", "distance_buckets": 256, "shares_distances": True, "distance_norm": True,
}  # fmt: skip
DEBERTA_V2 = {**DEBERTA_V3, "kernel_size": 3, "kernel_activation": "gelu"}
#                      layers, width, heads, feed-forward, member, tables' width, parameters
TINY_MOBILEBERT = {
    "has_pooler": False, "num_feed_forwards": 2, "bottleneck_attention": True, "shared_bottleneck": False,
}  # fmt: skip
SIZES: dict[str, Size] = {
    "tiny": Size(2, 128, 2, 512, "bert", None, 4_385_920),
    "mini": Size(4, 256, 4, 1024, "bert", None, 11_170_560),
    "small": Size(4, 512, 8, 2048, "bert", None, 28_763_648),
    "medium": Size(8, 512, 8, 2048, "bert", None, 41_373_184),
    "base": Size(12, 768, 12, 3072, "bert", None, 109_482_240),
    "large": Size(24, 1024, 16, 4096, "bert", None, 335_141_888),
    "distilbert-base": Size(6, 768, 12, 3072, "distilbert", None, 66_362_880),
    "electra-small": Size(12, 256, 4, 1024, "electra", 128, 13_483_008),
    "electra-base": Size(12, 768, 12, 3072, "electra", 768, 108_891_648),
    "electra-large": Size(24, 1024, 16, 4096, "electra", 1024, 334_092_288),
    "mpnet-base": Size(12, 768, 12, 3072, "mpnet", None, 109_482_624, MPNET),
    "roberta-base": Size(12, 768, 12, 3072, "roberta", None, 109_482_240, ROBERTA),
    "roberta-large": Size(24, 1024, 16, 4096, "roberta", None, 335_141_888, ROBERTA),
    "xlm-roberta-base": Size(12, 768, 12, 3072, "xlm-roberta", None, 109_482_240, ROBERTA),
    "xlm-roberta-large": Size(24, 1024, 16, 4096, "xlm-roberta", None, 335_141_888, ROBERTA),
    "modernbert-base": Size(22, 768, 12, 1152, "modernbert", None, 133_772_544),
    "modernbert-large": Size(28, 1024, 16, 2624, "modernbert", None, 374_459_392),
    "mobilebert": Size(24, 512, 4, 512, "mobilebert", 128, 24_581_888, {"has_pooler": False}),
    "mobilebert-tiny": Size(24, 512, 4, 512, "mobilebert", 128, 15_485_696, TINY_MOBILEBERT),
    "albert-base": Size(12, 768, 12, 3072, "albert", 128, 11_750_400),
    "albert-large": Size(24, 1024, 16, 4096, "albert", 128, 17_750_784),
    "albert-xlarge": Size(24, 2048, 16, 8192, "albert", 128, 58_791_680),
    "albert-xxlarge": Size(12, 4096, 64, 16384, "albert", 128, 222_662_400),
    "deberta-v3-xsmall": Size(12, 384, 6, 1536, "deberta-v2", None, 33_212_160, DEBERTA_V3),
    "deberta-v3-small": Size(6, 768, 12, 3072, "deberta-v2", None, 66_364_416, DEBERTA_V3),
    "deberta-v3-base": Size(12, 768, 12, 3072, "deberta-v2", None, 108_891_648, DEBERTA_V3),
    "deberta-v3-large": Size(24, 1024, 16, 4096, "deberta-v2", None, 334_092_288, DEBERTA_V3),
    "deberta-v2-xlarge": Size(24, 1536, 24, 6144, "deberta-v2", None, 734_713_344, DEBERTA_V2),
    "deberta-v2-xxlarge": Size(48, 1536, 24, 6144, "deberta-v2", None, 1_414_669_824, DEBERTA_V2),
}
# What `from_pretrained` knows by name without the network, described as KerasHub describes its presets.
PRESETS = {
    **{
        name: {
            "metadata": {
                "description": f"random weights, {size.layers} layers of width {size.width}",
                "params": size.parameters,
                "path": size.model_type,
            }
        }
        for name, size in SIZES.items()
    },
    **places.PRESETS,
}


def is_size(where: str | os.PathLike[str]) -> bool:
    """Whether a place is the name of a size, and not a folder or file that is there.

    >>> is_size("tiny"), is_size("minilm")
    (True, False)
    """
    return os.fspath(where) in SIZES and not Path(where).exists()


def check_meant(where: str | os.PathLike[str], *, own_words: bool) -> None:
    """A size by whose name published weights are known, too, such as roberta-base, needs words of your own: without
    them, whoever gives the name expects those weights, and would get random ones.

    Raises: UserError that names both.
    """
    place = place_of(os.fspath(where))
    if is_size(where) and place is not None and not own_words:
        raise UserError(
            f"`{where}` is the name of published weights; did you mean {place}? Random weights of that size need words "
            "of your own: --set vocabulary=WHERE on the command line, `vocabulary_size` in Python"
        )


def size_config(name: str, **overrides: Any) -> BertConfig:
    """The config of a named size, with the uncased English vocabulary's 30,522 entries unless overridden.

    Raises: ValueError for an unknown size, listing them, or an override that `BertConfig` refuses.
    """
    if name not in SIZES:
        raise ValueError(f"`name` must be one of {', '.join(SIZES)}. Received: name={name!r}")
    size = SIZES[name]
    member = MEMBERS[size.model_type]
    # The padding token is the vocabulary's, and with it the positions that RoBERTa counts after its number.
    of_words = {"pad_token_id", "first_position"} & member.used.keys()
    fields = {name: value for name, value in member.defaults.items() if name not in of_words}
    fields |= {"vocabulary_size": 30522, "num_layers": size.layers, "hidden_dim": size.width}
    fields |= {"num_heads": size.heads, "intermediate_dim": size.feed_forward}
    fields |= {"embedding_dim": size.embedding}
    return BertConfig.from_dict({**fields, **size.options, **overrides})
