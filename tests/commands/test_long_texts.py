"""What predict and evaluate say of long texts, and that --set has them read."""

from __future__ import annotations

import json

import pytest

from bert_tf import evaluate, predict
from bert_tf.errors import UserError

LONG = "good film, bad. " * 30  # 150 tokens


@pytest.mark.usefixtures("shared_pipeline")
def test_predict_says_what_was_cut_and_how_it_is_read(tiny_run, capsys):
    flags = [f"--run={tiny_run}", f"--text={LONG}", "--text=good"]
    predict.main(flags)
    cut = capsys.readouterr()
    assert [json.loads(line).get("cut_tokens") for line in cut.out.splitlines()] == [150 + 2 - 64, None]
    assert cut.err.splitlines()[-1] == (
        "1 of 2 inputs are too long and were cut: `cut_tokens` in their answers is what was not read; "
        "--set long_texts=windows reads all of them"
    )
    predict.main([*flags, "--set", "long_texts=windows"])
    windows = capsys.readouterr()
    answers = [json.loads(line) for line in windows.out.splitlines()]
    assert [answer.get("windows") for answer in answers] == [3, None]
    assert not any("cut_tokens" in answer for answer in answers)
    assert answers[1] == json.loads(cut.out.splitlines()[1])
    assert "cut" not in windows.err


@pytest.mark.usefixtures("shared_pipeline")
def test_evaluate_counts_what_was_cut(tiny_run, reviews, capsys):
    (reviews / "dev.tsv").write_text(f"sentence\tlabel\n{LONG}\t1\na bad film\t0\n")
    flags = [f"--run={tiny_run}", f"--data={reviews}"]
    evaluate.main(flags)
    result = json.loads(capsys.readouterr().out)
    lost = {"texts": 1, "of": 2, "tokens": 152 - 64, "share_of_tokens": round((152 - 64) / (152 + 5), 4)}
    assert result["cut"] == {**lost, "longest": 152}
    evaluate.main([*flags, "--set", "long_texts=windows"])
    result = json.loads(capsys.readouterr().out)
    assert result["cut"] == {"texts": 0, "of": 2, "tokens": 0, "share_of_tokens": 0.0, "longest": 152}
    with pytest.raises(UserError, match=r"have no setting 'long_text'. There are: long_texts, window_overlap, max_w"):
        evaluate.main([*flags, "--set", "long_text=windows"])
    with pytest.raises(UserError, match=r"--set: `long_texts` must be cut or windows. Received: long_texts='all'"):
        evaluate.main([*flags, "--set", "long_texts=all"])
