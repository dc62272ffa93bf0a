"""Answer new texts with a trained run: python -m bert_tf.predict --run=runs/sst2 --text="A joy from start to end."

Prints answers to read on a terminal, and one JSON object per line elsewhere, in the order of the input; or writes
--output as its suffix says. A file's other columns come back in the answers; one with the name of a part of the
answer, such as `label`, becomes `input.label`. The text is `text` in JSON, and in tables what its file calls it.

--input takes a folder or a pattern, too: a text file is one text there, a table a text a row, and each answer has its
`file`. A run that answers questions takes --question and --context, one or several files, and says which has the
answer. --interactive asks for texts in turn.

--shards answers more texts than one process should take, with Apache Beam: on this machine by default, and on Flink,
Spark or Dataflow with Beam's own flags, which are given to it. Its workers must see the folders, and have bert_tf.

An input that cannot be answered (bytes that are not text, a missing cell) has an object with `error` in its
place. Exit status: 0, all are answered; 3, some have an error in place of an answer; 2, bad use or a broken file.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bert_tf.command_line import (
    Parser,
    add_precision,
    add_task,
    check_writable,
    is_said,
    run_command,
    say,
    start_tensorflow,
)
from bert_tf.command_line.beam_jobs import beam_runner
from bert_tf.command_line.interactive import Lines, contexts_and_questions
from bert_tf.command_line.predict_flags import check_predict_flags
from bert_tf.config import override_layer
from bert_tf.data.files.write import ERROR, WRITERS, as_rows, writer_of
from bert_tf.data.inputs import Input, Reading, input_of_line
from bert_tf.data.many_inputs import FORMATS_OF_INPUTS, contexts_of, files_of, inputs_of
from bert_tf.disk.named_files import is_replaced, named_file, place_of
from bert_tf.errors import UserError
from bert_tf.inference.answering import Answered, answer_over, answers_of
from bert_tf.inference.engine.precision import use_all_cores
from bert_tf.inference.explaining import EXPLAINED
from bert_tf.inference.runs import model_of, open_run
from bert_tf.inference.sharded import FORMATS, ROWS, VECTORS, Asked, answer_in_shards

if TYPE_CHECKING:
    from bert_tf.inference.pipeline import Pipeline

PROG = "python -m bert_tf.predict"
GROUPS = {
    "with what": ("--run", "--model", "--task"),
    "what is answered": ("--text", "--input", "--text-column", "--question", "--context", "--interactive"),
    "where answers go": ("--output", "--shards"),
}
EXAMPLES = {
    '--run=runs/sst2 --text="A joy from start to end."': "one text",
    "--run=runs/sst2 --input=reviews.csv --text-column=review --output=answers.csv": "a file; its columns are kept",
    '--run=runs/squad --question="Who wrote it?" --context=book.txt': "a question to a file",
}
SOME_ERRORS = 3  # the exit status where some inputs have an error in place of an answer
CHUNK = 8192  # texts that are sorted by length together, and held in memory
FEW = 16  # texts that are not worth a graph
TEXT, JSON = "text", "json"

Write = Callable[[Mapping[str, Any], Mapping[str, Any]], None]
"""Takes an answer, or its `error`, and the other columns of its input."""


def main(argv: Sequence[str] | None = None) -> int:
    """Returns: the exit status, 0, or 3 where inputs have an error in place of an answer."""
    parser = Parser(PROG, __doc__, groups=GROUPS, examples=EXAMPLES)
    parser.add_argument("--run", metavar="DIR", required=True, help="run folder, with its model")
    parser.add_argument("--model", metavar="NAME|FILE", help="what answers instead of the run's own model: an exported "
                        "file (TFLite, ONNX, OpenVINO) or its folder, here or in the run folder")  # fmt: skip
    add_task(parser)
    parser.add_argument(
        "--text", action="append", help="a text; may be repeated; tabs stand between the texts of a pair"
    )
    parser.add_argument("--input", metavar="FILE|DIR|PATTERN|-",
                        help="file of inputs, a folder or a pattern of them, or - for standard input")  # fmt: skip
    parser.add_argument("--question", metavar="TEXT", action="append",
                        help="a question about the texts of --context; may be repeated")  # fmt: skip
    parser.add_argument("--context", metavar="FILE|DIR|PATTERN", action="append",
                        help="text files that --question, or --interactive, asks about; may be repeated")  # fmt: skip
    parser.add_argument("--interactive", action="store_true", help="ask for texts in turn, and answer each")
    parser.add_argument("--input-format", metavar="NAME", choices=FORMATS_OF_INPUTS,
                        help=f"{', '.join(FORMATS_OF_INPUTS)} (a file is one text); default: by the file's suffix; "
                             "- is lines")  # fmt: skip
    parser.add_argument("--text-column", metavar="NAME", help="what the file calls the text; default: as the task does")
    parser.add_argument("--pair-column", metavar="NAME", help="what the file calls the second text of a pair")
    parser.add_argument("--encoding", metavar="NAME", help="of a text file, such as cp1252; default: UTF-8")
    parser.add_argument("--explain", action="store_true", help="also say which words an answer hangs on, by integrated "
                        f"gradients; for {EXPLAINED}")  # fmt: skip
    add_precision(parser)
    parser.add_argument("--set", metavar="KEY=VALUE", dest="settings", action="extend", nargs="+", default=[],
                        help="settings of answers, if there are any: long_texts=windows, ...")  # fmt: skip
    parser.add_argument("--output", metavar="FILE", help="where the answers go, as its suffix says: "
                        f"{', '.join(WRITERS)}; default: standard output")  # fmt: skip
    parser.add_argument("--rows-of", metavar="LIST", help="write a row for each object of a list in the answers: "
                        "entities, words, sentences, n_best, masks; default: a row for each answer")  # fmt: skip
    parser.add_argument("--format", metavar="NAME", choices=(TEXT, JSON), help="of standard output: text, to be read, "
                        "or json, an object a line; default: text on a terminal, json elsewhere")  # fmt: skip
    parser.add_argument("--shards", metavar="DIR", help="a new folder for the answers of --input, in shards, which "
                        "Apache Beam makes (extra prepare)")  # fmt: skip
    parser.add_argument("--shard-rows", metavar="N", type=int, default=ROWS, help=f"inputs a shard; default: {ROWS:,}")
    parser.add_argument("--shard-format", metavar="SUFFIX", choices=FORMATS, default=FORMATS[0],
                        help=f"{', '.join(FORMATS)} (vectors alone); default: {FORMATS[0]}")  # fmt: skip
    flags, of_beam = parser.parse_known_args(argv)
    if of_beam and flags.shards is None:
        parser.error(f"unrecognized arguments: {' '.join(of_beam)}")

    # 1. What is asked, and whether it can be, before anything slow.
    check_predict_flags(flags)
    run_folder = Path(flags.run).expanduser()
    make_writer = writer_of(flags.output)
    model = model_of(run_folder, flags.model)
    kind = open_run(run_folder, task=flags.task).kind.with_settings(override_layer(flags.settings).values)
    if (flags.question or flags.context) and kind.serving.over_texts is None:
        came = f"one of {type(kind).__name__}"
        raise UserError(f"--question, --context: expected a run that answers questions about a text. Received: {came}")
    if flags.explain and kind.explained is None:
        came = f"one of {type(kind).__name__}"
        raise UserError(f"--explain: expected a run whose answers are {EXPLAINED}. Received: {came}")
    reading = Reading(
        columns=kind.text_columns,
        read_cell=kind.input_text,
        file_format=flags.input_format,
        text_column=flags.text_column,
        pair_column=flags.pair_column,
        encoding=flags.encoding,
        source=kind.source.reader,
        joiner=getattr(kind, "joiner", None),
    )
    if flags.shards is not None:
        return _in_shards(flags, of_beam, reading, kind.serving.vector, model)
    is_asked = flags.interactive or flags.question is not None
    inputs = iter(()) if is_asked else inputs_of(flags.text, flags.input, reading)
    contexts = contexts_of(flags.context, reading) if flags.context else {}
    if flags.output:
        place = place_of(flags.output, "--output")
        if is_replaced(place):
            check_writable(place.parent, "--output")

    # 2. The model, and its answers.
    start_tensorflow()
    from bert_tf.inference.pipeline import Pipeline

    use_all_cores()
    precision = "float32" if flags.explain and flags.precision == "auto" else flags.precision
    pipeline = Pipeline(model, task=kind, precision=precision)
    is_drawn = flags.format == TEXT or (flags.format is None and flags.output is None and sys.stdout.isatty())
    with _output(flags.output) as out:
        if is_drawn:
            from bert_tf.terminal.drawing import Drawn

            drawn = Drawn(out, kind.serving.shown)
            status = _answer(pipeline, inputs, contexts, flags, drawn.write, out, reading)
            drawn.finish()
        else:
            with make_writer(out) as writer:
                write = as_rows(writer, flags.rows_of, reading.named if flags.input else ())
                if contexts:
                    write = _without(kind.text_columns[1], write)
                status = _answer(pipeline, inputs, contexts, flags, write, out, reading)
    return status


def _in_shards(flags: argparse.Namespace, of_beam: Sequence[str], reading: Reading, vector: str, model: Path) -> int:
    """Answers --input with Beam. Returns: the exit status."""
    if flags.shard_format == VECTORS and not vector:
        raise UserError(f"--shard-format={VECTORS}: expected a run whose answers are vectors. Received: {flags.run}")
    output = Path(flags.shards).expanduser()
    check_writable(output.parent, "--shards")
    run = beam_runner(PROG, of_beam)
    inputs = inputs_of(None, flags.input, reading)
    asked = Asked(
        run=flags.run,
        model=str(model),
        task=flags.task,
        precision=flags.precision,
        settings=tuple(flags.settings),
        suffix=flags.shard_format,
        rows_of=flags.rows_of,
        names=tuple(reading.named),
    )
    how = {name: getattr(flags, name) for name in ("input_format", "text_column", "pair_column", "encoding")}
    started = time.perf_counter()
    start_tensorflow()
    found = answer_in_shards(asked, inputs, files_of(flags.input), output, run=run, rows=flags.shard_rows, reading=how)
    seconds = time.perf_counter() - started
    say(f"{found['texts']:,} texts in {found['shards']:,} shards in {output}, {found['errors']:,} with an error, "
        f"{found['cut']:,} cut, {seconds:.1f} s")  # fmt: skip
    return SOME_ERRORS if found["errors"] else 0


def _answer(
    pipeline: Pipeline,
    inputs: Iterator[Input],
    contexts: Mapping[str, str],
    flags: argparse.Namespace,
    write: Write,
    out: IO[str],
    reading: Reading,
) -> int:
    """Answers what the flags ask. Returns: the exit status."""
    if flags.question is not None:
        for question in flags.question:
            write(answer_over(pipeline, question, contexts, explain=flags.explain), {})
        return 0
    if flags.interactive:
        return _in_turn(pipeline, contexts, write, out, reading, explain=flags.explain)
    from bert_tf.inference.answers import CUT_TOKENS, cut_line

    started = time.perf_counter()
    done, cut, errors = 0, 0, []
    while chunk := list(islice(inputs, CHUNK)):
        if not done and len(chunk) <= FEW:
            pipeline = pipeline.for_few()
        for answer, others in answers_of(pipeline, chunk, explain=flags.explain):
            write(answer, others)
            cut += CUT_TOKENS in answer
        out.flush()
        done += len(chunk)
        errors += [found.error for found in chunk if found.error is not None]
        if flags.output is not None or not out.isatty():  # where answers show, a line between them is in the way
            _progress(done, started, last=False)
    _progress(done, started, last=True, precision=pipeline.precision)
    if cut:
        say(cut_line(pipeline.kind, cut, done))
    if errors:
        say(f"{len(errors):,} of {done:,} inputs have an error in place of an answer, the first: {errors[0]}")
    return SOME_ERRORS if errors else 0


def _in_turn(
    pipeline: Pipeline, contexts: Mapping[str, str], write: Write, out: IO[str], reading: Reading, *, explain: bool
) -> int:
    """Answers what is typed, or comes line by line, until its end. Returns: the exit status."""
    kind, lines, status = pipeline.kind, Lines(), 0

    def asked() -> Iterator[Callable[[], Iterator[Answered]]]:
        if contexts:
            for question in lines.each("question"):
                yield lambda question=question: iter([(answer_over(pipeline, question, contexts, explain=explain), {})])
        elif kind.serving.over_texts is not None:
            for context, question in contexts_and_questions(lines):
                one = Input("standard input", (question, context))
                yield lambda one=one: answers_of(pipeline, [one], explain=explain)
        else:
            for line in lines.each(kind.text_columns[0]):
                if lines.is_terminal and "\t" not in line:
                    line = "\t".join([line, *(lines.ask(name) or "" for name in kind.text_columns[1:])])
                one = input_of_line(line, "standard input", reading)
                yield lambda one=one: answers_of(pipeline, [one], explain=explain)

    for answer_it in asked():
        try:
            found: list[Answered] = list(answer_it())
        except (UserError, ValueError) as error:
            found = [({ERROR: str(error)}, {})]
        for answer, others in found:
            write(answer, others)
            status = SOME_ERRORS if ERROR in answer else status
        out.flush()
    return status


def _without(column: str, write: Write) -> Write:
    """Leaves out a column of answers: the text of a whole file, say."""
    return lambda answer, others: write({key: value for key, value in answer.items() if key != column}, others)


def _progress(done: int, started: float, *, last: bool, precision: str = "") -> None:
    """A line that writes itself over on a terminal, and one line at the end elsewhere."""
    seconds = time.perf_counter() - started
    line = f"{done:,} texts in {seconds:.1f} s ({done / max(seconds, 1e-9):,.0f} texts/s)"
    line += f", in {precision}" if precision else ""
    if not is_said():
        return
    if sys.stderr.isatty():
        print(f"\r{line}", end="\n" if last else "", file=sys.stderr, flush=True)
    elif last:
        say(line)


def _output(name: str | None) -> contextlib.AbstractContextManager[IO[str]]:
    """Standard output, or the file."""
    return contextlib.nullcontext(sys.stdout) if name is None else named_file(name, "--output")


if __name__ == "__main__":
    run_command(PROG, main)
