from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bert_tf import export
from tests.exporting.runs import run_of


@pytest.fixture(scope="session")
def classifier(tmp_path_factory) -> Path:
    """A run of SST-2 with random weights. Read it, do not change it."""
    return run_of("classification", tmp_path_factory.mktemp("classifier") / "run")


@pytest.fixture(scope="session")
def served(classifier, tmp_path_factory) -> Path:
    """Its SavedModel, the version's folder. Read it, do not change it."""
    out = tmp_path_factory.mktemp("models") / "sst2"
    export.main([f"--run={classifier}", "--format=saved_model", f"--out={out}", "--no-timing"])
    return out / "1"


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> Callable[[str], Path]:
    """The folder of a run of each kind, made when asked for. Read them, do not change them."""
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = run_of(kind, tmp_path_factory.mktemp(kind) / "run")
        return made[kind]

    return folder


@pytest.fixture
def exported(capsys):
    """Runs the command, and gives what it printed as JSON and what it said."""

    def run(*flags: str) -> tuple[dict, str]:
        capsys.readouterr()
        export.main([*flags, "--no-timing"])
        printed = capsys.readouterr()
        return json.loads(printed.out), printed.err

    return run
