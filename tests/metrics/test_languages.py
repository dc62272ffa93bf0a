"""Rules of metrics in languages other than English: against the packages' own options and rules written again here."""

from __future__ import annotations

import doctest
import re
import string
import unicodedata
from collections import Counter
from typing import Any

import numpy as np
import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

from bert_tf.errors import UserError
from bert_tf.metrics import answer_rules, bleu, languages, rouge
from bert_tf.metrics import span_answers as squad
from bert_tf.metrics.oracle import Oracle

SENTENCES = {
    "ru": ["Мама мыла раму.", "Ёлка стоит в лесу, а кот спит."],
    "zh": ["我爱北京天安门。", "他在2003年买了IBM电脑。"],
    "ja": ["東京タワーへ行きました。", "ｶﾀｶﾅとひらがな。"],
    "th": ["ฉันรักกรุงเทพ", "น้ำดื่ม"],
    "hi": ["मैं दिल्ली में रहता हूँ।", "नमस्ते दुनिया"],
    "ar": ["القطة تنام على السرير.", "ذهب الولد إلى المدرسة؟"],
    "ko": ["나는 서울에 산다.", "고양이가 잔다"],
    "de": ["Über größere Öfen.", "Süße Äpfel"],
    "el": ["Η γάτα κοιμάται.", "Καλημέρα"],
    "vi": ["Tôi yêu Hà Nội.", "Con mèo ngủ"],
}


@pytest.mark.parametrize("module", [answer_rules, bleu, languages, rouge, squad])
def test_examples_of_docstrings(module):
    assert doctest.testmod(module).failed == 0


def test_codes():
    codes = [languages.language_code(name) for name in ("en", "zh-Hans", "pt_BR", "DE", "sr-Latn-RS")]
    assert codes == ["en", "zh", "pt", "de", "sr"]
    assert (len(languages.CODES), all(re.fullmatch("[a-z]{2}", code) for code in languages.CODES)) == (184, True)
    assert (
        set(languages.UNSPACED) | set(languages.ALSO_CALLED.values()) | set(languages.MOSTLY.values()) < languages.CODES
    )
    for wrong, meant in (("Chinese", "zh"), ("jp", "ja"), ("deu", "de"), ("english", "en")):
        with pytest.raises(
            ValueError, match=f"`language` must be a code .* Received: language='{wrong}'. Did you mean '{meant}'"
        ):
            languages.language_code(wrong)
    for wrong in ("", "qqq", None, 7):
        with pytest.raises(ValueError, match=f"Received: language={wrong!r}"):
            languages.language_code(wrong)


def test_words_by_hand():
    assert languages.words("Café-Bar, ½ L'été №5") == ["café", "bar", "1", "2", "l", "été", "no5"]
    assert languages.words("他在２００３年买了IBM电脑") == [*"他在", "2003", *"年买了", "ibm", *"电脑"]
    assert languages.words("दिल्ली में") == ["दिल्ली", "में"]  # vowel signs stay with their letters
    assert languages.words("スーパー") == [*"スーパー"]
    assert languages.words("e\u0301t\u00e9 \u0301x _ …") == ["été", "x"]
    assert languages.words("") == []


@pytest.mark.parametrize("language", list(SENTENCES))
def test_rouge_of_a_text_and_itself_and_of_another(language):
    first, second = SENTENCES[language]
    names = rouge.NAMES
    assert rouge.rouge([first], [[first]], names, language=language) == dict.fromkeys(names, pytest.approx(100.0))
    assert rouge.rouge([first + " " + second], [[second]], ["rouge1"], language=language)["rouge1"] < 90
    assert rouge.rouge([second[::-1]], [[second]], ["rouge2"], language=language)["rouge2"] < 90
    assert Oracle(1, language)([second, first], [first]) == [1]
    if language not in ("de", "vi"):  # the letters of these two are mostly a to z
        text = first if language != "zh" else first.replace("IBM", "")
        with pytest.raises(ValueError, match=r"`references` of text 0: .* Name the language: language='[a-z]{2}'"):
            rouge.rouge([text], [[text]])
        with pytest.raises(ValueError, match=r"expected a word of a to z .* Name the language"):
            Oracle(1)([text], [text])


def test_umlauts_are_letters():
    assert rouge.rouge(["schön"], [["sch n"]], ["rouge1"], language="de") == {"rouge1": 0.0}
    assert rouge.rouge(["größer ÜBER"], [["Größer über"]], ["rouge2"], language="de") == {"rouge2": 100.0}


