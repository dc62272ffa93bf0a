"""The page: one file that needs no other, made of a template that escapes whatever is put into it."""

from __future__ import annotations

import base64
import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from bert_tf.config import keys_and_meanings
from bert_tf.inference.explaining import Explanation
from bert_tf.reporting.facts import Facts
from bert_tf.reporting.pictures import Picture

MISTAKES = 20
TEMPLATES = Path(__file__).parent
LONGEST = 600
"""Characters of a text that the page shows."""


def render(facts: Facts, pictures: list[Picture]) -> str:
    """The report as HTML."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(score=score, png=_data_uri, crop=crop, marked=marked)
    changed, usual = settings(facts)
    return environment.get_template("page.html").render(
        style=(TEMPLATES / "page.css").read_text(encoding="utf-8"),
        facts=facts,
        result=facts.run.result,
        sentence=sentence(facts),
        scores=facts.scores or facts.run.metrics,
        pictures=pictures,
        per_class=facts.diagnosis.per_class(),
        mistakes=facts.diagnosis.mistakes(MISTAKES),
        wrong=len(facts.diagnosis.mistakes()),
        right_or_wrong=any(row.is_right is not None for row in facts.diagnosis.rows),
        changed=changed,
        usual=usual,
        repeat=repeat(facts),
        whole=f"python -m bert_tf.report --run={shlex.quote(str(facts.run.folder))}",
    )


def sentence(facts: Facts) -> str:
    """The result in a sentence or two."""
    result, kept = facts.run.result, facts.run.result.get("kept_step")
    scores = facts.scores or facts.run.metrics
    metric = facts.run.kind.main_metric if facts.run.kind.main_metric in scores else next(iter(scores), "")
    parts = [facts.diagnosis.summary] if facts.diagnosis.summary else []
    if metric:
        where = f"all {facts.examples:,} {facts.split} examples" if facts.scores else "the validation examples"
        weights = "" if kept is None else f", with the weights of update {kept:,} of {result['steps']:,}"
        parts.append(f"Its {metric} is {score(scores[metric])} on {where}{weights}.")
    return " ".join(parts)


def settings(facts: Facts) -> tuple[list[tuple[str, str, str, str]], list[tuple[str, str, str, str]]]:
    """The settings that differ from the defaults, and the others: key, value, default and meaning."""
    known = keys_and_meanings()
    changed, usual = [], []
    for key, value in _flat(facts.config.model_dump()).items():
        default, meaning = known.get(key, (None, ""))
        row = (key, _shown(value), _shown(default), meaning)
        (changed if _shown(value) != _shown(default) else usual).append(row)
    return changed, usual


def repeat(facts: Facts, folder: Path | None = None) -> str:
    """The command that trains the same again, in another folder.

    Args:
        folder: the run's; None: where it is.
    """
    folder = folder or facts.run.folder
    flags = [f"--config={folder / 'config.toml'}", f"--run={folder}-again"]
    return " ".join(["python -m bert_tf.train", *map(shlex.quote, flags)])


def score(value: float | None) -> str:
    """A number as tables show it: "0.9032", "1,024", "–" for none.

    >>> score(0.90321), score(1024), score(None)
    ('0.9032', '1,024', '–')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) > 1):
        return f"{int(value):,}"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def crop(text: str, longest: int = LONGEST) -> str:
    """The beginning of a long text."""
    return text if len(text) <= longest else f"{text[:longest]} … ({len(text) - longest:,} more characters)"


def marked(explanation: Explanation, name: str) -> list[tuple[str, str, int]]:
    """The pieces of an explained text: what is written, what it counts for, and how strongly, 0 to 4."""
    text, words = explanation.texts[name], [word for word in explanation.words if word.column == name]
    most = max((abs(word.attribution) for word in explanation.words), default=0.0) or 1.0
    found, at = [], 0
    for word in words:
        if word.start > at:
            found.append((text[at : word.start], "", 0))
        level = round(4 * abs(word.attribution) / most)
        found.append(
            (text[word.start : word.end], f"{word.attribution:+.3f}", level if word.attribution > 0 else -level)
        )
        at = word.end
    return [*found, (text[at:], "", 0)]


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
