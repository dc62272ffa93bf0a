"""From somebody's own data, and what they say of it, to a task and the settings of its run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bert_tf.config import OWN, OwnDataConfig, RunConfig
from bert_tf.data import InMemory, Source
from bert_tf.data.files.hubs import is_hub
from bert_tf.data.rows.quiet import quiet
from bert_tf.data.splits.names import TRAIN, VALIDATION, data_files, split_called
from bert_tf.errors import UserError
from bert_tf.kinds.base import Kind
from bert_tf.kinds.own_data.base import Inferred, OwnKind
from bert_tf.kinds.own_data.given import Given
from bert_tf.kinds.own_data.lengths import chosen_length
from bert_tf.kinds.own_data.registry import own_kind

SHARED = ("kind", "validation", "split_column", "delimiter")
# The share of one file's rows that is put aside, by how many there are: enough to tell two runs apart, and no more
# than a fifth of a small set.
SHARES = ((1000, 0.2), (50_000, 0.1))
MOST_ASIDE = 5000
Tell = Callable[[str], None]


def own_task(config: RunConfig, memory: Any = None, *, tell: Tell, warn: Tell) -> tuple[Kind, RunConfig]:
    """A task of somebody's own data, and the run with all that was inferred in its settings.

    Args:
        config: what is asked, `own_data.kind` included.
        memory: rows in memory in the place of files: a table, or split -> table, as `InMemory` takes them.
        tell: says what was inferred; `warn` what is doubtful.
    Raises: UserError for data that are not there, flags that are for another kind, and what cannot be told.
    """
    own = config.own_data
    assert own.kind is not None
    part = own_kind(own.kind)
    _check_keys(own, part)
    given = _given(config, memory)
    own = _with_validation(own, given)
    with quiet():
        found = part.whole(own, given)
        is_whole = found is not None
        found = found or part.infer(own, given)
    if is_whole:
        own, lines = own.model_copy(update=found.settings), found.lines
    else:
        own, lines = _of_rows(own, given, found)
    for line in lines:
        tell(line)
    for warning in found.warnings:
        warn(warning if is_whole else f"{given.origin}: {warning}")
    length, windows = config.data.sequence_length or found.sequence_length, False
    if length is None:
        assert found.texts is not None, "a kind gives texts or a length"
        length, said, windows = chosen_length(
            found.texts,
            config,
            shortest=found.shortest,
            longest=found.longest,
            longer=found.longer,
            takes_windows=found.takes_windows and config.data.long_texts is None,
        )
        tell(said)
    tell("where any of this is wrong, the flag of its name says so, or [own_data] in config.toml of the run folder")
    kind = part.make(own, part.source(own, _in_memory(given)), length)
    source = OWN if given.place is None else str(given.place)
    update = {"sequence_length": length, "source": source} | ({"long_texts": "windows"} if windows else {})
    data = config.data.model_copy(update=update)
    return kind, config.model_copy(update={"own_data": own, "data": data, "task": own.kind})


def _of_rows(own: OwnDataConfig, given: Given, found: Inferred) -> tuple[OwnDataConfig, list[str]]:
    """All that was inferred of rows, and what is to be said of it."""
    if found.rows is None:  # a table
        also = {"delimiter": given.delimiter, "split_column": given.split_column}
        rows, names = given.rows, f", columns {', '.join(given.columns)}"
    else:
        also, rows, names = {}, found.rows, ""
    own, validation_line = _parted(own.model_copy(update={**also, **found.settings}), given, rows)
    return own, [f"{given.origin}: {rows:,} training rows{names}", *_opening(given), *found.lines, validation_line]


def own_source(own: OwnDataConfig) -> Source:
    """The source of a task whose rows were in memory, for rows in files."""
    assert own.kind is not None
    return own_kind(own.kind).source(own.model_copy(update={"validation": None, "split_column": None}), None)


def _check_keys(own: OwnDataConfig, part: OwnKind) -> None:
    for key in type(own).model_fields:
        if getattr(own, key) is not None and key not in (*SHARED, *part.keys):
            takes = ", ".join(f"--{name.replace('_', '-')}" for name in (*part.keys, *SHARED[1:]))
            raise UserError(f"--{key.replace('_', '-')} is not for --kind={own.kind}, which takes {takes}")


def _given(config: RunConfig, memory: Any) -> Given:
    own = config.own_data
    options: dict[str, Any] = {"split_column": own.split_column, "asks_validation": own.validation is not None}
    if memory is not None:
        return Given(memory=_splits(memory), **options)
    where = config.data.source
    example = f"python -m bert_tf.train --kind={own.kind} --data=FILE {own_kind(str(own.kind)).example}"
    if where is None:
        raise UserError(f"--data is needed: a file or folder with the rows to learn from, as in {example}")
    if where == OWN:
        raise UserError("--data is needed: this run's rows were in memory, and are not in its settings")
    if is_hub(where):
        raise UserError(_hub_is_no_file(where, str(own.kind)))
    place = Path(where).expanduser()
    if not place.exists() and not own_kind(str(own.kind)).takes_patterns:
        raise UserError(f"--data={where}: expected a file or folder. Received: a path that is not there")
    suffixes = own_kind(str(own.kind)).suffixes
    return Given(
        place.resolve(),
        encoding=config.data.encoding,
        delimiter=own.delimiter,
        suffixes=suffixes,
        skip_bad_rows=config.data.skip_bad_rows,
        bad_rows_share=config.data.bad_rows_share,
        **options,
    )


def _hub_is_no_file(where: str, kind: str) -> str:
    """What to do instead of giving a hub's set in the place of a file."""
    prefix, _, name = where.partition(":")
    path, _, config = name.partition(":")
    arguments = ", ".join(repr(part) for part in (path, config) if part)
    source, of_file = f"Tfds({name!r})", "save its rows as a table, say train.csv, and give that"
    if prefix == "hf":
        source = f"HuggingFaceDataset({name!r})"
        save = f"datasets.load_dataset({arguments}, split='train').to_json('train.jsonl')"
        of_file = f"save it first, {save} in Python, and give train.jsonl"
    return (
        f"--data={where}: --kind={kind} looks at files, to find what is in them, and this is a set of a hub. Either "
        f"{of_file}, or write a task file whose source is bert_tf.data.{source}"
    )


