"""Score a trained run on a split of its data: python -m bert_tf.evaluate --run=runs/sst2

A model that no run made is scored with --task and --model: a folder with the task's head, or, for tasks of sentence
vectors, any checkpoint, trained for it or not.

Raw text goes through the same graph that predicts and serves. The metrics are printed as a line on stderr, and as JSON.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bert_tf.command_line import (
    Parser,
    add_model_settings,
    add_precision,
    add_reading_flags,
    answer_settings,
    check_writable,
    find_data,
    model_settings,
    run_command,
    say,
    start_tensorflow,
    with_reading,
)
from bert_tf.config import RunConfig
from bert_tf.data.files.write import WRITERS, writer_of
from bert_tf.disk.named_files import is_replaced, place_of
from bert_tf.errors import UserError
from bert_tf.inference.engine.precision import use_all_cores
from bert_tf.inference.runs import model_of, open_run
from bert_tf.kinds.definitions import load_task
from bert_tf.metrics.undefined import as_json, listed
from bert_tf.reporting.mistakes import write_mistakes

if TYPE_CHECKING:
    from bert_tf.kinds.diagnosis import Answered

PROG = "python -m bert_tf.evaluate"
GROUPS = {
    "what is scored": ("--run", "--model", "--task"),
    "on what": ("--data", "--split"),
    "what is written": ("--mistakes",),
}
EXAMPLES = {
    "--run=runs/sst2": "on the run's own validation set",
    "--run=runs/sst2 --data=SST-2 --split=validation": "on other data, in the format of the task",
    "--task=stsb_embedding --model=minilm --data=STS-B": "a model that no run made, as it is",
}


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(PROG, __doc__, groups=GROUPS, examples=EXAMPLES)
    parser.add_argument("--run", metavar="DIR", help="run folder, with its model")
    parser.add_argument("--task", metavar="NAME|FILE", help="with --model, instead of a run; or the run's own task, "
                        "whose Python file is run only if it is named here")  # fmt: skip
    parser.add_argument("--model", metavar="WHERE", help="minilm, a folder or hf://org/name, to score as it is; with "
                        "--run, an exported file or its folder, here or in the run folder")  # fmt: skip
    parser.add_argument(
        "--data", metavar="WHERE", help="folder or file, tfds:NAME, hf:NAME or sample; default: the run's"
    )
    parser.add_argument("--split", metavar="NAME", help="default: validation, and what the task scores with it")
    parser.add_argument("--mistakes", metavar="FILE", help="where what it gets wrong goes, the surest mistakes first: "
                        f"a file ending in {', '.join(WRITERS)}")  # fmt: skip
    add_reading_flags(parser)
    add_model_settings(parser, answers=True)
    add_precision(parser, default="float32")  # so that the scores are those that training gives
    flags = parser.parse_args(argv)

    if flags.run is None and (flags.task is None or flags.model is None):
        came = ", ".join(f"--{name}" for name in ("run", "task", "model") if getattr(flags, name) is not None)
        raise UserError(f"expected --run, or --task and --model. Received: {came or 'none'}")
    answers = answer_settings(flags)
    if flags.mistakes is not None:
        writer_of(flags.mistakes, flag="--mistakes")
        place = place_of(flags.mistakes, "--mistakes")
        if is_replaced(place):
            check_writable(place.parent, "--mistakes")
    reading = model_settings(flags)
    run_folder = None if flags.run is None else Path(flags.run).expanduser()
    if run_folder is not None:
        model_of(run_folder, flags.model)  # before anything slow
        config, kind = open_run(run_folder, task=flags.task, needs_data=True, data=flags.data)
    else:
        config, kind = RunConfig(task=flags.task), load_task(flags.task)
    config = with_reading(config, flags)
    is_new = flags.data is not None and str(Path(flags.data).expanduser().resolve()) != config.data.source
    kind = kind.configured(config, new_data=is_new)
    kind = kind.with_settings(answers)
    data = find_data(kind, config.task, flags.data or config.data.source)
    name = flags.split or "validation"
    splits = kind.scored_splits if flags.split is None and not Path(data).is_file() else {name: ""}
    examples = {split: kind.read(data, split, skip_bad_rows=config.data.skip_bad_rows) for split in splits}
    for split, part in examples.items():
        if not part.is_labelled or not len(part):
            raise UserError(
                f"--split={split}: expected labelled examples. Received: {len(part)} examples without labels in {data};"
                " to answer them, use python -m bert_tf.predict"
            )

    start_tensorflow()
    from bert_tf.inference.pipeline import Pipeline

    where = flags.model if run_folder is None else model_of(run_folder, flags.model)
    use_all_cores()
    pipeline = Pipeline(where, task=kind, precision=flags.precision, **reading)
    started = time.perf_counter()
    metrics: dict[str, float] = {}
    wrong: list[Answered] = []
    report: dict[str, Any] = {}
    for split, part in examples.items():
        if flags.mistakes is None or split != name or not kind.is_scored_by_answers:
            scores, more = kind.scores_and_report(pipeline, part)
        else:
            answers = pipeline.rows(*part.columns)
            scores, more = pipeline.kind.measure_answers(answers, part), pipeline.kind.report(answers, part)
            wrong = pipeline.kind.diagnose(answers, part).mistakes()
        metrics |= {metric + splits[split]: value for metric, value in scores.items()}
        report |= {name + splits[split]: value for name, value in more.items()}
    seconds = time.perf_counter() - started
    if flags.mistakes is not None:
        write_mistakes(Path(flags.mistakes).expanduser(), wrong)
        say(f"{len(wrong):,} mistakes in {flags.mistakes}")
    named = listed(metrics)
    count, bad_rows = sum(map(len, examples.values())), sum(part.bad_rows for part in examples.values())
    say(
        f"{name} of {data}: {named} ({count} examples, {bad_rows} bad rows left out, {seconds:.1f} s, "
        f"in {pipeline.precision})"
    )
    baselines = kind.baselines(examples[name])
    for baseline, scores in baselines.items():
        say(f"baseline {baseline}: {listed(scores)}")
    result = {"task": config.task, "data": data, "split": name, "examples": count, "bad_rows": bad_rows}
    reasons = sum((Counter(part.bad_row_reasons) for part in examples.values()), Counter())
    result |= {"bad_row_reasons": dict(reasons)} if reasons else {}
    result |= {"baselines": {name: as_json(scores) for name, scores in baselines.items()}} if baselines else {}
    result |= {"metrics": as_json(metrics), **report, "precision": pipeline.precision, "seconds": round(seconds, 3)}
    print(json.dumps(result))


if __name__ == "__main__":
    run_command(PROG, main)
