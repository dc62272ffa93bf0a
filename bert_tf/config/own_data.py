"""The section of a task that is made of somebody's own files, and its keys as flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import Field, model_validator

from bert_tf.config.sections import Section


def asked(metavar: str, meaning: str) -> Any:
    """A key that may be left out: what stands after its flag, and what it means."""
    return Field(None, description=meaning, json_schema_extra={"metavar": metavar})


class OwnDataConfig(Section):
    """[own_data]: a task made of your own files. Every key is a flag, too; what is not given is inferred and written
    here, to be read, edited and repeated."""

    kind: str | None = asked("NAME", "make a task of your own files: classification, ...; none: --task names one")
    text: tuple[str, ...] | None = asked("COLUMN", "the column of the text; none: the only one that looks like text")
    pair: str | None = asked("COLUMN", "the column of a second text, read together with the first")
    label: tuple[str, ...] | None = asked(
        "COLUMN", "the column that says what is right; several, with commas between them: a column of 0 and 1 a label"
    )
    labels: Literal["classes", "numbers", "several", "texts"] | None = asked(
        "classes|numbers|several|texts",
        "what a label is: one of several classes, a number, any number of labels, or the text of the right choice",
    )
    classes: tuple[str, ...] | None = asked("NAMES", "names of the classes, in the order of their indices")
    separator: str | None = asked("TEXT", "what stands between several labels of a cell, such as | or ;")
    decimal: Literal[".", ","] | None = asked(".|,", "what stands before the fraction of a number")
    choices: tuple[str, ...] | None = asked("COLUMNS", "the columns of the choices, or the one that lists them")
    stem: str | None = asked("COLUMN", "the column of what every choice begins with")
    types: tuple[str, ...] | None = asked("NAMES", "what can be named: the types of entities")
    scheme: Literal["iob1", "iob2", "bioes", "io", "words"] | None = asked(
        "NAME", "how tags read: iob1, iob2, bioes, io, or words: a label for each word; none: as they show"
    )
    sentence: str | None = asked("COLUMN", "the column that says which sentence a word is of")
    question: str | None = asked("COLUMN", "the column of the question")
    start: str | None = asked("COLUMN", "the column of the character at which an answer begins, from 0")
    no_answer: Literal["yes", "no"] | None = asked("yes|no", "whether a question may have no answer in its text")
    target: str | None = asked("COLUMN", "the column of what is to be written")
    target_length: int | None = asked("TOKENS", "most tokens of what is written")
    num_sentences: int | None = asked("NUMBER", "most sentences of a summary")
    loss: Literal["contrastive", "cosine", "triplet"] | None = asked(
        "NAME", "what vectors are trained with: contrastive, cosine or triplet"
    )
    score_range: tuple[float, ...] | None = asked("LOW,HIGH", "the least and the greatest score that a pair can have")
    layout: Literal["squad", "beir", "parallel"] | None = asked(
        "squad|beir|parallel", "how data that are no table are laid out: as SQuAD, as BEIR's sets, or a file a column"
    )
    group: tuple[str, ...] | None = asked(
        "COLUMNS",
        "rows that are alike in these, such as an author, are not parted between training and validation",
    )
    metrics: tuple[str, ...] | None = asked("NAMES", "names of the scores; the first chooses the best weights")
    validation: float | str | None = asked(
        "FILE|SHARE", "rows to choose the best weights by: a file, or the share of the rows to put aside"
    )
    split_column: str | None = asked("COLUMN", "the column that says train, validation or test of each row")
    delimiter: str | None = asked("TEXT", "what stands between the cells of a text file")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, values: Any) -> Any:
        """As flags have them: names with commas between them, and a number as text."""
        if not isinstance(values, Mapping):
            return values
        return {key: _parsed(cls, key, value) for key, value in values.items()}


def own_flags() -> dict[str, tuple[str, str]]:
    """Key -> what stands after its flag, and what it means."""
    found = {}
    for name, field in OwnDataConfig.model_fields.items():
        extra = field.json_schema_extra
        assert isinstance(extra, dict)
        found[name] = (str(extra["metavar"]), field.description or "")
    return found


def _parsed(section: type[OwnDataConfig], key: str, value: Any) -> Any:
    field = section.model_fields.get(key)
    if field is None or not isinstance(value, str) or value == "none":
        return value
    types = get_args(field.annotation)
    if float in types or int in types:
        return _number(value, float if float in types else int)
    names = next((get_args(part) for part in types if getattr(part, "__origin__", None) is tuple), None)
    if names is None:
        return value
    parts = parts_of(value)
    return tuple(_number(part, float) for part in parts) if float in names else parts


def parts_of(names: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(name.strip() for name in names.split(","))


def _number(text: str, read: type[int] | type[float]) -> Any:
    """A number, or what is none as it is."""
    try:
        return read(text)
    except ValueError:
        return text