def _splits(memory: Any) -> dict[str, Any]:
    """Split -> rows: where that is not what was given, all rows are for training."""
    if isinstance(memory, Mapping) and memory and all(split_called(name) for name in memory):
        return {str(split_called(name)): rows for name, rows in memory.items()}
    return {TRAIN: memory}


def _in_memory(given: Given) -> Source | None:
    return None if given.memory is None else InMemory(given.memory)


def _with_validation(own: OwnDataConfig, given: Given) -> OwnDataConfig:
    """The place of validation rows as a path that lasts. Raises: UserError for one that is not there."""
    asked = own.validation
    if isinstance(asked, float) and not 0 < asked < 1:
        raise UserError(f"--validation={asked:g}: expected a file, or a share between 0 and 1, such as 0.1")
    if not isinstance(asked, str):
        return own
    path = Path(asked).expanduser()
    if not path.is_file() and given.place is not None:
        folder = given.place if given.place.is_dir() else given.place.parent
        path = folder / asked
    if not path.is_file():
        raise UserError(f"--validation={asked}: expected a file, or a share such as 0.1. Received: no such file")
    return own.model_copy(update={"validation": str(path.resolve())})


def _parted(own: OwnDataConfig, given: Given, rows: int) -> tuple[OwnDataConfig, str]:
    """Where the validation rows are, decided, and what is to be said of it."""
    if isinstance(own.validation, str):
        return own, f"validation: {own.validation}"
    by_column = own.split_column is not None
    splits = given.splits if by_column else (given.files or given.memory or {})
    if own.validation is None and VALIDATION in splits:
        where = f"the column {own.split_column!r}" if by_column else str(given.files.get(VALIDATION, "`data`"))
        return own, f"validation: as {where} has it"
    share = own.validation
    if share is None:
        share = round(next((share for most, share in SHARES if rows <= most), MOST_ASIDE / rows), 4)
    said = f"validation: about {100 * share:g} % of the {rows:,} rows, drawn at random and kept out of training"
    other = _beside(given) or "FILE|SHARE"
    return own.model_copy(update={"validation": float(share)}), f"{said} (--validation={other} says otherwise)"


def _beside(given: Given) -> str:
    """The file beside the only one that was given whose name says that it is for validation."""
    if given.place is None or given.place.is_dir():
        return ""
    files = [path for path in sorted(given.place.parent.iterdir()) if path.is_file() and path != given.place]
    found = [path.name for path in files if split_called(path.name.partition(".")[0]) == VALIDATION]
    return found[0] if len(found) == 1 else ""


def _opening(given: Given) -> list[str]:
    """Of the files: which is which, and what stands between their cells."""
    names = ", ".join(f"{split} ({path.name})" for split, path in given.files.items())
    lines = [f"files: {names}"] if len(given.files) > 1 else []
    folder = given.place if given.place is not None and given.place.is_dir() else None
    rest = [path.name for path in data_files(folder, given.suffixes)] if folder is not None else []
    rest = [name for name in rest if name not in {path.name for path in given.files.values()}]
    lines += [f"files that are not read: {', '.join(rest)}"] if rest else []
    separator = f"cells are separated by {given.delimiter!r}" if given.delimiter not in (None, ",", "\t") else ""
    return [*lines, *([separator] if separator else [])]
