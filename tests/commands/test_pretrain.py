"""Pre-training through the commands: train, evaluate, predict."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from bert_tf import evaluate, predict, train
from bert_tf.errors import UserError
from tests.data.corpora import pretraining_sets as sets


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """With corpus/a.txt.gz and corpus/b.txt, and words/, a vocabulary."""
    (tmp_path / "corpus").mkdir()
    file = sets.write_corpus(tmp_path / "corpus" / "a.txt", documents=12)
    (tmp_path / "corpus" / "a.txt.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    sets.write_corpus(tmp_path / "corpus" / "b.txt", documents=4, seed=2)
    sets.tokenizer().save_pretrained(tmp_path / "words")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def arguments(folder: Path, data: str) -> list[str]:
    settings = ["training.max_steps=3", "training.batch_examples=8", "data.sequence_length=24",
                f"vocabulary={folder / 'words'}"]  # fmt: skip
    return ["--task=pretrain", f"--data={data}", "--backbone=tiny", f"--run={folder / 'run'}", "--set", *settings]


@pytest.mark.slow
def test_a_pattern_is_trained_on_scored_and_guessed_with(folder, capsys):
    train.main([*arguments(folder, str(folder / "corpus" / "*.txt*")), "pretraining.validation=b.txt"])
    result = json.loads(capsys.readouterr().out)
    names = {"masked_lm_loss", "masked_lm_accuracy", "perplexity", "next_sentence_loss", "next_sentence_accuracy"}
    assert set(result["metrics"]) == names | {"most_frequent_accuracy", "bigram_accuracy"}
    assert result["steps"] == 3
    assert result["train_examples"] > 20
    assert result["padding_share"] < 0.1
    reports = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    assert {"loss", "masked_lm_loss", "next_sentence_loss"} <= set(reports[0])
    assert [path.name for path in (folder / "cache").iterdir()] == ["bert_tf"]

    evaluate.main([f"--run={folder / 'run'}"])
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"] == pytest.approx(result["metrics"], rel=1e-4)
    evaluate.main([f"--run={folder / 'run'}", f"--data={folder / 'corpus' / 'a.txt.gz'}"])
    other = json.loads(capsys.readouterr().out)
    assert other["metrics"]["masked_lm_loss"] != found["metrics"]["masked_lm_loss"]

    predict.main([f"--run={folder / 'run'}", "--text=a [MASK] b.", "--set", "top_k=2"])
    (guess,) = json.loads(capsys.readouterr().out)["masks"]
    assert (guess["start"], guess["end"], len(guess["guesses"])) == (2, 8, 2)


@pytest.mark.slow
def test_replaced_tokens_through_every_command(folder, capsys):
    given = [*arguments(folder, str(folder / "corpus" / "*.txt*")), "pretraining.validation=b.txt"]
    train.main([*given, "pretraining.objective=replaced_tokens"])
    result = json.loads(capsys.readouterr().out)
    names = {"pretraining_loss", "masked_lm_loss", "masked_lm_accuracy", "perplexity", "most_frequent_accuracy"}
    names |= {f"replaced_token_{end}" for end in ("loss", "accuracy", "precision", "recall", "f1", "share")}
    assert set(result["metrics"]) == {*names, "bigram_accuracy"}
    reports = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    assert {"loss", "masked_lm_loss", "weighted_replaced_token_loss"} <= set(reports[0])
    whole = (name for name in ("", "generator") if (folder / "run" / "model" / name / "vocab.txt").is_file())
    assert list(whole) == ["", "generator"]

    evaluate.main([f"--run={folder / 'run'}"])
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"] == pytest.approx(result["metrics"], rel=1e-4)
    predict.main([f"--run={folder / 'run'}", "--text=ab c."])
    (told,) = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [one["text"] for one in told["pieces"]] == ["a", "b", "c", "."]

    again = [f"--run={folder / 'again'}" if part.startswith("--run=") else part for part in given]
    again = [f"--backbone={folder / 'run' / 'model'}" if part.startswith("--backbone=") else part for part in again]
    more = ["pretraining.objective=replaced_tokens", "training.evaluate_first=true", "training.max_steps=1"]
    again = [part for part in again if not part.startswith(("vocabulary=", "training.max_steps="))]
    train.main([*again, *more])
    capsys.readouterr()
    first = json.loads((folder / "again" / "metrics.jsonl").read_text().splitlines()[0])
    assert first["pretraining_loss"] == pytest.approx(result["metrics"]["pretraining_loss"], rel=1e-4)


@pytest.mark.slow
def test_bad_lines_are_named_or_left_out_and_counted(folder, capsys):
    with (folder / "corpus" / "b.txt").open("ab") as file:
        file.write(b"caf\xe9.\n")
    given = [*arguments(folder, str(folder / "corpus")), "pretraining.validation=a.txt.gz"]
    with pytest.raises(UserError, match=r"b.txt:\d+: expected UTF-8. Received: byte 0xe9 after 'caf'"):
        train.main(given)
    train.main([*given, "--skip-bad-rows"])
    assert json.loads(capsys.readouterr().out)["bad_rows"] == {"train": 1, "validation": 0}


@pytest.mark.slow
def test_the_bundled_sample(folder, capsys):
    train.main(arguments(folder, "sample"))
    result = json.loads(capsys.readouterr().out)
    assert result["data"] == "sample"
    assert 0 < result["metrics"]["masked_lm_accuracy"] < 1


@pytest.mark.parametrize(
    ("data", "setting", "match"),
    [
        ("none/*.txt", "seed=1", r"--data=.*none/\*.txt: expected a folder or file"),
        ("corpus", "pretraining.validation=c.txt", r"pretraining.validation=c.txt: expected a file, folder or pattern"),
        ("corpus", "pretraining.pair=sentences", r"'pretraining.pair' must be 'next_sentence', 'sentence_order' or"),
        ("corpus", "data.sequence_length=600", r"'data.sequence_length' must be at most 512"),
    ],
)
def test_wrong_uses(folder, data, setting, match):
    with pytest.raises(UserError, match=match):
        train.main([*arguments(folder, str(folder / data)), setting])


@pytest.mark.slow
def test_more_positions_than_a_size_has(folder, capsys):
    train.main([*arguments(folder, str(folder / "corpus")), "model.max_positions=600", "data.sequence_length=600"])
    described = json.loads((folder / "run" / "model" / "config.json").read_text())
    assert described["max_position_embeddings"] == 600
