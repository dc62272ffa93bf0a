"""Answer new texts with a trained run: python -m bert_tf.predict --run=runs/sst2 --text="A joy from start to end."

Prints one JSON object a line, in the order of the input.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

from bert_tf.command_line import Parser, check_writable, run_command, say, start_tensorflow
from bert_tf.config import override_layer
from bert_tf.errors import UserError
from bert_tf.kinds.inputs import FORMATS, read_inputs
from bert_tf.runs import open_run

PROG = "python -m bert_tf.predict"
CHUNK = 8192  # texts that are sorted by length together, and held in memory


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(PROG, __doc__)
    parser.add_argument("--run", metavar="DIR", required=True, help="run folder, with its model")
    parser.add_argument("--text", action="append", help="a text; may be repeated; a pair has a tab between its texts")
    parser.add_argument("--input", metavar="FILE|-", help="file of inputs, or - for standard input")
    parser.add_argument(
        "--input-format", choices=FORMATS, help="lines, tsv or jsonl; default: by the file's suffix, else lines"
    )
    parser.add_argument("--set", metavar="KEY=VALUE", dest="settings", action="extend", nargs="+", default=[],
                        help="how to answer, where the task lets one choose: word_vectors=true")  # fmt: skip
    parser.add_argument("--output", metavar="FILE", help="where the answers go; default: standard output")
    flags = parser.parse_args(argv)

    if (flags.text is None) == (flags.input is None):
        raise UserError("expected either --text or --input. Received: " + ("neither" if flags.text is None else "both"))
    run_folder = Path(flags.run).expanduser()
    kind = open_run(run_folder).kind.with_settings(override_layer(flags.settings).values)
    inputs = read_inputs(flags.text, flags.input, flags.input_format, kind.text_columns, kind.input_text)
    if flags.output:
        check_writable(Path(flags.output).expanduser().parent, "--output")

    start_tensorflow()
    from bert_tf.pipeline import Pipeline

    pipeline = Pipeline(run_folder, task=kind)
    started = time.perf_counter()
    done = 0
    with _output(flags.output) as out:
        while chunk := list(islice(inputs, CHUNK)):
            texts = [first for first, _ in chunk]
            pairs = [second for _, second in chunk if second is not None] or None
            for answer in pipeline(texts, pairs):
                out.write(json.dumps(answer, ensure_ascii=False) + "\n")
            out.flush()
            done += len(chunk)
            _progress(done, started, last=False)
    _progress(done, started, last=True)


def _progress(done: int, started: float, *, last: bool) -> None:
    """A line that writes itself over on a terminal, and one line at the end elsewhere."""
    seconds = time.perf_counter() - started
    line = f"{done:,} texts in {seconds:.1f} s ({done / max(seconds, 1e-9):,.0f} texts/s)"
    if sys.stderr.isatty():
        print(f"\r{line}", end="\n" if last else "", file=sys.stderr, flush=True)
    elif last:
        say(line)


@contextlib.contextmanager
def _output(name: str | None) -> Iterator[IO[str]]:
    """Standard output, or a file that gets its name only when all is written."""
    if name is None:
        yield sys.stdout
        return
    path = Path(name).expanduser()
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


if __name__ == "__main__":
    run_command(PROG, main)
