"""Run folders with random weights, for checks of what becomes of a run rather than of what it has learnt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import ascii_lowercase, digits, punctuation
from typing import Any

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = (
    *(
        "a",
        "the",
        "of",
        "is",
        "was",
        "to",
        "and",
        "in",
        "it",
        "film",
        "good",
        "bad",
        "from",
        "start",
        "end",
        "joy",
        "who",
    ),
    *("you", "not", "one", "two", "what", "where", "when", "how", "well", "there", "for", "on", "with", "that", "this"),
)
LETTERS = (*ascii_lowercase, *digits, *punctuation, *"äöüßéèñ")
VOCABULARY = tuple(dict.fromkeys([*SPECIAL, *WORDS, *LETTERS, *(f"##{letter}" for letter in LETTERS)]))


def make_run(
    folder: str | Path,
    task: str,
    *,
    hidden_dim: int = 16,
    initializer_range: float = 0.5,
    seed: int = 3,
    shape: Mapping[str, Any] | None = None,
    words: Mapping[str, Any] | None = None,
    tokenizer: Any = None,
    **config: Any,
) -> Path:
    """A run folder as training leaves it, of a model with two blocks.

    Args:
        task: name of a task, or path of your own.
        hidden_dim, initializer_range, seed, shape, words, tokenizer: of `make_backbone`.
        config: further keys of the run, such as `data={"source": "own"}`; default: the bundled sample.
    """
    from bert_tf.config import RunConfig, to_toml
    from bert_tf.inference.runs import task_file
    from bert_tf.kinds.definitions import load_task

    folder = Path(folder)
    tokenizer = make_backbone(
        folder / "backbone",
        hidden_dim=hidden_dim,
        initializer_range=initializer_range,
        seed=seed,
        shape=shape,
        words=words,
        tokenizer=tokenizer,
    )
    values = {"data": {"source": "sample"}} | config | {"task": task, "backbone": str(folder / "backbone")}
    run = RunConfig.model_validate(values)
    kind = load_task(task).meant_by(run)
    kind.build_model(run).save_pretrained(folder / "model", tokenizer)
    for name, content in {"config.toml": to_toml(run), **task_file(kind)}.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def make_backbone(
    folder: str | Path,
    *,
    hidden_dim: int = 16,
    initializer_range: float = 0.5,
    seed: int = 3,
    shape: Mapping[str, Any] | None = None,
    words: Mapping[str, Any] | None = None,
    tokenizer: Any = None,
) -> Any:
    """A folder with a backbone of two blocks, to be trained from.

    Args:
        shape: further fields of its BertConfig.
        words: further arguments of its BertTokenizer; tokens that it names stand where BERT's would.
        tokenizer: another one in its place.
    Returns: the tokenizer.
    """
    import keras

    from bert_tf.models import BertBackbone, BertConfig
    from bert_tf.models.pretrained import save_model
    from bert_tf.text import BertTokenizer

    keras.utils.set_random_seed(seed)
    words = words or {}
    named = {f"[{name.removesuffix('_token').upper()}]": token for name, token in words.items() if "_token" in name}
    if tokenizer is None:
        tokenizer = BertTokenizer([named.get(token, token) for token in VOCABULARY], **words)
    config = BertConfig(
        vocabulary_size=tokenizer.vocabulary_size,
        hidden_dim=hidden_dim,
        num_layers=2,
        num_heads=2,
        intermediate_dim=2 * hidden_dim,
        initializer_range=initializer_range,
        **(shape or {}),
    )
    save_model(BertBackbone(config), folder, tokenizer)
    return tokenizer
