"""A report, written: a page, its figures, the mistakes as a table, and the model card."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from bert_tf.errors import UserError
from bert_tf.inference.trained import PathOrName, Run
from bert_tf.reporting.card import write_card
from bert_tf.reporting.facts import Facts, facts_of, gather
from bert_tf.reporting.mistakes import write_mistakes
from bert_tf.reporting.page import render
from bert_tf.reporting.pictures import pictures

if TYPE_CHECKING:
    from bert_tf.kinds.diagnosis import Diagnosis
    from bert_tf.kinds.examples import Examples

logger = logging.getLogger(__name__)

PAGE, VALIDATION = "index.html", "validation"


def write_report(
    run: Run,
    *,
    data: PathOrName | None = None,
    split: str = "validation",
    out: PathOrName | None = None,
    explain: int = 0,
    within: float | None = None,
) -> Path:
    """Writes `index.html`, a PNG for each figure and `mistakes.csv`; for the run's own data also the model card.

    Args:
        data, split: of the examples that are answered; None: the run's own data.
        out: the folder; None: report/ in the run folder.
        explain: of how many mistakes to show the words that they hang on.
        within: seconds after which no more of these are begun; None: all are.
    Returns: the page.
    Raises: UserError for data that cannot be read, and a folder that cannot be written.
    """
    _, place, examples = run.examples(data, split)
    is_own = data is None and split == VALIDATION
    facts = gather(run, examples, split=split, data=place, scored=not is_own, explain=explain, within=within)
    return _write(run.folder / "report" if out is None else Path(out).expanduser(), facts, has_card=is_own)


def report_at_end(run: Run, found: tuple[Diagnosis, Examples] | None, examples: Examples) -> Path | None:
    """The report of a run whose training has just ended. It is no part of the training, so whatever goes wrong is a
    warning.

    Args:
        found: what answers to some of the validation examples came to, and these; None: none were looked at.
        examples: all of them.
    Returns: the page; None where there is none.
    """
    try:
        facts = facts_of(run, examples, found, split=VALIDATION, data=str(run.result.get("data")))
        return _write(run.folder / "report", facts, has_card=True)
    except Exception as error:
        logger.warning(
            "the run is finished, but has no report (%s: %s); python -m bert_tf.report --run=%s tries again",
            type(error).__name__, error, run.folder,
        )  # fmt: skip
        return None


def _write(folder: Path, facts: Facts, *, has_card: bool) -> Path:
    drawn = pictures(facts)
    page = folder / PAGE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for picture in drawn:
            _put(folder / f"{picture.name}.png", picture.light)
        write_mistakes(folder / "mistakes.csv", facts.diagnosis.mistakes())
        _put(page, render(facts, drawn).encode("utf-8", errors="backslashreplace"))
        if has_card and write_card(facts) is None:
            logger.warning("%s was edited, and is left as it is", facts.run.folder / "model" / "README.md")
    except OSError as error:
        raise UserError(f"--out={folder}: expected a folder that can be written. Received: {error}") from None
    return page


def _put(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.partial")
    beside.write_bytes(content)
    beside.replace(path)
