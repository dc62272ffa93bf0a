"""Times this library next to others: python -m benchmarks.speed --data=FOLDER --peers-python=PYTHON

Each side of a row is a process that stays there and is asked for its repetitions in turn, so that both see the same
machine. Measurements are kept in benchmarks/speed/history.jsonl, a line of JSON each, and docs/speed.md is made of the
newest. With --quick only a few rows, and this library alone: what is slower than before is said, and the exit status
is 1.

FOLDER has the published sets as sst2/, squad/ and gutenberg/*.txt; bundled samples replace what it lacks. PYTHON has
torch, transformers, sentence-transformers, openvino, nncf, onnx, onnxruntime and ctranslate2; `make bench` makes one.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.speed.history import append, number, read, slower
from benchmarks.speed.inputs import REPOSITORY, Inputs
from benchmarks.speed.measure import measure
from benchmarks.speed.page import page, ratio_of
from benchmarks.speed.rows import Row, chosen

HISTORY, PAGE = Path(__file__).with_name("history.jsonl"), REPOSITORY / "docs" / "speed.md"
ROUNDS = {True: 3, False: 5}  # by whether it is quick


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few rows, and no other libraries")
    parser.add_argument("--rows", metavar="NAME[,NAME]", help="only these")
    parser.add_argument("--peers-python", metavar="PYTHON", help="a Python with the other libraries; default: none")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="published sets; default: $BERT_TF_DATA")
    parser.add_argument("--run", type=Path, metavar="DIR", help="a run of SST-2; default: a short one is made")
    parser.add_argument("--work", type=Path, metavar="DIR", default=Path("runs/bench"), help="kept between runs")
    parser.add_argument("--rounds", type=int, help="repetitions of a side; default: 5, with --quick 3")
    parser.add_argument("--load-limit", type=float, default=0.05, metavar="SHARE",
                        help="of the machine: other work in a repetition that counts; default: 0.05")  # fmt: skip
    parser.add_argument("--history", type=Path, metavar="FILE", default=HISTORY, help=f"default: {HISTORY.name} here")
    parser.add_argument("--page", type=Path, metavar="FILE", help="where the table goes; default: docs/speed.md, of "
                        "--quick nowhere")  # fmt: skip
    flags = parser.parse_args()
    try:
        rows = chosen(flags.rows, quick=flags.quick)
    except ValueError as error:
        parser.error(str(error))
    data = flags.data or (Path(os.environ["BERT_TF_DATA"]) if "BERT_TF_DATA" in os.environ else None)
    inputs = Inputs(flags.work, data, flags.run, flags.peers_python)

    earlier, worse = read(flags.history), list[str]()
    for row in rows:
        began = time.perf_counter()
        line = {"date": f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}", "commit": _commit(),
                "machine": machine()}  # fmt: skip
        line |= measure(
            row,
            python_of=lambda own: sys.executable if own else flags.peers_python,
            filled=inputs.filled,
            rounds=flags.rounds or ROUNDS[flags.quick],
            load_limit=flags.load_limit,
            peers=flags.peers_python is not None and not flags.quick,
            quick=flags.quick,
            say=lambda message: print(message, file=sys.stderr),
        )
        line |= {"peers": flags.peers_python is not None and not flags.quick, "load_limit": flags.load_limit,
                 "samples": sorted(inputs.samples)}  # fmt: skip
        _tell(row, line, time.perf_counter() - began)
        append(flags.history, line)
        names = [side.name for side in row.ours]
        worse += slower(line, earlier, more_is_better=row.more_is_better, ours=names)
    where = flags.page or (None if flags.quick else PAGE)
    if where is not None:
        where.write_text(page(read(flags.history)), encoding="utf-8")
    for sentence in worse:
        print(f"slower than before: {sentence}")
    return 1 if worse and flags.quick else 0


def machine() -> str:
    """The processor and how many of them: what measurements are compared within."""
    name = platform.processor() or platform.machine()
    cpuinfo, flags = Path("/proc/cpuinfo"), ""
    if cpuinfo.is_file():
        rows = dict(line.split(":", 1) for line in cpuinfo.read_text(encoding="utf-8").split("\n\n")[0].splitlines())
        facts = {key.strip(): value.strip() for key, value in rows.items()}
        name = facts.get("model name", name)
        known = [flag for flag in ("avx512_bf16", "avx512_vnni", "amx_bf16") if flag in facts.get("flags", "").split()]
        flags = f", {' '.join(known)}" if known else ""
    return f"{os.cpu_count()} cores of {name}{flags}"


def _commit() -> str:
    """The commit, with a + where files differ from it."""
    done = subprocess.run(["git", "describe", "--always", "--dirty=+"], cwd=REPOSITORY, capture_output=True, text=True,
                          check=False)  # fmt: skip
    return done.stdout.strip() or "no commit"


def _tell(row: Row, line: dict, seconds: float) -> None:
    """A row as it comes, on standard output."""
    ratio = ratio_of(row, line)
    print(
        f"{row.name}: {row.what}, {row.unit}"
        + ("" if ratio is None else f"; ratio {ratio:.2f}")
        + f" ({seconds:.0f} s)"
    )
    for name, side in line["sides"].items():
        if "median" not in side:
            continue
        load = "" if side["other_load"] is None else f", other load {100 * side['other_load']:.0f} %"
        equal = f", {100 * side['equal_answers']:.2f} % equal" if "equal_answers" in side else ""
        more = "".join(f", {key} {number(value)}" for key, value in side["more"].items())
        mark = " ~" if side["disturbed"] else ""
        print(f"  {name:34} {number(side['median']):>9} ({number(side['low'])} to {number(side['high'])})"
              f"{load}{equal}{more}{mark}", flush=True)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
