"""Data that is published in more than one form."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from bert_tf.data.rows.table import Parsers, Table
from bert_tf.data.sources.base import FileSource, Source
from bert_tf.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Either(Source):
    """Several forms of the same data, with columns of the same names: the first whose file is there is read.

    A single file is read in the form that has a file of the same suffix.

    Args:
        forms: two or more of them; for a hub this source's settings count, not theirs.

    >>> from bert_tf.data import Csv, Tsv
    >>> source = Either(forms=(Tsv(files={"train": "train.tsv"}), Csv(files={"train": "train.csv"})))
    >>> [type(form).__name__ for form in source.forms]
    ['Tsv', 'Csv']
    """

    forms: tuple[FileSource, ...]

    has_own_place: ClassVar[bool] = False

    def form(self, where: str | os.PathLike[str] | None, split: str) -> FileSource:
        """The form in which `where` has the split. Raises: UserError of the first form if none has it."""
        place = Path(where).expanduser() if where is not None else None
        if place is not None and place.is_file():
            suffixes = [{Path(name).suffix for name in form.files.values()} for form in self.forms]
            return next(
                (form for form, own in zip(self.forms, suffixes, strict=True) if place.suffix in own), self.forms[0]
            )
        exact = [form for form in self.forms if place is not None and form.exact_path(place, split) is not None]
        if exact:
            return exact[0]
        errors = []
        for form in self.forms:
            try:
                form.path(where, split)
            except UserError as error:
                errors.append(error)
            else:
                return form
        raise errors[0]

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        form = self.form(where, split)
        form = replace(form, encoding=self.encoding or form.encoding, hub_names={**form.hub_names, **self.hub_names})
        return form._open(where, split, parsers, **options)
