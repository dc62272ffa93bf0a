"""What pre-training makes of a corpus: which text, how it is read and cut, and what is held out."""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bert_tf.config import SAMPLE, Needs, PretrainingConfig, RunConfig
from bert_tf.errors import UserError
from bert_tf.kinds.base import Kind
from bert_tf.kinds.examples import Examples

if TYPE_CHECKING:
    from bert_tf.data import Features, TextCorpus
    from bert_tf.data.corpora.pairs import PairSettings
    from bert_tf.data.corpora.portions import Portions
    from bert_tf.data.corpora.store import Reading
    from bert_tf.text import Tokenizer

SENTENCES = 500
MASK = "[MASK]"  # what stands for a word in them
WORD = re.compile(r"\b[^\W\d_]{2,}\b")
HELD_OUT_SEED = 0  # the same examples, masked alike, whatever the run's seed
PROGRESS = logging.getLogger("bert_tf.progress")  # which commands show


@dataclass(frozen=True, kw_only=True)
class Corpus(Examples):
    """One split of a corpus, not read yet: what is right stands in the text itself.

    Args:
        texts: some of its sentences, each with [MASK] instead of one word; of a corpus whose held-out documents are
            drawn at random, of any document; none of a prepared one.
        words: what stood there.
        where: the files, a pattern, or a folder that `bert_tf.prepare` wrote.
        split: "train" or "validation".
        skip_bad_rows: leave out and count lines, or shards, that cannot be read.

    >>> corpus = Corpus(where="books/*.txt", split="validation", texts=["The [MASK] rose."], words=["sun"])
    >>> len(corpus), corpus.words
    (1, ['sun'])
    """

    texts: Sequence[str] = ()
    words: Sequence[str] = ()
    where: str
    split: str
    skip_bad_rows: bool = False

    def __len__(self) -> int:
        return max(1, len(self.texts))

    @property
    def is_labelled(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class OnCorpus(Kind):
    """A task that learns from raw text.

    Args:
        settings: objectives, files and what is held out; a run's [pretraining], as far as it differs from the defaults.
        seed: the run's.
        training_data: the run's data, for baselines, where other data is scored; None: the data itself.
    """

    source: TextCorpus
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 1
    training_data: str | None = None

    needs: ClassVar[Needs | None] = None  # how many examples raw text makes is known once it is tokenised
    mask_shares: ClassVar[tuple[float, float]] = (0.8, 0.1)
    """Of the tokens to be guessed, those that [MASK] stands for and those that stay; the others become random ones."""
    draws: ClassVar[bool] = False  # whether the model draws tokens in place of the hidden ones

    @cached_property
    def options(self) -> PretrainingConfig:
        """The settings, all of them."""
        return PretrainingConfig.model_validate(dict(self.settings))

    def configured(self, config: RunConfig, *, new_data: bool = False) -> OnCorpus:
        super().configured(config, new_data=new_data)
        if config.data.encoding is not None:
            raise UserError(
                f"'data.encoding' is not for raw text to pre-train on, which is UTF-8. Received: {config.data.encoding}"
            )
        settings = config.pretraining.model_dump()
        length = config.data.sequence_length or self.sequence_length
        data = config.data.source if new_data else None
        return replace(self, settings=settings, seed=config.seed, sequence_length=length, training_data=data)

    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> Corpus:
        from bert_tf.data.corpora.shards import is_prepared

        corpus = Corpus(
            where=str(self.place(where)), split=split, skip_bad_rows=skip_bad_rows, is_sample=where == SAMPLE
        )
        if is_prepared(corpus.where):
            return corpus
        files, _, reading = self._reading(corpus)
        texts, words = masked_sentences(files, reading)
        return replace(corpus, texts=texts, words=words)

    def _is_all_held_out(self, place: str) -> bool:
        """Whether all of a corpus is scored: other data than the run's, without folders for its splits."""
        return self.training_data is not None and not (Path(place) / "validation").is_dir()

    def features(
        self,
        tokenizer: Tokenizer,
        examples: Examples,
        *,
        sequence_length: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Features:
        """Returns: a `PretrainingStream`, which stands in for features."""
        from bert_tf.data.corpora.examples import PretrainingStream
        from bert_tf.data.corpora.masking import Masker, MaskSettings

        assert isinstance(examples, Corpus)
        options, tokens = self.options, tokenizer.vocabulary
        masker = Masker(
            MaskSettings(options.masking, options.mask_share, options.max_ngram, *self.mask_shares),
            vocabulary_size=len(tokens),
            mask_id=tokenizer.mask_id,
            continues=np.array([tokenizer.continues_word(token) for token in tokens]),
        )
        stream: Any = PretrainingStream(
            self.portions(tokenizer, examples, sequence_length),
            masker,
            cls_id=tokenizer.cls_id,
            sep_id=tokenizer.sep_id,
            never_masked=(tokenizer.pad_id, tokenizer.unk_id, tokenizer.mask_id),
            draws=self.draws,
        )
        return stream

    def portions(self, tokenizer: Tokenizer, corpus: Corpus, sequence_length: int | None = None) -> Portions:
        """The examples of a split, made of text or read from shards. Raises: UserError for what cannot be read."""
        from bert_tf.data.corpora.corpus import documents_of
        from bert_tf.data.corpora.portions import StorePortions
        from bert_tf.data.corpora.shards import ShardPortions, is_prepared
        from bert_tf.data.corpora.store import open_store
        from bert_tf.data.stored.arrays import cache_folder

        options = self.options
        settings = self._pair_settings(sequence_length)
        if is_prepared(corpus.where):
            return ShardPortions(
                Path(corpus.where), corpus.split, settings, tokenizer, skip_bad_shards=corpus.skip_bad_rows
            )
        files, is_drawn, reading = self._reading(corpus)
        PROGRESS.info("%s: %d files, read as pretraining.text_format=%s", corpus.split, len(files), reading.text_format)
        store = open_store(files, tokenizer, reading, cache=cache_folder(options.cache), report=_Report())
        documents = np.arange(store.documents)
        if is_drawn:
            documents = documents_of(store, corpus.split, options.validation_share)
        seed = self.seed if corpus.split == "train" else HELD_OUT_SEED
        try:
            return StorePortions(store, documents, settings, seed=seed)
        except UserError as error:
            if not is_drawn or corpus.split == "train":
                raise
            more = (
                "--set pretraining.validation_share=0.2 holds out more of it, and pretraining.pair=none needs no pairs"
            )
            raise UserError(f"of the held-out text: {error}; {more}") from None

    def _pair_settings(self, sequence_length: int | None = None) -> PairSettings:
        from bert_tf.data.corpora.pairs import PairSettings

        return PairSettings(self.options.pair, sequence_length or self.sequence_length, self.options.short_share)

    def _reading(self, corpus: Corpus) -> tuple[tuple[Path, ...], bool, Reading]:
        """A split's files; whether they are those of both splits; and how they are to be read."""
        from bert_tf.data.corpora.documents import guess_format
        from bert_tf.data.corpora.store import Reading

        options = self.options
        if self._is_all_held_out(corpus.where):
            files, is_drawn = self.source.split(corpus.where, "train", None)[0], False
        else:
            files, is_drawn = self.source.split(corpus.where, corpus.split, options.validation)
        text_format = options.text_format
        if text_format == "auto":
            text_format = guess_format(files)
        return files, is_drawn, Reading(text_format, options.text_key, options.language, corpus.skip_bad_rows)

    @property
    def preparation(self) -> OnCorpus:
        return self

    def tokenising_jobs(self, tokenizer: Tokenizer, corpus: Corpus) -> list[tuple[Callable[..., Any], tuple]]:
        """Calls that tokenise a corpus file by file, in any order and anywhere; `portions` then has less to do."""
        from bert_tf.data.corpora.store import tokenise_file
        from bert_tf.data.stored.arrays import cache_folder

        files, _, reading = self._reading(corpus)
        cache = cache_folder(self.options.cache)
        return [(tokenise_file, (file, tokenizer, reading, cache)) for file in files]

    def described(self, config: RunConfig, tokenizer: Tokenizer) -> dict[str, Any]:
        """What a manifest says of how examples were made."""
        from bert_tf.data.corpora.store import vocabulary_hash

        settings = dataclasses.asdict(self._pair_settings())
        return {"settings": settings, "vocabulary": vocabulary_hash(tokenizer), "seed": config.seed}


def masked_sentences(files: Sequence[Path], reading: Reading) -> tuple[list[str], list[str]]:
    """The first `SENTENCES` sentences that have a word in their middle, with [MASK] for it; and these words."""
    from bert_tf.data.corpora.documents import read_documents

    texts: list[str] = []
    words: list[str] = []
    for file in files:
        for sentences, _ in read_documents(
            file, reading.text_format, text_key=reading.text_key, language=reading.language, on_bad=lambda error: None
        ):
            for sentence in sentences:
                found = [match for match in WORD.finditer(sentence) if match.start()]
                if found:
                    middle = found[len(found) // 2]
                    texts.append(f"{sentence[: middle.start()]}{MASK}{sentence[middle.end() :]}")
                    words.append(middle.group())
                if len(texts) == SENTENCES:
                    return texts, words
    return texts, words


class _Report:
    """Says how much of a corpus is tokenised, where that takes a while."""

    def __init__(self) -> None:
        self.said = 0.0

    def __call__(self, share: float) -> None:
        if share - self.said >= 0.1 and share < 1:
            self.said = share
            PROGRESS.info("tokenising: %.0f%% of the corpus", 100 * share)
