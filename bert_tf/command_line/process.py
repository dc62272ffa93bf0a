"""A command as a process: its status, and TensorFlow's first import."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from bert_tf.command_line.saying import said_while, show_warnings
from bert_tf.command_line.streams import open_streams, write_no_more
from bert_tf.command_line.when_used import load_within, read_when_used
from bert_tf.disk.whole import reason
from bert_tf.errors import INTERRUPTED, RUN_AGAIN, RunAgain, Stopped, UserError, say_at_once, stop

NO_GPU = "failed call to cuInit"  # an error only where there is a driver
NVIDIA_DRIVER = Path("/dev/nvidiactl")
UNNEEDED = ("IPython", "jax", "matplotlib", "pandas", "scipy", "sklearn")
"""What TensorFlow and Keras import where it is there, for parts that no command uses: a third of the start."""
WHEN_USED = (
    "tensorflow._api.v2.compat",
    "tensorflow._api.v2.profiler",
    "tensorflow_text",
    "tensorflow_text.python",
    "tensorflow_text.python.ops",
)
"""Parts that few commands use, and that come with TensorFlow's import: a tenth of its time, 127 MB of 670. The first
tokenizer reads its own operator of tensorflow_text's two dozen, each of them a library of 4 MB.

Not tensorflow._api.v2.lite: there is a package tensorflow.lite, too, which would get its name by being imported later.
"""
LOADED_LATER = ("tensorflow_text.", "tensorflow.")
"""What the modules' names begin with whose libraries are loaded when they are used."""
REMARKS = ("I0000 ", "WARNING: All log messages before absl::", "To enable the following instructions:")


_is_own_process = False  # whether nobody but a command uses this process


def run_command(prog: str, command: Callable[[Sequence[str] | None], int | None]) -> NoReturn:
    """Runs a command as a process, with its status, or 0.

    UserError, Ctrl-C and a signal to end are one line on stderr, with the statuses 2 (RunAgain: 75), 130 and 75.
    """
    global _is_own_process
    status, _is_own_process = 0, True
    try:
        open_streams()
        show_warnings()
        with _stopped_by_signals():
            status = command(None) or 0
            sys.stdout.flush()
    except UserError as error:
        print(f"{prog}: error: {error}", file=sys.stderr)
        sys.exit(RUN_AGAIN if isinstance(error, RunAgain) else 2)
    except KeyboardInterrupt as stopped:
        say_at_once(f"{prog}: {stopped if isinstance(stopped, Stopped) else 'stopped'}")
        sys.exit(getattr(stopped, "status", INTERRUPTED))
    except BrokenPipeError:
        write_no_more()  # whoever read our output has gone
        sys.exit(141)
    except Exception as error:
        why = reason(error)
        if why is None:
            raise
        place = getattr(error, "filename", None) or "standard output or a file"
        print(f"{prog}: error: {place} cannot be written or read: {why}", file=sys.stderr)
        write_no_more()
        sys.exit(2)
    finally:
        # Python ends with a search for garbage among all that there is: a second, where TensorFlow is.
        gc.freeze()
    sys.exit(status)


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the command as an error does, unless whoever started it has them ignored (nohup)."""
    replaced = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                replaced[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, before in replaced.items():
            signal.signal(number, before)


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
    with without_remarks():
        with _fast_imports() if _is_own_process else contextlib.nullcontext():
            import keras
            import tensorflow as tf
            import tensorflow_text.python.ops

        tf.config.list_physical_devices("GPU")  # the last of the remarks come from looking for them
        assert keras
        assert tensorflow_text
    if _is_own_process:  # libraries that are loaded later make the same remarks again
        load_within(LOADED_LATER, without_remarks)


_held_back = threading.RLock()
_is_held_back = False


@contextlib.contextmanager
def without_remarks() -> Iterator[None]:
    """Leaves out of file descriptor 2 what libraries remark while they are loaded; all of it is said if that fails."""
    global _is_held_back
    with _held_back:
        if _is_held_back:  # one library loads another one
            yield
            return
        _is_held_back, loaded = True, False
        sys.stderr.flush()
        stderr = os.dup(2)
        with tempfile.TemporaryFile() as kept:
            os.dup2(kept.fileno(), 2)
            try:
                yield
                loaded = True
            finally:
                _is_held_back = False
                sys.stderr.flush()
                os.dup2(stderr, 2)
                os.close(stderr)
                kept.seek(0)
                for line in kept.read().decode(errors="replace").splitlines():
                    is_remark = line.startswith(REMARKS) or (NO_GPU in line and not NVIDIA_DRIVER.exists())
                    if not loaded or not is_remark:
                        print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _fast_imports() -> Iterator[None]:
    """For a process of a command's own: meanwhile `UNNEEDED` cannot be imported, `WHEN_USED` is read when it is used,
    and nobody looks for garbage.

    Later all can be imported, by who needs it. What imports have made stays to the end, so that it is not looked
    through for garbage later either; a fifth of the imports' time went into that.
    """
    names = [name for name in UNNEEDED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(names))  # pyright: ignore[reportCallIssue, reportArgumentType]  # Python's own way
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        with read_when_used(WHEN_USED):
            yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
        for name in names:
            sys.modules.pop(name, None)
