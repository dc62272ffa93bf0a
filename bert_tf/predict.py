"""Answer new texts with a trained run: python -m bert_tf.predict --run=runs/sst2 --text="A joy from start to end."

Prints one JSON object per line, in the order of the input, or writes --output as its suffix says. A file's other
columns come back in the answers; one with the name of a part of the answer, such as `label`, becomes `input.label`.

An input that cannot be answered (bytes that are not text, a missing cell) has an object with `error` in its
place. Exit status: 0, all are answered; 3, some have an error in place of an answer; 2, bad use or a broken file.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bert_tf.command_line import Parser, check_writable, is_said, run_command, say, start_tensorflow
from bert_tf.config import override_layer
from bert_tf.data.files.write import ERROR, WRITERS, writer_of
from bert_tf.data.inputs import INPUT_FORMATS, Input, Reading, read_inputs
from bert_tf.errors import UserError
from bert_tf.inference.runs import open_run

if TYPE_CHECKING:
    from bert_tf.inference.pipeline import Pipeline

PROG = "python -m bert_tf.predict"
GROUPS = {
    "with what": ("--run",),
    "what is answered": ("--text", "--input", "--text-column"),
    "where answers go": ("--output",),
}
EXAMPLES = {
    '--run=runs/sst2 --text="A joy from start to end."': "one text",
    "--run=runs/sst2 --input=reviews.csv --text-column=review --output=answers.csv": "a file; its columns are kept",
    "--run=runs/sst2 --input=-": "a text a line, from standard input",
}
SOME_ERRORS = 3  # the exit status where some inputs have an error in place of an answer
CHUNK = 8192  # texts that are sorted by length together, and held in memory


def main(argv: Sequence[str] | None = None) -> int:
    """Returns: the exit status, 0, or 3 where inputs have an error in place of an answer."""
    parser = Parser(PROG, __doc__, groups=GROUPS, examples=EXAMPLES)
    parser.add_argument("--run", metavar="DIR", required=True, help="run folder, with its model")
    parser.add_argument(
        "--text", action="append", help="a text; may be repeated; tabs stand between the texts of a pair"
    )
    parser.add_argument("--input", metavar="FILE|-", help="file of inputs, or - for standard input")
    parser.add_argument("--input-format", metavar="NAME", choices=INPUT_FORMATS,
                        help=f"{', '.join(INPUT_FORMATS)}; default: by the file's suffix; - is lines")  # fmt: skip
    parser.add_argument("--text-column", metavar="NAME", help="what the file calls the text; default: as the task does")
    parser.add_argument("--pair-column", metavar="NAME", help="what the file calls the second text of a pair")
    parser.add_argument("--encoding", metavar="NAME", help="of a text file, such as cp1252; default: UTF-8")
    parser.add_argument("--set", metavar="KEY=VALUE", dest="settings", action="extend", nargs="+", default=[],
                        help="settings of answers, for tasks that have some: word_vectors=true")  # fmt: skip
    parser.add_argument("--output", metavar="FILE", help="where the answers go, as its suffix says: "
                        f"{', '.join(WRITERS)}; default: standard output, as JSON lines")  # fmt: skip
    flags = parser.parse_args(argv)

    if (flags.text is None) == (flags.input is None):
        raise UserError("expected either --text or --input. Received: " + ("neither" if flags.text is None else "both"))
    run_folder = Path(flags.run).expanduser()
    make_writer = writer_of(flags.output)
    kind = open_run(run_folder).kind.with_settings(override_layer(flags.settings).values)
    reading = Reading(
        columns=kind.text_columns,
        read_cell=kind.input_text,
        file_format=flags.input_format,
        text_column=flags.text_column,
        pair_column=flags.pair_column,
        encoding=flags.encoding,
        source=kind.source,
        joiner=getattr(kind, "joiner", None),
    )
    inputs = read_inputs(flags.text, flags.input, reading)
    if flags.output:
        check_writable(Path(flags.output).expanduser().parent, "--output")

    start_tensorflow()
    from bert_tf.inference.pipeline import Pipeline

    pipeline = Pipeline(run_folder, task=kind)
    started = time.perf_counter()
    done = 0
    errors: list[str] = []
    with _output(flags.output) as out, make_writer(out) as writer:
        while chunk := list(islice(inputs, CHUNK)):
            for answer in _answers(pipeline, chunk):
                writer.write(answer)
            out.flush()
            done += len(chunk)
            errors += [found.error for found in chunk if found.error is not None]
            _progress(done, started, last=False)
    _progress(done, started, last=True)
    if errors:
        say(f"{len(errors):,} of {done:,} inputs have an error in place of an answer, the first: {errors[0]}")
    return SOME_ERRORS if errors else 0


def _answers(pipeline: Pipeline, inputs: Sequence[Input]) -> Iterator[dict[str, Any]]:
    """For each input its answer, or `error`, after the other columns of its row.

    A column has one name in all rows: `input.label` where answers have a `label`, in rows with an error too.
    """
    good = [found for found in inputs if found.error is None]
    found_answers: list[dict[str, Any]] = []
    if good:
        names = pipeline.kind.text_columns
        found_answers = pipeline([dict(zip(names, found.texts, strict=True)) for found in good])
    taken = {ERROR}.union(*found_answers)
    answers = iter(found_answers)
    for found in inputs:
        answer = next(answers) if found.error is None else {ERROR: found.error}
        others = {f"input.{name}" if name in taken else name: cell for name, cell in found.others.items()}
        yield {**others, **answer}


def _progress(done: int, started: float, *, last: bool) -> None:
    """A line that writes itself over on a terminal, and one line at the end elsewhere."""
    seconds = time.perf_counter() - started
    line = f"{done:,} texts in {seconds:.1f} s ({done / max(seconds, 1e-9):,.0f} texts/s)"
    if not is_said():
        return
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
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


if __name__ == "__main__":
    run_command(PROG, main)
