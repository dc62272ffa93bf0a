"""What every kind's own data stands on: what columns look like, separators, lengths, and how kinds are found."""

from __future__ import annotations

import random
import shlex
from pathlib import Path

import numpy as np
import pytest

import bert_tf
from bert_tf.command_line import train_parser
from bert_tf.config import RunConfig
from bert_tf.data.files import DataFile
from bert_tf.kinds.own_data import Column, Given
from bert_tf.kinds.own_data.given import found_delimiter
from bert_tf.kinds.own_data.lengths import chosen_length, token_counter
from bert_tf.kinds.own_data.registry import KINDS, own_kind, own_kinds
from tests.conftest import VOCABULARY
from tests.kinds.own_data.making import made, rows, table, words

SENTENCES = ["this film is long and bad", "a good film, isn't it?", "the other one was better"]


@pytest.mark.parametrize(
    ("cells", "looks"),
    [
        (SENTENCES, "text, 5 words on average"),
        (["good", "bad", "good", ""], "2 different: 'good', 'bad', 1 empty"),
        (["1", "2.5", None, "3"], "3 different numbers, 1 empty"),
        ([1.0, 2.0, 1.0, 2.0], "2 different whole numbers"),
        (["1,5", "2,0", "3,5", "1,5"], "3 different numbers with commas"),
        (["7", "8", "9", "10"], "a number or name of each row"),
        (["", None, float("nan")], "empty"),
        ([["a", "b"], ["c"]], "lists, such as ['a', 'b']"),
        (["['a']", "['b', 'c']"], "lists, such as \"['a']\""),
        (["1.2.2024", "3.4.2024"], "2 different: '1.2.2024', '3.4.2024'"),
        (["https://a.b/c", "https://a.b/d"], "2 different: 'https://a.b/c', 'https://a.b/d'"),
        (["これは映画です。とても", "天気がいいですね、今日"], "text, 1 words on average"),
        (["in the garden", "at home", "in the garden", "at home"] * 5, "2 different: 'in the garden', 'at home'"),
        ([True, False, True], "2 different: 'true', 'false'"),
    ],
)
def test_what_a_column_looks_like(cells, looks):
    assert Column("column", cells).looks == looks


def test_a_column_of_names_of_rows_is_no_text_and_no_label():
    assert Column("id", ["a1", "b7", "c3"]).is_index
    assert not Column("word", ["a1", "b7", "c3"]).is_index
    assert not Column("id", ["a", "a", "b"]).is_index


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("seed", range(4))
def test_the_separator_is_that_under_which_lines_have_equal_columns(tmp_path, separator, seed):
    random_ = random.Random(seed)
    others = [other for other in ",;|" if other != separator]
    lines = [separator.join(["text", "label", "more"])]
    for _ in range(random_.randint(1, 80)):
        cells = ["".join(random_.choice(["word ", *others]) for _ in range(random_.randint(1, 6))) for _ in range(3)]
        lines.append(separator.join(f'"{cell}"' if random_.random() < 0.3 else cell for cell in cells))
    path = tmp_path / "train.csv"
    path.write_text("".join(f"{line}\n" for line in lines))
    assert found_delimiter(DataFile(path)) == separator
    assert list(Given(path).columns) == ["text", "label", "more"]


def test_a_file_of_one_column_has_no_separator(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text("text\nword\nother\n")
    assert found_delimiter(DataFile(path)) is None
    assert list(Given(path).columns) == ["text"]


def test_every_kind_with_own_data_is_found_by_its_folder():
    names = own_kinds()
    assert {"classification", "multiple_choice"} <= set(names)
    assert names == sorted(path.parent.name for path in Path(KINDS).glob("*/own_data.py"))
    fields = set(type(RunConfig(task="x").own_data).model_fields)
    for name in names:
        assert set(own_kind(name).keys) <= fields, name
        flags = train_parser("train", "").parse_args(shlex.split(own_kind(name).example))
        assert vars(flags), name


def test_tokens_are_counted_as_the_tokenizer_has_them():
    """Against the graph that texts are trained with, over words, marks, capitals, accents and Chinese characters."""
    config = RunConfig(task="classification", backbone="tiny", vocabulary=words())
    random_ = random.Random(5)
    letters = [*"abc", *"ABC", "é", "ß", "日", "本", ".", ",", "'", " ", " ", "film ", "good ", "#", "1"]
    texts = [*SENTENCES, *("".join(random_.choices(letters, k=random_.randint(0, 30))) for _ in range(200))]
    counted = np.array([token_counter(config)(text) for text in texts])
    exact = bert_tf.BertTokenizer(list(dict.fromkeys(VOCABULARY)), lowercase=True).tokenize(texts).row_lengths().numpy()
    np.testing.assert_array_equal(counted, exact)


def test_the_length_keeps_ninety_nine_in_a_hundred_whole():
    config = RunConfig(task="classification", backbone="tiny", vocabulary=words())
    texts = [["good " * 10]] * 980 + [["good " * 30]] * 15 + [["good " * 300]] * 5
    length, said, _ = chosen_length(texts, config)
    assert length == 32
    assert said.startswith("sequence length: 32 tokens (half of the training texts have 12 or fewer, the longest 302)")
    assert "5 of 1,000 are longer" in said
    assert chosen_length([["good"]], config)[0] == 16
    wide = config.model_copy(update={"model": config.model.model_copy(update={"max_positions": 24})})
    length, said, windows = chosen_length(texts, wide, takes_windows=True)
    assert (length, windows) == (24, False)  # 2 of 100 are longer
    assert "20 of 1,000 are longer and are cut; the 24 positions of tiny allow no more" in said
    _, said, windows = chosen_length(texts[-200:], wide, takes_windows=True)
    assert windows
    assert "20 of 200 are longer and are read in windows that overlap" in said
    assert not chosen_length(texts[-200:], wide)[2]


def test_settings_that_are_given_are_no_guesses(tmp_path):
    path = tmp_path / "train.csv"
    path.write_text(table(rows(40)))
    run = made(path, settings={"data": {"sequence_length": 20}}, metrics="f1_macro", validation=0.5)
    assert run.config.data.sequence_length == 20
    assert not [line for line in run.lines if line.startswith("sequence length")]
    assert run.kind.metrics == ("f1_macro",)
    assert run.sizes == (20, 20)


def test_a_file_beside_the_only_one_is_not_read_but_named(tmp_path):
    for name in ("train.csv", "dev.csv"):
        (tmp_path / name).write_text(table(rows(40)))
    run = made(tmp_path / "train.csv")
    assert any(line.endswith("kept out of training (--validation=dev.csv says otherwise)") for line in run.lines)
    assert run.sizes == (32, 8)
    assert made(tmp_path / "train.csv", validation="dev.csv").sizes == (40, 40)
    assert made(tmp_path).sizes == (40, 40)
