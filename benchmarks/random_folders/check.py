"""Asks this project for what random folders give, and holds it against what the folders' own libraries gave.

    python -m benchmarks.random_folders.check OUT [--pack=FILE.zip]

Prints a line a folder: `equal`, `refused` with the setting that the message names, or `WRONG`. Exit status 1 if there
is a WRONG one. `--pack` stores the folders, as the test reads them.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

TOLERANCE = 1e-5
MODELS = {
    "BertForSequenceClassification": "BertClassifier",
    "BertForTokenClassification": "BertTagger",
    "BertForQuestionAnswering": "BertSpanQA",
    "BertForMaskedLM": "BertMaskedLM",
    "BertForPreTraining": "BertPretrainer",
}
# What a message may say instead of the name that a setting was drawn under.
ALSO = {
    "added ordinary tokens": "added token",
    "added special tokens": "added token|extra_special_tokens",
    "special names": "unk_token|sep_token|cls_token",
    "do_lower_case": "do_lower_case|normalizer",  # as which sentence-transformers writes it into tokenizer.json
}


class Outcome(NamedTuple):
    """What came of a folder: `equal`, `refused` or `WRONG`, and why."""

    verdict: str
    why: str


def check(folder: Path) -> Outcome:
    """Compares one folder with its truth.json."""
    from bert_tf.errors import UserError

    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    ask = ask_pipeline if "answers" in truth else ask_models
    try:
        problems = ask(folder / truth.get("where", ""), truth)
    except UserError as error:
        return _refused(str(error), truth)
    if problems:
        return Outcome("WRONG", "; ".join(problems))
    return Outcome("equal", f"{truth.get('head', '')} {truth['surprises']}")


def ask_models(folder: Path, truth: dict[str, Any]) -> list[str]:
    """Tokens, hidden states and head of a folder. Returns what differs."""
    import bert_tf

    problems: list[str] = []
    given: dict[str, np.ndarray] = {}
    lengths = np.zeros(0, np.int64)
    if "tokenizer_error" not in truth:
        tokenizer = bert_tf.BertTokenizer.from_pretrained(folder)
        inputs = tokenizer(truth["texts"], truth["pairs"], max_length=truth["max_length"])
        given = {name: np.asarray(tensor) for name, tensor in inputs.items()}
        lengths = given["padding_mask"].sum(axis=1)
        found = [("token_ids", truth["ids"])]
        found += [("segment_ids", truth["segments"])] if "segments" in truth else []  # a DistilBERT has none
        for name, theirs in found:
            ours = [row[:length].tolist() for row, length in zip(given[name], lengths, strict=True)]
            problems += [
                f"{name}: {t!r}: ours {a}, theirs {b}"
                for t, a, b in zip(truth["texts"], ours, theirs, strict=True)
                if a != b
            ]
        if problems:
            return problems
    if "tokenizer_error" in truth or "model_error" in truth:
        return problems
    given["segment_ids"] = given["segment_ids"] * (truth.get("num_segments", 2) > 1)
    backbone = bert_tf.BertBackbone.from_pretrained(folder)(given)
    for i, length in enumerate(lengths):
        problems += _differs("hidden", np.asarray(backbone["sequence_output"])[i, :length], truth["hidden"][i])
        if truth["pooled"][i] is not None:
            problems += _differs("pooled", np.asarray(backbone["pooled_output"])[i], truth["pooled"][i])
    head = truth["head"].removeprefix("Distil")
    name = MODELS.get(head)
    if name is not None:
        outputs = getattr(bert_tf, name).from_pretrained(folder)(given)
        for i, length in enumerate(lengths):
            for ours, theirs in _head_parts(head, outputs, i, int(length), truth["logits"][i]):
                problems += _differs(truth["head"], ours, theirs)
    return problems


def ask_pipeline(folder: Path, truth: dict[str, Any]) -> list[str]:
    """What a user gets for raw text: vectors, scores or probabilities. Returns what differs."""
    import bert_tf

    answers = bert_tf.Pipeline(folder)(truth["texts"], truth["pairs"])
    problems = []
    for text, answer, theirs in zip(truth["texts"], answers, truth["answers"], strict=True):
        ours = next(answer[key] for key in ("vector", "probabilities", "scores", "score", "value") if key in answer)
        ours = list(ours.values()) if isinstance(ours, dict) else ours
        problems += _differs(f"{text!r}", np.asarray(ours, np.float64).reshape(-1), np.asarray(theirs).reshape(-1))
    return problems


def _head_parts(head: str, outputs: Any, i: int, length: int, theirs: Any) -> list[tuple[np.ndarray, Any]]:
    """Pairs of an output of ours and theirs for row i."""
    if head == "BertForSequenceClassification":
        return [(np.asarray(outputs)[i], theirs)]
    if head == "BertForQuestionAnswering":
        logits = np.asarray(outputs)[i, :length]
        return [(logits[:, 0], theirs[0]), (logits[:, 1], theirs[1])]
    if isinstance(outputs, dict):
        words = np.asarray(outputs["masked_lm_logits"])[i, :length]
        if head == "BertForPreTraining":
            return [(words, theirs[0]), (np.asarray(outputs["pair_logits"])[i], theirs[1])]
        return [(words, theirs)]
    return [(np.asarray(outputs)[i, :length], theirs)]


def _differs(what: str, ours: np.ndarray, theirs: Any) -> list[str]:
    theirs = np.asarray(theirs, np.float64)
    if ours.shape != theirs.shape:
        return [f"{what}: shape {ours.shape}, theirs {theirs.shape}"]
    difference = float(np.abs(ours - theirs).max(initial=0.0))
    scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))  # logits of 30 have seven digits too
    return [f"{what}: {difference:.2e} apart"] if not difference <= TOLERANCE * scale else []


def _refused(message: str, truth: dict[str, Any]) -> Outcome:
    for name in [*truth["surprises"], truth["head"]]:
        if re.search(ALSO.get(name) or re.escape(name), message):
            return Outcome("refused", f"{name}: {message}")
    if "tokenizer_error" in truth or "model_error" in truth:
        return Outcome("refused", f"theirs too: {message}")
    return Outcome("WRONG", f"refused without a setting's name ({truth['surprises']}): {message}")


def pack(folders: list[Path], path: Path) -> None:
    """Stores folders in a zip whose bytes depend on the files alone."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in folders:
            for file in sorted(file for file in folder.rglob("*") if file.is_file()):
                entry = zipfile.ZipInfo(str(file.relative_to(folder.parent)), (1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, file.read_bytes())


def main() -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pack", type=Path)
    parser.add_argument("--only", default="", help="folders whose name has this in it")
    flags = parser.parse_args()
    folders = sorted(path.parent for path in flags.out.glob("*/truth.json") if flags.only in path.parent.name)
    counts: collections.Counter[str] = collections.Counter()
    for folder in folders:
        try:
            outcome = check(folder)
        except Exception as error:
            outcome = Outcome("WRONG", f"{type(error).__name__}: {error}")
        counts[outcome.verdict] += 1
        print(f"{folder.name} {outcome.verdict}: {outcome.why[:400]}", flush=True)
    print(dict(counts))
    if flags.pack:
        pack(folders, flags.pack)
    return 1 if counts["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main())
