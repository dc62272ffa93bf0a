"""What several tests share: where the real data lies, and small files made on the spot."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from string import ascii_lowercase

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("BERT_TF_REPORT", "0")  # tests of reports write their own

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = REPOSITORY.parent / "shared" / "data"


# These files take longest: with several processes nothing long is left for the end, when one would wait for another.
FIRST = ("training", "exporting", "test_docstrings.py", "test_imports.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = [REPOSITORY / "tests" / name for name in FIRST]
    items.sort(key=lambda item: [place not in (item.path, *item.path.parents) for place in places])


def shared_data(name: str) -> Path:
    """The file or folder `name` of the real data beside the repository; skips the test where it is not there."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"real data {name!r} is not beside the repository (../shared/data)")
    return path


@pytest.fixture(name="shared_data")
def shared_data_fixture() -> Callable[[str], Path]:
    """`shared_data` as a fixture, for tests that would rather not import it."""
    return shared_data


VOCABULARY = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("good", "bad", "film", *".,!?'"),
    *ascii_lowercase,
    *(f"##{letter}" for letter in ascii_lowercase),
)


def write_model(folder: Path, labels: tuple[str, ...], *, vocabulary: tuple[str, ...] = VOCABULARY) -> None:
    """A classifier of width 8 with random weights, and its tokenizer, as `save_pretrained` writes them."""
    import keras

    from bert_tf.models import BertClassifier, BertConfig
    from bert_tf.models.pretrained import save_model
    from bert_tf.text import BertTokenizer

    keras.utils.set_random_seed(7)
    config = BertConfig(
        vocabulary_size=len(vocabulary),
        hidden_dim=8,
        num_layers=1,
        num_heads=2,
        intermediate_dim=8,
        initializer_range=0.5,
    )
    save_model(BertClassifier(config, len(labels), labels=labels), folder, BertTokenizer(vocabulary))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random model of SST-2's two classes. Read it, do not change it."""
    folder = tmp_path_factory.mktemp("tiny") / "model"
    write_model(folder, ("negative", "positive"))
    return folder


@pytest.fixture(scope="session")
def tiny_run(tiny_model: Path) -> Path:
    """A run folder of SST-2 around `tiny_model`, as training leaves it. Read it, do not change it."""
    from bert_tf.config import RunConfig, to_toml

    config = RunConfig.model_validate({"task": "sst2", "data": {"source": "sample"}})
    (tiny_model.parent / "config.toml").write_text(to_toml(config), encoding="utf-8")
    return tiny_model.parent


REVIEWS = "sentence\tlabel\na good film\t1\na bad film\t0\nbad, bad, bad\t0\n"


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """A small SST-2 folder."""
    folder = tmp_path / "reviews"
    folder.mkdir()
    for name in ("train.tsv", "dev.tsv"):
        (folder / name).write_text(REVIEWS)
    return folder


@pytest.fixture(autouse=True)
def _no_data_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BERT_TF_DATA", raising=False)
