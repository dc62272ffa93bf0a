"""Cells of data sets of summaries: texts that may be lists of sentences, and one summary or several."""

from __future__ import annotations

from typing import Any

from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.cells import text as text_cell


def document(cell: Any) -> str:
    """A text as it is; of a list of sentences a line for each, white space in it made single spaces. A sentence may be
    the list of its tokens, as PreSumm has it, which are joined by spaces.
    """
    if isinstance(cell, (str, bytes)):
        return text_cell(_decoded(cell))
    if _is_list_of_lists(cell):
        cell = [" ".join(_texts(tokens, "a list of tokens for each sentence")) for tokens in _listed(cell)]
    lines = [" ".join(text.split()) for text in _texts(cell, "a text or a list of sentences")]
    lines = [line for line in lines if line]
    if not lines:
        raise ValueError(f"expected a text with a sentence in it. Received: {shown(cell)}")
    return text_cell("\n".join(lines))


def references(cell: Any) -> tuple[str, ...]:
    """One text, or a list of them, any of which is a right summary; those of white space alone are left out.

    Of lists in a list each is one summary's sentences; but where no text in them has white space within they are the
    tokens of the sentences of a single one, as PreSumm has it.
    """
    if _is_list_of_lists(cell):
        parts = [_texts(part, "lists of sentences, or of tokens") for part in _listed(cell)]
        are_tokens = all(len(text.split()) < 2 for part in parts for text in part)
        cell = document(cell) if are_tokens and any(parts) else ["\n".join(part) for part in parts]
    texts = [_decoded(cell)] if isinstance(cell, (str, bytes)) else _texts(cell, "a summary or a list of summaries")
    texts = tuple(text_cell(text) for text in texts if text.strip())
    if not texts:
        raise ValueError(f"expected one summary at least. Received: {shown(cell)}")
    return texts


def _listed(cell: Any) -> Any:
    return cell.tolist() if hasattr(cell, "tolist") else cell  # NumPy's


def _is_list_of_lists(cell: Any) -> bool:
    items = _listed(cell)
    return isinstance(items, (list, tuple)) and any(isinstance(_listed(item), (list, tuple)) for item in items)


def _texts(cell: Any, expected: str) -> list[str]:
    items = _listed(cell)
    if not isinstance(items, (list, tuple)):
        raise ValueError(f"expected {expected}. Received: {shown(cell)}")
    for item in items:
        if not isinstance(item, (str, bytes)):
            raise ValueError(f"expected {expected}. Received: {shown(item)} in {shown(cell)}")
    return [_decoded(item) for item in items]


def _decoded(text: str | bytes) -> str:
    return text.decode("utf-8", errors="surrogateescape") if isinstance(text, bytes) else text
