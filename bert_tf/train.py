"""Fine-tune a BERT on a task: python -m bert_tf.train --task=sst2

Or on your own file: python -m bert_tf.train --kind=classification --data=train.csv --text=message --label=category

The same command on the same run folder resumes where it stopped.
"""

from __future__ import annotations

import argparse
import inspect
import json
import logging
import os
import sys
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bert_tf.command_line import (
    arguments_named,
    check_backend,
    check_writable,
    default_run_folder,
    is_said,
    own_randomness,
    reading_of,
    run_command,
    run_layers,
    say,
    start_tensorflow,
    train_parser,
    with_training_data,
)
from bert_tf.config import (
    OWN,
    SAMPLE,
    EvaluationConfig,
    ModelConfig,
    PretrainingConfig,
    RunConfig,
    TrainingConfig,
    own_flags,
    read_config,
)
from bert_tf.config.arguments import argument_layers, own_data_groups, plain_path
from bert_tf.config.fitting import as_begun, given_keys
from bert_tf.config.resume import is_begun, resumable_changes
from bert_tf.errors import UserError, did_you_mean, in_python
from bert_tf.inference.runs import settings_file, task_file
from bert_tf.inference.trained import Run
from bert_tf.kinds.definitions import asked_run, fetch_backbone
from bert_tf.metrics.undefined import listed
from bert_tf.terminal.results import draw_result
from bert_tf.training.checkpoints.finished import finished
from bert_tf.training.examples import read_examples, with_fitting_settings
from bert_tf.training.held import held
from bert_tf.training.reports.progress import tell

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind

PROG = "python -m bert_tf.train"
LOG = logging.getLogger("bert_tf.train")  # also where this file runs as __main__
PathOrName = str | os.PathLike[str]


def main(argv: Sequence[str] | None = None) -> None:
    flags = train_parser(PROG, __doc__).parse_args(argv)
    kind, config = asked(flags)
    run = trained(flags, kind, config)
    where = "the bundled sample" if config.data.source == SAMPLE else config.data.source
    title = f"{Path(config.task).stem} on {where}"
    if flags.format == "text" or (flags.format is None and sys.stdout.isatty()):
        draw_result(sys.stdout, title, run.result, run.folder, _to_try_next(run))
    else:
        page = run.folder / "report" / "index.html"
        report = f", report in {page}" if page.is_file() else ""
        say(f"{title}: {listed(run.metrics)}. Model in {run.folder / 'model'}{report}")
        print(json.dumps(run.result))


def asked(flags: argparse.Namespace, *, tell: Callable[[str], None] = say) -> tuple[Kind, RunConfig]:
    """The task and the settings that flags of `train_parser` ask for, with the place of the data."""
    kind, config = asked_run(flags.task, flags.config, run_layers(flags), tell=tell, warn=LOG.warning)
    return kind, with_training_data(kind, config, tell=tell)


def trained(flags: argparse.Namespace, kind: Kind, config: RunConfig, *, tell: Callable[[str], None] = say) -> Run:
    """What was asked, trained to its end in the folder that the flags name."""
    said: dict[str, Any] = {"tell": tell, "show": tell, "progress": is_said()}
    by_hand = given_keys(kind.defaults, run_layers(flags))
    return _run_to_its_end(kind, config, flags.run, by_hand=by_hand, start=start_tensorflow, **said)


