"""Documents, docstrings, comments and messages use plain words: each row has one that a reader may stumble over."""

from __future__ import annotations

import re

import pytest

from tests.test_names import REPOSITORY, documents

# A pattern, and what to say in its place.
PLAIN = {
    r"\bgo(?:es|ing|ne)? on (?:where|from|with|there)\b|\bgoes on\b": "resumes, continues",
    r"(?<!some)(?<!any)(?<!every)\bone's own\b": "your own",
    r"\bdear(?:er|est)\b": "costlier, costliest",
    r"\bmisshapen\b": "of a wrong shape",
    r"\bas they come\b": "say when: while it runs",
    r"\bwhat (?:comes|came|will come) out\b": "the result, the output",
    r"\bwhat is meant stands\b": "say what it is",
    r"\botherwise than\b": "differently from",
    r"\bbeside (?:Transformers|PyTorch|KerasHub|ONNX|theirs|ours|the Rust)": "compared with",
    r"\bto be had\b": "can be found, is there",
    r"\banew\b": "again",
    r"\bnought\b": "zero",
    r"\bwhilst\b": "while",
    r"\b(?:where|there|here)(?:of|upon|unto|withal)\b": "say what the word stands for",
}


def unusual(text: str) -> list[str]:
    """The lines of `text` with an unusual word, each with the plain one."""
    return [
        f"{text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}: say {plain!r}"
        for pattern, plain in PLAIN.items()
        for match in re.finditer(pattern, text, re.IGNORECASE)
    ]


def test_documents_and_code_use_plain_words():
    found = [
        f"{path.relative_to(REPOSITORY)}:{line}"
        for path in documents()
        for line in unusual(path.read_text(encoding="utf-8"))
    ]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a run\ngoes on where it stopped", "2: 'goes on where': say 'resumes, continues'"),
        ("the file of one's own", "1: \"one's own\": say 'your own'"),
        ("283 examples/s beside Transformers' 229", "1: 'beside Transformers': say 'compared with'"),
    ],
)
def test_an_unusual_word_is_seen_and_the_plain_one_said(text, plain):
    assert unusual(text) == [plain]


def test_usual_words_pass():
    assert unusual("someone's own file lies beside the weights; the count goes up; it depends on what came") == []
