"""A trained or exported model as one callable: text in, answers out."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from bert_tf.inference.arguments import check_arguments, check_reading
from bert_tf.inference.columns import OfColumns, Several, check_texts, columns_of
from bert_tf.inference.engine.batches import batches_of, in_batches
from bert_tf.inference.engine.precision import check_precision, load, precision_of_run
from bert_tf.inference.engine.rows import answers_of_words
from bert_tf.inference.explaining import Explaining
from bert_tf.inference.exported.files import exported_in
from bert_tf.inference.runs import open_run, read_run
from bert_tf.inference.saved_models import open_saved, saved_model_in
from bert_tf.inference.vectors import Vectors
from bert_tf.kinds import Answer, Kind
from bert_tf.kinds.long_texts.notes import notes_of
from bert_tf.kinds.registry import kind_of
from bert_tf.models.backbones.row_ends import seeing_no_padding

if TYPE_CHECKING:
    from bert_tf.text import Tokenizer

EXPORTED_BATCH_EXAMPLES = 256  # of which an exported model makes batches of like lengths, one a thread
Texts = list[str] | tuple[str, ...]  # not Sequence: a str is one of those
Progress = Callable[[int, int], None]


class Pipeline(Explaining, Vectors):
    """Answers texts with the model of a run folder, of a SavedModel that `bert_tf.export` made (or its newest
    version), of a TFLite, ONNX or OpenVINO file that it made (or its folder), or of a folder that `save_pretrained` or
    Transformers wrote; or with parts that are there already: `Pipeline(model, tokenizer, kind)`.

    Args:
        where: the run folder, or the model's, or an exported file beside its task.json.
        model, tokenizer, kind: in place of `where`: the Keras model, its tokenizer, and the task.
        sequence_length: with parts, most tokens of an example; None: the task's.
        task: what the model is for, where its folder does not say, or the run's task with other settings; None: the
            run's task, the exported model's, or what the folder's architecture is for (`bert_tf.kinds.registry`): a
            classifier answers with labels, a tagger with entities or a label for each word, a masked language model
            with guesses for each [MASK], and so on. A folder that answers nothing by itself is refused.
        batch_examples: texts in a batch, short ones more; default: as the run says, or 64.
        precision: of a folder's model: "float32"; "mixed_bfloat16", in which probabilities differ in the third digit,
            and labels hardly ever; or "auto", what the machine is fastest with, but float32 for a run that was trained
            in it. A SavedModel has its own.
        lowercase: of a model's folder: whether to lower-case texts, even if its files say otherwise; None: as they say.
        ignore, ignore_tokenizer: of a model's folder: facts of its files, and settings of its tokenizer, that would be
            refused otherwise, to be ignored although answers may change; like the settings model.ignore and
            model.ignore_tokenizer of a run.
    Call arguments:
        texts: one text, or several; or, of any task, a dict of a text for each of its columns (`kind.text_columns`), or
            several: the only way where it has more than two.
        pairs: the second text of each, for a task of pairs.
        is_split_into_words: of taggers: `texts` are lists of words, or one: see `bert_tf.kinds.tagging.of_words`.
    Returns: a dict for one text, a list of dicts for several, in their order: `text`, `label`, `score` and
        `probabilities` by name of the class; `cut_tokens` where so many were not read, `windows` where there were more.
    Raises: UserError if there is no model in `where`; ValueError if texts and pairs, or a dict's columns, do not go
        together with the task, or if one of them is no text that UTF-8 can hold, named by its place: `texts[3]`.

    >>> import tempfile
    >>> from bert_tf import BertClassifier, BertConfig, BertTokenizer
    >>> tokenizer = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "bad", "film"])
    >>> config = BertConfig(vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     BertClassifier(config, 2, labels=("negative", "positive")).save_pretrained(folder, tokenizer)
    ...     answers = Pipeline(folder)(["a good film", "a bad film"])
    >>> len(answers), sorted(answers[0]), answers[0]["label"] in ("negative", "positive")
    (2, ['label', 'probabilities', 'score', 'text'], True)
    """

    _is_traced = True

    @overload
    def __init__(
        self,
        where: str | os.PathLike[str],
        *,
        task: Kind | None = None,
        batch_examples: int | None = None,
        precision: str = "float32",
        lowercase: bool | None = None,
        ignore: Collection[str] = (),
        ignore_tokenizer: Collection[str] = (),
    ) -> None: ...
    @overload
    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        kind: Kind,
        *,
        sequence_length: int | None = None,
        batch_examples: int | None = None,
    ) -> None: ...

    def __init__(  # pyright: ignore[reportInconsistentOverload]  # its first argument has two names
        self,
        where: Any = None,
        tokenizer: Tokenizer | None = None,
        kind: Kind | None = None,
        *,
        model: Any = None,
        sequence_length: int | None = None,
        task: Kind | None = None,
        batch_examples: int | None = None,
        precision: str = "float32",
        lowercase: bool | None = None,
        ignore: Collection[str] = (),
        ignore_tokenizer: Collection[str] = (),
    ) -> None:
        self._functions: dict[int, Callable[..., dict[str, Any]]] = {}
        reading: dict[str, Any] = {"ignore": ignore_tokenizer} if ignore_tokenizer else {}
        reading |= {} if lowercase is None else {"lowercase": lowercase}
        place = where if isinstance(where, (str, os.PathLike)) else None
        parts = {"model": where if model is None and place is None else model, "tokenizer": tokenizer, "kind": kind}
        check_arguments(
            place, parts, of_place=bool(task is not None or ignore or reading), of_parts=sequence_length is not None
        )
        if place is not None:
            self._open(place, task, batch_examples, ignore, reading, precision)
        else:
            check_precision(precision, takes_one=False, what="a model")
            self.model, self.tokenizer, self.kind = parts.values()
            self.sequence_length = sequence_length or self.kind.sequence_length
            self.batch_examples, self._is_run = batch_examples or 64, True
        seeing_no_padding(self.model)

    @classmethod
    def of(
        cls, kind: Kind, model: Any, tokenizer: Any, *, sequence_length: int | None = None, batch_examples: int = 64
    ) -> Pipeline:
        """`Pipeline(model, tokenizer, kind)`, by its older name."""
        return cls(model, tokenizer, kind, sequence_length=sequence_length, batch_examples=batch_examples)

    def _open(
        self,
        where: str | os.PathLike[str],
        task: Kind | None,
        batch_examples: int | None,
        ignore: Collection[str],
        reading: Mapping[str, Any],
        precision: str,
    ) -> None:
        """Reads the model of a run folder, of a SavedModel, or of a folder that no run made."""
        from bert_tf.machine.precision import choose_precision
        from bert_tf.text import Tokenizer
        from bert_tf.weights.sentence_transformers import similarity_name

        folder = Path(where).expanduser()
        is_run, saved, exported = (folder / "config.toml").is_file(), saved_model_in(folder), exported_in(folder)
        if reading or ignore:
            check_reading(folder, is_run=is_run, saved=saved is not None, exported=exported is not None)
        own = saved is not None or exported is not None
        check_precision(precision, takes_one=not own, what="an exported model")
        if is_run:
            config = read_run(folder)
            self.kind = task or open_run(folder).kind
            self.tokenizer = Tokenizer.from_pretrained(folder / "model")
            precision = precision_of_run(precision, config.training.precision)
            self.model = load(self.kind, str(folder / "model"), precision=precision)
            self.kind = self.kind.fitted(self.model, str(folder))
            self._is_run = True
            self.sequence_length = config.data.sequence_length or self.kind.sequence_length
            self.batch_examples = batch_examples or config.evaluation.batch_examples
        elif saved is not None:
            kind, self.model, self.tokenizer, self.sequence_length, answer = open_saved(saved, task)
            self.kind, self._is_run, self.batch_examples = task or kind, True, batch_examples or 64
            self._functions[len(kind.text_columns)] = answer
        elif exported is not None:
            self.kind, self.model, self.tokenizer, self.sequence_length = exported.parts(task)
            self._is_run, self.batch_examples = True, batch_examples or EXPORTED_BATCH_EXAMPLES
        else:
            if task is not None:
                self.model = load(task, str(where), ignore=ignore, precision=precision)
                self.kind = task.fitted(self.model, str(where))
            else:
                self.kind, self.model = kind_of(where, ignore=ignore, dtype=choose_precision(precision))
            self.tokenizer = self.kind.build_tokenizer(str(where), **reading)
            self.similarity_name = similarity_name(where)
            self._is_run = task is not None or len(self.kind.text_columns) > 1
            positions = self.model.config.max_positions
            limit = getattr(self.model, "max_length", None) or positions
            self.sequence_length = min(self.kind.sequence_length, limit, positions)
            self.batch_examples = batch_examples or 64

    @property
    def precision(self) -> str:
        """What the model answers in, such as "float32" or "mixed_bfloat16"; "" where its files do not say."""
        policy = getattr(self.model, "dtype_policy", None)
        return "" if policy is None else policy.name

    def __repr__(self) -> str:
        model = "SavedModel" if hasattr(self.model, "signatures") else type(self.model).__name__
        sizes = f"sequence_length={self.sequence_length}, batch_examples={self.batch_examples}"
        return f"Pipeline({model}, {self.tokenizer!r}, {type(self.kind).__name__}, {sizes})"

    def with_settings(self, **settings: Any) -> Pipeline:
        """The same model with other settings of answers, where its task has some: `top_k=10` guesses for each [MASK].

        Raises: UserError for a setting that the task does not have; ValueError for a SavedModel, whose are fixed.
        """
        if hasattr(self.model, "signatures"):
            raise ValueError(f"The settings of a SavedModel are those of its export. Received: {settings}")
        other = copy.copy(self)
        other.kind, other._functions = self.kind.with_settings(settings), {}
        return other

    def for_few(self) -> Pipeline:
        """The same model for a few texts and then no more: their answers are worked out one operation after the other,
        where that takes less time than to make a graph of them all."""
        other = copy.copy(self)
        if self.kind.in_one_pass and not hasattr(self.model, "signatures"):
            other._functions, other._is_traced = {}, False
        return other

    @overload
    def __call__(self, texts: str | OfColumns, pairs: str | None = None) -> dict[str, Any]: ...
    @overload
    def __call__(self, texts: Texts | Several, pairs: Texts | None = None) -> list[dict[str, Any]]: ...
    @overload
    def __call__(self, texts: Any, *, is_split_into_words: bool) -> Any: ...

    def __call__(
        self,
        texts: str | OfColumns | Texts | Several,
        pairs: str | Texts | None = None,
        *,
        is_split_into_words: bool = False,
    ) -> dict[str, Any] | list[dict[str, Any]]:
        if is_split_into_words:
            return answers_of_words(self.kind, self.rows, texts, pairs)
        if isinstance(texts, str | Mapping):
            if pairs is not None and not isinstance(pairs, str):
                raise ValueError(f"`pairs` must be a str where `texts` is one. Received: pairs={pairs!r}")
            one: Any = [texts]
            return self(one, None if pairs is None else [pairs])[0]
        if texts is None:
            raise ValueError("`texts` must be one text or several. Received: None")
        if isinstance(pairs, str):
            raise ValueError(f"`pairs` must be a list where `texts` is one. Received: pairs={pairs!r}")
        columns = self._columns(texts, pairs)
        answers = self.rows(*columns)
        rows = zip(zip(*columns, strict=True), answers, strict=True)
        return [{**self.kind.as_json(row, answer), **notes_of(answer)} for row, answer in rows]

    def rows(
        self,
        texts: Sequence[str] | Several,
        pairs: Sequence[str] | None = None,
        *more: Sequence[str],
        progress: Progress | None = None,
        batch_examples: int | None = None,
    ) -> list[Answer]:
        """The answers as the graph gives them, one a text, in the order of the texts, whatever order they are made in.

        Args:
            texts, pairs, more: the texts of each column, as `Examples.columns` has them; or dicts, as when called.
            progress: called with (texts done, E) after each batch.
            batch_examples: texts in a batch; None: the pipeline's.
        """

        columns = self._columns(texts, pairs, *more)
        names = ("texts", "pairs") if len(columns) <= 2 else self._names(len(columns))
        for name, column in zip(names, columns, strict=False):
            check_texts(name, column)
        answer = self._function(len(columns))
        size = batch_examples or self.batch_examples
        batches = batches_of(self.tokenizer, columns, batch_examples=size, sequence_length=self.sequence_length)
        return in_batches(answer, columns, batches, progress=progress)

    def call(
        self, texts: Sequence[str] | Several, pairs: Sequence[str] | None = None, *more: Sequence[str]
    ) -> Callable[[], dict[str, Any]]:
        """One call of the graph on a whole batch, ready to be timed: the tensors of the answers."""
        import tensorflow as tf

        batch = [tf.constant(column, tf.string) for column in self._columns(texts, pairs, *more)]
        answer = self._function(len(batch))
        return lambda: answer(*batch)

    def _columns(self, texts: Any, *more: Any) -> tuple[Sequence[str], ...]:
        return columns_of(texts, *more, names=self._names, read=self.kind.input_text)

    def _names(self, count: int) -> tuple[str, ...]:
        """The columns of the task; a folder without one takes one or two texts."""
        return (self.kind if self._is_run else self.kind.of_columns(count)).text_columns

    def _function(self, columns: int) -> Callable[..., dict[str, Any]]:
        """The graph for that many texts an answer; a folder without a task takes one or two."""
        if columns not in self._functions:
            made: Any = self.kind.of_columns(columns).answer_function(
                self.model, self.tokenizer, sequence_length=self.sequence_length
            )
            self._functions[columns] = made if self._is_traced else made.python_function
        return self._functions[columns]
