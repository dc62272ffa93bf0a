"""The model card: README.md of a run's model/, with the facts in front as Hugging Face's hub reads them.

What is not known (the licence, the language) is left out, not guessed. A card that someone has edited stays.
Reference: https://huggingface.co/docs/hub/model-cards
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from bert_tf.config import SAMPLE
from bert_tf.guard import read_object
from bert_tf.reporting.facts import Facts
from bert_tf.reporting.page import repeat, score, sentence
from bert_tf.weights.members import is_of_transformers

MARK = re.compile(r"\n<!-- written by bert_tf, ([0-9a-f]{16}): an edited card is left as it is -->\n?\Z")
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
"""What the backbone "minilm" is."""
HUB = "hf://"
LIMITS = """## Limits

- The scores are those of the {split} examples above{small}. Texts of another kind, time or place can be answered worse.
- Whatever was unfair or wrong in the texts that the backbone and this model have learned from can come back in answers.
- The licences of the data and of the backbone apply; this card names none, as the library does not know them."""
OURS = """```python
import bert_tf

pipeline = bert_tf.Pipeline("{run}")  # the run folder
print(pipeline({texts}))
```"""
THEIRS = """```python
import transformers

tokenizer = transformers.AutoTokenizer.from_pretrained("{folder}")
model = transformers.{architecture}.from_pretrained("{folder}")
```"""


def write_card(facts: Facts) -> Path | None:
    """Writes README.md into the run's model/. Returns: the file; None where an edited card was left as it is."""
    path = facts.run.folder / "model" / "README.md"
    if path.exists() and not _is_ours(path.read_text(encoding="utf-8")):
        return None
    text = card(facts)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    beside = path.with_name(f".{path.name}.partial")
    beside.write_text(
        f"{text}\n<!-- written by bert_tf, {digest}: an edited card is left as it is -->\n", encoding="utf-8"
    )
    beside.replace(path)
    return path


def _is_ours(text: str) -> bool:
    """Whether a card is as it was written."""
    found = MARK.search(text)
    return found is not None and hashlib.sha256(text[: found.start()].encode()).hexdigest()[:16] == found[1]


def card(facts: Facts) -> str:
    """The card, as Markdown with YAML in front."""
    result, kind, folder = facts.run.result, facts.run.kind, facts.run.folder
    config = read_object(folder / "model" / "config.json")
    architecture = (config.get("architectures") or ["BertModel"])[0]
    base = base_model(facts.config.backbone)
    texts = ", ".join(f'"a {name}"' for name in kind.text_columns)
    parts = [
        f"# {_plain(facts.task)}",
        f"{_plain(sentence(facts))}",
        f"A `{architecture}` that bert_tf has trained for the task "
        f"`{_plain(facts.task)}` ({type(kind).__name__}), from {f'`{base}`' if base else _backbone(facts)}.",
        "## How to use it",
        OURS.format(run=folder.name, texts=texts),
        _transformers(facts, architecture),
        "## How it was trained",
        f"{score(result.get('train_examples'))} examples, {score(result['steps'])} updates, "
        f"{result.get('precision') or facts.config.training.precision}, seed {facts.config.seed}. The same again:",
        f"```\n{repeat(facts, Path(folder.name))}\n```",
        "## Scores",
        _table(facts),
        LIMITS.format(split=facts.split, small=f" ({facts.examples:,} of them)" if facts.examples else ""),
    ]
    return "---\n" + front_matter(facts) + "---\n\n" + "\n\n".join(part for part in parts if part)


def front_matter(facts: Facts) -> str:
    """The facts as YAML: every value as JSON, which YAML reads too, whatever letters it has."""
    kind, task, base = facts.run.kind, facts.task, base_model(facts.config.backbone)
    language = facts.config.data.language
    numbers = {name: value for name, value in facts.run.metrics.items() if value is not None}
    facts_of_hub: dict[str, Any] = {
        **({"language": language} if language else {}),
        "library_name": "bert_tf",
        **({"pipeline_tag": kind.pipeline_tag} if kind.pipeline_tag else {}),
        **({"base_model": base} if base else {}),
        "tags": ["bert_tf", "keras", "bert"],
        "metrics": list(numbers),
    }
    if numbers:
        result = {
            "task": {"type": kind.pipeline_tag or "other"},
            "dataset": {
                "name": f"{task}, the sample of bert_tf" if facts.run.result.get("data") == SAMPLE else task,
                "type": task,
                "split": "validation",
            },
            "metrics": [{"type": name, "value": value, "name": name} for name, value in numbers.items()],
        }
        facts_of_hub["model-index"] = [{"name": task, "results": [result]}]
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in facts_of_hub.items())


def base_model(backbone: str) -> str | None:
    """The backbone's name on the hub; None where it has none.

    >>> base_model("hf://google-bert/bert-base-uncased"), base_model("tiny")
    ('google-bert/bert-base-uncased', None)
    """
    if backbone == "minilm":
        return MINILM
    return backbone.removeprefix(HUB) if backbone.startswith(HUB) else None


def _backbone(facts: Facts) -> str:
    backbone = facts.config.backbone
    return f"the backbone `{_plain(Path(backbone).name if '/' in backbone else backbone)}`"


def _transformers(facts: Facts, architecture: str) -> str:
    calls = facts.run.kind.serving.calls
    if calls.cannot or not is_of_transformers(architecture):
        why = calls.cannot or "has no class for it"
        return f"Transformers {why}: this model opens in bert_tf."
    return "Its weights and tokenizer are in the format of Transformers:\n\n" + THEIRS.format(
        folder="model", architecture=architecture
    )


def _table(facts: Facts) -> str:
    rows = [f"| {_plain(name)} | {score(value)} |" for name, value in facts.run.metrics.items()]
    return "\n".join(["| metric | validation |", "|---|---|", *rows])


def _plain(text: str) -> str:
    """A text that is neither HTML nor a table's cell nor code on a page."""
    return re.sub(r"[<>|`\r\n]", " ", text)