def train(
    task: PathOrName | Kind | None = None,
    *,
    config: PathOrName | RunConfig | None = None,
    backbone: PathOrName | None = None,
    vocabulary: PathOrName | None = None,
    data: Any = None,
    kind: str | None = None,
    run: PathOrName | None = None,
    seed: int | None = None,
    model: Mapping[str, Any] | ModelConfig | None = None,
    training: Mapping[str, Any] | TrainingConfig | None = None,
    pretraining: Mapping[str, Any] | PretrainingConfig | None = None,
    evaluation: Mapping[str, Any] | EvaluationConfig | None = None,
    settings: Mapping[str, Any] | None = None,
    skip_bad_rows: bool | float | None = None,
    encoding: str | None = None,
    progress: bool = True,
    **own_data: Any,
) -> Run:
    """Trains a model, as the command does: python -m bert_tf.train --help-all lists all settings.

    Called again with the same `run`, it resumes a run that was cut off, and trains no second time one that is finished.
    It may be called as often as one likes in a process, for folds or a sweep, each time with a `run` of its own. A call
    leaves Python's and NumPy's random state as it finds them; `training.deterministic` holds for the rest of the
    process, as does the number of threads.

    Args:
        task: a name in tasks/, the path of your own file, or an object of a kind from `bert_tf.kinds`, whose source may
            be `bert_tf.data.InMemory`; None: what `config` says.
        config: a recipe: a name in configs/, a TOML file or a `bert_tf.config.RunConfig`; None: that of the task's
            name, if there is one.
        backbone: minilm, a folder, hf://org/name, kaggle://..., or a size (tiny ... large) for random weights.
        vocabulary: for random weights, as the setting of this name.
        data: a folder or file, tfds:NAME, hf:NAME or sample; None: $BERT_TF_DATA/<task>, the source of the task itself,
            or else the bundled sample, with a warning. With `kind`, your own file or folder, or rows in memory: a
            DataFrame, a list of dicts, a dict of lists, or one of these for each of "train" and "validation".
        kind: in place of `task`, what task to make of your own data, such as classification.
        run: the run folder; None: runs/<task>, or runs/<kind>_<name of the file>. Needed where `task` is an object, or
            the rows are in memory.
        seed: of the order of examples, new weights and dropout.
        model, training, pretraining, evaluation: keys of the settings' sections of these names, `{"epochs": 2}`.
        settings: any other settings, `{"data.sequence_length": 64}`.
        skip_bad_rows: True leaves out and counts rows that cannot be read, up to a share of 0.01; a number: up to that.
        encoding: of text files, such as cp1252.
        progress: whether the rate, the loss, the scores, and what was inferred from your data are shown on stderr.
        own_data: with `kind`, keys of the settings' section [own_data], `text="message"` and `label="category"`; what
            is not given is inferred and written to the run's config.toml.
    Returns: the run, with its `result`, `metrics`, `folder` and `pipeline()`.
    Raises: UserError for what is not there or cannot be, before any work where that can be known; ValueError where
        settings are given twice; TypeError for an argument that there is not.

    Example:
        >>> import tempfile
        >>> import bert_tf
        >>> from bert_tf.data import InMemory
        >>> from bert_tf.kinds import Classification
        >>> rows = [{"text": "a joy", "label": "good"}, {"text": "a bore", "label": "bad"}]
        >>> source = InMemory({"train": rows, "validation": rows})
        >>> labels = {"label": "label", "classes": ("bad", "good")}
        >>> kind = Classification(source=source, text=("text",), sequence_length=8, **labels)
        >>> words = bert_tf.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "joy", "bore"])
        >>> settings = {"backbone": "tiny", "training": {"max_steps": 1}, "progress": False}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     words.save_pretrained(f"{folder}/words")
        ...     run = bert_tf.train(kind, vocabulary=f"{folder}/words", run=f"{folder}/run", **settings)
        >>> sorted(run.metrics), run.result["steps"]
        (['accuracy'], 1)
    """
    unknown = [name for name in own_data if name not in own_flags()]
    if unknown:
        raise TypeError(f"train() has no argument {unknown[0]!r}.{did_you_mean(unknown[0], _arguments())}")
    place, memory = (os.fspath(data), None) if isinstance(data, str | os.PathLike) else (None, data)
    layers = argument_layers(
        settings,
        {"model": model, "training": training, "pretraining": pretraining, "evaluation": evaluation},
        {"backbone": backbone, "vocabulary": vocabulary, "seed": seed},
        {
            "`data`": {"data": {} if place is None else {"source": place}},
            "`skip_bad_rows`, `encoding`": {"data": reading_of(skip_bad_rows, encoding)},
            **own_data_groups({"kind": kind, **own_data}),
        },
    )
    recipe = config if config is None or isinstance(config, RunConfig) else os.fspath(config)
    with arguments_named():
        show = (lambda message: tell(in_python(message))) if progress else LOG.info
        found, asked = asked_run(plain_path(task), recipe, layers, memory=memory, tell=show, warn=_warn)
        if run is None and (found is task or asked.data.source == OWN):
            raise UserError("`run` is needed where `task` is an object, or `data` in memory: a folder for the run")
        asked = with_training_data(found, asked, tell=_warn)
        by_hand = given_keys(found.defaults, layers)
        with own_randomness():
            return _run_to_its_end(
                found, asked, run, by_hand=by_hand, tell=_warn, show=show, start=check_backend, progress=progress
            )


