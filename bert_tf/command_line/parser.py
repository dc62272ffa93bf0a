"""Flags: how commands read them, and those that several have."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from bert_tf.command_line.help import WIDTH, Show, example_lines, formatter, sections, summary_of
from bert_tf.command_line.saying import LEVELS, set_verbosity
from bert_tf.config import OWN, PRECISIONS, Layer, RunConfig, override_layer, own_flags, resolve
from bert_tf.errors import UserError, did_you_mean

STATUSES = """exit statuses:
  0    done
  2    something that you can put right, said in one line
  75   stopped by SIGTERM or SIGHUP: run the same command again (training has saved a checkpoint)
  130  stopped by Ctrl-C, in the same way"""


class Parser(argparse.ArgumentParser):
    """argparse, but a wrong flag is said in one line, flags cannot be shortened, and each command has --verbosity.

    Args:
        prog: the command, as it is typed.
        description: what it does; --help prints the first paragraph.
        epilog: what else --help-all prints.
        groups: title -> names of flags, which --help explains. It only names the others; --help-all explains all.
        examples: flags of calls that work -> what they do.
    """

    def __init__(
        self,
        prog: str,
        description: str | None,
        epilog: str | None = None,
        *,
        groups: Mapping[str, Sequence[str]] | None = None,
        examples: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(prog, description=description, epilog=epilog, allow_abbrev=False, add_help=False)
        self.groups, self.examples = groups or {}, examples or {}
        self.add_argument("-h", "--help", action=Show, whole=False, help="what is needed most often")
        self.add_argument("--help-all", action=Show, whole=True, help="all flags and settings")
        self.add_argument("--verbosity", metavar="LEVEL", choices=LEVELS, default="info",
                          help=f"what to say on stderr: {', '.join(LEVELS)}; default: info")  # fmt: skip

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        flags, rest = super().parse_known_args(args, namespace)
        set_verbosity(flags.verbosity)
        return flags, rest

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        flags, rest = self.parse_known_args(args, namespace)
        if rest:
            names = [name for action in self._actions for name in action.option_strings if name.startswith("--")]
            near = did_you_mean(rest[0].partition("=")[0], names) if rest[0].startswith("-") else ""
            self.error(f"unrecognized arguments: {' '.join(rest)}{'.' if near else ''}{near}")
        return flags

    def format_help(self) -> str:
        """The long one."""
        made = formatter(self.prog)
        made.add_usage(None, self._actions, [])
        made.add_text(self.description)
        self._add_examples(made)
        for title, actions in sections(self._actions, self.groups):
            made.start_section(title)
            made.add_arguments(actions)
            made.end_section()
        made.add_text(STATUSES)
        made.add_text(self.epilog)
        return made.format_help()

    def format_short_help(self) -> str:
        """What the command does, examples, and the flags that are needed most often, grouped by need."""
        made = formatter(self.prog)
        made.add_text(f"{summary_of(self.description or '')}.")
        self._add_examples(made)
        *grouped, (_, rest) = sections(self._actions, self.groups)
        for title, actions in grouped:
            made.start_section(title)
            made.add_arguments(actions)
            made.end_section()
        names = ", ".join(action.option_strings[-1] for action in rest if not isinstance(action, Show))
        made.add_text(textwrap.fill(f"More: {names}.", WIDTH, break_on_hyphens=False))
        made.add_text(f"All flags and settings: {self.prog} --help-all")
        return made.format_help()

    def _add_examples(self, made: argparse.HelpFormatter) -> None:
        if self.examples:
            made.add_text(f"examples:\n{example_lines(self.prog, self.examples)}")

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see --help)")


def add_reading_flags(parser: Parser) -> None:
    """The flags of commands that read examples: what to do with bad rows, and what encoding files are in."""
    parser.add_argument("--skip-bad-rows", metavar="SHARE", nargs="?", const=True, type=_share,
                        help="leave out and count rows that cannot be read, up to that share of a file's rows; "
                             "without SHARE: up to data.bad_rows_share, 0.01")  # fmt: skip
    parser.add_argument("--encoding", metavar="NAME", help="of text files, such as cp1252; default: UTF-8")


def run_layers(flags: argparse.Namespace) -> list[Layer]:
    """What the flags of a command that makes a run say of it: --set, then --backbone, --data and those of reading."""
    layers = [override_layer(flags.settings)]
    if flags.backbone is not None:
        layers.append(Layer(origin="--backbone", values={"backbone": flags.backbone}))
    if flags.data is not None:
        layers.append(Layer(origin="--data", values={"data": {"source": flags.data}}))
    for key in own_flags():
        value = getattr(flags, key, None)
        if value is not None:
            layers.append(Layer(origin=f"--{key.replace('_', '-')}", values={"own_data": {key: value}}))
    return [*layers, reading_layer(flags)]


def add_own_data_flags(parser: Parser) -> None:
    """The flags of a command that makes a task of somebody's own data: the keys of [own_data]."""
    for key, (metavar, meaning) in own_flags().items():
        parser.add_argument(f"--{key.replace('_', '-')}", metavar=metavar, help=meaning.replace("%", "%%"))


