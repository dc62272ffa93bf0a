"""Fine-tune a BERT on a task: python -m bert_tf.train --task=sst2

The same command on the same run folder resumes where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bert_tf import lookup
from bert_tf.command_line import (
    Parser,
    add_reading_flags,
    check_writable,
    find_data,
    reading_layer,
    run_command,
    say,
    start_tensorflow,
)
from bert_tf.config import (
    SAMPLE,
    Layer,
    RunConfig,
    keys_and_meanings,
    override_layer,
    read_config,
    read_layer,
    resolve,
    to_toml,
)
from bert_tf.config.resume import Change, changes
from bert_tf.errors import UserError
from bert_tf.inference.runs import write_task
from bert_tf.kinds.definitions import load_task
from bert_tf.metrics.undefined import listed

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind

PROG = "python -m bert_tf.train"


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(PROG, __doc__, epilog=_keys())
    parser.add_argument("--task", metavar="NAME|FILE", help=f"one of {', '.join(lookup.names('tasks'))}, or a .py file")
    parser.add_argument(
        "--config", metavar="NAME|FILE", help="recipe; default: that of the task's name, if there is one"
    )
    parser.add_argument("--backbone", metavar="WHERE", help=keys_and_meanings()["backbone"][1])
    parser.add_argument("--data", metavar="WHERE", help="folder or file, tfds:NAME, hf:NAME or sample")
    parser.add_argument("--run", metavar="DIR", help="run folder; default: runs/<task>")
    parser.add_argument("--set", metavar="KEY=VALUE", dest="settings", action="extend", nargs="+", default=[],
                        help="any key of a recipe, such as training.epochs=2; may be repeated")  # fmt: skip
    add_reading_flags(parser)
    flags = parser.parse_args(argv)

    # 1. What is asked, and whether it can be: nothing slow, and nothing left behind, before that is known.
    kind, config = settings_of(flags)
    run_folder = Path(flags.run or f"runs/{Path(config.task).stem}").expanduser()
    data = find_data(kind, config.task, config.data.source)
    config = config.model_copy(update={"data": config.data.model_copy(update={"source": data})})
    if Path(data).is_file() and not kind.source.takes_patterns:
        raise UserError(
            f"--data={data}: training needs a folder that holds a file for each split, of which it scores the model on "
            "the validation one. Received: a single file; put it into a folder, with some of its rows in the other file"
        )
    check_writable(run_folder, "--run")

    # 2. A folder that holds a run already: it is resumed where that is sound, else refused.
    begun = _is_begun(run_folder)
    differing = _differing(config, read_config(run_folder / "config.toml"), run_folder) if begun else []
    result_file = run_folder / "result.json"
    if result_file.is_file() and not any(change.rule and change.rule.kind == "length" for change in differing):
        for change in differing:
            say(f"{change}: a finished run is not changed by it")
        result = json.loads(result_file.read_text(encoding="utf-8"))
        say(f"{run_folder} holds this run, finished. To train again, give another --run or delete the folder.")
    else:
        for change in differing:
            say(f"{change}: {change.rule.effect if change.rule else ''}")
        if not begun:
            _write(run_folder / "config.toml", to_toml(config))
        write_task(run_folder, kind)
        start_tensorflow()
        from bert_tf.training.loop import train

        settings = {"settings": to_toml(config)} if differing else {}
        result = train(config, kind, run_folder, data=data, is_sample=data == SAMPLE, **settings)
    metrics = listed(result["metrics"])
    name, where = Path(config.task).stem, "the bundled sample" if data == SAMPLE else data
    say(f"{name} on {where}: {metrics}. Model in {run_folder / 'model'}")
    print(json.dumps(result))


def settings_of(flags: argparse.Namespace) -> tuple[Kind, RunConfig]:
    """The task, and the run: defaults, then the task's, then the recipe's, then the flags'."""
    recipe = read_layer(lookup.find("configs", flags.config)) if flags.config else None
    task = flags.task or (recipe.values.get("task") if recipe else None)
    if not isinstance(task, str):
        raise UserError(
            f"--task is needed. There are: {', '.join(lookup.names('tasks'))}; or give the path of a .py file"
        )
    kind = load_task(task)
    if task not in lookup.names("tasks"):
        task = str(lookup.find("tasks", task))
    if recipe is None and task in lookup.names("configs"):
        recipe = read_layer(lookup.find("configs", task))
    layers = [Layer(origin=f"task {task}", values=kind.defaults)]
    layers += [recipe] if recipe else []
    layers += [override_layer(flags.settings), Layer(origin="--task", values={"task": task})]
    if flags.backbone is not None:
        layers.append(Layer(origin="--backbone", values={"backbone": flags.backbone}))
    if flags.data is not None:
        layers.append(Layer(origin="--data", values={"data": {"source": flags.data}}))
    layers.append(reading_layer(flags))
    config = resolve(layers)
    lasting = {"backbone": _lasting(config.backbone)}
    lasting |= {"vocabulary": _lasting(config.vocabulary)} if config.vocabulary is not None else {}
    return kind, config.model_copy(update=lasting)


def _lasting(place: str) -> str:
    """A path that is there made absolute, so that the run can be repeated from another folder; names as they are."""
    path = Path(place).expanduser()
    is_path = path.exists() or path.with_name(f"{path.name}.index").exists()
    if not is_path or place == "minilm":
        return place
    # A file's own link is kept: a hub's cache links to files without a suffix, and its config lies beside the link.
    return str(path.resolve() if path.is_dir() else path.parent.resolve() / path.name)


def _is_begun(run_folder: Path) -> bool:
    """Whether there is something that another run would spoil; a config.toml alone is not."""
    checkpoints = run_folder / "checkpoints"
    begun = (run_folder / "result.json").exists() or (run_folder / "model").exists()
    return begun or (checkpoints.is_dir() and any(checkpoints.iterdir()))


def _differing(config: RunConfig, found: RunConfig, run_folder: Path) -> list[Change]:
    """How the run that is asked for differs from the one in the folder. Raises: UserError where it may not."""
    differing = changes(found, config)
    refused = [change for change in differing if change.rule is None]
    if not (run_folder / "began.json").is_file():  # of an earlier version: its examples cannot be compared
        refused += [change for change in differing if change.rule and change.rule.kind == "data"]
    if refused:
        raise UserError(
            f"--run={run_folder} holds a run with other settings ({'; '.join(map(str, refused))}). Give a fresh --run, "
            "or the same settings"
        )
    return differing


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _keys() -> str:
    """For --help: every key of a recipe, its default and what it means."""
    lines = [
        f"  {key} = {'none' if default is None else default}\n      {meaning}"
        for key, (default, meaning) in keys_and_meanings().items()
    ]
    return "\n".join(["keys of a recipe and of --set:", *lines])


if __name__ == "__main__":
    run_command(PROG, main)
