"""Imports point one way: this file holds the table, CONTRIBUTING.md quotes it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.asked_kinds import asked_kinds

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "bert_tf"

# What the files of each folder of bert_tf, or each file beside them, may import, from the ground up. A name covers the
# folders within it; a folder within another stands for itself alone. `types:` marks what may only be named in
# annotations, under `if TYPE_CHECKING:`. What is not here fails: give it a row.
TABLE = {
    "errors": "",
    "guard": "errors",
    "registered": "",
    "sentinels": "",
    "layers/functions": "",
    "layers": "sentinels layers/functions",
    "config": "errors guard",
    "disk": "errors",
    "lookup": "errors",
    "terminal": "",
    "metrics": "errors",
    "figures": "",
    "weights": "errors guard disk",
    "data/rows": "errors",
    "data/files": "errors guard data/rows",
    "data/tagged": "data/rows",
    "data/sources": "errors guard data/rows data/files data/tagged",
    "data/splits": "errors data/rows data/files data/sources",
    "data/batching": "",
    "data/stored": "errors disk data/batching",
    "data/corpora": "errors guard sentinels data/rows data/files data/sources data/batching data/stored disk",
    "data": "errors",
    "text": "errors guard weights/leave weights/members/__init__ weights/places weights/vocabulary_check "
    "weights/vocabulary_file",
    "machine": "",
    "models": "errors sentinels layers text weights",
    "preprocessing": "text",
    "kinds": "errors guard sentinels config lookup metrics weights data text machine models terminal",
    "training/optimizers": "",
    "training/board": "config figures types:kinds",
    "training/reports": "errors guard disk data models training",
    "training/workers": "errors machine",
    "training": "errors guard disk config data types:text machine models types:kinds",
    "runtimes": "errors machine types:kinds",
    "inference": "errors guard disk config lookup weights data text machine models kinds runtimes",
    "exporting/readmes": "exporting weights",
    "exporting": "errors guard sentinels config lookup layers metrics weights data text machine models kinds runtimes "
    "inference",
    "reporting": "errors guard disk config weights data figures kinds inference",
    "command_line": "errors disk config lookup types:kinds",
    "launch": "errors machine command_line",
    "train": "errors config metrics kinds training terminal inference reporting command_line",
    "sweep": "errors config training command_line train types:kinds",
    "evaluate": "errors disk config metrics data kinds inference reporting command_line",
    "report": "errors inference reporting command_line",
    "predict": "errors disk config data terminal inference command_line",
    "search": "errors metrics data kinds terminal inference command_line",
    "prepare": "errors disk config data kinds command_line",
    "vocabulary": "errors weights data text command_line",
    "export": "errors config lookup weights kinds inference exporting command_line",
    "__main__": "errors command_line",
    "__init__": "errors registered text models preprocessing kinds inference train",
}
# Packages from elsewhere that a part must not import, not even inside a function.
BARRED = {
    "layers": {"tensorflow", "tensorflow_text", "keras_hub", "torch", "jax"},
    "figures": {"tensorflow", "tensorflow_text", "keras", "keras_hub", "torch", "jax"},
    "metrics": {"tensorflow", "tensorflow_text", "keras", "keras_hub", "torch", "jax"},
    "models": {"tensorflow", "tensorflow_text", "keras_hub", "torch", "jax"},
    "weights": {"tensorflow_text", "keras", "keras_hub", "torch", "jax"},
}
# The one file that asks KerasHub, where a name says so.
ASKS = {"bert_tf.weights.keras_hub.presets": {"keras_hub"}}
MOST_FILES = 15
# Importing these must be quick: `--help` answers in under a second.
LIGHT = (
    "bert_tf",
    "bert_tf.errors",
    "bert_tf.registered",
    "bert_tf.sentinels",
    "bert_tf.config",
    "bert_tf.lookup",
    "bert_tf.train",
    "bert_tf.evaluate",
    "bert_tf.report",
    "bert_tf.export",
    "bert_tf.inference.runs",
    "bert_tf.predict",
    "bert_tf.prepare",
    "bert_tf.inference.runs",
    "bert_tf.search",
    "bert_tf.vocabulary",
    "bert_tf.__main__",
    "bert_tf.sweep",
    "bert_tf.launch",
    "bert_tf.training.workers.peers",
    "bert_tf.training.workers.shares",
)
HEAVY = {"tensorflow", "tensorflow_text", "keras", "keras_hub", "sklearn", "scipy", "torch", "transformers", "jax"}

# Packages of single metrics, files, places, formats and commands: what needs none of these must not load them.
ELSEWHERE = (
    *("ai_edge_litert", "apache_beam", "datasets", "faiss", "kagglehub", "keras_hub"),
    *("keras_nlp", "msgpack", "nltk", "openpyxl", "rouge_score", "sacrebleu", "sentencex", "seqeval"),
    *("tensorflow_datasets", "tokenizers", "torch", "transformers"),
)
SCORING = ("scipy", "sklearn", "tensorboard")  # what measuring and reporting need, and answering does not


@dataclass(frozen=True)
class Import:
    """One imported module, or a name that may be one: `from bert_tf.text import vocabulary`."""

    module: str
    line: int
    at_import: bool
    """Whether it happens as soon as the file is imported."""
    for_types: bool
    """Whether it stands under `if TYPE_CHECKING:`."""


def imports(source: str, package: str) -> Iterator[Import]:
    """The imports of one file, relative ones resolved against `package`, the dotted name of its folder."""

    def walk(node: ast.AST, at_import: bool, for_types: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, at_import, for_types)
        elif isinstance(node, ast.ImportFrom):
            folder = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
            base = ".".join(filter(None, (folder if node.level else "", node.module)))
            for alias in node.names:
                yield Import(f"{base}.{alias.name}", node.lineno, at_import, for_types)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                yield from walk(child, False, True)
            for child in node.orelse:
                yield from walk(child, at_import, for_types)
        else:
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.iter_child_nodes(node):
                yield from walk(child, at_import and not function, for_types)

    return walk(ast.parse(source), True, False)


def file_of(module: str) -> str:
    """The file of an imported `bert_tf...` name, as a path inside bert_tf/ without suffix: `data/rows/cells`.

    A package is its `__init__`; so is a public name of the library or of a package.
    """
    parts = module.split(".")[1:]
    while parts and not (PACKAGE.joinpath(*parts).with_suffix(".py").is_file() or PACKAGE.joinpath(*parts).is_dir()):
        parts.pop()
    return "/".join([*parts, "__init__"] if PACKAGE.joinpath(*parts).is_dir() else parts)


def row_of(file: str) -> str | None:
    """The row of TABLE that a file belongs to: the innermost folder that has one, or its own."""
    folders = file.split("/")
    names = ["/".join(folders[:count]) for count in range(len(folders), 0, -1)]
    return next((name for name in names if name in TABLE), None)


def violations(source: str, module: str) -> list[str]:
    """What the file of the dotted name `module` imports against the table, one line each."""
    own = module.removeprefix("bert_tf.").replace(".", "/")
    row = row_of(own)
    if row is None:
        return [f"{module}: {own!r} has no row in TABLE"]
    part, allowed = row.split("/")[0], TABLE[row].split()
    found = []
    for item in imports(source, module.rpartition(".")[0]):
        where = f"{module}:{item.line}: {row} must not import {item.module}"
        top = item.module.split(".")[0]
        barred = BARRED.get(part, set()) - ASKS.get(module, set())
        if top in barred or top in {"tasks", "configs", "export", "tests", "benchmarks"}:
            found.append(where)
        elif top == "bert_tf" and item.module != "bert_tf.__version__":
            entries = [entry.removeprefix("types:") for entry in allowed if item.for_types or "types:" not in entry]
            inside = f"{file_of(item.module)}/"
            if not any(inside.startswith(f"{entry}/") for entry in (row, *entries)):
                found.append(where)
    return found


def circles(imported: Mapping[str, Set[str]]) -> list[list[str]]:
    """The groups of files that import each other, directly or not (Tarjan, 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(file: str) -> None:
        number[file] = lowest[file] = len(number)
        stack.append(file)
        for other in sorted(imported.get(file, ())):
            if other not in number:
                visit(other)
                lowest[file] = min(lowest[file], lowest[other])
            elif other in stack:
                lowest[file] = min(lowest[file], number[other])
        if lowest[file] == number[file]:
            group = stack[stack.index(file) :]
            del stack[stack.index(file) :]
            if len(group) > 1 or file in imported.get(file, ()):
                found.append(sorted(group))

    for file in sorted(imported):
        if file not in number:
            visit(file)
    return found


def modules() -> dict[str, Path]:
    """Every module of bert_tf/: dotted name, `__init__` spelt out, to file."""
    return {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))
    }


