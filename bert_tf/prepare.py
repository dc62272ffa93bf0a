"""Write a corpus for pre-training as shards: python -m bert_tf.prepare --input='corpus/*.txt.gz' --output=shards

The shards hold the examples that --task=pretrain would make of the same text with the same settings and seed, for
--epochs epochs; training takes them with --data=shards and draws new masks in every epoch. Apache Beam does the work,
on this machine by default, and on Flink, Spark or Dataflow with Beam's own flags, which are given to it:
--runner=..., or --direct_num_workers=4 --direct_running_mode=multi_processing. Its workers must see --output's folder
and the cache (--set pretraining.cache=...), and have bert_tf installed. The folder appears when everything is written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from bert_tf.command_line import (
    Parser,
    add_reading_flags,
    check_writable,
    find_data,
    run_command,
    run_layers,
    say,
    start_tensorflow,
)
from bert_tf.command_line.beam_jobs import beam_runner
from bert_tf.config import SAMPLE
from bert_tf.disk.locks import lock
from bert_tf.disk.whole import sync_folder, sync_tree
from bert_tf.disk.work_folders import work_folder
from bert_tf.errors import UserError
from bert_tf.kinds.definitions import asked_run

PROG = "python -m bert_tf.prepare"
GROUPS = {
    "what is read and written": ("--input", "--output", "--epochs"),
    "as which training": ("--task", "--config", "--backbone", "--set"),
}
EXAMPLES = {
    "--input=sample --output=shards": "the bundled text, for minilm",
    "--input='books/*.txt.gz' --output=shards --epochs=4": "your own files, with other masks in each of four epochs",
    "--input=books --output=shards --set data.sequence_length=256": "longer examples",
}


def main(argv: Sequence[str] | None = None) -> None:
    parser = Parser(PROG, __doc__, groups=GROUPS, examples=EXAMPLES)
    parser.add_argument("--input", metavar="WHERE", required=True, dest="data", help="as --data of training")
    parser.add_argument("--output", metavar="DIR", required=True, help="folder for the shards; not there yet, or empty")
    parser.add_argument("--epochs", metavar="N", type=int, default=1,
                        help="of how many epochs; training begins again with the first after the last")  # fmt: skip
    parser.add_argument("--task", metavar="NAME|FILE", default="pretrain", help="default: pretrain")
    parser.add_argument("--config", metavar="NAME|FILE", help="recipe of the training run")
    parser.add_argument("--backbone", metavar="WHERE", help="of the training run: its vocabulary is used")
    parser.add_argument("--set", metavar="KEY=VALUE", dest="settings", action="extend", nargs="+", default=[],
                        help="keys of the training run, such as data.sequence_length=512 or seed=2")  # fmt: skip
    add_reading_flags(parser)
    flags, of_beam = parser.parse_known_args(argv)

    # 1. What is asked, and whether it can be.
    kind, config = asked_run(flags.task, flags.config, run_layers(flags))
    if kind.preparation is None:
        raise UserError(f"--task={flags.task}: expected a task of pre-training. Received: {type(kind).__name__}")
    if flags.epochs < 1:
        raise UserError(f"--epochs must be 1 or more. Received: {flags.epochs}")
    data = find_data(kind, config.task, flags.data)
    kind = kind.configured(config)
    preparation = kind.preparation
    assert preparation is not None
    corpora = {
        split: kind.read(data, split, skip_bad_rows=config.data.skip_bad_rows) for split in ("train", "validation")
    }
    output = Path(flags.output).expanduser()
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(f"--output={output}: expected a folder that is empty or not there. Received: one with files")
    check_writable(output.parent, "--output")
    run = beam_runner(PROG, of_beam)

    # 2. Tokens, a file a worker; then the shards, a portion a worker.
    began = time.perf_counter()
    start_tensorflow()
    from bert_tf.data.corpora import shards

    tokenizer = kind.tokenizer_of(config)
    for corpus in corpora.values():
        run("tokens", preparation.tokenising_jobs(tokenizer, corpus))
    portions = {split: preparation.portions(tokenizer, corpus) for split, corpus in corpora.items()}
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        place = f"--output={output}"
        with lock(output.with_name(f".{output.name}.lock"), place), work_folder(output) as work:
            special = (tokenizer.cls_id, tokenizer.sep_id)
            wanted = {
                split: [(epoch, portion) for epoch in range(flags.epochs if split == "train" else 1)
                        for portion in range(len(part.source_tokens(epoch)))]
                for split, part in portions.items()
            }  # fmt: skip
            jobs = [
                (shards.write_shard, (work, split, portions[split], epoch, portion, special))
                for split, numbers in wanted.items()
                for epoch, portion in numbers
            ]
            run("shards", jobs)
            manifest = shards.collect_manifest(work, wanted, **preparation.described(config, tokenizer))
            work.chmod(0o755)
            sync_tree(work)
            if output.is_dir():
                output.rmdir()
            work.replace(output)
            sync_folder(output.parent)
    except OSError as error:
        raise UserError(f"--output={output}: cannot be written: {error.strerror or error}") from None

    # 3. Report.
    entries = [entry for split in manifest["splits"].values() for entry in split]
    bad_rows = sum(part.bad_rows for part in portions.values())
    found = {
        "output": str(output),
        "data": "sample" if data == SAMPLE else data,
        "shards": len(entries),
        "examples": sum(entry["examples"] for entry in entries),
        "tokens": sum(entry["tokens"] for entry in entries),
        "bad_rows": bad_rows,
        "seconds": round(time.perf_counter() - began, 3),
    }
    say(f"{found['examples']:,} examples in {len(entries)} shards in {output}, {bad_rows} bad rows left out, "
        f"{found['seconds']:.1f} s")  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    run_command(PROG, main)
