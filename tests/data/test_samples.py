"""Checks on the sample sentiment sentences in ``bert_tf/data/samples/sst2``."""

import collections
import itertools
import pathlib
import re
import unicodedata

import pytest

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "bert_tf" / "data" / "samples"
MINIMUM = {"train": 600, "dev": 150}
NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|nowhere|neither|nor|without|cannot"
    r"|hardly|barely|\w+n't)\b",
    re.IGNORECASE,
)
TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def read_lines(split):
    text = (SAMPLES / "sst2" / f"{split}.tsv").read_bytes().decode("utf-8")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    return text[:-1].split("\n")


def read_rows(split):
    return [tuple(line.split("\t")) for line in read_lines(split)[1:]]


def sentences(split):
    return [row[0] for row in read_rows(split)]


def tokens(sentence):
    return TOKEN.findall(sentence.lower())


def normalised(sentence):
    return " ".join(tokens(sentence))


@pytest.fixture(params=sorted(MINIMUM))
def split(request):
    return request.param


def test_format(split):
    lines = read_lines(split)
    assert lines[0] == "sentence\tlabel"
    for line in lines[1:]:
        columns = line.split("\t")
        assert len(columns) == 2, line
        sentence, label = columns
        assert label in ("0", "1"), line
        assert sentence, line
        assert sentence == sentence.strip(), line
        assert "  " not in sentence, line
        # A leading quotation mark would make csv readers merge lines.
        assert not sentence.startswith('"'), line
        assert sentence[-1] in '.?!"', line
        assert all(character.isprintable() for character in sentence), line
        assert unicodedata.normalize("NFC", sentence) == sentence, line
        assert not any(unicodedata.category(c) == "So" for c in sentence), line


def test_count(split):
    assert len(read_rows(split)) >= MINIMUM[split]


def test_balance(split):
    labels = [label for _, label in read_rows(split)]
    assert abs(labels.count("1") / len(labels) - 0.5) <= 0.02


def test_labels_are_mixed(split):
    labels = [label for _, label in read_rows(split)]
    longest = max(len(list(run)) for _, run in itertools.groupby(labels))
    assert longest <= 15


def test_unique_and_disjoint():
    every = [normalised(s) for name in MINIMUM for s in sentences(name)]
    repeated = [s for s, n in collections.Counter(every).items() if n > 1]
    assert repeated == []


def test_length_spread(split):
    lengths = [len(sentence.split()) for sentence in sentences(split)]
    assert sum(length <= 4 for length in lengths) >= 0.05 * len(lengths)
    assert sum(length >= 35 for length in lengths) >= 0.02 * len(lengths)
    assert max(lengths) >= 40


def test_openings_vary(split):
    rows = sentences(split)
    openings = collections.Counter(tuple(words[:3]) for words in map(tokens, rows) if len(words) >= 3)
    opening, count = openings.most_common(1)[0]
    assert count <= 0.02 * len(rows), opening


def test_negation_is_common_in_both_classes(split):
    for label in ("0", "1"):
        rows = [s for s, given in read_rows(split) if given == label]
        share = sum(bool(NEGATION.search(s)) for s in rows) / len(rows)
        assert share >= 0.10, label


def test_no_near_duplicates():
    every = [s for name in MINIMUM for s in sentences(name)]
    bags = [frozenset(tokens(s)) for s in every]
    for (i, first), (j, second) in itertools.combinations(enumerate(bags), 2):
        if 5 * min(len(first), len(second)) < 4 * max(len(first), len(second)):
            continue  # Sizes this different cannot reach the limit.
        shared = len(first & second)
        similarity = shared / (len(first) + len(second) - shared)
        assert similarity < 0.8, (every[i], every[j])


def test_beyond_ascii_digits_and_quotes():
    every = " ".join(sentences("train"))
    assert any(c.isalpha() and not c.isascii() for c in every)
    assert any(c.isdigit() for c in every)
    assert '"' in every


def test_readme_counts():
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    for name in MINIMUM:
        assert f"`sst2/{name}.tsv` has {len(read_rows(name))} " in readme
