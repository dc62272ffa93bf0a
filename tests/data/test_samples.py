"""Checks on the sample sentiment sentences in ``bert_tf/data/samples/sst2``."""

import collections
import csv
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


# Scenes with four endings each, in the format of SWAG.

SCENES = {"train": 64, "val": 32}


def scenes(split):
    with (SAMPLES / "swag" / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def endings(scene):
    return [scene[f"ending{place}"] for place in range(4)]


@pytest.mark.parametrize("name", SCENES)
def test_scenes_are_laid_out_as_published(name):
    header = (SAMPLES / "swag" / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.split(",") == ["", "video-id", "fold-ind", "startphrase", "sent1", "sent2", "gold-source",
                                 "ending0", "ending1", "ending2", "ending3", "label"]  # fmt: skip
    found = scenes(name)
    assert len(found) == SCENES[name]
    for scene in found:
        assert scene["startphrase"] == f"{scene['sent1']} {scene['sent2']}"
        assert len(set(endings(scene))) == 4
        for text in (scene["sent1"], *endings(scene)):
            assert text == " ".join(text.split()), text
            assert text.endswith("."), text


@pytest.mark.parametrize("name", SCENES)
def test_an_ending_says_nothing_by_itself(name):
    """Each is right once and wrong three times, and every place is right as often as the others."""
    right, wrong = collections.Counter(), collections.Counter()
    for scene in scenes(name):
        for place, ending in enumerate(endings(scene)):
            (right if place == int(scene["label"]) else wrong)[ending] += 1
    assert set(right.values()) == {1}
    assert set(wrong.values()) == {3}
    assert set(right) == set(wrong)
    labels = collections.Counter(scene["label"] for scene in scenes(name))
    assert set(labels.values()) == {SCENES[name] // 4}


def test_scenes_to_score_with_are_new_ones():
    train, val = ({scene["sent1"] for scene in scenes(name)} for name in SCENES)
    assert (len(train), len(val), train & val) == (64, 32, set())
    known = {ending for scene in scenes("train") for ending in endings(scene)}
    assert not known & {ending for scene in scenes("val") for ending in endings(scene)}


def test_readme_counts_scenes():
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert "`swag/train.csv` has 64 scenes, `swag/val.csv` 32" in readme