def test_rouge_of_chinese_counts_characters():
    found = rouge.rouge(["我爱北京"], [["我爱天安门"]], ["rouge1", "rouge2"], language="zh")
    assert found == pytest.approx({"rouge1": 100 * 2 * 2 / (4 + 5), "rouge2": 100 * 2 * 1 / (3 + 4)})


def test_a_reference_without_a_word_is_named():
    for language in ("en", "ru"):
        with pytest.raises(ValueError, match=r"`references` of text 1: expected a word of .* Received: none in '— …'"):
            rouge.rouge(["a", "b"], [["a"], ["— …"]], language=language)
    assert rouge.rouge(["…"], [["a"]], ["rouge1"]) == {"rouge1": 0.0}  # a prediction may be nothing


WORDS = ["running", "runs", "dogs", "The", "a", "tables,", "U.S.", "3.5", "café", "it's", "—", "don't", "X-ray", "Dr."]


def test_english_is_rouge_score_with_its_stemmer():
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice(WORDS, rng.integers(1, 12))) + " a" for _ in range(200)]
    right = [" ".join(rng.choice(WORDS, rng.integers(1, 12))) + " dog" for _ in range(200)]
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    scores = [scorer.score(reference, text) for text, reference in zip(texts, right, strict=True)]
    expected = {name: 100 * np.mean([score[name].fmeasure for score in scores]) for name in scores[0]}
    assert rouge.rouge(texts, [[text] for text in right]) == pytest.approx(expected, rel=1e-12)
    assert rouge.rouge(texts, [[text] for text in right], language="en-GB") == pytest.approx(expected, rel=1e-12)


def test_bleu_has_the_tokenisation_of_the_language():
    texts, right = ["我爱北京天安门广场"], ["我爱北京天安门"]
    expected = sacrebleu.corpus_bleu(texts, [right], tokenize="zh").score
    assert bleu.bleu(texts, [right], language="zh") == pytest.approx(expected)
    assert expected > 50
    assert sacrebleu.corpus_bleu(texts, [right], tokenize="13a").score == 0
    for metric in (bleu.bleu, bleu.ter):
        with pytest.raises(
            ValueError, match=r"`references` must be in a language that the rule fits. .*language='de'; 100"
        ):
            metric(texts, [right], language="de")
    assert bleu.chrf(texts, [right]) > 50
    with pytest.raises(
        ValueError, match=r"`bleu` must be of a language written with spaces, or of zh, ja, ko: .*='th'"
    ):
        bleu.bleu(texts, [right], language="th")


@pytest.mark.parametrize("language", ["ja", "ko"])
def test_what_a_tokenisation_needs_is_named(language, monkeypatch):
    def absent(**options):
        raise RuntimeError("\nneeds extra dependencies\nmore")

    monkeypatch.setattr("sacrebleu.BLEU", absent)
    expected = rf"pip install 'sacrebleu\[{language}\]'; chrf needs none. Received: needs extra dependencies$"
    with pytest.raises(UserError, match=expected):
        bleu.bleu(["a"], [["a"]], language=language)


def test_bleu_chrf_and_ter_of_varying_numbers_of_references():
    texts = ["a b c d e f", "f g h i j", "k l m n"]
    references = [["a b c d x f", "a b c d e f"], ["f g h i"], ["k l m", "l m n o", "k l m n p"]]
    columns: Any = [[row[k] if k < len(row) else None for row in references] for k in range(3)]
    for ours, theirs in ((bleu.bleu, sacrebleu.BLEU()), (bleu.chrf, sacrebleu.CHRF()), (bleu.ter, sacrebleu.TER())):
        expected = theirs.corpus_score(texts, columns).score
        assert ours(texts, references) == pytest.approx(expected)
        assert 0 < expected < 100
    assert bleu.ter(["我爱北京"], [["我爱北"]], language="zh") == pytest.approx(100 / 3)


# MLQA's rules, written from their description: lower case; Unicode's punctuation and ASCII's away; the articles of the
# language away; Chinese characters one by one, all else at white space.
MLQA_ARTICLES = {
    "en": "a an the",
    "es": "un una unos unas el la los las",
    "vi": "của là cái chiếc những",
    "de": "ein eine einen einem eines einer der die das den dem des",
}


def mlqa_tokens(text: str, language: str) -> list[str]:
    kept = ""
    for c in text.lower():
        if not (unicodedata.category(c).startswith("P") or c in string.punctuation):
            kept += c
    if language == "ar":
        kept = kept.replace("ال", " ")
    if language in MLQA_ARTICLES:
        parts = re.split(r"(\w+)", kept)
        kept = "".join(" " if part in MLQA_ARTICLES[language].split() else part for part in parts)
    if language == "zh":
        kept = re.sub("([\u4e00-\u9fa5])", r" \1 ", kept)
    return kept.split()


