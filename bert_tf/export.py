"""Export a trained run, to serve it: python -m bert_tf.export --run=runs/sst2 --format=saved_model --out=models/sst2

The export is read back, answers the run's evaluation set as its users will ask it, and is timed; only then does it get
its name, with export_report.json and export_report.md in it. One that loses more of the task's metric
than --tolerance is refused.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bert_tf.command_line import (
    Parser,
    add_reading_flags,
    add_task,
    find_data,
    run_command,
    say,
    start_tensorflow,
    with_reading,
)
from bert_tf.config import RunConfig, override_layer
from bert_tf.errors import UserError
from bert_tf.exporting.definitions import export_in, load_export
from bert_tf.inference.runs import open_run
from bert_tf.lookup import names

if TYPE_CHECKING:
    from bert_tf.exporting import Artefact
    from bert_tf.kinds.base import Kind

PROG = "python -m bert_tf.export"
CHECKED = 2000  # examples of the evaluation set that an export is checked on
GROUPS = {
    "what is written": ("--run", "--task", "--format", "--out", "--quantize"),
    "how it is checked": ("--data", "--tolerance", "--no-timing", "--beside"),
}
EXAMPLES = {
    "--run=runs/sst2 --format=saved_model --out=models/sst2": "for TensorFlow Serving, or plain TensorFlow",
    "--run=runs/sst2 --format=tflite --quantize=float32,int8 --out=models/phone": "for phones, in two sizes",
    "--run=runs/sst2 --format=huggingface --out=models/hub": "for Transformers",
}


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(PROG, __doc__, groups=GROUPS, examples=EXAMPLES)
    parser.add_argument("--run", metavar="DIR", required=True, help="run folder, with its model")
    add_task(parser)
    parser.add_argument(
        "--format", metavar="NAME|FILE", required=True, help=f"{', '.join(names('export'))}, or your own file"
    )
    parser.add_argument("--out", metavar="DIR", required=True, help="where it goes")
    parser.add_argument("--quantize", metavar="NAME[,NAME]", help="of formats that have this setting: how")
    parser.add_argument("--set", metavar="KEY=VALUE", dest="settings", action="extend", nargs="+", default=[],
                        help="other settings of the format")  # fmt: skip
    parser.add_argument("--data", metavar="WHERE", help="what to check it on; default: the run's")
    parser.add_argument("--split", metavar="NAME", default="validation", help="default: validation")
    add_reading_flags(parser)
    parser.add_argument("--examples", metavar="N", type=_positive, default=CHECKED,
                        help=f"check the first N examples of the split; default: {CHECKED}")  # fmt: skip
    parser.add_argument("--tolerance", metavar="POINTS", type=_points, default=0.5,
                        help="points, of 100, of the task's metric that may be lost; default: 0.5")  # fmt: skip
    parser.add_argument("--no-timing", action="store_true", help="leave the times out of the report")
    parser.add_argument("--beside", metavar="DIR", action="extend", nargs="+", default=[],
                        help="other exports of the run, to be timed in turns with this one")  # fmt: skip
    flags = parser.parse_args(argv)

    # 1. What is asked, and whether it can be, before anything slow.
    folder, out = Path(flags.run).expanduser(), Path(flags.out).expanduser()
    config, kind = open_run(folder, task=flags.task, needs_data=True, data=flags.data)
    config = with_reading(config, flags)
    kind = kind.configured(config)
    artefact = load_export(flags.format)
    settings = [*flags.settings, *([] if flags.quantize is None else [f"quantize={json.dumps(flags.quantize)}"])]
    artefact = artefact.with_settings(override_layer(settings).values)
    artefact.check(kind)
    place = artefact.place(out)
    beside = {place: export_in(Path(place).expanduser()) for place in flags.beside}
    data = find_data(kind, config.task, flags.data or config.data.source)

    # 2. Written beside, read back, checked, and given its name.
    report = _export(artefact, place, flags, folder=folder, config=config, kind=kind, data=data, beside=beside)
    say(f"{place}: {report['format']} of {report['task']}")
    for hint in artefact.hints(place):
        say(hint)
    print(json.dumps({"out": str(place), **report}))


def _export(
    artefact: Artefact,
    place: Path,
    flags: argparse.Namespace,
    *,
    folder: Path,
    config: RunConfig,
    kind: Kind,
    data: str,
    beside: Mapping[str, Artefact],
) -> dict[str, Any]:
    examples = kind.read(data, flags.split, skip_bad_rows=config.data.skip_bad_rows)
    if not examples.is_labelled or not len(examples):
        raise UserError(f"--split={flags.split}: expected labelled examples. Received: {len(examples)} without labels")

    start_tensorflow()
    from bert_tf.exporting import Run
    from bert_tf.exporting.report import as_table, check_report, make_report, write_report
    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.weights.files import written_folder

    run = Run(
        folder=folder,
        config=config,
        kind=kind,
        pipeline=Pipeline(folder, task=kind),
        data=data,
        split=flags.split,
        examples=examples.first(flags.examples),
    )
    with written_folder(place) as work:
        artefact.write(run, work)
        models = artefact.load(run, work)
        others = {place: other.load(run, Path(place).expanduser()) for place, other in beside.items()}
        report = make_report(
            run,
            Path(flags.format).stem,
            models,
            tolerance=flags.tolerance,
            timed=not flags.no_timing,
            beside=others,
        )
        say(as_table(report))
        check_report(report)
        write_report(report, work)
    return report


def _positive(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of 1 or more. Received: {value}")
    return int(value)


def _points(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError(f"expected points from 0 to 100. Received: {value}")
    return number


if __name__ == "__main__":
    run_command(PROG, main)
