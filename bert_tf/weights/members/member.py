"""What there is to say of a member of BERT's family, and what all of them share. It reads no file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bert_tf.weights.tables import Row


class Rule(NamedTuple):
    """What a value must be, in words and as a test."""

    text: str
    holds: Callable[[Any], bool]


def is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


COUNT = Rule("an integer of at least 1", lambda value: is_int(value) and value >= 1)
INTEGER = Rule("an integer", is_int)
PLACE = Rule("an integer of at least 0", lambda value: is_int(value) and value >= 0)
SHARE = Rule("a number in [0, 1)", lambda value: _is_number(value) and 0 <= value < 1)
SWITCH = Rule("true or false", lambda value: isinstance(value, bool))
POSITIVE = Rule("a number above 0", lambda value: _is_number(value) and 0 < value < float("inf"))

# Their activation -> ours; the kinds of GELU by tanh differ in the last digit only. Written is the first of ours.
ACTIVATIONS = {
    "gelu": "gelu", "gelu_python": "gelu",
    "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "gelu_python_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh", "gelu_accurate": "gelu_tanh", "quick_gelu": "quick_gelu",
    "relu": "relu", "silu": "silu", "swish": "silu", "mish": "mish", "tanh": "tanh", "linear": "linear",
}  # fmt: skip
ACTIVATION = Rule(f"one of {', '.join(ACTIVATIONS)}", lambda value: isinstance(value, str) and value in ACTIVATIONS)
BEGIN_AND_END = {"bos_token_id": "cls_token", "eos_token_id": "sep_token"}
PROBLEMS = {
    "single_label_classification": "single_label",
    "multi_label_classification": "multi_label",
    "regression": "regression",
}


class Used(NamedTuple):
    """A key that becomes a field of BertConfig."""

    key: str
    default: Any  # None where the key must be there
    rule: Rule
    values: Mapping[Any, Any] | None = None  # their value -> ours, where they differ
    also: str | None = None  # another name of the key, which Transformers reads as well
    more: int | str = 0  # how much more a number of theirs is than ours, or the field before this one that says it
    find: Callable[[Mapping[str, Any]], Any] | None = None  # what other keys of config.json say in place of this one

    def ours(self, value: Any, fields: Mapping[str, Any]) -> Any:
        if self.more:
            return value - self._more(fields)
        return value if self.values is None else self.values[value]

    def theirs(self, value: Any, fields: Mapping[str, Any]) -> Any:
        if self.more:
            return value + self._more(fields)
        return value if self.values is None else next(their for their, ours in self.values.items() if ours == value)

    def _more(self, fields: Mapping[str, Any]) -> int:
        return fields[self.more] if isinstance(self.more, str) else self.more


class Changing(NamedTuple):
    """A key that changes what the model computes, and the values under which it does not."""

    rule: str  # what it may be
    is_neutral: Callable[[Any, Mapping[str, Any]], bool]  # given its value and the whole config.json


class Pooler(NamedTuple):
    """The dense layer over an example's first token."""

    activation: str
    in_head: bool  # whether it is a part of the heads that use it, which a backbone alone does not have
    dropout_before: tuple[str, ...] = ()  # heads that drop values before it as well as after
    has_norm: bool = False  # after the activation
    of_tokens: bool = False  # whether heads over every token have it, too


class HeadDropout(NamedTuple):
    """A key for the dropout before some heads."""

    key: str
    heads: tuple[str, ...]  # ends of their classes' names
    default: float | None  # None: that of the hidden values


OFF = Changing("false or absent", lambda value, raw: not value)
ABSENT = Changing("empty or absent", lambda value, raw: not value)
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
    "adapters": Changing(
        "without adapters", lambda value, raw: not (value.get("adapters") if isinstance(value, dict) else value)
    ),
    "auto_map": Changing(
        "without AutoModel (code of the folder, which is never run)",
        lambda value, raw: not (isinstance(value, dict) and any(name.startswith("AutoModel") for name in value)),
    ),
    "problem_type": Changing(
        f"one of {', '.join(PROBLEMS)}, or absent", lambda value, raw: value is None or str(value) in PROBLEMS
    ),
}

# Keys that become something else than a field of BertConfig, here or where a folder's words and labels are read.
ELSEWHERE = {
    "model_type", "architectures", "id2label", "label2id", "num_labels", "_num_labels", "tie_word_embeddings",
    "bert_tf", "tokenizer_class", "sentence_transformers", "sbert_ce_default_activation_function",
    "sbert_ce_default_activation_fn",
}  # fmt: skip

