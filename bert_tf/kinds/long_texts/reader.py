"""What every kind says of texts that are longer than a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bert_tf.kinds.building import Modelled
from bert_tf.kinds.diagnosis import Lengths, lengths_of
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.long_texts.notes import said

if TYPE_CHECKING:
    from bert_tf.text import Tokenizer


@dataclass(frozen=True, kw_only=True)
class Reader(Modelled):
    """A task with a model, and how much of its texts that model reads."""

    long_texts_are: ClassVar[str] = "cut"
    """What happens to texts of more than `sequence_length` tokens: "cut", or "read in windows"."""

    def lengths(self, tokenizer: Tokenizer, examples: Examples, *, sequence_length: int) -> Lengths | None:
        """How many tokens the examples have, before anything is cut; None where there is nothing to count."""
        return lengths_of(tokenizer, examples.columns, sequence_length, says=self.long_texts_are)

    says_cut: ClassVar[bool] = False
    """Whether `features` itself warns of texts that are cut."""

    def cut_warning(self, splits: Mapping[str, Any], *, sequence_length: int | None, positions: int) -> str | None:
        """One line on the texts that are cut, and what reads more of them; None where none are.

        Args:
            splits: features by split.
            positions: of the backbone.
        """
        found = {split: part.cut for split, part in splits.items() if getattr(part, "cut", None) is not None}
        length = sequence_length or self.sequence_length
        return None if self.says_cut else said(found, length, self.how_to_read_more(length, positions))

    def how_to_read_more(self, max_length: int, positions: int) -> str:
        """A sentence on the settings by which less is cut off texts."""
        if max_length >= positions:
            return f"The backbone has no more than {positions} positions"
        return f"A greater data.sequence_length, up to the backbone's {positions} positions, reads more of them"

    @property
    def how_to_answer_more(self) -> str:
        """What the commands' --set can do so that less is cut off texts; "": nothing."""
        return ""

    @property
    def long_text_settings(self) -> dict[str, Any]:
        """What an answer to a long text depends on besides the sequence length; empty where it is cut."""
        return {}
