from __future__ import annotations

import contextlib
import gc
import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.members_there import There
from tests.family.going_through import Going

PYTHON = "BERT_TF_TORCH_PYTHON"


@pytest.fixture(scope="session")
def going(tmp_path_factory) -> Callable[[str, str], Going]:
    """The run of a member and a kind. The last one is kept: tests of one run follow one another."""
    folder: Path = tmp_path_factory.mktemp("going")
    kept: list[Going] = []

    def run(main, flags: list[str]) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            main(flags)
        return printed.getvalue()

    def found(member: str, kind: str) -> Going:
        if not kept or (kept[0].member, kept[0].kind) != (member, kind):
            kept.clear()
            shutil.rmtree(folder)
            folder.mkdir()
            gc.collect()
            kept.append(Going(folder, member, kind, run))
        return kept[0]

    return found


@pytest.fixture(scope="session")
def there() -> Iterator[There]:
    """A process with Transformers; skips where no variable names a Python that has it."""
    if PYTHON not in os.environ:
        pytest.skip(f"${PYTHON} names no Python with torch and transformers")
    with There(os.environ[PYTHON]) as process:
        yield process
