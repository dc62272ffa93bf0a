"""What setup.py says agrees with what is in the repository. The wheel itself is tested in test_wheel.py."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import Version

from tests.test_imports import Import, imports, modules

REPOSITORY = Path(__file__).resolve().parent.parent

# Where the name to install is not the name to import.
DISTRIBUTIONS = {
    "absl": "absl-py",
    "faiss": "faiss-cpu",
    "keras_hub": "keras-nlp",
    "sklearn": "scikit-learn",
}


@pytest.fixture(scope="module")
def metadata() -> dict:
    """setup()'s arguments, with setuptools' own finding of packages done."""
    code = (
        "import json, setuptools; given = {}; setuptools.setup = lambda **arguments: given.update(arguments)\n"
        "exec(compile(open('setup.py').read(), 'setup.py', 'exec'), {'__file__': 'setup.py', '__name__': '__main__'})\n"
        "print(json.dumps(given))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def undeclared(requirements: list[str], *, only_at_import: bool) -> list[str]:
    """What bert_tf/ imports from elsewhere without its being in `requirements`: the module, and the file and line."""
    required = {normal(re.split(r"[^\w.-]", requirement)[0]) for requirement in requirements}
    return [
        f"{item.module} ({module}:{item.line})"
        for module, item in every_import()
        if (item.at_import or not only_at_import)
        and (top := item.module.split(".")[0]) not in {"bert_tf", "tomllib", *sys.stdlib_module_names}
        and normal(DISTRIBUTIONS.get(top, top)) not in required
    ]


@functools.cache
def every_import() -> list[tuple[str, Import]]:
    """Each import of bert_tf/, with the module that has it."""
    return [
        (module, item)
        for module, path in modules().items()
        for item in imports(path.read_text(encoding="utf-8"), module.rpartition(".")[0])
    ]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_import_is_a_requirement_or_an_extra(metadata):
    extras = [requirement for extra in metadata["extras_require"].values() for requirement in extra]
    assert undeclared([*metadata["install_requires"], *extras], only_at_import=False) == []


def test_what_is_always_imported_is_no_extra(metadata):
    assert undeclared(metadata["install_requires"], only_at_import=True) == []


def test_a_missing_requirement_is_seen(metadata):
    without = [requirement for requirement in metadata["install_requires"] if not requirement.startswith("pydantic")]
    assert any("bert_tf.config.run:" in line for line in undeclared(without, only_at_import=True))


def test_every_extra_that_a_message_names_is_there(metadata):
    source = "".join(path.read_text(encoding="utf-8") for path in modules().values())
    assert set(re.findall(r"bert_tf\[(\w+)\]", source)) <= set(metadata["extras_require"])


def test_every_folder_of_code_is_a_package(metadata):
    folders = {module.rpartition(".")[0] for module in modules()}
    definitions = {f"bert_tf._definitions.{name}" for name in ("tasks", "configs", "export")}
    assert folders | definitions <= set(metadata["packages"])
    assert {"tasks", "configs", "tests", "benchmarks", "export"} & set(metadata["packages"]) == set()


def test_every_data_file_is_shipped(metadata):
    roots = {package: REPOSITORY / package.replace(".", "/") for package in metadata["packages"]}
    roots.update({package: REPOSITORY / folder for package, folder in metadata["package_dir"].items()})
    shipped = {
        path
        for package, patterns in metadata["package_data"].items()
        if package in roots
        for pattern in patterns
        for path in roots[package].glob(pattern.replace("**", "**/*"))
    }
    present = {
        path
        for root in (REPOSITORY / "bert_tf", *(REPOSITORY / folder for folder in metadata["package_dir"].values()))
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and (path.suffix != ".py" or path.parent.parent.name == "export")
    }
    assert present - shipped == set()


def test_the_lowest_and_highest_python_are_the_ones_announced(metadata):
    announced = [line.rpartition("3.")[2] for line in metadata["classifiers"] if re.search(r"3\.\d+$", line)]
    assert metadata["python_requires"] == f">=3.{announced[0]},<3.{int(announced[-1]) + 1}"


def test_the_changelog_knows_the_version(metadata):
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.findall(r"^## (.+)$", text, re.MULTILINE)[0]
    assert newest == "Unreleased" or newest.startswith(metadata["version"])


def test_the_citation_has_the_version_and_the_licence(metadata):
    text = (REPOSITORY / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^(?:version|license): (.+)$", text, re.MULTILINE) == [metadata["version"], metadata["license"]]


def pins(name: str) -> dict[str, list[tuple[Version, Marker | None]]]:
    """The versions of a file of requirements/, and the Pythons and systems that each is for."""
    found: dict[str, list[tuple[Version, Marker | None]]] = {}
    for line in (REPOSITORY / "requirements" / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            pin = Requirement(line)
            found.setdefault(normal(pin.name), []).append((Version(str(pin.specifier).removeprefix("==")), pin.marker))
    return found


@pytest.fixture(scope="module", name="tested_requirements")
def tested_requirements_fixture(metadata) -> list[Requirement]:
    """What tests need, and so what requirements/ holds."""
    return [Requirement(line) for line in (*metadata["install_requires"], *metadata["extras_require"]["test"])]


def test_the_lowest_versions_are_the_bounds_of_setup(tested_requirements):
    """`make lock` after a change of setup.py, or the workflow tests other bounds than a user may have."""
    lowest = pins("lowest.txt")
    for requirement in tested_requirements:
        bounds = [Version(part.version) for part in requirement.specifier if part.operator == ">="]
        assert [min(version for version, _ in lowest[normal(requirement.name)])] == bounds, requirement


def test_the_tested_versions_are_allowed_by_setup(tested_requirements):
    tested = pins("tested.txt")
    for requirement in tested_requirements:
        versions = [version for version, _ in tested[normal(requirement.name)]]
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_no_tool_of_the_build_names_a_host():
    """Where packages come from is the machine's own pip configuration."""
    folders = (REPOSITORY / "requirements", REPOSITORY / ".github")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    names = ("Makefile", ".ci/run", ".pre-commit-config.yaml", "pyproject.toml", "setup.py")
    for path in (*(REPOSITORY / name for name in names), *files):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text), path
