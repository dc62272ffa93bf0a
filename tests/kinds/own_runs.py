"""A task made of somebody's own data, up to where training would begin."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bert_tf.config import Layer, RunConfig, to_toml
from bert_tf.guard.structures import tomllib
from bert_tf.kinds import Kind
from bert_tf.kinds.definitions import asked_run
from bert_tf.kinds.description import describe, read_description


@dataclass
class Made:
    """A task, its run, what was said of it and what was doubted."""

    kind: Any
    run: RunConfig
    said: list[str]
    doubts: list[str]

    def read(self, split: str) -> Any:
        return self.kind.read(self.run.data.source, split)


def own_task(
    kind: str,
    data: Any = None,
    *,
    memory: Any = None,
    sequence_length: int | None = 32,
    encoding: str | None = None,
    **own: Any,
) -> Made:
    """As train makes it of flags. What is written of it, in config.toml and task.json, makes the same task again.

    Args:
        sequence_length: as somebody asks for; None: by the texts, with words of minilm.
    """
    section = {"source": None if data is None else str(data), "sequence_length": sequence_length, "encoding": encoding}
    layer = Layer(origin="test", values={"own_data": {"kind": kind, **own}, "data": section})
    said, doubts = [], []
    made, run = asked_run(None, None, [layer], memory=memory, tell=said.append, warn=doubts.append)
    if memory is None:
        _check_again(made, run)
    return Made(made.configured(run), run, said, doubts)


def _check_again(made: Kind, run: RunConfig) -> None:
    values = tomllib.loads(to_toml(run))
    said: list[str] = []
    layer = Layer(origin="config.toml", values=values)
    again, run_again = asked_run(None, None, [layer], tell=said.append, warn=said.append)
    assert (again, run_again) == (made, run)
    described = json.loads(json.dumps(describe(made)))
    assert read_description(described, "task.json")[0] == made