# Of no consequence for what an encoder computes: where it came from, how PyTorch runs it, how other heads generate.
HARMLESS = {
    "transformers_version", "_name_or_path", "name_or_path", "_commit_hash", "dtype", "torch_dtype", "use_cache",
    "output_attentions", "output_hidden_states", "output_past", "return_dict", "use_return_dict", "torchscript",
    "use_bfloat16", "gradient_checkpointing", "attn_implementation", "_attn_implementation",
    "_attn_implementation_autoset", "_attn_implementation_internal", "_experts_implementation", "xla_device",
    "tf_legacy_loss", "chunk_size_feed_forward", "finetuning_task", "task_specific_params", "language",
    "is_encoder_decoder", "tie_encoder_decoder", "cross_attention_hidden_size", "tie_last_hidden_states",
    "vocab_path", "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "unk_token_id",
    "decoder_start_token_id", "prefix", "max_length", "min_length", "do_sample", "early_stopping", "num_beams",
    "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty",
    "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids",
    "num_return_sequences", "output_scores", "return_dict_in_generate", "forced_bos_token_id",
    "forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens",
    "begin_suppress_tokens",
}  # fmt: skip

# Fields of BertConfig of which most members have but this value, and so no key.
PLAIN: dict[str, Any] = {
    "embedding_dim": None, "first_position": 0, "relative_buckets": 0, "distance_terms": "", "distance_buckets": 0,
    "farthest_distance": 0, "shares_distances": False, "distance_norm": False, "kernel_size": 0,
    "kernel_activation": "tanh", "rotary_base": 10000.0, "local_rotary_base": 10000.0, "local_attention": 0,
    "global_every": 1, "norm_first": False, "gated": False, "attention_bias": True, "feed_forward_bias": True,
    "norm_bias": True, "feed_forward_dropout": 0.0, "head_activation": None, "head_bias": True, "decoder_bias": True,
    "head_pooling": "cls", "layer_groups": 0, "blocks_per_layer": 1, "bottleneck_dim": 0,
    "bottleneck_attention": False, "shared_bottleneck": False, "num_feed_forwards": 1, "norm_kind": "layer_norm",
    "trigram": False, "has_pooler": True,
}  # fmt: skip

