"""The published sizes of BERT: a row a size."""

from __future__ import annotations

from typing import Any

from bert_tf.models.backbones.config import BertConfig
from bert_tf.weights import places

# tiny to medium: Turc et al., 2019, https://arxiv.org/abs/1908.08962; base, large: Devlin et al., 2019,
# https://arxiv.org/abs/1810.04805. Parameters are those of the encoder with its pooler and 30,522 tokens.
#            layers, width, heads, feed-forward, parameters
SIZES: dict[str, tuple[int, int, int, int, int]] = {
    "tiny": (2, 128, 2, 512, 4_385_920),
    "mini": (4, 256, 4, 1024, 11_170_560),
    "small": (4, 512, 8, 2048, 28_763_648),
    "medium": (8, 512, 8, 2048, 41_373_184),
    "base": (12, 768, 12, 3072, 109_482_240),
    "large": (24, 1024, 16, 4096, 335_141_888),
}
# What `from_pretrained` knows by name without the network, described as KerasHub describes its presets.
PRESETS = {
    **{
        name: {
            "metadata": {
                "description": f"random weights, {layers} layers of width {width}",
                "params": parameters,
                "path": "bert",
            }
        }
        for name, (layers, width, _, _, parameters) in SIZES.items()
    },
    **places.PRESETS,
}


def size_config(name: str, **overrides: Any) -> BertConfig:
    """The config of a named size, with the uncased English vocabulary's 30,522 entries unless overridden.

    Raises: ValueError for an unknown size, listing them, or an override that `BertConfig` refuses.
    """
    if name not in SIZES:
        raise ValueError(f"`name` must be one of {', '.join(SIZES)}. Received: name={name!r}")
    num_layers, hidden_dim, num_heads, intermediate_dim, _ = SIZES[name]
    fields = {"vocabulary_size": 30522, "num_layers": num_layers, "hidden_dim": hidden_dim}
    fields |= {"num_heads": num_heads, "intermediate_dim": intermediate_dim}
    return BertConfig.from_dict(fields | overrides)
