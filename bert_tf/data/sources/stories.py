"""News stories with highlights, a file each, as the sets of CNN and the Daily Mail are published."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bert_tf.data.files import Row, decoding_error, read_text
from bert_tf.data.rows.table import BadRow, Parsers, Table, check_names, collect
from bert_tf.data.sources.base import Source
from bert_tf.errors import UserError, did_you_mean

HIGHLIGHT = "@highlight"


@dataclass(frozen=True, kw_only=True)
class Stories(Source):
    """A folder of files `*.story` a split; a story's paragraphs come first, then after each line `@highlight` a
    sentence of its summary.

    Rows have `id`, the file's name without its ending, and the story and its highlights, each with a line for each
    paragraph or sentence. They come in the order of the names.

    Args:
        folders: for each split its folder in the place of the data; "." for that place itself.
        text, summary: names of the two columns.
    Reference: Hermann et al., 2015, https://arxiv.org/abs/1506.03340

    >>> from bert_tf.kinds import ExtractiveSummarization
    >>> source = Stories(folders={"train": "train", "validation": "val"})
    >>> ExtractiveSummarization(source=source, text="article", summary="highlights").num_sentences
    3
    """

    folders: Mapping[str, str]
    text: str = "article"
    summary: str = "highlights"

    has_own_place: ClassVar[bool] = False

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        place = Path(where).expanduser() if where is not None else None
        if place is None or not place.is_dir():
            raise UserError(f"expected a folder with the data, in it a folder of stories a split. Received: {where}")
        if split not in self.folders:
            near = did_you_mean(split, self.folders)
            raise UserError(f"expected a split of {', '.join(self.folders)}. Received: {split!r}.{near}")
        folder = place / self.folders[split]
        files = sorted(folder.glob("*.story"))
        if not files:
            raise UserError(f"{folder}: expected files *.story. Received: none")
        check_names(("id", self.text, self.summary), parsers, options["optional"], str(folder))
        return collect(self._rows(files), parsers, origin=str(folder), has_lines=False, **options)

    def _rows(self, files: list[Path]) -> Iterator[Row]:
        for number, file in enumerate(files):
            yield number, self._row(file)

    def _row(self, file: Path) -> dict[str, str] | BadRow:
        content = read_text(file, self.encoding)
        bad = None if content.isascii() else decoding_error(content, self.encoding)
        if bad is not None:
            return BadRow(f"{file.name}: {bad.reason}")
        lines = [line.strip() for line in content.split("\n")]
        ends = lines.index(HIGHLIGHT) if HIGHLIGHT in lines else None
        if ends is None:
            return BadRow(f"{file.name}: expected a line {HIGHLIGHT}. Received: none")
        story, highlights = lines[:ends], [line for line in lines[ends:] if line != HIGHLIGHT]
        found = {self.text: story, self.summary: highlights}
        return {"id": file.stem, **{name: "\n".join(filter(None, part)) for name, part in found.items()}}
