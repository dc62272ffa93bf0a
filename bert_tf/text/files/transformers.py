"""A tokenizer's folder as Transformers writes and reads it: vocab.txt or tokenizer.json, and what stands beside them.

Which file wins is as in Transformers 5: with BERT's own class tokenizer_config.json, then tokenizer.json; with the
general class PreTrainedTokenizerFast, tokenizer.json. Where two files contradict each other, a warning says so.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_tf.guard import short
from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.files import keys
from bert_tf.text.files.added import Added, collect
from bert_tf.text.files.choice import SUFFIXES, WORDPIECE
from bert_tf.text.files.json_file import read_if_there
from bert_tf.text.files.tokenizer_json import TokenizerJson, read_tokenizer_json
from bert_tf.weights.members import BERT, MEMBERS, Member
from bert_tf.weights.vocabulary_file import read_vocabulary

LOG = logging.getLogger(__name__)
# Transformers' tokenizers that do what BERT's does; anything else that says what it is gets refused.
GENERAL = ("PreTrainedTokenizerFast", "TokenizersBackend")
CLASSES = {name + suffix for name in WORDPIECE.classes for suffix in SUFFIXES} | set(GENERAL)
OURS = {kind: member for kind, member in MEMBERS.items() if member.prefix in WORDPIECE.classes}
OF_MEMBERS = {member.prefix + suffix: member for member in OURS.values() for suffix in SUFFIXES}
# Members of the family that have no segments, and the tokenizers that are theirs.
WITHOUT_SEGMENTS = {kind for kind, member in MEMBERS.items() if not member.tells_segments}
OF_THEM = {name for name, member in OF_MEMBERS.items() if not member.tells_segments}
NO_LENGTH = 1_000_000  # Transformers writes a number of 30 digits where there is no limit


@dataclass(frozen=True, kw_only=True)
class Files:
    """What a folder's files say.

    Args:
        config, names: tokenizer_config.json and special_tokens_map.json, {} where missing.
        model: config.json or bert_config.json.
        raw: tokenizer.json.
        general: whether tokenizer.json alone counts for how text is split.
        member: of the family, whose tokenizer it is.
    """

    folder: Path
    config: Mapping[str, Any]
    names: Mapping[str, Any]
    model: Mapping[str, Any]
    model_path: Path
    raw: TokenizerJson | None
    general: bool
    member: Member

    @property
    def path(self) -> Path:
        """The settings' file."""
        return self.folder / "tokenizer_config.json"


def read_folder(folder: Path, ignore: Container[str]) -> tuple[dict[str, Any], Path]:
    """The arguments of a BertTokenizer, without `lowercase` where no file says it; and the vocabulary's file.

    Raises: UserError naming a setting that is not BERT's, or is wrong.
    """
    config = read_if_there(folder / "tokenizer_config.json")
    names = read_if_there(folder / "special_tokens_map.json")
    model_path = next((p for n in ("config.json", "bert_config.json") if (p := folder / n).is_file()), folder)
    model = read_if_there(model_path)
    name = check_class(folder / "tokenizer_config.json", config, model_path, model, ignore)
    keys.check(keys.TOKENIZER_CONFIG, config, folder / "tokenizer_config.json", ignore, also="_token")
    keys.check(keys.SPECIAL_TOKENS_MAP, names, folder / "special_tokens_map.json", ignore, also="_token")
    raw_path, vocabulary_path = folder / "tokenizer.json", folder / "vocab.txt"
    raw = read_tokenizer_json(raw_path, ignore) if raw_path.is_file() and "tokenizer.json" not in ignore else None
    files = Files(
        folder=folder, config=config, names=names, model=model, model_path=model_path, raw=raw,
        general=raw is not None and name in GENERAL, member=OF_MEMBERS.get(name, BERT),
    )  # fmt: skip
    if raw is not None:
        check_post_processor(files, ignore)
        if vocabulary_path.is_file() and read_vocabulary(vocabulary_path, quiet=True) != raw.vocabulary:
            LOG.warning("%s: not the tokens of tokenizer.json, which count", vocabulary_path)
    tokens = read_vocabulary(vocabulary_path) if raw is None else raw.vocabulary
    in_json, distinct = (None, len(set(tokens))) if raw is None else (raw.added, raw.distinct)
    added = collect(files.path, folder, config, names, in_json, tokens, files.general, distinct)
    arguments = {"vocabulary": tokens, **flags(files), **special_tokens(files, added, tokens)}
    separators = separators_of(files)
    arguments |= {} if separators == 1 else {"pair_separators": separators}
    return arguments, vocabulary_path if raw is None else raw_path


