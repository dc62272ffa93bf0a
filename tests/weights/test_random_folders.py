"""Folders of other libraries with settings drawn at random: their answers to 1e-5, or refused by the setting's name.

benchmarks/random_folders made them, and what Transformers, sentence-transformers and KerasHub answer.
"""

from __future__ import annotations

import collections
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from benchmarks.random_folders.check import check
from tests.rest_slow import rest_slow

STORED = Path(__file__).parents[1] / "golden" / "random_folders.zip"
with zipfile.ZipFile(STORED) as _archive:
    NAMES = sorted({name.split("/")[0] for name in _archive.namelist()})
QUICK = 10  # every so many are asked in the fast tests
# Settings that are refused today. A name that leaves this list is progress; one that must be added is not.
REFUSED = {"LayerNorm", "hidden_act", "include_prompt", "is_decoder", "tie_word_embeddings"}

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(name="folders", scope="module")
def folders_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("random_folders")
    with zipfile.ZipFile(STORED) as archive:
        archive.extractall(folder)
    return folder


def _ask(folders: Path, names: list[str]) -> collections.Counter[str]:
    """Counts of `equal`, and of the settings that refusals name. Fails with every folder that is neither."""
    counts: collections.Counter[str] = collections.Counter()
    wrong = []
    for name in names:
        outcome = check(folders / name)
        counts["equal" if outcome.verdict == "equal" else outcome.why.partition(":")[0]] += 1
        wrong += [f"{name}: {outcome.why}"] if outcome.verdict == "WRONG" else []
    assert not wrong, "\n".join(wrong)
    return counts


def test_there_are_folders_of_each_writer():
    writers = collections.Counter(name.rpartition("_")[0].rpartition("_")[0] for name in NAMES)
    assert writers["transformers"] >= 60
    assert min(writers[name] for name in ("sentence_transformers", "google", "keras_hub")) >= 15


@pytest.mark.parametrize(
    "part",
    rest_slow(["transformers", "sentence_transformers", "google", "keras_hub"], "sentence_transformers", "google"),
)
def test_some_random_folders_are_equal_or_refused_by_name(folders, part):
    found = _ask(folders, [name for name in NAMES if name.startswith(f"{part}_")][::QUICK])
    assert found["equal"] > 0
    assert set(found) - {"equal"} <= REFUSED


@pytest.mark.slow
def test_all_random_folders_are_equal_or_refused_by_name(folders):
    found = _ask(folders, NAMES)
    assert set(found) - {"equal"} == REFUSED
    assert found["equal"] >= 0.85 * len(NAMES)


def test_a_folder_whose_weights_changed_is_found_out(folders, tmp_path):
    """The check can fail: one number of the truth is another."""
    name = next(name for name in NAMES if check(folders / name).verdict == "equal")
    copy = Path(shutil.copytree(folders / name, tmp_path / name))
    truth = json.loads((copy / "truth.json").read_text(encoding="utf-8"))
    truth["hidden"][0][0][0] += 1e-3
    (copy / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    assert check(copy).verdict == "WRONG"
