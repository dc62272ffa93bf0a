"""A command as a process: its status, and TensorFlow's first import."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from bert_tf.command_line.saying import said_while
from bert_tf.errors import Stopped, UserError

NO_GPU = "failed call to cuInit"  # an error only where there is a driver
NVIDIA_DRIVER = Path("/dev/nvidiactl")
UNNEEDED = ("IPython", "jax", "matplotlib", "pandas", "scipy", "sklearn")
"""What TensorFlow and Keras import where it is there, for parts that no command uses: a third of the start."""
REMARKS = ("I0000 ", "WARNING: All log messages before absl::", "To enable the following instructions:")


_is_own_process = False  # whether nobody but a command uses this process


def run_command(prog: str, command: Callable[[Sequence[str] | None], int | None]) -> NoReturn:
    """Runs a command as a process, with its status, or 0. UserError and Ctrl-C are one line on stderr, 2 and 130."""
    global _is_own_process
    status, _is_own_process = 0, True
    try:
        status = command(None) or 0
        sys.stdout.flush()
    except UserError as error:
        print(f"{prog}: error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt as stopped:
        print(f"{prog}: {stopped if isinstance(stopped, Stopped) else 'stopped'}", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has gone. Python would complain once more on closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    sys.exit(status)


def start_tensorflow() -> None:
    """TensorFlow's first import, with Keras on it; of what they log meanwhile only warnings and errors are shown.

    It takes seconds, so that it is said: on a terminal until it is done. TensorFlow 2.21 writes remarks on oneDNN and
    CUDA to file descriptor 2 while its libraries load, whatever TF_CPP_MIN_LOG_LEVEL says, so that is where they are
    held back.

    Raises: UserError if KERAS_BACKEND asks for something else.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise UserError(f"KERAS_BACKEND must be unset or tensorflow for the commands. Received: {backend!r}")
    with said_while("Loading TensorFlow", unless="tensorflow_text" in sys.modules):
        _import_tensorflow()


def _import_tensorflow() -> None:
    sys.stderr.flush()
    stderr = os.dup(2)
    imported = False
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            with _without_unneeded():
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


@contextlib.contextmanager
def _without_unneeded() -> Iterator[None]:
    """In a process of a command's own, meanwhile `UNNEEDED` cannot be imported; later they can, by who needs them."""
    names = [name for name in UNNEEDED if name not in sys.modules] if _is_own_process else []
    sys.modules.update(dict.fromkeys(names))  # pyright: ignore[reportCallIssue, reportArgumentType]  # Python's own way
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)
