"""Which documents are relevant to which queries, as trec_eval takes it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from bert_tf.data.rows.cells import shown
from bert_tf.errors import UserError

logger = logging.getLogger(__name__)


def gathered(
    rows: Iterable[tuple[str, int, str, float]], *, queries: int, documents: Sequence[str], origin: str
) -> list[dict[int, float]]:
    """For each query the gain of each document judged, by its number in `documents`.

    A document that the collection lacks gets a number behind theirs: nothing can find it, and it counts against recall
    and the best ranking there could be, as it does for trec_eval.

    Args:
        rows: of each judgement its place in the file, the query's number, the document's id and the gain.
        queries: how many there are.
        documents: ids of the documents.
        origin: the file.
    Raises: UserError for two judgements that do not agree, where no document judged is in the collection, or where none
        is relevant.
    """
    numbers = {key: number for number, key in enumerate(documents)}
    missing: dict[str, int] = {}
    found: list[dict[int, float]] = [{} for _ in range(queries)]
    first = ""
    for place, query, document, gain in rows:
        number = numbers.get(document)
        if number is None:
            number = missing.setdefault(document, len(documents) + len(missing))
            first = first or f"{place}: {shown(document)}"
        if found[query].setdefault(number, gain) != gain:
            raise UserError(
                f"{place}: expected one judgement of a document for a query. "
                f"Received: {gain:g} for {shown(document)}, and {found[query][number]:g} before"
            )
    judged = [number for of_query in found for number in of_query]
    of_missing = sum(number >= len(documents) for number in judged)
    if of_missing == len(judged) > 0:
        raise UserError(f"{first}: expected the id of a document. Received: none of those judged is in the collection")
    if of_missing:
        logger.warning(
            "%s: %d of %d judgements are of documents that the collection lacks, and count as not found: %s",
            origin,
            of_missing,
            len(judged),
            first,
        )
    if not any(gain > 0 for of_query in found for gain in of_query.values()):
        raise UserError(f"{origin}: expected a relevant document for one query at least. Received: none")
    return found
