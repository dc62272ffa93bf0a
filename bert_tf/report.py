"""Write a report of a trained run: python -m bert_tf.report --run=runs/sst2

One HTML page that needs no other file: the result, learning curves, classes, calibration, the surest mistakes and the
settings. Next to it a PNG for each figure, and mistakes.csv. Training writes one when it ends; this one looks at all
examples, and says which words the surest mistakes hang on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bert_tf.command_line import Parser, add_task, check_writable, find_data, run_command, say, start_tensorflow
from bert_tf.errors import UserError
from bert_tf.inference.runs import open_run

PROG = "python -m bert_tf.report"
GROUPS = {
    "what is looked at": ("--run", "--task", "--data", "--split"),
    "what is written": ("--out", "--explain"),
}
EXAMPLES = {
    "--run=runs/sst2": "into runs/sst2/report",
    "--run=runs/sst2 --data=SST-2 --split=test --out=reports/test": "of another split",
    "--run=runs/sst2 --explain=0": "without the words that mistakes hang on, which take longest",
}
EXPLAINED, SECONDS = 8, 10  # mistakes whose words are marked, and how long more are begun


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(PROG, __doc__, groups=GROUPS, examples=EXAMPLES)
    parser.add_argument("--run", metavar="DIR", required=True, help="run folder, with its model")
    add_task(parser)
    parser.add_argument(
        "--data", metavar="WHERE", help="folder or file, tfds:NAME, hf:NAME or sample; default: the run's"
    )
    parser.add_argument("--split", metavar="NAME", default="validation", help="default: validation")
    parser.add_argument("--out", metavar="DIR", help="where the page goes; default: report in the run folder")
    parser.add_argument("--explain", metavar="N", type=int,
                        help="mistakes whose most important words to mark; default: as many as are done in "
                             f"{SECONDS} seconds or so, {EXPLAINED} at most")  # fmt: skip
    flags = parser.parse_args(argv)

    if flags.explain is not None and flags.explain < 0:
        raise UserError(f"--explain={flags.explain}: expected 0 or more. Received: {flags.explain}")
    folder = Path(flags.run).expanduser()
    config, kind = open_run(folder, task=flags.task, needs_data=flags.data is None)
    data = None if flags.data is None else find_data(kind, config.task, flags.data)
    out = folder / "report" if flags.out is None else Path(flags.out).expanduser()
    check_writable(out, "--out")

    start_tensorflow()
    from bert_tf.inference.trained import Run
    from bert_tf.reporting.write import write_report

    count, within = (EXPLAINED, SECONDS) if flags.explain is None else (flags.explain, None)
    run = Run(folder, None if flags.task is None else kind)
    page = write_report(run, data=data, split=flags.split, out=out, explain=count, within=within)
    say(f"Report in {page}; open it in a browser. Mistakes, as a table: {page.parent / 'mistakes.csv'}")
    print(json.dumps({"report": str(page), "mistakes": str(page.parent / "mistakes.csv")}))


if __name__ == "__main__":
    run_command(PROG, main)
