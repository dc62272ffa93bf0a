"""What the commands share: flags, errors as one line, what is said, where data is. Imports nothing heavy."""

from __future__ import annotations

import argparse
import glob
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from bert_tf.config import OWN, SAMPLE, Layer, RunConfig, override_layer, resolve
from bert_tf.errors import UserError

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind

REMOTE = ("tfds:", "hf:")
NO_GPU = "failed call to cuInit"  # an error only where there is a driver
NVIDIA_DRIVER = Path("/dev/nvidiactl")
REMARKS = ("I0000 ", "WARNING: All log messages before absl::", "To enable the following instructions:")


LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
PROGRESS = logging.getLogger("bert_tf.progress")
"""What is being done and what was found: said by commands, and in Python only where somebody asks for its log lines."""


class Parser(argparse.ArgumentParser):
    """argparse, but a wrong flag is said in one line, flags cannot be shortened, and each command has --verbosity."""

    def __init__(self, prog: str, description: str | None, epilog: str | None = None):
        layout = argparse.RawDescriptionHelpFormatter
        super().__init__(prog, description=description, epilog=epilog, allow_abbrev=False, formatter_class=layout)
        self.add_argument("--verbosity", metavar="LEVEL", choices=LEVELS, default="info",
                          help=f"what to say on stderr: {', '.join(LEVELS)}; default: info")  # fmt: skip

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        flags, rest = super().parse_known_args(args, namespace)
        set_verbosity(flags.verbosity)
        return flags, rest

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
    return [*layers, reading_layer(flags)]


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


def add_model_settings(parser: Parser) -> None:
    """The flag of commands that take a model which no run made: how its files are read."""
    parser.add_argument("--set", metavar="KEY=VALUE", dest="settings", action="extend", nargs="+", default=[],
                        help=f"with --model: {', '.join(f'model.{key}' for key in READING_KEYS)}")  # fmt: skip


def model_settings(flags: argparse.Namespace) -> dict[str, Any]:
    """What `add_model_settings` was given, as arguments of Pipeline. Raises: UserError for any other setting."""
    if not flags.settings:
        return {}
    if flags.model is None:
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


def run_command(prog: str, command: Callable[[Sequence[str] | None], int | None]) -> NoReturn:
    """Runs a command as a process: its status, or 0; a UserError is one line on stderr and status 2."""
    status = 0
    try:
        status = command(None) or 0
        sys.stdout.flush()
    except UserError as error:
        print(f"{prog}: error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(f"{prog}: stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has gone. Python would complain once more on closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    sys.exit(status)


def say(message: str) -> None:
    """One line on stderr, unless --verbosity asks for less."""
    PROGRESS.info("%s", message)


def is_said(level: str = "info") -> bool:
    """Whether --verbosity asks for so much."""
    return PROGRESS.isEnabledFor(LEVELS[level])


def set_verbosity(name: str) -> None:
    """Says from now on what is as weighty as `name`, a key of `LEVELS`, on stderr.

    The library's own lines are those of Python's `logging`, under names that begin with bert_tf: a program that imports
    it filters them as any other library's. Keras's and TensorFlow's lines are absl's, and follow where less than
    warnings, or all, is asked for. What they log from C++ is for TF_CPP_MIN_LOG_LEVEL.
    """
    level = LEVELS[name]
    PROGRESS.setLevel(level)
    PROGRESS.propagate = False  # said once, however a program that calls a command in Python logs
    _show(PROGRESS)
    if level in (logging.INFO, logging.WARNING):
        return  # as Python shows warnings anyway
    from absl import logging as absl_logging

    library = logging.getLogger("bert_tf")
    library.setLevel(level)
    if level == logging.DEBUG:
        _show(library)  # Python shows no less than warnings by itself
    absl_logging.set_verbosity(name)
    logging.getLogger("tensorflow").setLevel(level)


def _show(logger: logging.Logger) -> None:
    if not any(isinstance(handler, _Stderr) for handler in logger.handlers):
        logger.addHandler(_Stderr())


class _Stderr(logging.StreamHandler[TextIO]):
    """Bare lines on what is sys.stderr when they are written."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # pyright: ignore[reportIncompatibleVariableOverride]
        return sys.stderr


def start_tensorflow() -> None:
    """TensorFlow's first import, with Keras on it; of what they log meanwhile only warnings and errors are shown.

    TensorFlow 2.21 writes remarks on oneDNN and CUDA to file descriptor 2 while its libraries load, whatever
    TF_CPP_MIN_LOG_LEVEL says, so that is where they are held back.

    Raises: UserError if KERAS_BACKEND asks for something else.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise UserError(f"KERAS_BACKEND must be unset or tensorflow for the commands. Received: {backend!r}")
    sys.stderr.flush()
    stderr = os.dup(2)
    imported = False
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            import keras
            import tensorflow as tf
            import tensorflow_text

            tf.config.list_physical_devices("GPU")  # the last of the remarks come from looking for them
            imported = bool(keras and tensorflow_text)
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            held_back.seek(0)
            for line in held_back.read().decode(errors="replace").splitlines():
                is_remark = line.startswith(REMARKS) or (NO_GPU in line and not NVIDIA_DRIVER.exists())
                if not imported or not is_remark:
                    print(line, file=sys.stderr, flush=True)


def find_data(kind: Kind, task: str, asked: str | None, *, tell: Callable[[str], None] = say) -> str:
    """What to read: `asked`, or the folder of the task under $BERT_TF_DATA, or the bundled sample.

    Args:
        tell: says that it is the sample.
    Returns: the absolute path of a folder or file, `tfds:NAME`, `hf:NAME`, `sample`, or `own`:
        that of a task whose source is no files.
    Raises: UserError if it is not there.
    """
    hint = f" {kind.how_to_get}" if kind.how_to_get else ""
    if asked is None:
        root = os.environ.get("BERT_TF_DATA")
        folder = Path(root).expanduser() / Path(task).stem if root else None
        if folder is not None and folder.exists():
            return str(folder.resolve())
        looked = f"{folder} (from $BERT_TF_DATA) is not there" if folder else "$BERT_TF_DATA is not set"
        if kind.has_own_place:
            return OWN
        if kind.sample is None:
            raise UserError(f"--data is needed: {looked}, and this task has no bundled sample.{hint}")
        tell(f"No --data, and {looked}: using the small bundled sample, not the real set.{hint}")
        return SAMPLE
    if asked == SAMPLE:
        if kind.sample is None:
            raise UserError(f"--data=sample: this task has no bundled sample.{hint}")
        return asked
    if asked.startswith(REMOTE) or (asked == OWN and kind.has_own_place):
        return asked
    path = Path(asked).expanduser()
    if kind.source.takes_patterns and not path.exists() and matches(str(path)):
        return str(path.absolute())
    if not path.exists():
        raise UserError(
            f"--data={asked}: expected a folder or file, tfds:NAME, hf:NAME or sample. "
            f"Received: a path that is not there.{hint}"
        )
    return str(path.resolve())


def matches(pattern: str) -> bool:
    """Whether there is a file of a name like this; ** stands for any folders."""
    return bool(glob.glob(pattern, recursive=True))  # noqa: PTH207 (which takes no pattern with .. in it)


def check_writable(folder: Path, flag: str) -> None:
    """Makes `folder` and tries to write in it. Raises: UserError that names the flag and the reason."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"{flag}={folder}: expected a folder that can be written. Received: {error}") from None