def _to_try_next(run: Run) -> list[str]:
    """Commands for whoever has just trained for the first time."""
    asked = '--text="..."' if len(run.kind.text_columns) == 1 else "--input=FILE --output=answers.csv"
    return [
        f"python -m bert_tf predict --run={run.folder} {asked}",
        f"python -m bert_tf evaluate --run={run.folder} --mistakes=mistakes.csv",
        f"tensorboard --logdir={run.folder / 'tensorboard'}",
    ]


class CallableModule(types.ModuleType):
    """`bert_tf.train` is this file, which `python -m` runs, and is called like a function: a module whose class can be.

    A function of that name in the package would be overwritten by the module, as Python sets a package's attribute on
    the first import of a submodule; which of them `bert_tf.train` is would then depend on what was imported before.
    """

    __call__ = staticmethod(train)
    main = staticmethod(main)


sys.modules[__name__].__class__ = CallableModule


def _run_to_its_end(kind: Kind, config: RunConfig, folder: PathOrName | None, **more: Any) -> Run:
    """Trains, resumes, or finds finished; no other process does so in this folder meanwhile. Args: of `_in_folder`."""
    run_folder = Path(folder).expanduser() if folder else default_run_folder(config)
    check_writable(run_folder, "--run")
    with held(run_folder):
        return _in_folder(kind, config, run_folder, **more)


def _in_folder(
    kind: Kind,
    config: RunConfig,
    run_folder: Path,
    *,
    by_hand: Collection[str],
    tell: Callable[[str], None],
    show: Callable[[str], None],
    start: Callable[[], None],
    progress: bool,
) -> Run:
    """Args:
    by_hand: keys of [training] that are given, and so never found from the examples.
    tell, show: say what is found that may surprise, and which settings.
    start: comes before the first tensor.
    """
    # A folder that holds a run already: it is resumed where that is sound, else refused.
    begun = is_begun(run_folder)
    if begun:
        config = as_begun(config, read_config(run_folder / "config.toml"), by_hand=by_hand)
    differing = resumable_changes(config, run_folder) if begun else []
    if not any(change.rule and change.rule.kind == "length" for change in differing):
        result = finished(run_folder, tell=tell)
        if result is not None:
            for change in differing:
                tell(f"{change}: a finished run is not changed by it")
            tell(f"{run_folder} holds this run, finished. To train again, give another --run or delete the folder.")
            return Run(run_folder, kind, result)
    for change in differing:
        tell(f"{change}: {change.rule.effect if change.rule else ''}")

    # The examples, then training: what is wrong with them is said before TensorFlow is imported.
    data = str(config.data.source)
    examples = read_examples(config, kind, data=data)
    fetch_backbone(config.backbone)
    if not begun:
        config, found = with_fitting_settings(config, kind, examples, by_hand=by_hand)
        for line in found:
            show(line)
    files = task_file(kind) | ({} if begun and not differing else settings_file(config))
    start()
    from bert_tf.training.loop import train as train_run

    run = Run(run_folder, kind, {})

    def finish(result: dict[str, Any]) -> None:
        from bert_tf.training.board.diagnosing import diagnose, show_on_board

        found = diagnose(kind.configured(config), run.pipeline, examples["validation"], config, tell=say)
        if found is not None:
            show_on_board(run.pipeline(), found, run_folder, step=result["kept_step"])
        if config.evaluation.writes_report:
            from bert_tf.reporting.write import report_at_end

            run.result = result
            report_at_end(run, None if found is None else (found.diagnosis, found.examples), examples["validation"])

    read = {"data": data, "examples": examples, "is_sample": data == SAMPLE}
    run.result = train_run(config, kind, run_folder, **read, files=files, progress=progress, finish=finish)
    return run


def _arguments() -> list[str]:
    return [*inspect.signature(train).parameters, *own_flags()]


def _warn(message: str) -> None:
    LOG.warning("%s", in_python(message))


if __name__ == "__main__":
    run_command(PROG, main)