def check_class(
    path: Path, config: Mapping[str, Any], model_path: Path, model: Mapping[str, Any], ignore: Container[str]
) -> str:
    """Returns the tokenizer's class. Raises: UserError if it is another model's, or code of the folder's own."""
    own = config.get("auto_map") or {}
    code = own.get("AutoTokenizer") if isinstance(own, Mapping) else own
    if code and "auto_map" not in ignore:
        rule = "names a tokenizer that is code of its own"
        raise keys.refusal(path, "auto_map", code, rule)
    name = config.get("tokenizer_class")
    if name is None and model.get("tokenizer_class") is not None:
        path, name = model_path, model["tokenizer_class"]
    if name is None or "tokenizer_class" in ignore:
        return "BertTokenizer"
    if name not in CLASSES:
        raise keys.refusal(path, "tokenizer_class", name, "must be BertTokenizer, or one that does the same")
    return name


def flags(files: Files) -> dict[str, Any]:
    """How text is normalised and how long it may be; without `lowercase` where no file says it."""
    raw, config = files.raw, files.config
    found: dict[str, Any] = {}
    for key, argument, usual in (
        ("do_lower_case", "lowercase", True),
        ("strip_accents", "strip_accents", None),
        ("tokenize_chinese_chars", "split_cjk", True),
    ):
        said = [] if key not in config else [(files.path, key, config[key])]
        if raw is not None:
            entry = (raw.path, f"normalizer's {argument}", getattr(raw, argument))
            said.insert(0 if files.general else len(said), entry)
        if key == "do_lower_case" and key in files.model:
            said.append((files.model_path, key, files.model[key]))
        said = [(path, name, value) for path, name, value in said if value is not None or key == "strip_accents"]
        for path, name, value in said:
            keys.need(isinstance(value, bool) or value is None, path, name, value, "true or false")
        if not said:
            continue
        (first, name, value), others = said[0], said[1:]
        for path, other_name, other in others:
            if other != value:
                what = (path, other_name, other, first.name, name, value)
                LOG.warning("%s: %s is %s, but %s says %s=%s, which counts, as in Transformers", *what)
        if raw is not None and first == raw.path and not files.general and value != usual:
            what = (first, name, value, files.path.name, key)
            LOG.warning("%s: %s=%s counts; Transformers 5 would ignore it without %s's `%s`", *what)
        found[argument] = value
    longest = config.get("max_input_chars_per_word")
    if raw is not None and raw.max_word_characters not in (100, longest):
        LOG.warning("%s: words of more than %d characters are unknown", raw.path, raw.max_word_characters)
        longest = raw.max_word_characters
    if longest is not None:
        is_count = isinstance(longest, int) and not isinstance(longest, bool) and longest > 0
        keys.need(is_count, files.path, "max_input_chars_per_word", longest, "an int of 1 or more")
        found["max_word_characters"] = longest
    split = config.get("split_special_tokens") or False
    keys.need(isinstance(split, bool), files.path, "split_special_tokens", split, "true or false")
    return found | {
        "split_special_tokens": split,
        "model_max_length": length_of(config.get("model_max_length"), files.path),
    }


def length_of(value: Any, path: Path) -> int | None:
    """A number of tokens, or None where the value stands for no limit."""
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    if not is_number or (value < NO_LENGTH and (value < 3 or value != int(value))):
        LOG.warning("%s: `model_max_length` is not a number of tokens, and is ignored: %r", path, value)
        return None
    return int(value) if value < NO_LENGTH else None


