"""What `from_pretrained` of a model takes: its signature, what it means, and what others call the same."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
from collections.abc import Collection, Mapping
from typing import Any

from bert_tf.models.backbones.config import BertConfig
from bert_tf.weights.members import MEMBERS

FIELDS = tuple(field.name for field in dataclasses.fields(BertConfig))
READING: dict[str, Any] = {"preprocessor": None, "new_weights": "warn", "extra_weights": "warn", "ignore": ()}
"""Arguments that every model has besides its own, and their defaults."""
MEANINGS = """
Args:
    where: "minilm" (an installed package), a folder, "hf://org/name", "kaggle://...", "keras_hub://...", or a size
        ("tiny" ... "large") for random weights; of a file with weights that file itself is read.
    {own}:
        as `{name}` has them; where one is not given, what the file says, or else the class's default.
    vocabulary_size, hidden_dim and the other fields of `BertConfig`: instead of the file's; None: the file's.
    preprocessor: a `bert_tf.BertPreprocessor`, with which `fit`, `evaluate` and `predict` take strings.
    new_weights: what to do about a head (or pooler) that the file lacks: "warn" makes it new, "forbid" is an error.
    extra_weights: what to do about tensors that the model has no place for, "warn" or "forbid".
    ignore: facts of the files to leave out although answers may change: keys of config.json, names or patterns (`*`)
        of tensors, or adapter_config.json.
Returns: the model.
Raises: UserError for files that are not there or do not fit; ValueError for an argument that is unknown or wrong.
"""
NEAR = 0.8  # how alike two names must be, of 1, for one to be taken for the other
# Arguments of other libraries -> what to do here. Keys of config.json come from the tables of members.
ELSEWHERE = {
    "num_labels": "say `num_classes`",
    "id2label": "say `labels`, a tuple of the names in the order of their numbers",
    "label2id": "say `labels`, a tuple of the names in the order of their numbers",
    "problem_type": 'say `problem`: "single_label", "multi_label" or "regression"',
    "classifier_dropout": "say `dropout`",
    "seq_classif_dropout": "say `dropout`",
    "qa_dropout": "say `dropout`",
    "torch_dtype": 'say `dtype`, such as `dtype="mixed_bfloat16"`',
    "from_pt": "leave it out: files of PyTorch are known by their form",
    "from_tf": "leave it out: files of TensorFlow are known by their form",
    "from_flax": "leave it out: files of Flax are known by their form",
    "config": "say what differs from the file, field by field, such as `num_layers=6`",
    "output_attentions": "the models give no attention weights",
    "output_hidden_states": "the models give the last hidden states, `sequence_output` of the backbone",
    "return_dict": "leave it out: a backbone gives a dict, a head its logits, `compute` a dict with the loss",
    "add_pooling_layer": "leave it out: a pooler that the model has no use for has no part in its outputs",
    "attn_implementation": "leave it out",
    "ignore_mismatched_sizes": "give `num_classes`: a head of another number of classes is made new",
    "cache_dir": "the hub's own setting holds, HF_HOME",
    "revision": "say hf://org/name@revision",
    "token": "the hub's own setting holds, HF_TOKEN",
    "use_auth_token": "the hub's own setting holds, HF_TOKEN",
    "local_files_only": "the hub's own setting holds, HF_HUB_OFFLINE=1",
    "force_download": "delete the model from the hub's cache",
    "trust_remote_code": "leave it out: no code of a checkpoint is run",
    "use_safetensors": "leave it out: they are read where they are there",
    "device_map": "leave it out: a tf.distribute strategy says where a model lies",
    "load_weights": 'give a size, such as "base", for random weights',
}


def own_arguments(cls: type) -> dict[str, inspect.Parameter]:
    """The arguments of a model's class besides its config or backbone."""
    parameters = inspect.signature(cls.__init__).parameters
    return {name: part for name, part in parameters.items() if name not in ("self", "config", "backbone")}


def signature_of(cls: type) -> inspect.Signature:
    """What `cls.from_pretrained` takes, each argument by its name."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    own = {
        name: None if part.default is inspect.Parameter.empty else part.default
        for name, part in own_arguments(cls).items()
    }
    named = {**own, **READING, **{name: None for name in FIELDS if name not in own}}
    where = inspect.Parameter("where", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return inspect.Signature([where, *(inspect.Parameter(name, keyword, default=x) for name, x in named.items())])


def meanings_of(cls: type) -> str:
    """What stands under `help(cls.from_pretrained)`."""
    own = ", ".join(own_arguments(cls))  # in one line, or readers of docstrings take the second one for prose
    return f"A `{cls.__name__}` with the weights found at `where`.\n{MEANINGS.format(own=own, name=cls.__name__)}"


def given(cls: type, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The overrides without those that are None and so say nothing: fields of the config, and what has no default."""
    own = own_arguments(cls)
    silent = {*FIELDS, *(name for name, part in own.items() if part.default is inspect.Parameter.empty)}
    return {name: value for name, value in overrides.items() if value is not None or name not in silent}


def check_known(cls: type, overrides: Collection[str]) -> None:
    """Raises: ValueError that names arguments which are unknown, and what to say instead."""
    known = {*FIELDS, *own_arguments(cls)}
    unknown = sorted(set(overrides) - known)
    if unknown:
        hints = "".join(_hint(name, {*known, *READING}) for name in unknown)
        raise ValueError(
            f"`{cls.__name__}.from_pretrained` has no {', '.join(unknown)}.{hints} Known: {', '.join(sorted(known))}"
        )


def _hint(name: str, known: Collection[str]) -> str:
    fields = {row.key: field for member in MEMBERS.values() for field, row in member.used.items()}
    if name in ELSEWHERE:
        return f" `{name}`: {ELSEWHERE[name]}."
    if name in fields and fields[name] in known:
        return f" `{name}`: say `{fields[name]}`."
    near = difflib.get_close_matches(name, known, n=1, cutoff=NEAR)
    return f" Did you mean {near[0]!r}?" if near else ""
