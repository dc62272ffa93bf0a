"""Ids by token and tokens by id, under the names that users of Transformers and KerasHub know."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bert_tf.text.added_tokens import AddedToken
from bert_tf.weights.places import PRESETS, place_of_preset

NO_LIMIT = 2**30
# Arguments that every tokenizer has, and what they usually are.
USUAL = {"split_special_tokens": False, "pairs": True, "pair_separators": 1, "model_max_length": None}


class TokenIds(dict[str, int]):
    """The id of each token, as a dict; as a call it names what is wrong with an unknown token."""

    def __call__(self, token: str) -> int:
        """The id of a token. Raises: ValueError if it is not in the vocabulary."""
        if token not in self:
            raise ValueError(f"`token` must be one of the vocabulary's {len(self):,} tokens. Received: {token!r}")
        return self[token]


class TokenNames:
    """What a tokenizer says of its vocabulary. A token that occurs more than once has the last of its ids."""

    presets = PRESETS
    """Names that `from_pretrained` takes, each with what it is; KerasHub's presets have the same form."""

    vocabulary: tuple[str, ...]
    token_to_id: TokenIds
    special_tokens: dict[str, str]
    unk_id: int
    sep_id: int
    pad_id: int
    cls_id: int
    mask_id: int
    pair_separators: int
    split_special_tokens: bool
    pairs: bool
    model_max_length: int | None
    _own: tuple[str, ...]

    if TYPE_CHECKING:
        added_tokens: tuple[AddedToken, ...]

        @classmethod
        def from_pretrained(cls, where: Any, **overrides: Any) -> Any: ...

        def decode(self, ids: Any, *, skip_special_tokens: bool = True) -> list[str]: ...

        def encode_ragged(self, texts: Any, pairs: Any = None, **options: Any) -> dict[str, Any]: ...

    unk_token = property(lambda self: self.special_tokens["unk_token"])
    sep_token = property(lambda self: self.special_tokens["sep_token"])
    pad_token = property(lambda self: self.special_tokens["pad_token"])
    cls_token = property(lambda self: self.special_tokens["cls_token"])
    mask_token = property(lambda self: self.special_tokens["mask_token"])
    unk_token_id = property(lambda self: self.unk_id)
    sep_token_id = property(lambda self: self.sep_id)
    pad_token_id = property(lambda self: self.pad_id)
    cls_token_id = property(lambda self: self.cls_id)
    mask_token_id = property(lambda self: self.mask_id)

    def __len__(self) -> int:
        """The number of ids, those of added tokens included."""
        return len(self.vocabulary)

    @property
    def vocabulary_size(self) -> int:
        """The number of ids, those of added tokens included."""
        return len(self.vocabulary)

    def get_vocabulary(self) -> list[str]:
        """The tokens in the order of their ids, as KerasHub gives them."""
        return list(self.vocabulary)

    def get_vocab(self) -> dict[str, int]:
        """The id of each token, as Transformers gives it."""
        return dict(self.token_to_id)

    def id_to_token(self, id: Any) -> str:
        """The token of an id, an integer in [0, V). Raises: ValueError for another one."""
        if isinstance(id, bool) or not hasattr(id, "__index__") or not 0 <= id < len(self.vocabulary):
            raise ValueError(f"`id` must be an integer in [0, {len(self.vocabulary)}). Received: {id!r}")
        return self.vocabulary[id]

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """The id of one token, or a list of the ids of several; `unk_id` for a token outside the vocabulary."""
        if isinstance(tokens, str):
            return self.token_to_id.get(tokens, self.unk_id)
        return [self.token_to_id.get(token, self.unk_id) for token in tokens]

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        """The token of one id, or a list of tokens for several ids: a list, an array or a tensor, [T].

        Args:
            skip_special_tokens: of several ids, leave out those of special tokens.
        Raises: ValueError for an id that is not in [0, V).
        """
        ids = ids.numpy() if hasattr(ids, "numpy") else ids
        if getattr(ids, "ndim", 0) == 0 and not isinstance(ids, (list, tuple, range)):
            return self.id_to_token(ids)
        left_out = {token.content for token in self.added_tokens if token.special and skip_special_tokens}
        return [token for token in map(self.id_to_token, ids) if token not in left_out]

    def batch_decode(self, ids: Any, *, skip_special_tokens: bool = True) -> list[str]:
        """The texts of several lists of ids, [B, (T)]: what `decode` gives for them."""
        if isinstance(ids, (list, tuple)) and not len(ids):
            return []
        return self.decode(ids, skip_special_tokens=skip_special_tokens)

    def encode(
        self, text: str, pair: str | None = None, *, add_special_tokens: bool = True, max_length: int | None = None
    ) -> list[int]:
        """The ids of one text, or of a text and its pair, as a list.

        Args:
            add_special_tokens: put [CLS] and [SEP] around the text and its pair.
            max_length: most ids; a longer input is cut, the longer text first. None: it is not cut.
        Raises: ValueError if `text` or `pair` is no str.
        """
        for name, value in (("text", text), ("pair", pair)):
            if not isinstance(value, str) and not (name == "pair" and value is None):
                raise ValueError(
                    f"`{name}` must be one str; for several texts, call the tokenizer. Received: {value!r}"
                )
        special = 0 if add_special_tokens else 2 if pair is None else 2 + self.pair_separators
        options: dict[str, Any] = {"max_length": NO_LIMIT, "truncation": "none"}
        if max_length is not None:
            options = {"max_length": max_length + special, "truncation": "longest_first"}
        rows = self.encode_ragged([text], None if pair is None else [pair], **options)
        ids, segments = (rows[name].values.numpy().tolist() for name in ("token_ids", "segment_ids"))
        if add_special_tokens:
            return ids
        split = segments.index(1) if pair is not None else len(ids)
        return ids[1 : split - (1 if pair is None else self.pair_separators)] + ids[split:-1]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this tokenizer again, ready for JSON: `from_config` takes them."""
        own = {name: getattr(self, name) for name in USUAL}
        return {"added_tokens": [token.to_json() for token in self.added_tokens], **self.special_tokens, **own}

    @classmethod
    def from_preset(cls, preset: str | os.PathLike[str], **overrides: Any) -> Any:
        """`from_pretrained` under KerasHub's name; a bare name that is no place here is one of KerasHub's presets."""
        return cls.from_pretrained(place_of_preset(preset), **overrides)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The tokenizer of a `get_config`."""
        added = [AddedToken(**token) for token in config["added_tokens"]]
        return cls(**{**config, "vocabulary": tuple(config["vocabulary"]), "added_tokens": added})

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are made again from the arguments: graphs cannot be copied."""
        return type(self).from_config, (self.get_config(),)

    @property
    def _usual(self) -> dict[str, Any]:
        """Arguments that are shown where they are not what they usually are."""
        return dict(USUAL)

    def __repr__(self) -> str:
        config = self.get_config()
        more = [f", {name}={config[name]!r}" for name, value in self._usual.items() if config[name] != value]
        return f"{type(self).__name__}(vocabulary of {len(self):,} tokens{''.join(more)})"
