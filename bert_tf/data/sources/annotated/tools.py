"""Rows as tools for annotation export them, made flat: a text and its spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bert_tf.data.files import Notes, Row
from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.table import BadRow

ANNOTATIONS = ("annotations", "completions")  # of Label Studio; the second of old versions
UNANNOTATED = "tasks of Label Studio without an annotation, left out"
SEVERAL = "tasks of Label Studio with several annotations, of which the first is read"
OTHER_RESULTS = "results of Label Studio that are no labels of a text, such as choices and relations, not read"


def flat_rows(rows: Iterator[Row], notes: Notes) -> Iterator[Row]:
    """Rows in which Label Studio's tasks have the columns `text`, `label` (spans) and `document`; others as they are.

    A task that nobody has annotated is left out, which is counted: it is not one without entities.
    """
    for number, row in rows:
        if isinstance(row, BadRow) or not is_task(row):
            yield number, row
            continue
        annotations = [
            found for name in ANNOTATIONS for found in row.get(name) or () if not found.get("was_cancelled", False)
        ]
        if not annotations:
            notes.count(UNANNOTATED)
            continue
        if len(annotations) > 1:
            notes.count(SEVERAL)
        yield number, _task(row, annotations[0].get("result") or [], notes)


def is_task(row: Mapping[str, Any]) -> bool:
    """Whether a row is a task of Label Studio's JSON export, with its data and annotations."""
    return isinstance(row.get("data"), Mapping) and any(isinstance(row.get(name), list) for name in ANNOTATIONS)


def _task(row: Mapping[str, Any], results: Sequence[Any], notes: Notes) -> Mapping[str, Any] | BadRow:
    spans = []
    for result in results:
        value = result.get("value") if isinstance(result, Mapping) else None
        if isinstance(value, Mapping) and isinstance(value.get("labels"), list):
            spans.append(value)
        elif isinstance(value, Mapping) and "hypertextlabels" in value:
            return BadRow("expected labels of a plain text. Received: labels of HTML, whose places are not its text's")
        else:
            notes.count(OTHER_RESULTS)
    texts = {name: cell for name, cell in row["data"].items() if isinstance(cell, str)}
    name = "text" if "text" in texts else next((name for name in texts if " " in texts[name].strip()), None)
    name = name or next(iter(texts), None)
    if name is None:
        return BadRow(f"expected a text in 'data'. Received: {shown(row['data'])}")
    return {"text": texts[name], "label": spans, "document": row.get("id")}
