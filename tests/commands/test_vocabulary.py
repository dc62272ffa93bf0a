from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bert_tf import vocabulary
from bert_tf.errors import UserError
from bert_tf.text import BertTokenizer
from bert_tf.text.vocabulary import read_vocabulary

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = "Der Hund läuft.\nDie Hunde laufen, der Hut lag hier.\n" * 5 + "Rarität\n"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    file = tmp_path / "corpus.txt"
    file.write_text(TEXT, encoding="utf-8")
    return file


def learn(corpus: Path, *flags: str) -> tuple[str, ...]:
    folder = corpus.with_name("words")
    vocabulary.main([f"--input={corpus}", f"--output={folder}", *flags])
    return read_vocabulary(folder / "vocab.txt")


def test_the_order_of_the_tokens(corpus):
    tokens = learn(corpus, "--size=60", "--lowercase")
    assert tokens[:5] == ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    first = [token for token in tokens[5:] if len(token) == 1]
    inside = [token for token in tokens[5:] if len(token) == 3 and token.startswith("##")]
    assert list(tokens[5 : 5 + len(first) + len(inside)]) == sorted(first) + sorted(inside)
    assert {"der", "hund"} <= set(tokens[5 + len(first) + len(inside) :])
    assert "rar" not in " ".join(tokens), "pieces that stand together once only are not joined"
    assert len(set(tokens)) == len(tokens) <= 60


def test_case_and_accents(corpus):
    assert {"D", "##ä"} <= set(learn(corpus, "--size=80"))
    assert not {"D", "##ä"} & set(learn(corpus, "--size=80", "--lowercase"))


def test_the_folder_is_read_by_our_tokenizer_and_the_library_gives_the_same_ids(corpus, capsys):
    from tokenizers import BertWordPieceTokenizer

    tokens = learn(corpus, "--size=50", "--lowercase")
    folder = corpus.with_name("words")
    tokenizer = BertTokenizer.from_pretrained(folder)
    assert (tokenizer.vocabulary, tokenizer.lowercase) == (tokens, True)
    text = "Der HUND läuft, der Hut [SEP] xyz"
    theirs = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=True).encode(text)
    assert tokenizer([text])["token_ids"].numpy()[0].tolist() == theirs.ids
    said = capsys.readouterr()
    assert json.loads(said.out) | {"seconds": 0} == {"output": str(folder), "tokens": len(tokens), "seconds": 0}
    assert f"{len(tokens):,} tokens" in said.err


def test_the_same_corpus_gives_the_same_folder_in_another_process(tmp_path):
    """The library numbers characters by a hash table's order, which differs from process to process."""
    corpus = tmp_path / "corpus.txt.gz"
    corpus.write_bytes(gzip.compress(((REPOSITORY / "LICENSE").read_text() + "äöüßéèêâçñ" * 3).encode()))
    found = []
    for run in range(3):
        folder = tmp_path / str(run)
        flags = [f"--input={corpus}", "--size=300", f"--output={folder}", "--max-characters=50"]
        done = subprocess.run(
            [sys.executable, "-m", "bert_tf.vocabulary", *flags],
            cwd=REPOSITORY, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert found[0] == found[1] == found[2]
    assert sorted(found[0]) == ["special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"]


def test_only_the_most_frequent_characters(tmp_path):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("aaa bb ba\nc b d\n")
    assert learn(corpus, "--size=40", "--max-characters=2")[5:9] == ("a", "b", "##a", "##b")
    assert {"c", "d"} <= set(learn(corpus, "--size=40"))


def test_several_inputs(tmp_path):
    for name, text in (("a", "xx"), ("b", "yy")):
        (tmp_path / name).write_text(text)
    files = [str(tmp_path / name) for name in "ab"]
    vocabulary.main(["--input", *files, "--size=20", f"--output={tmp_path / 'words'}"])
    assert {"x", "y"} <= set(read_vocabulary(tmp_path / "words" / "vocab.txt"))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--size=5"], "--size must be 6 or more. Received: 5"),
        (["--size=50", "--min-count=0"], "--min-count must be 1 or more. Received: 0"),
        (["--size=10"], r"--size must be at least \d+ for this corpus, .* Received: --size=10"),
        (["--size=50", "--input=nowhere.txt"], "--input=nowhere.txt: expected text files .*Received: none"),
        (["--size=x"], "argument --size: invalid int value: 'x'"),
    ],
)
def test_bad_use(flags, expected, corpus):
    with pytest.raises(UserError, match=expected):
        vocabulary.main([f"--input={corpus}", f"--output={corpus.with_name('words')}", *flags])
    assert [file.name for file in corpus.parent.iterdir()] == ["corpus.txt"], "nothing is left"


def test_bad_input_is_named_and_leaves_nothing(corpus):
    corpus.write_bytes(b"fine\nb\xffd\n")
    with pytest.raises(UserError, match=r"corpus\.txt:2: expected UTF-8. Received: byte 0xff after 'b'"):
        learn(corpus, "--size=50")
    corpus.write_text("\n \n")
    with pytest.raises(UserError, match=r"corpus\.txt: expected text. Received: none"):
        learn(corpus, "--size=50")
    assert [file.name for file in corpus.parent.iterdir()] == ["corpus.txt"]


def test_the_words_of_a_model_are_not_overwritten(corpus, tiny_model):
    before = (tiny_model / "vocab.txt").read_bytes()
    with pytest.raises(UserError, match=r"expected a folder without a model in it. Received: .* model\.safetensors"):
        vocabulary.main([f"--input={corpus}", "--size=50", f"--output={tiny_model}"])
    assert (tiny_model / "vocab.txt").read_bytes() == before


def test_the_library_is_an_extra(corpus, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(UserError, match=r"needs an optional package: pip install 'bert_tf\[vocabulary\]'"):
        learn(corpus, "--size=50")


def test_patterns_and_folders_are_the_files_within_each_once(tmp_path):
    notes = tmp_path / "notes"
    (notes / "more").mkdir(parents=True)
    for name in ("a.txt", "more/b.txt", "c.md"):
        (notes / name).write_text(TEXT + Path(name).name, encoding="utf-8")

    vocabulary.main(
        ["--input", f"{notes}", f"{notes}/*.txt", "--size=200", "--min-count=1", f"--output={tmp_path / 'folder'}"]
    )
    vocabulary.main(
        [
            "--input",
            f"{notes}/a.txt",
            f"{notes}/*/*.txt",
            "--size=200",
            "--min-count=1",
            f"--output={tmp_path / 'files'}",
        ]
    )
    vocabulary.main([f"--input={notes}/*.md", "--size=200", "--min-count=1", f"--output={tmp_path / 'pattern'}"])

    words = {name: read_vocabulary(tmp_path / name / "vocab.txt") for name in ("folder", "files", "pattern")}
    assert words["folder"] == words["files"]
    assert "m" in words["pattern"]
    assert "m" not in words["files"]
