"""Answers to more texts than one process should take: cut into portions, each answered into a shard by any worker.

A folder beside the answers holds the portions and the shards that are done, so that a command that was stopped
continues where it was; the answers' own folder appears when all shards are there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

from pydantic import Field

from bert_tf.config import override_layer
from bert_tf.data.files.write import WRITERS, as_rows
from bert_tf.data.inputs import Input
from bert_tf.disk.locks import lock
from bert_tf.disk.whole import sync_folder, sync_tree, write_whole
from bert_tf.errors import UserError
from bert_tf.guard import Checked, parse_json, read_object, short, typed
from bert_tf.inference.answering import Answered, answers_of

if TYPE_CHECKING:
    import numpy as np

    from bert_tf.inference.pipeline import Pipeline

VECTORS = ".npy"
FORMATS = (*WRITERS, VECTORS)
ROWS = 100_000
CHUNK = 8192  # texts that are answered at a time
PARSED = 1024  # lines that are read together: for each alone the checks take longer than a small model
PLAN, PORTIONS, SHARDS, COUNTS = "plan.json", "portions", "shards", "counts"
_OPENING = threading.Lock()
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a worker opens and writes.

    Args:
        run: the run folder.
        model: what answers: the run folder, or an exported model.
        task: as `open_run` takes it.
        precision: of a run's own model.
        settings: KEY=VALUE of answers.
        suffix: of the shards: one of `FORMATS`; ".npy" has vectors alone, float32 [N, D], a row of nan for an error.
        rows_of: a list of the answers to have a row for each object of, or None.
        names: what tables call the texts, as `bert_tf.data.files.write.with_own_names` takes it.
    """

    run: str
    model: str
    task: str | None = None
    precision: str = "auto"
    settings: tuple[str, ...] = ()
    suffix: str = ".jsonl"
    rows_of: str | None = None
    names: tuple[tuple[str, str], ...] = ()


class Plan(Checked):
    """What is read of plan.json by name; the rest is compared."""

    portions: Count


class Counts(Checked):
    """What is noted of a shard that is done."""

    texts: Count
    errors: Count
    cut: Count
    first_error: str | None


Job = tuple[Callable[..., Any], tuple[Any, ...]]


