"""Which programs on phones open a file, and which would answer differently from the run.

MediaPipe Tasks and the Task Library have a tokenizer of their own, which the file's metadata starts. Where they would
not give the run's answers that part is left out, and they refuse the file. Each row here was tried with MediaPipe 1.2.2
and tflite-support 0.4.4 (`python -m benchmarks.consumers`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bert_tf.exporting.tflite.metadata import fit_lines

if TYPE_CHECKING:
    from bert_tf.kinds.serving import Contract
    from bert_tf.text import Tokenizer

LITERT = "LiteRT"
LITERT_TEXT = "LiteRT with tensorflow_text's operators"
MEDIAPIPE, TASK_LIBRARY = "MediaPipe", "Task Library"
NAMES: dict[str, dict[str, str]] = {
    "classifier": {MEDIAPIPE: "MediaPipe Tasks TextClassifier", TASK_LIBRARY: "Task Library BertNLClassifier"},
    "embedder": {MEDIAPIPE: "MediaPipe Tasks TextEmbedder", TASK_LIBRARY: "Task Library TextEmbedder"},
    "answerer": {TASK_LIBRARY: "Task Library BertQuestionAnswerer"},
}
TEXTS = {"classifier": 1, "embedder": 1, "answerer": 2}  # that each of these gives a model
ANSWERER_LENGTH = 384  # BertQuestionAnswerer fails on every answer of a file of another length
ANSWERER_NOTE = (
    "reads one window of a context, 64 tokens of a question and answers of up to 32 tokens; its scores are its own"
)
BATCHES = "it gives a row a call, and this file takes any number of rows"
THEIR_TOKENS = {"unk_token": "[UNK]", "sep_token": "[SEP]", "cls_token": "[CLS]"}


@dataclass(frozen=True, kw_only=True)
class Readers:
    """What opens a file.

    Args:
        opens: names of the readers -> what is to be known of each, "" where there is nothing.
        cannot: names of the readers that this task would have otherwise -> why they do not.
    """

    opens: Mapping[str, str]
    cannot: Mapping[str, str]

    @property
    def bring_tokenizers(self) -> bool:
        """Whether one of them has its own tokenizer, and so needs a vocabulary in the file."""
        return any(not name.startswith(LITERT) for name in self.opens)


def readers_of(
    contract: Contract,
    tokenizer: Tokenizer,
    *,
    texts: int,
    length: int | None,
    takes_batches: bool = False,
    reject_below: float = 0.0,
    anyway: bool = False,
) -> Readers:
    """The readers of a file that takes tensors.

    Args:
        contract: what its outputs are.
        texts: how many texts the task is about; 1 where each gets a vector of its own.
        length: tokens of a row; None: any number.
        takes_batches: whether a call takes any number of rows.
        reject_below: the model's, see `Classification`.
        anyway: let them open the file also where they answer otherwise, which is then said of them.
    """
    opens: dict[str, str] = {}
    cannot: dict[str, str] = {}
    for library, name in NAMES.get(contract.reader, {}).items():
        why = BATCHES if takes_batches else _never_opens(contract, length=length)
        differs = _tokens_differ(tokenizer) or _task_differs(contract, texts=texts)
        if why or (differs and not anyway):
            cannot[name] = why or differs
            continue
        notes = [differs] if differs else []
        if contract.reader == "answerer":
            notes.append(ANSWERER_NOTE)
        elif reject_below and library == MEDIAPIPE:
            notes.append(f"gives no category below {reject_below:.6g}, the score below which a text is rejected")
        elif reject_below:
            notes.append(f"does not reject: a text whose best score is below {reject_below:.6g} has no label")
        opens[name] = "; ".join(notes)
    if not NAMES.get(contract.reader):
        cannot["MediaPipe Tasks and the Task Library"] = "they have no task of this kind"
    return Readers(opens=opens | {LITERT: ""}, cannot=cannot)


def readers_of_text(contract: Contract) -> Readers:
    """Those of a file that takes text, with the run's own tokenizer in its graph."""
    cuts = (
        "reads the first tokens of a text, as many as a row has, and no further windows" if contract.per_token else ""
    )
    names = NAMES.get(contract.reader, {}).values()
    why = "they have no kernels of tensorflow_text, and make a model's inputs themselves"
    return Readers(opens={LITERT_TEXT: cuts}, cannot={" and ".join(names): why} if names else {})


def _tokens_differ(tokenizer: Tokenizer) -> str:
    """Why their tokenizer, which lower-cases every text, gives other tokens than this one; "" if it does not.

    What is left of accents in a lower-cased text is what `words_for_others` adds words for.
    """
    if tokenizer.odd_rules:
        return f"it follows no such rules of a tokenizer: {'; '.join(tokenizer.odd_rules)}"
    if not tokenizer.lowercase:
        return "it lower-cases every text, and this vocabulary is cased"
    if tokenizer.odd_rules:
        return f"it knows no such rules of a tokenizer: {'; '.join(tokenizer.odd_rules)}"
    if not tokenizer.split_cjk:
        return "it makes every Chinese character a word, and this tokenizer does not"
    other = {name: token for name, token in THEIR_TOKENS.items() if tokenizer.special_tokens[name] != token}
    if other:
        named = ", ".join(f"{token} is {tokenizer.special_tokens[name]} here" for name, token in other.items())
        return f"it knows special tokens by BERT's names alone, and {named}"
    return ""


def _task_differs(contract: Contract, *, texts: int) -> str:
    """Why they do not answer as the task does; "" if they do not."""
    if texts != TEXTS[contract.reader]:
        return f"it gives a model one text, and this task is about {'two' if texts == 2 else texts}"
    if contract.reader != "answerer" and contract.stride is not None:
        return "it reads the first tokens of a long text, and this task reads all of it, in windows"
    if contract.facts.get("no_answer_at") is not None:
        return "it never says that a question has no answer, and here some have none"
    return ""


def _never_opens(contract: Contract, *, length: int | None) -> str:
    """Why they fail on the file, whatever its metadata; "" if they do not."""
    if contract.labels is not None and not fit_lines(contract.labels):
        return "it reads one label a line, and here a label is empty or has several lines"
    if contract.reader == "answerer" and length != ANSWERER_LENGTH:
        return f"it answers only with files of the length {ANSWERER_LENGTH}, and this one has {length or 'any length'}"
    return ""


def as_json(readers: Readers) -> dict[str, Any]:
    return {"opens": dict(readers.opens), "cannot": dict(readers.cannot)}
