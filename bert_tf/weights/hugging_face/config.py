"""What a config.json says. Each member of the family has a table of its keys: used, harmless, or changing answers.

A key that changes answers and is not supported is refused by its name; one that is in no row is named in a remark.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.weights.leave import Leave, how_to_ignore
from bert_tf.weights.members import BERT, MEMBERS, OUR_CLASSES, Member
from bert_tf.weights.members.member import PROBLEMS, SHARE, Used, is_int

# Starts of class names in `architectures` that are other models'.
OTHER_MODELS = (
    "Albert", "BigBird", "Camembert", "Canine", "ConvBert", "Deberta", "DistilBert", "Electra", "Ernie", "Funnel",
    "IBert", "JinaBert", "LayoutLM", "Longformer", "MPNet", "MegatronBert", "MobileBert", "ModernBert", "Nezha",
    "NomicBert", "NystromFormer", "QDQBert", "RemBert", "RoFormer", "Roberta", "SqueezeBert", "XLMRoberta", "XLNet",
    "Xmod",
)  # fmt: skip


def member_of(raw: Mapping[str, Any], path: Path, members: Collection[Member] = tuple(MEMBERS.values())) -> Member:
    """The member of the family that a config.json describes: by its `model_type`, or else its class, or its keys.

    Raises: UserError if it is another model's than one of `members`, or of a class of another model.
    """
    kind = raw.get("model_type")
    if kind is None:
        member = next((member for name in architectures(raw) if (member := _of_class(name, members))), None)
        whole = [member for member in members if not _missing(member, raw)]
        member = member or max(whole, key=lambda member: len(_needed(member)), default=BERT)
    else:
        member = next((member for member in members if member.model_type == kind), None)
    if member is None:
        known = " or ".join(member.model_type for member in members)
        raise UserError(f"{path}: `model_type` must be {known}. Received: {kind!s:.80}")
    others = (*OTHER_MODELS, *(other.prefix for other in MEMBERS.values()))
    for name in architectures(raw):
        if not name.startswith(member.prefix) and name.startswith(others):
            raise UserError(f"{path}: `architectures` must be of {member.name}. Received: {name!s:.80}")
    return member


def config_from(
    raw: Mapping[str, Any],
    path: Path,
    leave: Leave | None = None,
    members: Collection[Member] = tuple(MEMBERS.values()),
) -> dict[str, Any]:
    """Their config.json or bert_config.json -> BertConfig's fields.

    Args:
        raw: the file's object.
        path: of the file, for errors.
        leave: what to leave out although it changes answers.
        members: what it may be of.
    Raises: UserError naming a key that is missing or has an impossible value, or that changes answers and is not
        supported.
    """
    leave = Leave() if leave is None else leave
    raw = {key: value for key, value in raw.items() if key not in leave}
    member = member_of(raw, path, members)
    for key, row in member.changing.items():
        if key in raw and not row.is_neutral(raw[key], raw):
            raise UserError(
                f"{path}: `{key}` must be {row.rule}: the model would be another one. "
                f"Received: {_short(raw[key])}; {how_to_ignore(key)}"
            )
    missing = _missing(member, raw)
    if missing:
        raise UserError(f"{path} lacks {', '.join(missing)}")
    config: dict[str, Any] = {}
    for field, used in member.used.items():
        config[field] = _value(used, raw, path, config)
    for field, (used, _) in member.optional.items():
        if raw.get(used.key) is not None:
            config[field] = _value(used, raw, path, config)
    config |= member.fixed
    _check_together(member, config, path)
    if not 0 <= config["pad_token_id"] < config["vocabulary_size"]:
        config["pad_token_id"] = 0  # a BERT's answers do not hang on it: padding is masked
    return config


def architectures(raw: Mapping[str, Any]) -> list[str]:
    """The classes that a config.json is for; none where it does not say."""
    names = raw.get("architectures") or []
    names = names if isinstance(names, list) else [names]
    return [str(name).removeprefix("TF").removeprefix("Flax") for name in names]


def remarks_on(raw: Mapping[str, Any], path: Path, member: Member = BERT) -> list[str]:
    """What is not used of a config.json although nobody says that it is harmless; and what stands for nothing there."""
    rows = [*member.used.values(), *(used for used, _ in member.optional.values())]
    known = {name for used in rows for name in (used.key, used.also)} | {row.key for row in member.dropouts}
    known |= {*member.changing, *member.elsewhere, *member.harmless}
    remarks = []
    unknown = sorted(set(raw) - known)
    if unknown:
        remarks.append(f"{path} has keys that {member.name} does not know, not used: {', '.join(unknown)}")
    classes = {member.architecture(end) for end in (*member.classes, *OUR_CLASSES)}
    own = [name for name in architectures(raw) if name not in classes]
    if own:
        remarks.append(f"{path}: `architectures` is {', '.join(own)}, not known here: heads are told by their names")
    pad, size = raw.get("pad_token_id", 0), raw.get("vocab_size")
    if is_int(pad) and is_int(size) and not 0 <= pad < size:
        remarks.append(f"{path}: `pad_token_id` is {pad}, which is no token; padding is masked, so 0 stands for it")
    return remarks


def head_settings(raw: Mapping[str, Any], path: Path, member: Member = BERT) -> dict[str, Any]:
    """`problem`, `head_dropout` and `dropouts` of a Checkpoint. Raises: UserError naming a key with an impossible
    value."""
    alone, by_head = None, {}
    for row in member.dropouts:
        value = row.default if raw.get(row.key) is None else raw[row.key]
        if value is not None and not SHARE.holds(value):
            raise UserError(f"{path}: `{row.key}` must be {SHARE.text}. Received: {_short(value)}")
        if row.default is None:
            alone = value
        else:
            by_head |= dict.fromkeys(row.heads, value)
    return {"problem": PROBLEMS.get(raw.get("problem_type") or ""), "head_dropout": alone, "dropouts": by_head}


def _of_class(name: str, members: Collection[Member]) -> Member | None:
    return next((member for member in members if name.startswith(member.prefix)), None)


def _needed(member: Member) -> list[Used]:
    return [used for used in member.used.values() if used.default is None]


def _missing(member: Member, raw: Mapping[str, Any]) -> list[str]:
    """The keys that a config.json of the member must have, and this one has not."""
    return [used.key for used in _needed(member) if raw.get(used.key) is None and raw.get(used.also or "") is None]


def _check_together(member: Member, config: Mapping[str, Any], path: Path) -> None:
    """Raises: UserError for values that contradict one another."""
    counts_from_padding = "first_position" in member.used
    width = "bottleneck_dim" if config.get("bottleneck_dim") else "hidden_dim"
    is_narrow = config.get("bottleneck_attention") or config.get("shared_bottleneck")
    for first, rule, second, good in (
        ("num_heads", "divide", width, config[width] % config["num_heads"] == 0),
        ("shared_bottleneck", "be true, or use_bottleneck_attention, or intra_bottleneck_size as", "hidden_dim",
         config.get("bottleneck_dim", 0) in (0, config["hidden_dim"]) or is_narrow),
        ("layer_groups", "be at most", "num_layers", config.get("layer_groups", 0) <= config["num_layers"]),
        ("max_positions", "be more than 1 above", "pad_token_id", config["max_positions"] >= 1),
        ("pad_token_id", "be below", "vocabulary_size",
         not counts_from_padding or config["pad_token_id"] < config["vocabulary_size"]),
    ):  # fmt: skip
        if not good:
            one, other = member.used[first], member.used[second]
            raise UserError(
                f"{path}: `{one.key}` must {rule} `{other.key}`. Received: "
                f"{one.key}={one.theirs(config[first], config)}, {other.key}={other.theirs(config[second], config)}"
            )


def _value(used: Used, raw: Mapping[str, Any], path: Path, fields: Mapping[str, Any]) -> Any:
    """A field's value, given those of the fields before it.

    Raises: UserError naming the key if it cannot be, or if its two names contradict each other.
    """
    said = None if used.find is None else used.find(raw)
    if said is not None:
        return used.ours(said, fields)
    key = used.key if used.also is None or raw.get(used.key) is not None else used.also
    value = raw.get(key)
    if used.also is not None and raw.get(used.also) not in (None, value):
        raise UserError(
            f"{path}: `{used.key}` and `{used.also}` are one key and must be the same. "
            f"Received: {_short(value)} and {_short(raw[used.also])}"
        )
    found = used.default if value is None else value
    if not used.rule.holds(found):
        raise UserError(f"{path}: `{key}` must be {used.rule.text}. Received: {_short(value)}")
    return used.ours(found, fields)


def _short(value: Any) -> str:
    """A value as it is written in JSON, but for its length."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
