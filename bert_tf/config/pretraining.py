"""The section of a run's settings that is for tasks that learn from raw text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from bert_tf.config.sections import Count, Positive, Section, entry

Part = Annotated[float, Field(gt=0.0, le=1.0)]


class PretrainingConfig(Section):
    """[pretraining]: for tasks that learn from raw text: its files, the objectives, and what is held out."""

    objective: Literal["masked_tokens", "replaced_tokens"] = entry(
        "masked_tokens",
        "masked_tokens: hidden tokens are guessed (BERT); replaced_tokens: a small generator guesses them, and the "
        "model tells of every token whether it was replaced by a guess (ELECTRA)",
    )
    generator_width: Part = entry(
        0.25,
        "of replaced_tokens: share of the model's attention heads that the generator has, and so of its width and "
        "feed-forward; one head at least",
    )
    generator_layers: Part = entry(1.0, "of replaced_tokens: share of the model's layers that the generator has")
    replaced_weight: Positive = entry(
        50.0,
        "of replaced_tokens: what the loss of telling tokens apart is multiplied with, before the other is added",
    )
    pair: Literal["next_sentence", "sentence_order", "none"] = entry(
        "next_sentence",
        "second objective; next_sentence: does the second segment follow, or is it of another document (BERT); "
        "sentence_order: were they swapped (ALBERT); none: single segments, always so with replaced_tokens",
    )
    masking: Literal["tokens", "words", "ngrams"] = entry(
        "tokens",
        "what is hidden: single tokens (BERT), whole words, or runs of words",
    )
    mask_share: Annotated[float, Field(gt=0.0, lt=1.0)] = entry(0.15, "share of the tokens to be guessed")
    max_ngram: Count = entry(3, "words in the longest run of masking=ngrams; a run of n is drawn like 1/n")
    short_share: Annotated[float, Field(ge=0.0, le=1.0)] = entry(
        0.1,
        "share of examples that are shorter than data.sequence_length",
    )
    text_format: Literal["auto", "sentences", "running", "jsonl"] = entry(
        "auto",
        "sentences: one a line, empty lines between documents; running: a file is a document, its sentences are found; "
        "jsonl: a JSON object a line, with a document in it; auto: by the files' names and first lines",
    )
    text_key: str = entry("text", "where a JSON object has its document")
    language: str = entry("en", "of running text, for finding sentences: en, de, fr, ...")
    validation: str | None = entry(
        None,
        "held-out text: a file, folder or pattern, as it stands or within the folder of --data; it is taken out of the "
        "training text. None: a folder's validation/, next to its train/; else validation_share",
    )
    validation_share: Annotated[float, Field(gt=0.0, lt=1.0)] = entry(
        0.01,
        "share of the documents, drawn at random, that is held out by default; at least one",
    )
    validation_examples: Count = entry(2000, "about how many examples of the held-out text an evaluation looks at")
    cache: str | None = entry(
        None,
        "folder for tokenised corpora, which a second run finds again; none: bert_tf in $XDG_CACHE_HOME or ~/.cache",
    )

    @model_validator(mode="before")
    @classmethod
    def _without_pairs(cls, values: Any) -> Any:
        """Replaced tokens have no second objective, so nobody need say so."""
        is_replaced = isinstance(values, Mapping) and values.get("objective") == "replaced_tokens"
        return {"pair": "none", **values} if is_replaced else values