# What a class's name ends in, whatever the member -> where in our paths the weights of its head lie.
HEADS: dict[str, tuple[str, ...]] = {
    "Model": (),
    "ForSequenceClassification": ("classifier",),
    "ForTokenClassification": ("classifier",),
    "ForMultipleChoice": ("classifier",),
    "ForQuestionAnswering": ("span",),
    "ForMaskedLM": ("masked_lm",),
    "ForPreTraining": ("masked_lm", "next_sentence"),
    "ForNextSentencePrediction": ("next_sentence",),
    "ForExtractiveSummarization": ("sentence_score",),
    "ForReplacedTokens": ("replaced", "replaced_transform"),
}
OUR_CLASSES = ("ForPreTraining", "ForExtractiveSummarization", "ForReplacedTokens")
"""Of these, what is written for a member of which Transformers has no such class."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """A member of BERT's family: what its files say, and which options of the encoder it is.

    Args:
        model_type: as config.json has it.
        name: for people.
        prefix: what names of its classes in Transformers begin with; a head's own end follows.
        classes: the heads that Transformers has, by the keys of `HEADS`.
        ends: where those classes are called otherwise: key of `HEADS` -> the end of its name.
        used: BertConfig's field -> their key.
        optional: the same, of keys that are only there where the field is not what it usually is -> that usual value.
        fixed: BertConfig's field -> the value that every such model has, for which there is no key.
        elsewhere: keys that become something else than a field.
        changing: keys that change what the model computes and are not followed.
        harmless: keys that change nothing.
        written: keys and values that are written besides; a value may be a function of BertConfig's fields.
        dropouts: keys for the dropout before heads.
        pooler: the layer over the first token.
        masked_lm_activation: that of the head which guesses tokens; None: the encoder's.
        projects: whether a dense layer brings its tables to the encoder's width even where they have it.
        norm_last: whether the norm of its embeddings stands after that layer, which then has no bias.
        projects_tokens: whether that layer brings the token vectors alone there, before the others are added; the head
            that guesses tokens then has further numbers of its own for each.
        unset_epsilon: of the norms for which Transformers does not ask the config: that of the embeddings, and of each
            block the last before its end; None: it asks for all.
        tells_segments: whether the texts of a pair have different segments; if not, all have the first one's vector,
            where there is one.
        rows: names of its tensors, without the prefix `base`.
        head_rows: key of `HEADS` -> rows that hold under that head, in place of those of the same path.
        also_read: further names that tensors have in some of its files, which are read and never written.
        parts: starts of those names -> the part of the model that they belong to; the first that fits counts.
        head_parts: key of `HEADS` -> such starts that hold under that head before the others.
        backbone: the starts of those which lie within the backbone, and have `base` in front under a head.
        base: as above.
        words: keys of tokenizer_config.json that are not as BERT's. These, and what follows, are of its own tokenizer.
        tokens: arguments of it that name tokens, where no file says them -> tokens that are not as BERT's.
        pair_separators: how many [SEP] it puts between the texts of a pair.
        token_ids: keys of config.json -> which token's id they have, as an argument of a tokenizer names it: those for
            which Transformers takes the published vocabulary's ids where they are not there.
    """

    model_type: str
    name: str
    prefix: str
    classes: tuple[str, ...]
    ends: Mapping[str, str] = field(default_factory=dict)
    used: Mapping[str, Used]
    optional: Mapping[str, tuple[Used, Any]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset(ELSEWHERE)
    changing: Mapping[str, Changing]
    harmless: frozenset[str] = frozenset(HARMLESS)
    written: Mapping[str, Any] = field(default_factory=dict)
    dropouts: tuple[HeadDropout, ...] = ()
    pooler: Pooler
    masked_lm_activation: str | None = None
    projects: bool = False
    norm_last: bool = False
    projects_tokens: bool = False
    unset_epsilon: float | None = None
    tells_segments: bool = True
    rows: tuple[Row, ...]
    head_rows: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    also_read: tuple[Row, ...] = ()
    parts: Mapping[str, str]
    head_parts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    backbone: tuple[str, ...]
    base: str
    words: Mapping[str, Any] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict)
    pair_separators: int = 1
    token_ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Any]:
        """BertConfig's field -> the value that every such model has: `fixed`, and `PLAIN` where it has no key."""
        plain = {name: value for name, value in PLAIN.items() if name not in (*self.used, *self.optional)}
        return plain | dict(self.fixed)

    @property
    def defaults(self) -> dict[str, Any]:
        """BertConfig's fields as of a config.json that says no more than it must."""
        usual: dict[str, Any] = {}
        for name, used in self.used.items():
            if used.default is not None:
                usual[name] = used.ours(used.default, usual)
        return {"model_type": self.model_type, **usual, **self.values}

    def architecture(self, end: str) -> str:
        """The full name of a class: `ForMaskedLM` -> `BertForMaskedLM`."""
        return f"{self.prefix}{self.ends.get(end, end)}"

    def end_of(self, name: str) -> str:
        """The key of `HEADS` of a class whose name ends so, or the end itself where there is none."""
        return next((end for end, theirs in self.ends.items() if theirs == name), name)

    def rows_of(self, end: str | None) -> tuple[Row, ...]:
        """The names of tensors under a head, a key of `HEADS`."""
        own = self.head_rows.get(end or "", ())
        return tuple({row.path: row for row in (*self.rows, *own)}.values()) if own else self.rows

    def head_in(self, names: Collection[str], end: str | None = None) -> str | None:
        """The head, a key of `HEADS`, whose names of tensors hold for a file with `names`.

        Names that no other head has say so by themselves. Where heads use the same ones, `end` does, of the class that
        the file is for.
        """
        shared = {row.name for row in self.rows}
        own = {key: {row.name for row in rows} for key, rows in self.head_rows.items()}
        told = next((key for key, names_of in own.items() if (names_of - shared) & set(names)), None)
        return end if told is None and own.get(end or "", set()) & shared else told

    def parts_of(self, end: str | None) -> dict[str, str]:
        """`parts` under a head, a key of `HEADS`."""
        own = self.head_parts.get(end or "", {})
        return {**own, **self.parts, **own}

    def key_of(self, field_name: str) -> str:
        """Their key of a field of BertConfig, or the field's own name where there is none."""
        return self.used[field_name].key if field_name in self.used else field_name

    def dropout_of(self, end: str) -> HeadDropout | None:
        """The key for the dropout before a head, by the end of its class's name."""
        return next((row for row in self.dropouts if end in row.heads), None)