def test_every_file_keeps_to_the_table():
    found = [line for name, path in modules().items() for line in violations(path.read_text(encoding="utf-8"), name)]
    assert not found, "\n".join(found)


def test_no_file_is_in_a_circle_of_imports():
    """Imports inside functions, and those for types alone, count as well."""
    imported = {}
    for name, path in modules().items():
        items = list(imports(path.read_text(encoding="utf-8"), name.rpartition(".")[0]))
        ours = [
            item.module for item in items if item.module.startswith("bert_tf.") and "__version__" not in item.module
        ]
        imported[name.removeprefix("bert_tf.").replace(".", "/")] = {file_of(module) for module in ours}
    assert circles(imported) == []


@pytest.mark.parametrize(
    ("imported", "found"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}, [["a", "b", "c"]]),
        ({"a": {"a"}}, [["a"]]),
        ({"a": {"b", "c"}, "b": {"a"}, "c": {"d"}, "d": {"c"}}, [["c", "d"], ["a", "b"]]),
    ],
)
def test_what_a_circle_is(imported, found):
    assert circles(imported) == found


def test_the_table_is_from_the_ground_up_and_has_no_row_without_files():
    above: list[str] = []
    for row, allowed in TABLE.items():
        assert (PACKAGE / row).is_dir() or (PACKAGE / f"{row}.py").is_file(), row
        for entry in allowed.replace("types:", "").split():
            assert (
                entry in {*above, *(name.split("/")[0] for name in above), "training", "exporting"}
                or (PACKAGE / f"{entry}.py").is_file()
            ), (row, entry)
        above.append(row)


