"""What config.json says of a BERT. One table holds its keys: used, harmless, or changing answers.

A key that changes answers and is not supported is refused by its name; one that is in no row is named in a remark.
Reference: `PreTrainedConfig` and `BertConfig` of Transformers 2 to 5, and what forks of BERT write beside these.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bert_tf.errors import UserError
from bert_tf.weights.leave import Leave, how_to_ignore


class Rule(NamedTuple):
    """What a value must be, in words and as a test."""

    text: str
    holds: Callable[[Any], bool]


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


COUNT = Rule("an integer of at least 1", lambda value: _is_int(value) and value >= 1)
INTEGER = Rule("an integer", _is_int)
SHARE = Rule("a number in [0, 1)", lambda value: _is_number(value) and 0 <= value < 1)
POSITIVE = Rule("a number above 0", lambda value: _is_number(value) and 0 < value < float("inf"))

# Their activation -> ours; the kinds of GELU by tanh differ in the last digit only.
ACTIVATIONS = {
    "gelu": "gelu", "gelu_python": "gelu",
    "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "gelu_python_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh", "gelu_accurate": "gelu_tanh", "quick_gelu": "quick_gelu",
    "relu": "relu", "silu": "silu", "swish": "silu", "mish": "mish", "tanh": "tanh", "linear": "linear",
}  # fmt: skip
ACTIVATION = Rule(f"one of {', '.join(ACTIVATIONS)}", lambda value: isinstance(value, str) and value in ACTIVATIONS)


class Used(NamedTuple):
    """A key that becomes a field of BertConfig."""

    key: str
    default: Any  # None where the key must be there
    rule: Rule


# BertConfig's field -> their key
CONFIG_KEYS = {
    "vocabulary_size": Used("vocab_size", None, COUNT),
    "hidden_dim": Used("hidden_size", None, COUNT),
    "num_layers": Used("num_hidden_layers", None, COUNT),
    "num_heads": Used("num_attention_heads", None, COUNT),
    "intermediate_dim": Used("intermediate_size", None, COUNT),
    "max_positions": Used("max_position_embeddings", 512, COUNT),
    "num_segments": Used("type_vocab_size", 2, COUNT),
    "hidden_dropout": Used("hidden_dropout_prob", 0.1, SHARE),
    "attention_dropout": Used("attention_probs_dropout_prob", 0.1, SHARE),
    "layer_norm_epsilon": Used("layer_norm_eps", 1e-12, POSITIVE),
    "activation": Used("hidden_act", "gelu", ACTIVATION),
    "initializer_range": Used("initializer_range", 0.02, POSITIVE),
    "pad_token_id": Used("pad_token_id", 0, INTEGER),
}
POSITION_KINDS = ("learned", "sinusoidal")
PROBLEMS = {
    "single_label_classification": "single_label",
    "multi_label_classification": "multi_label",
    "regression": "regression",
}
# Keys that become something else than a field of BertConfig, here or where a folder's words and labels are read.
USED_ELSEWHERE = {
    "model_type", "architectures", "id2label", "label2id", "num_labels", "_num_labels",
    "classifier_dropout", "tie_word_embeddings", "position_kind", "bert_tf", "tokenizer_class", "sentence_transformers",
    "sbert_ce_default_activation_function", "sbert_ce_default_activation_fn",
}  # fmt: skip


class Changing(NamedTuple):
    """A key that changes what the model computes, and the values under which it does not."""

    rule: str  # what it may be
    is_neutral: Callable[[Any, Mapping[str, Any]], bool]  # given its value and the whole config.json


OFF = Changing("false or absent", lambda value, raw: not value)
ABSENT = Changing("empty or absent", lambda value, raw: not value)
WIDTH = Changing("hidden_size or absent", lambda value, raw: value in (None, raw.get("hidden_size")))

CHANGING = {
    "is_decoder": OFF,  # tokens see only what stands before them
    "add_cross_attention": OFF,
    "position_embedding_type": Changing("absolute or absent", lambda value, raw: value in (None, "absolute")),
    "pruned_heads": Changing(
        "empty or absent", lambda value, raw: not (any(value.values()) if isinstance(value, dict) else value)
    ),
    "quantization_config": ABSENT,
    "compression_config": ABSENT,
    "per_layer_config": ABSENT,
    "embedding_size": WIDTH,
    "adapters": Changing(
        "without adapters", lambda value, raw: not (value.get("adapters") if isinstance(value, dict) else value)
    ),
    "auto_map": Changing(
        "without AutoModel (code of the folder, which is never run)",
        lambda value, raw: not (isinstance(value, dict) and any(name.startswith("AutoModel") for name in value)),
    ),
    "feed_forward_type": Changing("original or absent", lambda value, raw: value in (None, "original")),
    "use_task_id": OFF,  # ERNIE 2: a further embedding
    "relative_attention": OFF,  # DeBERTa
    "use_relative_position": OFF,  # NEZHA
    "use_rotary_embeddings": OFF,
    "alibi": OFF,
    "directionality": Changing("bidi or absent", lambda value, raw: value in (None, "bidi")),
    "ln_type": Changing("postln or absent", lambda value, raw: value in (None, "postln")),
    "problem_type": Changing(
        f"one of {', '.join(PROBLEMS)}, or absent", lambda value, raw: value is None or str(value) in PROBLEMS
    ),
}

# Of no consequence for what a BERT computes: where it came from, how PyTorch runs it, how other heads generate.
HARMLESS = {
    "transformers_version", "_name_or_path", "name_or_path", "_commit_hash", "dtype", "torch_dtype", "use_cache",
    "output_attentions", "output_hidden_states", "output_past", "return_dict", "use_return_dict", "torchscript",
    "use_bfloat16", "gradient_checkpointing", "attn_implementation", "_attn_implementation",
    "_attn_implementation_autoset", "_attn_implementation_internal", "_experts_implementation", "xla_device",
    "tf_legacy_loss", "chunk_size_feed_forward", "finetuning_task", "task_specific_params", "language",
    "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers",
    "pooler_size_per_head", "pooler_type", "is_encoder_decoder", "tie_encoder_decoder",
    "cross_attention_hidden_size", "tie_last_hidden_states", "vocab_path", "task_type_vocab_size", "bos_token_id",
    "eos_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "unk_token_id", "decoder_start_token_id",
    "prefix", "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups",
    "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty",
    "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences",
    "output_scores", "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id",
    "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens",
}  # fmt: skip

# Classes of Transformers for BERT, and ours; a class of a user's own may have any name, and any head.
CLASSES = {
    "BertModel", "BertForPreTraining", "BertLMHeadModel", "BertForMaskedLM", "BertForNextSentencePrediction",
    "BertForSequenceClassification", "BertForMultipleChoice", "BertForTokenClassification", "BertForQuestionAnswering",
    "BertForExtractiveSummarization",
}  # fmt: skip
# Starts of class names in `architectures` that are other models'.
OTHER_MODELS = (
    "Albert", "BigBird", "Camembert", "Canine", "ConvBert", "Deberta", "DistilBert", "Electra", "Ernie", "Funnel",
    "IBert", "JinaBert", "LayoutLM", "Longformer", "MPNet", "MegatronBert", "MobileBert", "ModernBert", "Nezha",
    "NomicBert", "NystromFormer", "QDQBert", "RemBert", "RoFormer", "Roberta", "SqueezeBert", "XLMRoberta", "XLNet",
    "Xmod",
)  # fmt: skip


def config_from(raw: Mapping[str, Any], path: Path, leave: Leave | None = None) -> dict[str, Any]:
    """Their config.json or bert_config.json -> BertConfig's fields.

    Args:
        raw: the file's object.
        path: of the file, for errors.
        leave: what to leave out although it changes answers.
    Raises: UserError naming a key that is missing or has an impossible value, or that changes answers and is not
        supported.
    """
    leave = Leave() if leave is None else leave
    raw = {key: value for key, value in raw.items() if key not in leave}
    check_model_type(raw, path)
    for key, row in CHANGING.items():
        if key in raw and not row.is_neutral(raw[key], raw):
            raise UserError(
                f"{path}: `{key}` must be {row.rule}: the model would be another one. "
                f"Received: {_short(raw[key])}; {how_to_ignore(key)}"
            )
    missing = [used.key for used in CONFIG_KEYS.values() if used.default is None and raw.get(used.key) is None]
    if missing:
        raise UserError(f"{path} lacks {', '.join(missing)}")
    config = {}
    for field, used in CONFIG_KEYS.items():
        value = raw.get(used.key)
        config[field] = used.default if value is None else value
        if not used.rule.holds(config[field]):
            raise UserError(f"{path}: `{used.key}` must be {used.rule.text}. Received: {_short(value)}")
    config["activation"] = ACTIVATIONS[config["activation"]]
    if not 0 <= config["pad_token_id"] < config["vocabulary_size"]:
        config["pad_token_id"] = 0  # a BERT's answers do not hang on it: padding is masked
    if config["hidden_dim"] % config["num_heads"]:
        raise UserError(
            f"{path}: `num_attention_heads` must divide `hidden_size`. "
            f"Received: num_attention_heads={config['num_heads']}, hidden_size={config['hidden_dim']}"
        )
    kind = raw.get("position_kind")  # ours: Transformers knows learned positions only, and gets the table
    if kind is not None:
        if kind not in POSITION_KINDS:
            raise UserError(
                f"{path}: `position_kind` must be one of {', '.join(POSITION_KINDS)}. Received: {_short(kind)}"
            )
        config["position_kind"] = kind
    return config


def check_model_type(raw: Mapping[str, Any], path: Path) -> None:
    """Raises: UserError if a config.json is another model's than BERT's, or of a class of another model."""
    kind = raw.get("model_type")
    if kind not in (None, "bert"):
        raise UserError(f"{path}: `model_type` must be bert. Received: {kind}")
    for name in architectures(raw):
        if name.startswith(OTHER_MODELS):
            raise UserError(f"{path}: `architectures` must be of BERT. Received: {name}")


def architectures(raw: Mapping[str, Any]) -> list[str]:
    """The classes that a config.json is for; none where it does not say."""
    names = raw.get("architectures") or []
    names = names if isinstance(names, list) else [names]
    return [str(name).removeprefix("TF").removeprefix("Flax") for name in names]


def remarks_on(raw: Mapping[str, Any], path: Path) -> list[str]:
    """What is not used of a config.json although nobody says that it is harmless; and what stands for nothing there."""
    known = {used.key for used in CONFIG_KEYS.values()} | set(CHANGING) | USED_ELSEWHERE | HARMLESS
    remarks = []
    unknown = sorted(set(raw) - known)
    if unknown:
        remarks.append(f"{path} has keys that BERT does not know, not used: {', '.join(unknown)}")
    own = [name for name in architectures(raw) if name not in CLASSES]
    if own:
        remarks.append(f"{path}: `architectures` is {', '.join(own)}, not known here: heads are told by their names")
    pad, size = raw.get("pad_token_id", 0), raw.get("vocab_size")
    if _is_int(pad) and _is_int(size) and not 0 <= pad < size:
        remarks.append(f"{path}: `pad_token_id` is {pad}, which is no token; padding is masked, so 0 stands for it")
    return remarks


def head_settings(raw: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """`problem` and `head_dropout` of a Checkpoint. Raises: UserError naming a key with an impossible value."""
    dropout = raw.get("classifier_dropout")
    if dropout is not None and not SHARE.holds(dropout):
        raise UserError(f"{path}: `classifier_dropout` must be {SHARE.text}. Received: {_short(dropout)}")
    return {"problem": PROBLEMS.get(raw.get("problem_type") or ""), "head_dropout": dropout}


def _short(value: Any) -> str:
    """A value as it is written in JSON, but for its length."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
