"""The site: pages made from the program say all that it has, and Sphinx builds it without a warning."""

from __future__ import annotations

import doctest
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bert_tf.config import keys_and_meanings

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_setting_has_a_row_with_its_meaning():
    page = loaded("generated").settings()
    for key, (_, meaning) in keys_and_meanings().items():
        section, _, name = key.rpartition(".")
        part = page.split(f"## [{section}]" if section else "## At the top")[1].split("\n## ")[0]
        row = next(line for line in part.splitlines() if line.startswith(f"| `{name}` |"))
        assert meaning.replace("|", "\\|").splitlines()[0] in row


def test_sections_of_docstrings_become_those_of_sphinx():
    results = doctest.testmod(loaded("docstrings"))
    assert results.attempted == 1
    assert results.failed == 0


def test_every_page_is_in_the_index():
    listed = set(re.findall(r"^([\w/]+)$", (DOCS / "index.md").read_text(encoding="utf-8"), re.MULTILINE))
    pages = {str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.rglob("*.md")}
    pages = {page for page in pages if not page.startswith(("_build", "reference/generated")) and page != "index"}
    assert {page for page in listed if not page.startswith("reference/generated")} == pages


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    if importlib.util.find_spec("sphinx") is None:
        pytest.skip("Sphinx is not installed: the extra docs")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-b", "html", str(DOCS), str(tmp_path)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert "BertClassifier" in (tmp_path / "reference" / "generated" / "models.html").read_text(encoding="utf-8")
    assert (tmp_path / "searchindex.js").is_file()
