"""Names of PyTorch tensors: where the BERT is among them, whatever stands around it.

A training framework, a sentence encoder or a checkpoint's own dict puts its names in front: `module.`, `_orig_mod.`,
`model.bert.`, `0.auto_model.`, `state_dict.`. What stands before `embeddings.word_embeddings.weight` is the backbone's
prefix; each part of it may also stand before the heads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from bert_tf.errors import UserError
from bert_tf.weights.checkpoint import Tensor
from bert_tf.weights.leave import Leave, how_to_ignore
from bert_tf.weights.members import Member

# By whose names a backbone is known: the first two that a member has. The second is for files without a table of tokens
# under its own name, which a tied decoder may hold.
ANCHORS = ("embeddings/token/table", "embeddings/position/table", "embeddings/norm/gamma")
# What a wrapped module adds in the middle of a name.
WRAPPERS = re.compile(r"(?:^|(?<=\.))(?:_orig_mod|_fsdp_wrapped_module|_fpw_module|_checkpoint_wrapped_module)\.")
OLD = (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias"))
OTHER_MODELS = {
    "albert", "camembert", "convbert", "deberta", "distilbert", "electra", "ernie", "funnel", "layoutlm", "longformer",
    "mobilebert", "modernbert", "mpnet", "nezha", "nomic_bert", "rembert", "roberta", "roformer", "squeezebert",
    "xlm_roberta", "xlnet",
}  # fmt: skip
# Of tensors that hang on those of a backbone, and are to be added to them first.
ADAPTERS = re.compile(r"lora_|adapter|prefix_tuning|\bia3_")
NAMED = 8  # most names in a message


def plain_names(tensors: Mapping[str, Tensor], place: Path, leave: Leave, member: Member) -> dict[str, Tensor]:
    """The tensors under the names of a member's rows: no prefix, no wrapper, layer norms with weight and bias.

    Raises: UserError if there is no BERT among them, or more than one, or two tensors have the same name.
    """
    tensors = {name: tensors[name] for name in leave.without(tensors)}
    prefix = _prefix(tensors, place, member)
    parts = prefix.split(".")[:-1]
    above = ["".join(f"{part}." for part in parts[:count]) for count in range(len(parts) - 1, -1, -1)]
    plain: dict[str, Tensor] = {}
    loose: list[tuple[str, Tensor]] = []  # named like a part of the backbone, and outside of it
    for name, tensor in tensors.items():
        bare = WRAPPERS.sub("", name)
        inside = bare.startswith(prefix)
        bare = bare.removeprefix(prefix if inside else next((start for start in above if bare.startswith(start)), ""))
        for old, new in OLD:
            bare = bare.removesuffix(old) + new if bare.endswith(old) else bare
        if not inside and bare.startswith(member.backbone):
            loose.append((bare, tensor))
            continue
        if bare in plain:
            raise UserError(f"{place} holds the same tensor under two names: {plain[bare].name} and {tensor.name}")
        plain[bare] = tensor
    for bare, tensor in loose:
        if bare in plain:
            raise UserError(f"{place} holds the same tensor under two names: {plain[bare].name} and {tensor.name}")
        plain[f"outside {tensor.name}"] = tensor
    return plain


def _prefix(tensors: Mapping[str, Tensor], place: Path, member: Member) -> str:
    names = [WRAPPERS.sub("", name) for name in tensors]
    anchors = [row.name for path in ANCHORS for row in member.rows if row.path == path]
    for anchor in anchors[:2]:
        pattern = re.compile(rf"(.*\.)?{re.escape(anchor)}", re.DOTALL)
        found = sorted({match[1] or "" for name in names if (match := pattern.fullmatch(name))})
        if len(found) > 1:
            first, last = (start.split(".") for start in (found[0], found[-1]))
            same = next(i for i, part in enumerate(last) if first[i : i + 1] != [part])
            other = "".join(f"{part}." for part in last[: same + 1])
            raise UserError(
                f"{place} holds {len(found)} models, under {', '.join(start or 'no prefix' for start in found)}: say "
                f"which to leave out; {how_to_ignore(f'{other}*')}"
            )
        if found:
            _check_family(found[0], place, member)
            return found[0]
    if not names:
        raise UserError(f"{place} holds no tensors")
    hint = "; these are an adapter's: merge it into its model first" if any(map(ADAPTERS.search, names)) else ""
    raise UserError(
        f"{place} holds no {member.name}: none of its {len(names)} tensors is named {anchors[0]}. "
        f"It has {some(sorted(names))}{hint}"
    )


def _check_family(prefix: str, place: Path, member: Member) -> None:
    own = {member.model_type, member.base.removesuffix(".")}
    other = sorted(set(re.split(r"[.-]", prefix.lower())) & (OTHER_MODELS - own))
    if other:
        raise UserError(
            f"{place} holds tensors named {prefix}*: a model of the type {other[0]}, which is no {member.name}"
        )


def some(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
