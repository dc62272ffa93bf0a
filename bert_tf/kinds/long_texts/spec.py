"""What the kinds share that can read a long text in windows, and make one answer of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.errors import UserError
from bert_tf.kinds.long_texts.reading import Reading
from bert_tf.kinds.measured import Measured
from bert_tf.kinds.serving import Serving
from bert_tf.kinds.task import OF_LONG_TEXTS

if TYPE_CHECKING:
    from bert_tf.data import Features
    from bert_tf.kinds.long_texts.windows import Windows
    from bert_tf.text import Tokenizer

CUT, WINDOWS = "cut", "windows"


@dataclass(frozen=True, kw_only=True)
class Windowed(Measured):
    """A kind that gives one output for a text, which can be made of those of several windows.

    Args:
        long_texts: what becomes of a text longer than `sequence_length`: "cut", its first tokens are read; "windows",
            it is read in windows that overlap, each window is answered, and one answer is made of theirs: the mean of
            probabilities, numbers or vectors, each counting as much as it has tokens that are new. Of a pair the longer
            text is read in windows, and the other one is in each of them, as much of it as half of a row holds. A text
            that fits is answered as ever.
        window_overlap: share of a window that it has in common with the one before, in [0, 0.5].
        max_windows: most windows of a text; what is behind them is cut.
    Raises: ValueError for settings that cannot be.
    """

    long_texts: str = CUT
    window_overlap: float = 0.125
    max_windows: int = 16

    answer_settings: ClassVar[tuple[str, ...]] = OF_LONG_TEXTS

    def __post_init__(self) -> None:
        if self.long_texts not in (CUT, WINDOWS):
            raise ValueError(f"`long_texts` must be {CUT} or {WINDOWS}. Received: long_texts={self.long_texts!r}")
        if not 0 <= self.window_overlap <= 0.5:
            raise ValueError(f"`window_overlap` must be in [0, 0.5]. Received: window_overlap={self.window_overlap}")
        if self.max_windows < 1:
            raise ValueError(f"`max_windows` must be 1 or more. Received: max_windows={self.max_windows}")

    @property
    def reads_windows(self) -> bool:
        """Whether long texts are read in windows."""
        return self.long_texts == WINDOWS

    def reading(self, sequence_length: int | None) -> Reading:
        """How long texts are read. Raises: UserError if rows are too short for windows."""
        max_length, columns = sequence_length or self.sequence_length, len(self.text_columns)
        if max_length < columns + 2:
            raise UserError(
                f"'data.sequence_length' must be {columns + 2} or more to read long texts in windows. "
                f"Received: {max_length}"
            )
        return Reading(max_length, self.window_overlap, self.max_windows)

    def encoded(
        self,
        tokenizer: Tokenizer,
        texts: Sequence[str],
        sequence_length: int | None,
        progress: Callable[[int, int], None] | None,
    ) -> Features:
        """Single texts as rows, or as windows."""
        from bert_tf.data.batching.features import encode
        from bert_tf.kinds.long_texts.features import encode_windows

        if self.reads_windows:
            return encode_windows(tokenizer, texts, reading=self.reading(sequence_length), progress=progress)
        return encode(tokenizer, texts, max_length=sequence_length or self.sequence_length, progress=progress)

    def merge(self, outputs: Any, windows: Windows, model: Any) -> Any:
        """One output a text, float32 [B, C], of those of its windows, [W, C]: their mean."""
        from bert_tf.kinds.long_texts.windows import mean_over_windows, where_several

        return where_several(mean_over_windows(outputs, windows), outputs, windows)

    def of_examples(self, model: Any, outputs: Sequence[np.ndarray], features: Features) -> Sequence[np.ndarray]:
        """One output for each text, of those of its windows where it has several."""
        from bert_tf.kinds.long_texts.features import WindowFeatures, merged

        if not isinstance(features, WindowFeatures):
            return outputs
        return merged(outputs, features, lambda values, windows: self.merge(values, windows, model))

    def served(self, serving: Serving) -> Serving:
        """What is served of the task, where long texts are read in windows: what cannot is refused."""
        if not self.reads_windows:
            return serving
        stride = self.reading(None).overlap_tokens(len(self.text_columns))
        why = "expected long_texts=cut: a file that takes text reads the first tokens of it alone. Received: windows"
        return replace(
            serving,
            contract=replace(serving.contract, stride=stride),
            refuses={**serving.refuses, "tflite:text": why},
        )

    @property
    def long_texts_are(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return "read in windows" if self.reads_windows else "cut"

    @property
    def long_text_settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in OF_LONG_TEXTS} if self.reads_windows else {}

    @property
    def how_to_answer_more(self) -> str:
        more = (
            f"max_windows={2 * self.max_windows} reads more" if self.reads_windows else "long_texts=windows reads all"
        )
        return f"--set {more} of them"

    def how_to_read_more(self, max_length: int, positions: int) -> str:
        if self.reads_windows:
            return f"A greater data.max_windows than {self.max_windows} reads more of them"
        return f"{super().how_to_read_more(max_length, positions)}; data.long_texts=windows reads all of them"
