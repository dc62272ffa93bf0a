"""Makes tests/golden/entities.spacy: a DocBin as spaCy writes it, of our own sentences.

    PYTHON_WITH_SPACY benchmarks/make_golden_docbin.py

Among the words are some that spaCy has a small number for instead of a hash, a run of spaces and an emoji.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin

OUT = Path(__file__).resolve().parent.parent / "tests" / "golden" / "entities.spacy"
DOCUMENTS = (
    (
        ("The", "mark", "of", "ORG", " ", "Harbour", "Works", "."),
        (True, True, True, False, True, True, False, False),
        ("DT", "NN", "IN", "NNP", "_SP", "NNP", "NNPS", "."),
        ("DET", "NOUN", "ADP", "PROPN", "SPACE", "PROPN", "PROPN", "PUNCT"),
        ("O", "O", "O", "B-ORG", "O", "B-Yard", "I-Yard", "O"),
    ),
    (
        ("Ida", "\U0001f600", "left", "Bergen", "!"),
        (True, True, True, False, False),
        ("NNP", "SYM", "VBD", "NNP", "."),
        ("PROPN", "SYM", "VERB", "PROPN", "PUNCT"),
        ("B-PERSON", "O", "O", "B-LOC", "O"),
    ),
)


def main() -> None:
    words = spacy.blank("en").vocab
    box = DocBin()
    for texts, spaces, tags, parts, entities in DOCUMENTS:
        box.add(Doc(words, words=texts, spaces=spaces, tags=tags, pos=parts, ents=entities))
    OUT.write_bytes(box.to_bytes())
    print(f"{OUT}: {OUT.stat().st_size} bytes, spaCy {spacy.__version__}")


if __name__ == "__main__":
    main()