def reading_layer(flags: argparse.Namespace) -> Layer:
    """What `add_reading_flags` was given, as settings of a run."""
    data = reading_of(flags.skip_bad_rows, flags.encoding)
    return Layer(origin="--skip-bad-rows, --encoding", values={"data": data} if data else {})


def reading_of(skip_bad_rows: bool | float | None, encoding: str | None) -> dict[str, Any]:
    """The keys of [data] that say how rows are read; none for what is None.

    Args:
        skip_bad_rows: whether to leave out bad rows, or the largest share that may be.
    """
    data: dict[str, Any] = {}
    if skip_bad_rows is not None:
        data["skip_bad_rows"] = skip_bad_rows is not False
    if isinstance(skip_bad_rows, float):
        data["bad_rows_share"] = skip_bad_rows
    if encoding is not None:
        data["encoding"] = encoding
    return data


def with_reading(config: RunConfig, flags: argparse.Namespace) -> RunConfig:
    """A run's settings as `add_reading_flags` change them."""
    changes = reading_layer(flags).values.get("data", {})
    return config.model_copy(update={"data": config.data.model_copy(update=changes)})


READING_KEYS = ("lowercase", "ignore", "ignore_tokenizer")


def add_precision(parser: Parser, flag: str = "--precision", *, default: str = PRECISIONS[0]) -> None:
    """The flag of commands that answer with a model."""
    parser.add_argument(flag, metavar="NAME", choices=PRECISIONS, default=default,
                        help="what the model works in: float32, mixed_bfloat16, mixed_float16, or auto, what the "
                        "machine is fastest with, but float32 for a run trained in it; "
                        f"default: {default}")  # fmt: skip


def add_task(parser: Parser) -> None:
    """The flag of commands that take a run, which may be of somebody's own code."""
    parser.add_argument("--task", metavar="NAME|FILE", help="the run's task, where its folder does not hold all of it: "
                        "your Python file, which is run only if it is named here")  # fmt: skip


def add_model_settings(parser: Parser, *, answers: bool = False) -> None:
    """The flag of commands that take a model which no run made: how its files are read; with `answers` also how the
    task answers."""
    meaning = f"with --model: {', '.join(f'model.{key}' for key in READING_KEYS)}"
    if answers:
        meaning = f"settings of answers, where the task has them: long_texts=windows; {meaning}"
    parser.add_argument("--set", metavar="KEY=VALUE", dest="settings", action="extend", nargs="+", default=[],
                        help=meaning)  # fmt: skip


def answer_settings(flags: argparse.Namespace) -> Mapping[str, Any]:
    """Of what `add_model_settings` was given the settings of answers, which have no dot; the others stay."""
    names = [setting.partition("=")[0] for setting in flags.settings]
    found = [setting for setting, name in zip(flags.settings, names, strict=True) if "." not in name]
    flags.settings = [setting for setting, name in zip(flags.settings, names, strict=True) if "." in name]
    return override_layer(found).values


def model_settings(flags: argparse.Namespace) -> dict[str, Any]:
    """What `add_model_settings` was given, as arguments of Pipeline. Raises: UserError for any other setting."""
    if not flags.settings:
        return {}
    if flags.model is None or flags.run is not None:
        raise UserError(f"--set is for a --model that no run made. Received: --set {' '.join(flags.settings)}")
    known = [f"model.{key}" for key in READING_KEYS]
    unknown = [setting for setting in flags.settings if setting.partition("=")[0].strip() not in known]
    if unknown:
        raise UserError(f"--set takes {', '.join(known)} here. Received: {', '.join(unknown)}")
    model = resolve([Layer(origin="--model", values={"task": OWN}), override_layer(flags.settings)]).model
    return {key: getattr(model, key) for key in READING_KEYS}


def _share(value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, such as 0.05. Received: {value}")
    return share
