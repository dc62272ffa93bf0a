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
    labels: Literal["classes", "numbers", "several"] | None = asked(
        "classes|numbers|several", "what a label is: one of several classes, a number, or any number of labels"
    )
    classes: tuple[str, ...] | None = asked("NAMES", "names of the classes, in the order of their indices")
    separator: str | None = asked("TEXT", "what stands between several labels of a cell, such as | or ;")
    decimal: Literal[".", ","] | None = asked(".|,", "what stands before the fraction of a number")
    choices: tuple[str, ...] | None = asked("COLUMNS", "the columns of the choices, or the one that lists them")
    stem: str | None = asked("COLUMN", "the column of what every choice begins with")
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
    if float in types:
        try:
            return float(value)
        except ValueError:
            return value
    is_names = any(getattr(part, "__origin__", None) is tuple for part in types)
    return parts_of(value) if is_names else value


def parts_of(names: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(name.strip() for name in names.split(","))
