"""Score a trained run on a split of its data: python -m bert_tf.evaluate --run=runs/sst2

Raw text goes through the same graph that predicts and serves. The metrics are printed as a line on stderr, and as JSON.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from bert_tf.command_line import Parser, find_data, read_run, run_command, say, start_tensorflow
from bert_tf.errors import UserError
from bert_tf.lookup import load_task

PROG = "python -m bert_tf.evaluate"


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(PROG, __doc__)
    parser.add_argument("--run", metavar="DIR", required=True, help="run folder, with its model")
    parser.add_argument(
        "--data", metavar="WHERE", help="folder or file, tfds:NAME, hf:NAME or sample; default: the run's"
    )
    parser.add_argument("--split", metavar="NAME", default="validation", help="default: validation")
    parser.add_argument("--skip-bad-rows", action="store_true", help="leave out and count rows that cannot be read")
    flags = parser.parse_args(argv)

    run_folder = Path(flags.run).expanduser()
    config = read_run(run_folder)
    kind = load_task(config.task)
    data = find_data(kind, config.task, flags.data or config.data.source)
    skip_bad_rows = flags.skip_bad_rows or config.data.skip_bad_rows
    examples = kind.read(data, flags.split, skip_bad_rows=skip_bad_rows)
    if not examples.is_labelled or not len(examples):
        raise UserError(
            f"--split={flags.split}: expected labelled examples. Received: {len(examples)} examples without labels"
        )

    start_tensorflow()
    from bert_tf.pipeline import Pipeline

    pipeline = Pipeline(run_folder)
    started = time.perf_counter()
    answers = pipeline.rows(examples.texts, examples.pairs)
    seconds = time.perf_counter() - started
    metrics = kind.measure_answers(answers, examples)
    named = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
    say(
        f"{flags.split} of {data}: {named} "
        f"({len(examples)} examples, {examples.bad_rows} bad rows left out, {seconds:.1f} s)"
    )
    result = {"task": config.task, "data": data, "split": flags.split, "examples": len(examples)}
    print(json.dumps({**result, "bad_rows": examples.bad_rows, "metrics": metrics, "seconds": round(seconds, 3)}))


if __name__ == "__main__":
    run_command(PROG, main)
