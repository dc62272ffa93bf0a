"""Writes lowest.txt and tested.txt: for every supported Python the oldest and the newest set of packages that setup.py
allows, with what those need in turn. `make lock` runs it; it takes no options and needs `uv` (extra `develop`).

A version counts only where it is a wheel (but for `SOURCES`), so that the oldest set installs without a compiler.
"""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import setuptools

FOLDER = Path(__file__).resolve().parent
SOURCES = ("rouge-score", "seqeval")  # no wheel of these was ever published
# Which of the versions that setup.py allows: of what it names itself the oldest, or of everything the newest.
RESOLUTIONS = {"lowest.txt": "lowest-direct", "tested.txt": "highest"}


def metadata() -> dict[str, Any]:
    """The arguments of setup()."""
    with mock.patch.object(setuptools, "setup") as setup:
        runpy.run_path(str(FOLDER.parent / "setup.py"))
    return dict(setup.call_args.kwargs)


def solve(requirements: list[str], *options: str) -> str:
    """The pinned versions that uv finds for `requirements`; ends the program with uv's own words if there are none."""
    wheels = ["--only-binary=:all:", *(f"--no-binary={name}" for name in SOURCES)]
    command = [sys.executable, "-m", "uv", "pip", "compile", "-", "--quiet", "--no-header", "--no-annotate", *wheels]
    done = subprocess.run(
        [*command, *options], input="\n".join(requirements), stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def main() -> None:
    given = metadata()
    requirements = [*given["install_requires"], *given["extras_require"]["test"]]
    pythons = [f"3.{minor}" for minor in re.findall(r"Python :: 3\.(\d+)", "\n".join(given["classifiers"]))]
    for name, resolution in RESOLUTIONS.items():
        pins = solve(requirements, "--universal", f"--python-version={pythons[0]}", f"--resolution={resolution}")
        (FOLDER / name).write_text(
            f"# Made by `make lock` ({resolution} of setup.py's [test]).\n{pins}", encoding="utf-8"
        )
        for python in pythons:  # a version that has wheels for one Python may have none for another
            solve(requirements, f"--python-version={python}", f"--constraint={FOLDER / name}")


if __name__ == "__main__":
    main()
