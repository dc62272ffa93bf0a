"""A task of rows that a test writes, without TensorFlow."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_tf.config import Layer, RunConfig
from bert_tf.kinds import Kind
from bert_tf.kinds.definitions import asked_run
from tests.conftest import VOCABULARY


@dataclass(frozen=True)
class Made:
    """A task of somebody's own data: its settings, and what was said."""

    kind: Kind
    config: RunConfig
    lines: list[str]
    warnings: list[str]

    def read(self, split: str) -> Any:
        """Its `Examples`."""
        kind = self.kind.configured(self.config)
        return kind.read(str(self.config.data.source), split, skip_bad_rows=self.config.data.skip_bad_rows)

    @property
    def sizes(self) -> tuple[int, int]:
        return len(self.read("train")), len(self.read("validation"))


@functools.cache
def words() -> str:
    """A vocabulary's file, which says that it lower-cases."""
    folder = Path(tempfile.mkdtemp(prefix="bert_tf_words"))
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in dict.fromkeys(VOCABULARY)))
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    return str(folder)


def made(
    data: Path | None = None,
    *,
    kind: str = "classification",
    memory: Any = None,
    settings: dict[str, Any] | None = None,
    config: str | None = None,
    **own_data: Any,
) -> Made:
    """A task of files at `data`, or of rows in memory.

    Args:
        settings: other keys of a run, nested.
        own_data: keys of [own_data].
    """
    values: dict[str, Any] = {"backbone": "tiny", "vocabulary": words(), **(settings or {})}
    values["data"] = {**values.get("data", {}), **({} if data is None else {"source": str(data)})}
    layers = [
        Layer(origin="test", values=values),
        Layer(origin="flags", values={"own_data": {"kind": kind} | own_data}),
    ]
    lines: list[str] = []
    warnings: list[str] = []
    found, run = asked_run(None, config, layers, memory=memory, tell=lines.append, warn=warnings.append)
    return Made(found, run, lines, warnings)


def rows(count: int = 24, labels: tuple[Any, ...] = ("good", "bad")) -> list[tuple[str, Any]]:
    """Different texts of five words, and labels in turn."""
    return [(f"this is a {labels[i % len(labels)]!s:.4} film {i}".replace(",", ""), labels[i % len(labels)])
            for i in range(count)]  # fmt: skip


def table(found: list[tuple[str, Any]], separator: str = ",", header: str = "text,label") -> str:
    lines = [header.replace(",", separator), *(f"{text}{separator}{label}" for text, label in found)]
    return "".join(f"{line}\n" for line in lines)