def answer_in_shards(
    asked: Asked,
    inputs: Iterable[Input],
    sources: Iterable[Path],
    output: Path,
    *,
    run: Callable[[str, Iterable[Job]], None],
    rows: int = ROWS,
    reading: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Writes `answers-00000-of-00123.jsonl`, ... into a new folder, in the order of the inputs, and `about.json`.

    Args:
        asked: what is opened.
        inputs: what is to be answered.
        sources: the files that they are read from, to notice when they are others.
        output: the folder; not there yet, or empty.
        run: does jobs, in any order, in processes that see the folder.
        rows: inputs in a shard.
        reading: how the inputs are read, as JSON can hold it, to notice when that is another way.
    Returns: what about.json says: `texts`, `shards`, `errors`, `cut` texts, and the `first_error`.
    Raises: UserError for a folder that holds something, or parts of another command.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(f"--shards={output}: expected a folder that is empty or not there. Received: one with files")
    model = Path(asked.model)
    plan = {
        "settings": _digest(asdict(asked)),
        "model": _state([model / "model" if (model / "model").is_dir() else model]),
        "inputs": _state(sources),
        "shard rows": rows,
        "reading": _digest(reading or {}),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    work = output.with_name(f".{output.name}.parts")
    with lock(output.with_name(f".{output.name}.lock"), f"--shards={output}"):
        count = _portions(work, inputs, rows, plan)
        jobs: list[Job] = [
            (answer_portion, (str(work), number, asked))
            for number in range(count)
            if not (work / COUNTS / f"{number:05d}.json").exists()
        ]
        run("answers", jobs)
        return _finished(work, output, count, asked.suffix)


def answer_portion(work: str, number: int, asked: Asked) -> None:
    """Answers one portion. Its shard is whole or not there; of two workers that make the same one the last stays."""
    from bert_tf.inference.answers import CUT_TOKENS

    pipeline, folder = _opened(asked), Path(work)
    found = {"texts": 0, "errors": 0, "cut": 0, "first_error": None}

    def answered() -> Iterator[Answered]:
        read = _inputs(folder / PORTIONS / f"{number:05d}.jsonl")
        while chunk := list(islice(read, CHUNK)):
            errors = [each.error for each in chunk if each.error is not None]
            found["first_error"] = found["first_error"] or next(iter(errors), None)
            for answer, others in answers_of(pipeline, chunk):
                found["cut"] += CUT_TOKENS in answer
                yield answer, others
            found["texts"] += len(chunk)
            found["errors"] += len(errors)

    shard = folder / SHARDS / f"{number:05d}{asked.suffix}"
    beside = shard.with_name(f".{shard.name}.{os.getpid()}.partial")
    try:
        if asked.suffix == VECTORS:
            _save_vectors(beside, pipeline, answered())
        else:
            with beside.open("w", encoding="utf-8", newline="\n") as file:
                _write(file, asked, answered())
        beside.replace(shard)
    finally:
        beside.unlink(missing_ok=True)
    write_whole(folder / COUNTS / f"{number:05d}.json", json.dumps(found))


def _inputs(portion: Path) -> Iterator[Input]:
    """What a portion holds, one a line. Raises: UserError for a line that is none."""
    with portion.open("rb") as file:
        while lines := list(islice(file, PARSED)):
            found = parse_json(b"[" + b",".join(lines) + b"]", portion)
            if len(found) != len(lines):
                raise UserError(f"{portion}: expected an input a line. Received: {len(found)} in {len(lines)} lines")
            yield from (_input(each, portion) for each in found)


def _input(found: Any, portion: Path) -> Input:
    match found:
        case [str(place), [*texts], dict(others), str() | None as error] if all(isinstance(t, str) for t in texts):
            return Input(place=place, texts=tuple(texts), others=others, error=error)
    raise UserError(f"{portion}: expected an input as it was written. Received: {short(found)}")


def _write(file: IO[str], asked: Asked, answered: Iterable[Answered]) -> None:
    with WRITERS[asked.suffix](file) as writer:
        write = as_rows(writer, asked.rows_of, asked.names)
        for answer, others in answered:
            write(answer, others)


def _save_vectors(path: Path, pipeline: Pipeline, answered: Iterable[Answered]) -> None:
    import numpy as np

    with path.open("wb") as file:
        np.save(file, _vectors(pipeline, answered))


def _vectors(pipeline: Pipeline, answered: Iterable[Answered]) -> np.ndarray:
    """float32 [N, D]; nan where an input has an error."""
    import numpy as np

    name = pipeline.kind.serving.vector
    assert name is not None
    found = [np.asarray(answer[name], np.float32) if name in answer else None for answer, _ in answered]
    width = next((len(vector) for vector in found if vector is not None), 0)
    return np.stack([np.full(width, np.nan, np.float32) if vector is None else vector for vector in found])


@lru_cache(maxsize=1)
def _open(asked: Asked) -> Pipeline:
    from bert_tf.inference.engine.precision import use_all_cores
    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.inference.runs import open_run

    with contextlib.suppress(RuntimeError):  # TensorFlow runs already, in a worker that does other things too
        use_all_cores()
    kind = open_run(Path(asked.run), task=asked.task).kind.with_settings(override_layer(asked.settings).values)
    return Pipeline(asked.model, task=kind, precision=asked.precision)


def _opened(asked: Asked) -> Pipeline:
    """The model, once a process."""
    with _OPENING:
        return _open(asked)


def _portions(work: Path, inputs: Iterable[Input], rows: int, plan: Mapping[str, Any]) -> int:
    """Cuts the inputs into portions, unless that was done. Returns: how many there are.

    Raises: UserError for portions of another command.
    """
    if (work / PLAN).is_file():
        before = read_object(work / PLAN)
        count = typed(Plan, before, work / PLAN).portions
        del before["portions"]
        if before != plan:
            others = ", ".join(sorted(name for name in plan if before.get(name) != plan[name]))
            raise UserError(
                f"{work}: expected parts of this command. Received: those of one with other {others}; remove the "
                "folder, or give another --shards"
            )
        return count
    shutil.rmtree(work, ignore_errors=True)  # portions that are not whole
    for name in (PORTIONS, SHARDS, COUNTS):
        (work / name).mkdir(parents=True)
    inputs, count = iter(inputs), 0
    while portion := list(islice(inputs, rows)):
        lines = (json.dumps([each.place, each.texts, dict(each.others), each.error], default=str) for each in portion)
        (work / PORTIONS / f"{count:05d}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        count += 1
    write_whole(work / PLAN, json.dumps({**plan, "portions": count}))
    return count


def _finished(work: Path, output: Path, count: int, suffix: str) -> dict[str, Any]:
    """Gives shards their names, and the folder its own. Returns: what about.json says."""
    places = [work / COUNTS / f"{i:05d}.json" for i in range(count)]
    counts = [typed(Counts, read_object(place), place) for place in places]
    about = {
        "texts": sum(each.texts for each in counts),
        "shards": count,
        "errors": sum(each.errors for each in counts),
        "cut": sum(each.cut for each in counts),
        "first_error": next((each.first_error for each in counts if each.first_error), None),
    }
    final = work / "final"
    final.mkdir(exist_ok=True)
    for i in range(count):
        shard, named = work / SHARDS / f"{i:05d}{suffix}", final / f"answers-{i:05d}-of-{count:05d}{suffix}"
        if shard.exists():  # not where a killed process had named it
            shard.replace(named)
    write_whole(final / "about.json", json.dumps(about, indent=2) + "\n")
    sync_tree(final)
    if output.is_dir():
        output.rmdir()
    final.replace(output)
    sync_folder(output.parent)
    shutil.rmtree(work, ignore_errors=True)
    return about


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _state(places: Iterable[Path]) -> str:
    """Tells files, and those below folders, from changed ones by their sizes and times."""
    files = [file for place in places for file in (sorted(place.rglob("*")) if place.is_dir() else [place])]
    stats = [(str(file), file.stat()) for file in files if file.is_file() and ".lock" not in file.name]
    return _digest([(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats])