def special_tokens(files: Files, added: Added, tokens: Sequence[str]) -> dict[str, Any]:
    """The arguments that name tokens, and all that a text can name."""
    raw = files.raw
    found: dict[str, Any] = {**files.member.tokens, **added.named}
    if raw is not None and raw.unk_token is not None and raw.unk_token != found.get("unk_token", "[UNK]"):
        said = found.get("unk_token")
        if files.general or said is None:
            found["unk_token"] = raw.unk_token
        LOG.warning("%s: unknown words are %s", raw.path, found.get("unk_token"))
    unknown = found.get("unk_token", "[UNK]")
    if unknown not in tokens:
        rule = "must be a token of the vocabulary itself: an added token cannot stand for unknown words"
        raise keys.UserError(f"{files.path}: `unk_token` {rule}. Received: {short(unknown)}")
    listed = list(added.tokens)
    size = len(tokens) + sum(token.content not in set(tokens) for token in listed)
    known = {*tokens, *(token.content for token in listed)}
    for name in [*(found.get(n, f"[{n[:-6].upper()}]") for n in keys.SPECIAL), *added.extra]:
        if name not in known:
            LOG.warning("%s: %r is not in the vocabulary: it is token %d, behind it", files.folder, name, size)
            size += 1
            listed.append(AddedToken(name, special=True))
            known.add(name)
    names = files.config.get("model_input_names")
    is_theirs = files.config.get("tokenizer_class") in OF_THEM
    if names is None and is_theirs:
        names = ["input_ids", "attention_mask"]
    if names is not None:
        fine = isinstance(names, list) and all(isinstance(name, str) for name in names)
        keys.need(fine, files.path, "model_input_names", names, "a list of names")
        kind = files.model.get("model_type")
        if "token_type_ids" not in names and not (is_theirs if kind is None else kind in WITHOUT_SEGMENTS):
            found["pairs"] = False  # a BERT that has learned pairs as one segment
    return found | {"added_tokens": tuple(listed), "extra_special_tokens": tuple(added.extra)}


def check_post_processor(files: Files, ignore: Container[str]) -> None:
    """Raises UserError if tokenizer.json alone counts, and it puts other tokens around a text than BERT's."""
    assert files.raw is not None
    found = files.raw.post_processor
    if "post_processor" in ignore or is_berts(found) or is_robertas(found):
        return
    shown = found.get("type", found) if isinstance(found, Mapping) else found
    if files.general:
        raise keys.refusal(files.raw.path, "post_processor", shown, "must put [CLS] and [SEP] around texts")
    if found is not None:
        LOG.warning(
            "%s: `post_processor` is not followed, as in Transformers 5. Received: %s", files.raw.path, short(shown)
        )


def separators_of(files: Files) -> int:
    """How many [SEP] stand between the texts of a pair."""
    if files.general and files.raw is not None:
        return 2 if is_robertas(files.raw.post_processor) else 1
    return files.member.pair_separators


def is_robertas(found: Any) -> bool:
    """Whether a post_processor makes [CLS] A [SEP] and [CLS] A [SEP] [SEP] B [SEP]."""
    if not isinstance(found, Mapping):
        return False
    if found.get("type") == "RobertaProcessing":
        return True
    parts = [found.get("single") or (), found.get("pair") or ()]
    if found.get("type") != "TemplateProcessing" or not all(_is_one_piece(part) for side in parts for part in side):
        return False
    one, two = ([(next(iter(p)), next(iter(p.values())).get("id")) for p in side] for side in parts)
    if [len(one), len(two)] != [3, 6]:
        return False
    return one == two[:3] and two[3] == two[5] == one[2] != one[0] and [two[1][1], two[4]] == ["A", ("Sequence", "B")]


def _is_one_piece(part: Any) -> bool:
    """Whether a part of a template is one name with its settings, `{"Sequence": {"id": "A", "type_id": 0}}`."""
    return isinstance(part, Mapping) and len(part) == 1 and isinstance(next(iter(part.values())), Mapping)


def is_berts(found: Any) -> bool:
    """Whether a post_processor makes [CLS] A [SEP] and [CLS] A [SEP] B [SEP], with segments 0 and 1."""
    if not isinstance(found, Mapping):
        return False
    if found.get("type") == "BertProcessing":
        return True
    single, pair = found.get("single") or (), found.get("pair") or ()
    if not all(_is_one_piece(part) for parts in (single, pair) for part in parts):
        return False
    shape = [[(next(iter(p)), *next(iter(p.values())).values()) for p in parts] for parts in (single, pair)]
    if found.get("type") != "TemplateProcessing" or [len(parts) for parts in shape] != [3, 5]:
        return False
    one, two = shape
    cls, sep = one[0][1], one[2][1]
    first, second, a, b = "SpecialToken", "Sequence", "A", "B"
    expected = [(first, cls, 0), (second, a, 0), (first, sep, 0), (second, b, 1), (first, sep, 1)]
    return one == expected[:3] and two == expected