def mlqa(text, right, language):
    ours, theirs = mlqa_tokens(text, language), mlqa_tokens(right, language)
    same = sum((Counter(ours) & Counter(theirs)).values())
    f1 = 2 * same / (len(ours) + len(theirs)) if same else 0.0
    return {"exact_match": float(ours == theirs), "f1": f1}


POOL = {
    "es": "El la los gato ¿Dónde? casa, «uno» una Una 1.000 Málaga el-sol",
    "de": "Der die das Haus häuser eines Eines großen, „Zitat“ 3,5 Straße des",
    "vi": "của là cái mèo Hà Nội, những chiếc chó",
    "ar": "القطة ال البيت؟ كتاب، على بيت",
    "hi": "दिल्ली में। हूँ नमस्ते, 5",
    "zh": "北京 大学。 在2003年 IBM公司， 《红楼梦》 、 ｶﾅ",
}


@pytest.mark.parametrize("language", list(POOL))
def test_answers_of_other_languages_are_scored_as_mlqa_does(language):
    rng, words = np.random.default_rng(7), POOL[language].split()
    matches = 0
    for _ in range(300):
        joint = " " if language != "zh" or rng.random() < 0.3 else ""
        text, right = (joint.join(rng.choice(words, rng.integers(0, 4))) for _ in range(2))
        right = text + rng.choice([".", " ", ""]) if rng.random() < 0.2 else right
        found = squad.squad_scores([text], [[right]], language=language)
        assert found == pytest.approx(mlqa(text, right, language)), (text, right)
        matches += found["exact_match"] == 1.0
    assert 20 < matches < 250


def test_answers_without_spaces_and_korean():
    assert squad.squad_scores(["北京大学", "北京。"], [["北京"], ["北京"]], language="zh") == {
        "exact_match": 0.5,
        "f1": pytest.approx((2 / 3 + 1) / 2),
    }
    assert squad.squad_scores(["東京タワー"], [["東京"]], language="ja")["f1"] == pytest.approx(2 * 2 / (5 + 2))
    korean = squad.squad_scores(["서울에"], [["서울"]], language="ko")  # KorQuAD: F1 by characters, EM by words
    assert korean == {"exact_match": 0.0, "f1": pytest.approx(2 * 2 / 5)}
    assert squad.squad_scores(["le chat"], [["chat"]], language="fr")["f1"] == pytest.approx(2 / 3)
    assert squad.squad_scores(["«Москва»"], [["москва"]], language="ru")["exact_match"] == 1.0
    assert squad.squad_scores(["«Москва»"], [["москва"]])["exact_match"] == 0.0  # SQuAD's own rule: ASCII
    with pytest.raises(ValueError, match="language='xx'"):
        squad.squad_scores(["a"], [["a"]], language="xx")
    with pytest.raises(ValueError, match=r"`answers` must be in a language .*--set data.language=zh"):
        squad.squad_scores(["北京大学"], [["北京"]])


def test_whether_texts_fit_a_rule():
    english = ["The cat sat on the mat and it was warm in the sun for an hour. " * 20]
    german = ["Die Katze saß auf der Matte und es war warm in der Sonne, eine Stunde lang. " * 20]
    assert languages.fit(english, "en", latin_only=True) == (None, None)
    assert languages.fit(german, "de", latin_only=False) == (None, None)
    refused, doubted = languages.fit(german, "en", latin_only=True)
    assert refused is None
    assert "of the words are the, of, and" in str(doubted)
    assert languages.fit(german[0].split()[:50], "en") == (None, None)  # too little to tell
    for language in ("ru", "el", "ar", "hi", "ko"):
        assert languages.fit(SENTENCES[language], "en") == (None, None)
        refused, _ = languages.fit(SENTENCES[language], "en", latin_only=True)
        assert f"language='{language}'" in str(refused)
    for language in ("zh", "ja", "th"):
        assert f"--set data.language={language}" in str(languages.fit(SENTENCES[language], "en")[0])
        assert "script without spaces" in str(languages.fit(SENTENCES[language], "de")[0])
        assert languages.fit(SENTENCES[language], language) == (None, None)
    assert "only 0 % of the letters" in str(languages.fit(english, "zh")[1])
    assert languages.fit(["12 — 34"], "zh") == (None, None)
