"""Pages that are made from the program: every setting, every command's flags, the public classes by room."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

from bert_tf.__main__ import COMMANDS
from bert_tf.config import keys_and_meanings

# Page -> its title, what it opens with, and the modules whose public names it shows.
ROOMS = {
    "models": ("Models, tokenizer, pipeline", "What `import bert_tf` gives.", ("bert_tf",)),
    "kinds": ("Kinds of task", "What a task file, or `bert_tf.train`, can be given as a task.", ("bert_tf.kinds",)),
    "sources": ("Sources of data", "Where a task's examples are.", ("bert_tf.data",)),
    "layers": ("Layers", "Keras layers, with `keras.ops` only.", ("bert_tf.layers",)),
    "exporting": ("Formats of export", "For an export file of your own.", ("bert_tf.exporting",)),
}


def write(folder: Path) -> None:
    """Writes all pages into `folder`, each only if it changed, so that a second build is quick."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {"settings": settings(), "commands": commands(), **{name: room(*ROOMS[name]) for name in ROOMS}}
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def settings() -> str:
    """Every key of a recipe, with its default and meaning, a table a section."""
    lines = [
        "# Every setting",
        "",
        "A recipe is a TOML file with these keys; `--set section.key=value` overrides one, and `none` stands for an "
        "empty value. A run keeps all of them in its `config.toml`.",
    ]
    section = None
    for key, (default, meaning) in keys_and_meanings().items():
        where = key.rpartition(".")[0]
        if where != section:
            section = where
            lines += ["", f"## {'[' + where + ']' if where else 'At the top'}", "", "| key | default | meaning |"]
            lines += ["|---|---|---|"]
        shown = "none" if default is None else default
        lines.append(f"| `{key.rpartition('.')[2]}` | `{shown}` | {_cell(meaning)} |")
    return "\n".join(lines) + "\n"


def commands() -> str:
    """What each command's `--help-all` prints."""
    lines = ["# Every command", "", "`python -m bert_tf COMMAND --help` is the short form of what stands here."]
    for name in COMMANDS:
        shown = subprocess.run(
            [sys.executable, "-m", f"bert_tf.{name}", "--help-all"], capture_output=True, text=True, check=True
        )
        lines += ["", f"## {name}", "", "```text", shown.stdout.rstrip(), "```"]
    return "\n".join(lines) + "\n"


def room(title: str, opening: str, modules: tuple[str, ...]) -> str:
    """The public classes and functions of some modules, by their docstrings."""
    lines = [f"# {title}", "", opening]
    for module in modules:
        for name in importlib.import_module(module).__all__:
            value = getattr(importlib.import_module(module), name)
            what = "class" if inspect.isclass(value) else "function" if inspect.isfunction(value) else None
            if what is not None:
                lines += ["", f"## {name}", "", "```{eval-rst}", f".. auto{what}:: {module}.{name}", "```"]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