def classes_of_kinds() -> set[str]:
    """Every class that is defined below `bert_tf/kinds/`, but those that a definition is looked up by."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted((PACKAGE / "kinds").rglob("*.py"))]
    found = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    return found - {"Kind", "Examples"}


def test_what_a_kind_means_is_decided_in_its_folder():
    """Outside `kinds/` nothing asks which kind of task, of examples or of features it has."""
    classes = classes_of_kinds()
    assert {"Tagging", "SentenceVectors", "Pooled", "Judged", "TextGroups", "SpanExamples", "WordFeatures"} <= classes
    found = [
        f"{name}:{line}"
        for name, path in modules().items()
        if not name.startswith("bert_tf.kinds.")
        for line in asked_kinds(path.read_text(encoding="utf-8"), name.rpartition(".")[0], classes)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "asks"),
    [
        ("from bert_tf.kinds import Tagging\nisinstance(kind, Tagging)", True),
        ("from bert_tf.kinds import Tagging, SpanQA\nisinstance(kind, Tagging | SpanQA)", True),
        ("from bert_tf.kinds.tagging.spec import Tagging as T\nissubclass(kind, (int, T))", True),
        ("from bert_tf import kinds\nisinstance(kind, kinds.Tagging)", True),
        ("import bert_tf.kinds\nisinstance(kind, bert_tf.kinds.Tagging)", True),
        ("from ..kinds.vectors.spec import TextGroups\nisinstance(examples, TextGroups)", True),
        ("from bert_tf.kinds import Tagging\nif type(kind) is Tagging: pass", True),
        ("from bert_tf.kinds import Tagging\nif Tagging in type(kind).__mro__: pass", True),
        ("if type(kind).__name__ == 'Tagging': pass", True),
        ("from bert_tf.kinds import Tagging\nmatch kind:\n    case Tagging(types=()): pass", True),
        ("from bert_tf.kinds import Tagging\nTABLE = {Tagging: 1}", True),
        ("from bert_tf.kinds import Tagging\nTAGGERS = (Tagging,)", True),
        ("from bert_tf.kinds import Tagging\n@serve.register(Tagging)\ndef f(kind): pass", True),
        ("from bert_tf.kinds import Kind\nisinstance(kind, Kind)", False),
        ("from bert_tf.kinds import Tagging\nkind = Tagging(types=('PER',))", False),
        ("from bert_tf.kinds import Tagging\ndef f(kind: Tagging) -> Tagging: return kind", False),
        ("from bert_tf.data.files import Row\nisinstance(row, Row)", False),
        ("print(type(kind).__name__)", False),
    ],
)
def test_what_asking_for_a_kind_is(source, asks):
    assert bool(asked_kinds(source, "bert_tf.exporting", {"Tagging", "SpanQA", "TextGroups", "Row"})) == asks


def test_folders_are_small():
    folders = [PACKAGE, *(path for path in PACKAGE.rglob("*") if path.is_dir())]
    sizes = {str(folder.relative_to(REPOSITORY)): len(list(folder.glob("*.py"))) for folder in folders}
    assert {name: size for name, size in sizes.items() if size > MOST_FILES} == {}


@pytest.mark.parametrize("folder", ["tasks", "export"])
def test_definitions_import_only_bert_tf_and_the_standard_library(folder):
    allowed = {"bert_tf", *sys.stdlib_module_names}
    found = [
        f"{path.relative_to(REPOSITORY)}:{item.line}: {item.module}"
        for path in sorted((REPOSITORY / folder).glob("*.py"))
        for item in imports(path.read_text(encoding="utf-8"), "")
        if item.module.split(".")[0] not in allowed
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "source", "caught"),
    [
        ("bert_tf.layers.pooler", "from bert_tf.models.backbones import sizes", True),
        ("bert_tf.layers.pooler", "from ..models.base import BertModel", True),
        ("bert_tf.layers.pooler", "from .dropout import Dropout", False),
        ("bert_tf.layers.pooler", "from bert_tf.layers.functions.masks import attention_mask", False),
        ("bert_tf.layers.functions.masks", "from bert_tf.layers.dropout import Dropout", True),
        ("bert_tf.layers.pooler", "from bert_tf import layers, registered", True),
        ("bert_tf.layers.pooler", "from bert_tf import BertConfig", True),
        ("bert_tf.layers.pooler", "from bert_tf import __version__", False),
        ("bert_tf.layers.pooler", "def call():\n    import tensorflow as tf", True),
        ("bert_tf.layers.pooler", "from keras import ops", False),
        ("bert_tf.weights.formats", "import bert_tf.config", True),
        ("bert_tf.weights.formats", "import keras.ops", True),
        ("bert_tf.weights.keras_hub.presets", "import keras_hub", False),
        ("bert_tf.weights.keras_hub.presets", "import keras", True),
        ("bert_tf.weights.keras_hub.read", "import keras_hub", True),
        ("bert_tf.data.rows.cells", "from bert_tf.data.files import read_rows", True),
        ("bert_tf.data.files.text", "from bert_tf.data.rows.cells import shown", False),
        ("bert_tf.text.tokenizer", "from bert_tf.weights.places import resolve", False),
        ("bert_tf.text.tokenizer", "from bert_tf.weights import places", False),
        ("bert_tf.text.tokenizer", "from bert_tf.weights import formats", True),
        ("bert_tf.text.tokenizer", "def f():\n    if 1:\n        import bert_tf.weights.tables", True),
        ("bert_tf.training.loop", "from bert_tf.kinds.base import Kind", True),
        ("bert_tf.training.loop", "if TYPE_CHECKING:\n    from bert_tf.kinds.base import Kind", False),
        (
            "bert_tf.training.loop",
            "if TYPE_CHECKING:\n    from bert_tf.text import x\nelse:\n    import bert_tf.text",
            True,
        ),
        ("bert_tf.training.loop", "import tasks.sst2", True),
        ("bert_tf.train", "from bert_tf.training import loop", False),
        ("bert_tf.train", "from bert_tf.exporting import artefact", True),
        ("bert_tf.train", "from export import tflite", True),
        ("bert_tf.config.run", "from bert_tf.config.messages import explain", False),
        ("bert_tf.unheard_of", "", True),
    ],
)
def test_the_rule_itself(module, source, caught):
    assert bool(violations(source, module)) == caught


def test_light_modules_import_nothing_heavy():
    code = f"import importlib, sys\nfor name in {LIGHT}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(done.stdout.split())


def run_without(packages: tuple[str, ...], code: str) -> None:
    """Runs code in a process where importing these packages fails.

    Keras and TensorFlow load scikit-learn and SciPy themselves where they are installed, so what is loaded says little.
    """
    bar = f"""
import sys
class Bar:
    def find_spec(name, path=None, target=None):
        if name in {packages}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Bar)
"""
    code = bar + code
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_run_answers_without_what_scores_files_and_other_tasks_need(tiny_run):
    answer = f"Pipeline({str(tiny_run)!r})('a good film')"
    run_without(
        (*ELSEWHERE, *SCORING), f"from bert_tf import Pipeline\nassert {answer}['label'] in ('negative', 'positive')"
    )


@pytest.mark.slow
def test_a_task_is_trained_without_what_other_tasks_need(tiny_run, tmp_path):
    flags = ["--task=sst2", "--data=sample", f"--backbone={tiny_run / 'model'}", f"--run={tmp_path / 'run'}"]
    run_without(ELSEWHERE, f"from bert_tf import train\ntrain.main({[*flags, '--set', 'training.max_steps=1']})")
    assert (tmp_path / "run" / "result.json").is_file()


def test_contributing_quotes_the_table():
    rows = [f"| {row} | {allowed.replace('types:', 'types of ') or 'nothing'} |" for row, allowed in TABLE.items()]
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [row for row in rows if row not in text] == []
