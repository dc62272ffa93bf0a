"""What a task is done with: a tokenizer, and a model of some backbone with the task's head."""

from __future__ import annotations

import abc
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bert_tf.config import RunConfig
from bert_tf.errors import UserError
from bert_tf.kinds.task import Task

if TYPE_CHECKING:
    from bert_tf.text import Tokenizer

OF_TOKENIZER = ("lowercase", "ignore_tokenizer")  # settings of [model] that are not the model's
Self = TypeVar("Self", bound="Modelled")


@dataclass(frozen=True, kw_only=True)
class Modelled(Task):
    """A task, and how its tokenizer and its model are made."""

    def build_tokenizer(self, backbone: str, vocabulary: str | None = None, **reading: Any) -> Tokenizer:
        """The tokenizer of a checkpoint; for a size with random weights that of `vocabulary`, or minilm's.

        Args:
            reading: further arguments of `Tokenizer.from_pretrained`.
        Raises: UserError if there is none, or if a checkpoint is to have another vocabulary than its own.
        """
        from bert_tf.text import Tokenizer

        return Tokenizer.from_pretrained(words_of(backbone, vocabulary), **reading)

    def tokenizer_of(self, config: RunConfig) -> Tokenizer:
        """The tokenizer of a new run, as its settings say. Raises: as `build_tokenizer`."""
        return self.build_tokenizer(config.backbone, config.vocabulary, **reading_of(config))

    @abc.abstractmethod
    def build_model(self, config: RunConfig) -> Any:
        """The Keras model of a new run: the backbone's weights, and a new head where they have none."""

    def from_backbone(self, model_class: Any, config: RunConfig, **arguments: Any) -> Any:
        """A model of `model_class` for `build_model`: the run's backbone, precision, dropout and vocabulary.

        Raises: UserError if the backbone has too few positions, or a vocabulary of its own, and the run names another.
        """
        settings = config.model.model_dump().items()
        changes = {name: value for name, value in settings if value is not None and name not in OF_TOKENIZER}
        if config.vocabulary is not None:
            tokenizer = self.tokenizer_of(config)
            changes |= {"vocabulary_size": tokenizer.vocabulary_size, "pad_token_id": tokenizer.pad_id}
        model = model_class.from_pretrained(
            config.backbone, dtype=config.training.precision, **{**changes, **arguments}
        )
        longest = config.data.sequence_length or self.sequence_length
        if longest > model.config.max_positions:
            raise UserError(
                f"'data.sequence_length' must be at most {model.config.max_positions}, the positions that "
                f"{config.backbone} has. Received: {longest}"
            )
        return model

    @abc.abstractmethod
    def load_model(self, folder: str, *, ignore: Collection[str] = (), dtype: str = "float32") -> Any:
        """The Keras model as a run saved it.

        Args:
            ignore: facts of a folder that no run made to leave out, as every model's `from_pretrained` takes them.
            dtype: its dtype policy.
        """

    def fitted(self: Self, model: Any, where: str) -> Self:
        """The same task for a model from `where`. Raises: UserError if its classes are not the task's, in order."""
        return self

    def size_of(self, config: RunConfig) -> tuple[int, bool]:
        """The width of the model that a run will have, and whether its weights are random. Loads no TensorFlow."""
        from bert_tf import weights
        from bert_tf.models.backbones.sizes import is_size, size_config

        if is_size(config.backbone):
            return size_config(config.backbone).hidden_dim, True
        found = weights.load(config.backbone, ignore=config.model.ignore).config
        return int(found["hidden_dim"]), False

    @property
    def trims_vocabulary(self) -> bool:
        """Whether training may leave out token vectors that the data cannot reach: not where tokens are written."""
        return True


def words_of(backbone: str, vocabulary: str | None) -> str:
    """Where the words are: a checkpoint has its own, a size is given some."""
    from bert_tf.models.backbones.sizes import SIZES, is_size

    if is_size(backbone):
        return vocabulary or "minilm"
    if vocabulary is not None:
        raise UserError(
            f"'vocabulary' is for a backbone with random weights ({', '.join(SIZES)}); {backbone} has its own words. "
            f"Received: {vocabulary}"
        )
    return backbone


def reading_of(config: RunConfig) -> dict[str, Any]:
    """What a run says of how its tokenizer's files are read: arguments of `Tokenizer.from_pretrained`."""
    ignore = {"ignore": config.model.ignore_tokenizer}
    return ignore if config.model.lowercase is None else ignore | {"lowercase": config.model.lowercase}
