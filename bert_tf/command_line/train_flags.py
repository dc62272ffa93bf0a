"""The flags of bert_tf.train."""

from __future__ import annotations

from bert_tf import lookup
from bert_tf.command_line.parser import Parser, add_own_data_flags, add_reading_flags
from bert_tf.config import keys_and_meanings

GROUPS = {
    "what to learn": ("--task", "--data"),
    "or from your own data": ("--kind", "--text", "--label", "--pair", "--validation"),
    "from what": ("--backbone", "--config", "--set"),
    "where it goes": ("--run",),
}
EXAMPLES = {
    "--task=sst2 --data=sample": "try it on the bundled sentences; the model goes to runs/sst2",
    "--kind=classification --data=train.csv --text=message --label=category": "your own file",
    "--task=sst2 --data=SST-2 --backbone=hf://google-bert/bert-base-uncased --set training.epochs=5 seed=2": (
        "a task's published files, another model from the hub, other settings"
    ),
}


def train_parser(prog: str, description: str | None) -> Parser:
    """What reads the flags of a training."""
    parser = Parser(prog, description, epilog=_keys(), groups=GROUPS, examples=EXAMPLES)
    parser.add_argument("--task", metavar="NAME|FILE", help=f"one of {', '.join(lookup.names('tasks'))}, or a .py file")
    parser.add_argument(
        "--config", metavar="NAME|FILE", help="recipe; default: that of the task's name, if there is one"
    )
    parser.add_argument("--backbone", metavar="WHERE", help=keys_and_meanings()["backbone"][1])
    parser.add_argument(
        "--data", metavar="WHERE", help="folder or file, tfds:NAME, hf:NAME or sample; with --kind, your own"
    )
    parser.add_argument(
        "--run", metavar="DIR", help="run folder; default: runs/<task>, or runs/<kind>_<name of the data>"
    )
    parser.add_argument("--set", metavar="KEY=VALUE", dest="settings", action="extend", nargs="+", default=[],
                        help="any key of a recipe, such as training.epochs=2; may be repeated")  # fmt: skip
    parser.add_argument("--format", choices=("text", "json"), help="of standard output: text, to be read, or json, "
                        "the whole result on a line; default: text on a terminal, else json")  # fmt: skip
    add_reading_flags(parser)
    add_own_data_flags(parser)
    return parser


def _keys() -> str:
    """For --help-all: every key of a recipe, its default and what it means."""
    lines = [
        f"  {key} = {'none' if default is None else default}\n      {meaning}"
        for key, (default, meaning) in keys_and_meanings().items()
    ]
    return "\n".join(["keys of a recipe and of --set:", *lines])
