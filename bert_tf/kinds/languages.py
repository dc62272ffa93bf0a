"""Whether a task's data are in the language that its metrics count words of."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from bert_tf.errors import UserError
from bert_tf.metrics.languages import fit

logger = logging.getLogger(__name__)


def check_language(texts: Iterable[str], language: str, where: str, *, latin_only: bool = False) -> None:
    """Says on the log where texts do not look like the language.

    Args:
        where: the file or split that they are of.
        latin_only: see `bert_tf.metrics.languages.fit`.
    Raises: UserError where the metrics' rule cannot count their words.
    """
    refused, doubted = fit(texts, language, latin_only=latin_only)
    if refused:
        raise UserError(f"{where}: expected text that the metrics of language={language!r} fit. Received: {refused}")
    if doubted:
        logger.warning("%s: is this text in the language %r, by which the metrics count? %s", where, language, doubted)
