"""What each key of a tokenizer's file is to BERT: used, harmless, or one that changes answers.

A file may say more than this library follows. What would change answers is refused by its name, unless it is to be
ignored; what nobody here knows is named in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.guard import short
from bert_tf.text.vocabulary import SPECIAL

LOG = logging.getLogger(__name__)
NONE: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Table:
    """The keys of one format.

    Args:
        used: keys that the reader follows.
        harmless: keys that change no answer.
        fixed: keys that change answers -> the values that mean what BERT does anyway.
        unheeded: keys -> the values that mean nothing, and what is said of any other: it changes no answer of the
            tokenizers that Transformers takes by default.
        whose: the tokenizer that this is of, for errors; "": none in particular.
    """

    used: frozenset[str]
    harmless: frozenset[str]
    fixed: Mapping[str, tuple[Any, ...]]
    unheeded: Mapping[str, tuple[tuple[Any, ...], str]] = field(default_factory=dict)
    whose: str = "BERT's"


TOKENIZER_CONFIG = Table(
    used=frozenset({
        "tokenizer_class", "do_lower_case", "strip_accents", "tokenize_chinese_chars", "model_max_length", *SPECIAL,
        "bos_token", "eos_token", "added_tokens_decoder", "additional_special_tokens", "extra_special_tokens",
        "split_special_tokens", "max_input_chars_per_word", "model_input_names",
    }),
    harmless=frozenset({
        "_commit_hash", "add_prefix_space", "backend", "chat_template", "clean_up_tokenization_spaces",
        "device_map", "errors", "fast_tokenizer_files", "from_slow", "full_tokenizer_file", "init_inputs", "is_local",
        "legacy", "local_files_only", "max_len", "max_length", "name_or_path", "pad_to_multiple_of",
        "pad_token_type_id", "padding", "processor_class", "return_tensors", "revision",
        "special_tokens_map_file", "stride",
        "tokenizer_file", "tokenizer_version", "tokenizers_version", "transformers_version", "truncation",
        "truncation_strategy", "trust_remote_code", "use_fast", "verbose", "vocab_file", "vocab_size",
    }),
    fixed={
        "add_bos_token": (None, False),
        "add_eos_token": (None, False),
        "add_special_tokens": (None, True),
        "clean_text": (None, True),
        "do_basic_tokenize": (None, True),
        "do_subword_tokenize": (None, True),
        "do_word_tokenize": (None, True),
        "do_wordpiece_tokenize": (None, True),
        "jumanpp_kwargs": NONE,
        "keep_accents": (None,),
        "mecab_kwargs": NONE,
        "mecab_option": NONE,
        "sp_model_kwargs": NONE,
        "spm_file": NONE,
        "subword_tokenizer_type": (None, "wordpiece"),
        "sudachi_kwargs": NONE,
        "truncation_side": (None, "right"),
        "word_tokenizer_type": (None, "basic"),
        "wordpieces_prefix": (None, "##"),
    },
    unheeded={
        "never_split": (NONE, "only Transformers' slow tokenizers followed it: these words are split as all others"),
        "padding_side": ((None, "right"), "here the padding is always on the right, where BERT learned with it"),
    },
)  # fmt: skip
SPECIAL_TOKENS_MAP = Table(
    used=frozenset({*SPECIAL, "bos_token", "eos_token", "additional_special_tokens", "extra_special_tokens"}),
    harmless=frozenset(),
    fixed={},
)
TOKENIZER_JSON = Table(
    used=frozenset({
        "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "model", "truncation", "padding", "decoder",
    }),
    harmless=frozenset({"version"}),
    fixed={},
)  # fmt: skip
TOKENIZER_JSON_MODEL = Table(
    used=frozenset({"vocab", "unk_token", "max_input_chars_per_word"}),
    harmless=frozenset(),
    fixed={"type": (None, "WordPiece"), "continuing_subword_prefix": ("##",)},
)
TOKENIZER_JSON_NORMALIZER = Table(
    used=frozenset({"lowercase", "strip_accents", "handle_chinese_chars"}),
    harmless=frozenset(),
    fixed={"type": ("BertNormalizer",), "clean_text": (True,)},
)
BYTE_PAIRS_CONFIG = replace(
    TOKENIZER_CONFIG,
    used=TOKENIZER_CONFIG.used
    - {"do_lower_case", "strip_accents", "tokenize_chinese_chars", "max_input_chars_per_word"}
    | {"add_prefix_space", "trim_offsets"},
    harmless=TOKENIZER_CONFIG.harmless - {"add_prefix_space", "clean_up_tokenization_spaces"} | {"merges_file"},
    unheeded={
        **TOKENIZER_CONFIG.unheeded,
        "clean_up_tokenization_spaces": ((None, False), "texts are decoded with the spaces that their tokens have"),
        "do_lower_case": ((None, False), "byte pairs are of texts as they are"),
        "strip_accents": ((None, False), "byte pairs are of texts as they are"),
        "tokenize_chinese_chars": ((None, True), "byte pairs are of texts as they are"),
    },
    whose="",
)
BYTE_PAIRS_MODEL = Table(
    used=frozenset({"vocab", "merges", "unk_token", "fuse_unk", "ignore_merges"}),
    harmless=frozenset(),
    fixed={
        "type": (None, "BPE"), "dropout": (None,), "continuing_subword_prefix": (None, ""),
        "end_of_word_suffix": (None, ""), "byte_fallback": (None, False),
    },
    whose="",
)  # fmt: skip
BYTE_LEVEL = Table(
    used=frozenset({"type", "add_prefix_space", "use_regex"}),
    harmless=frozenset({"trim_offsets"}),  # that of the post-processor counts
    fixed={},
    whose="",
)
KERAS_HUB = Table(
    used=frozenset({
        "lowercase", "strip_accents", "split_on_cjk", "oov_token", "special_tokens", "special_tokens_in_strings",
    }),
    harmless=frozenset({"config_file", "dtype", "name", "sequence_length", "trainable", "vocabulary"}),
    fixed={"split": (True,), "suffix_indicator": ("##",)},
)  # fmt: skip


def check(
    table: Table, values: Mapping[str, Any], path: Path, ignore: Container[str], *, within: str = "", also: str = ""
) -> None:
    """Raises UserError for a value that changes answers; names in the log what nobody knows.

    Args:
        ignore: keys to pass over.
        within: what stands before the keys, such as "model.".
        also: the end of further keys that are used.
    """
    for key, value in values.items():
        name = f"{within}{key}"
        if name in ignore or key in ignore:
            LOG.warning("%s: `%s` is ignored, as asked for: %r", path, name, value)
        elif key in table.fixed:
            if not any(value == fine and type(value) is type(fine) for fine in table.fixed[key]):
                shown = [repr(fine) for fine in table.fixed[key] if fine not in NONE]
                raise refusal(path, name, value, f"must be {' or '.join(shown) or 'left out'}", table.whose)
        elif key in table.unheeded:
            fine, why = table.unheeded[key]
            if value not in fine:
                LOG.warning("%s: `%s` is not followed: %s. Received: %r", path, name, why, value)
        elif key not in table.used | table.harmless and not (also and key.endswith(also)):
            LOG.warning("%s: `%s` is not known here and changes nothing", path, name)


def refusal(path: Path, name: str, value: Any, rule: str, whose: str = "BERT's") -> UserError:
    """The error for a setting that changes answers and that this library does not follow."""
    what, anyway = (f"not {whose}: ", f"as {whose} all the same") if whose else ("", "without it all the same")
    return UserError(
        f"{path}: {what}`{name}` {rule}. Received: {short(value, 120)}; to read it {anyway}: "
        f'ignore=["{name}"], or --set model.ignore_tokenizer=\'["{name}"]\''
    )


def need(condition: bool, path: Path, name: str, value: Any, rule: str) -> None:
    """Raises UserError unless a used key has a value of the right type."""
    if not condition:
        raise UserError(f"{path}: `{name}` must be {rule}. Received: {short(value)}")
