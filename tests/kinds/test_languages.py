"""Tasks in languages other than English: their metrics and oracle labels, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf import load_task
from bert_tf.config import RunConfig
from bert_tf.data import InMemory
from bert_tf.errors import UserError
from bert_tf.inference.runs import open_run, task_file
from bert_tf.kinds import Classification, ExtractiveSummarization, Pretraining, TextToText
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY

TEXTS = {
    "ru": ["Пёс бежал по полю. Мама мыла раму. Шёл дождь.", "Кот спит. Снег идёт."],
    "zh": ["天安门很大。我爱北京。今天下雨。", "猫在睡。下雪了。"],
    "de": ["Der Hund lief. Mutter wusch die Fenster. Es regnete.", "Die Katze schläft. Es schneit."],
}
SUMMARIES = {
    "ru": ["Мама мыла раму.", "Идёт снег."],
    "zh": ["我爱北京。", "下雪。"],
    "de": ["Mutter wusch.", "Es schneit."],
}
TOKENIZER = BertTokenizer(VOCABULARY)


def rows(language):
    pairs = zip(TEXTS[language], SUMMARIES[language], strict=True)
    return [{"body": text, "short": short} for text, short in pairs]


def summaries(given, **changes) -> ExtractiveSummarization:
    fields = {"source": InMemory({"train": given, "validation": given}), "text": "body", "summary": "short"}
    return ExtractiveSummarization(**{**fields, "num_sentences": 1, "metrics": ("rouge1",), **changes})


def pairs(given, **changes) -> TextToText:
    source = InMemory({"train": given, "validation": given}, bad_rows_share=0.5)
    fields = {"source": source, "text": "body", "target": "short"}
    return TextToText(**{**fields, "sequence_length": 32, "target_length": 8, "metrics": ("rouge1", "bleu"), **changes})


@pytest.mark.parametrize("language", list(TEXTS))
def test_the_oracle_and_the_baselines_count_the_languages_words(language):
    kind = summaries(rows(language), language=language)
    examples = kind.read("own", "train")
    features = kind.features(TOKENIZER, examples)
    labels = features.token_fields["sentence_labels"]
    assert [row[row >= 0].tolist() for row in np.split(labels, features.splits[1:-1])] == [[0, 1, 0], [0, 1]]
    found = kind.baselines(examples)
    assert found["oracle"]["rouge1"] > 70 > found["lead_1"]["rouge1"]


@pytest.mark.parametrize("language", ["ru", "zh"])
@pytest.mark.parametrize("make", [summaries, pairs])
def test_a_task_in_english_does_not_take_what_it_cannot_score(language, make):
    expected = rf"validation\[0\]: column 'short': .* --set data.language={language}"
    with pytest.raises(UserError, match=expected):
        make(rows(language)).read("own", "validation")
    mixed = [row | {"short": f"IBM {row['short']}"} for row in rows(language)]
    with pytest.raises(
        UserError, match=r"validation: expected text that the metrics of language='en' fit. Received: \d"
    ):
        make(mixed).read("own", "validation")
    assert len(make(rows(language), language=language).read("own", "validation")) == 2


def test_a_target_that_has_no_word_can_be_learnt_but_not_scored():
    given = [{"body": "a", "short": "good film"}, {"body": "b", "short": "!!!"}]
    kind = pairs(given)
    assert len(kind.read("own", "train")) == 2
    with pytest.raises(UserError, match=r"validation\[1\]: column 'short': expected a word .* Received: none in '!!!'"):
        kind.read("own", "validation")
    examples = kind.read("own", "validation", skip_bad_rows=True)
    assert (len(examples), examples.bad_rows) == (1, 1)
    assert len(pairs(given, metrics=("chrf",)).read("own", "validation")) == 2
    with pytest.raises(UserError, match=r"`references` of text 1: expected a word"):  # where train is to be scored
        kind._metrics(["a", "b"], kind.read("own", "train"))


def test_english_that_is_german_is_said(caplog):
    given = [{"body": "x", "short": " ".join(["Der Hund lief schnell über die Wiese."] * 30)}] * 2
    assert len(pairs(given).read("own", "validation")) == 2
    assert "validation: is this text in the language 'en', by which the metrics count? only" in caplog.text
    caplog.clear()
    pairs(given, language="de").read("own", "validation")
    assert not caplog.text


def test_references_that_some_rows_lack():
    given = [
        {"body": "a", "short": "good film", "second": None, "third": "a film"},
        {"body": "b", "short": "bad", "second": float("nan"), "third": " "},
        {"body": "c", "short": "x", "second": "y", "third": "z"},
    ]
    kind = pairs(given, references=("second", "third"))
    examples = kind.read("own", "validation")
    assert examples.references == [("good film", "a film"), ("bad",), ("x", "y", "z")]
    scores = kind._metrics(["a film", "bad", "z"], examples)
    assert scores["rouge1"] == pytest.approx(100 * ((0.5 + 1) / 2 + 1 + 1 / 3) / 3)
    empty = InMemory({"test": [{"body": "a", "short": "b", "second": ""}, {"body": "a", "short": None, "second": ""}]})
    with pytest.raises(UserError, match=r"test\[1\]: column 'short': expected text"):
        pairs([], source=empty, references=("second",)).read("own", "test")
    none = InMemory({"test": [{"body": "a", "second": "b"}, {"body": "a", "second": ""}]}, bad_rows_share=0.5)
    with pytest.raises(UserError, match=r"test\[1\]: expected a text in short, second. Received: none"):
        pairs([], source=none, references=("second",)).read("own", "test")
    assert pairs([], source=none, references=("second",)).read("own", "test", skip_bad_rows=True).bad_rows == 1


def test_the_run_names_the_language():
    config = RunConfig(task="x")
    chinese = config.model_copy(update={"data": config.data.model_copy(update={"language": "zh"})})
    kind = load_task("scitldr").configured(chinese)
    assert isinstance(kind, ExtractiveSummarization)
    assert (kind.language, load_task("scitldr").configured(config)) == ("zh", load_task("scitldr"))
    wrong = config.model_copy(update={"data": config.data.model_copy(update={"language": "Chinese"})})
    with pytest.raises(UserError, match=r"'data.language': `language` must be a code .* Did you mean 'zh'"):
        load_task("dialogsum").configured(wrong)
    for name in ("sst2", "pretrain"):
        kind = load_task(name)
        assert isinstance(kind, Classification | Pretraining)
        with pytest.raises(UserError, match=r"'data.language' is for tasks whose metrics count words. Received: 'zh'"):
            kind.configured(chinese)


@pytest.mark.parametrize("make", [summaries, pairs])
def test_a_language_that_there_is_not(make):
    with pytest.raises(ValueError, match=r"`language` must be a code of ISO 639-1, .*language='klingon'"):
        make([], language="klingon")


def test_metrics_of_translations():
    assert (pairs([], metrics=("ter", "chrf")).greater_is_better, pairs([], metrics=("chrf",)).greater_is_better) == (
        False,
        True,
    )
    for name, reason in (("meteor", "There is no meteor: it needs WordNet"), ("bertscore", "another trained model")):
        with pytest.raises(
            ValueError, match=rf"rougeLsum, bleu, chrf, ter. Received: metrics=\('{name}',\)\. .*{reason}"
        ):
            pairs([], metrics=(name,))
    kind = pairs(rows("de"), metrics=("ter", "chrf"), language="de")
    examples = kind.read("own", "validation")
    assert kind._metrics(SUMMARIES["de"], examples) == pytest.approx({"ter": 0.0, "chrf": 100.0})
    with pytest.raises(UserError, match=r"`bleu` must be of a language written with spaces"):
        pairs(rows("de"), language="th").read("own", "validation")


def test_what_is_cut_is_counted_and_said(caplog):
    given = [{"body": "a " * 40, "short": "b"}, {"body": "a", "short": "b " * 9}, {"body": "a", "short": "b " * 8}]
    given += [{"body": "a " * 22, "short": "b " * 7}]  # the last two: just room enough, with [SEP] and without
    kind = pairs(given, metrics=("chrf",))
    features = kind.features(TOKENIZER, kind.read("own", "train"))
    assert len(features) == 4
    assert "1 of 4 texts to read are longer than 22 tokens" in caplog.text
    assert "2 of 4 targets are longer than 7 tokens: training learns them up to there" in caplog.text
    caplog.clear()
    kind.features(TOKENIZER, kind.read("own", "train"), sequence_length=60)
    assert "texts to read" not in caplog.text


def test_summaries_without_a_sentence_and_texts_without_room_are_said(caplog):
    given = [{"body": "good film.\nbad.", "short": "q"}, {"body": "a b c d.\n" * 9, "short": "a"}]
    kind = summaries(given, sequence_length=24)
    kind.features(TOKENIZER, kind.read("own", "train"))
    assert "1 of 2 texts do not fit in 24 tokens" in caplog.text
    assert "1 of 2 texts have no sentence with a word of their summary: they teach to take none" in caplog.text


@pytest.mark.parametrize(("language", "expected"), [("zh", "我爱北京。今天下雨。"), ("ru", "我爱北京。 今天下雨。")])
def test_sentences_are_joined_as_the_language_writes_them(language, expected):
    from bert_tf.kinds.extractive.features import sentence_features
    from bert_tf.kinds.extractive.features import summaries as chosen

    texts = ["天安门很大。我爱北京。今天下雨。"]
    features = sentence_features(TOKENIZER, texts, None, max_length=32, limit=2)
    outputs = [np.zeros(features.splits[1], np.float32)]
    outputs[0][features.sentence_tokens[1:]] = 1
    kind = summaries([], language=language)
    found = chosen(outputs, features, texts, limit=2, block_trigrams=False, separator=kind.separator)
    assert found == [expected]


def test_a_run_keeps_its_language(tmp_path):
    (tmp_path / "model").mkdir()
    settings = 'task = "scitldr"\n[data]\nlanguage = "zh"\n'
    (tmp_path / "config.toml").write_text(settings, encoding="utf-8")
    for keeps_task in (False, True):
        if keeps_task:
            for name, text in task_file(load_task("scitldr")).items():
                (tmp_path / name).write_text(text, encoding="utf-8")
        config, kind = open_run(tmp_path)
        assert isinstance(kind, ExtractiveSummarization)
        assert (config.data.language, kind.language, kind.separator) == ("zh", "zh", "")
    (tmp_path / "config.toml").write_text('task = "scitldr"\n', encoding="utf-8")
    assert open_run(tmp_path).kind == load_task("scitldr")
