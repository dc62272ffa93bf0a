"""spaCy's DocBin: what `spacy convert` writes and `spacy train` reads, opened without spaCy.

It is msgpack within zlib: of all tokens a table of 64-bit numbers, of which some stand for strings, and the strings.
Reference: https://spacy.io/api/docbin
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bert_tf.data.files import DataFile, Notes, Row, Rows
from bert_tf.data.rows.table import BadRow
from bert_tf.data.tagged.spans import Sentence
from bert_tf.errors import UserError

ORTH, POS, TAG, IOB, TYPE = 65, 74, 75, 77, 78  # spaCy's numbers of a token's attributes
# Strings that spaCy has a small number for, in the place of a hash: those from each number on.
SYMBOLS = {
    64: "ID ORTH LOWER NORM SHAPE PREFIX SUFFIX LENGTH CLUSTER LEMMA POS TAG DEP ENT_IOB ENT_TYPE HEAD SENT_START "
    "SPACY PROB LANG ADJ ADP ADV AUX CONJ CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X EOL SPACE",
    380: "PERSON NORP FACILITY ORG GPE LOC PRODUCT EVENT WORK_OF_ART LANGUAGE LAW DATE TIME PERCENT MONEY QUANTITY "
    "ORDINAL CARDINAL acomp advcl advmod agent amod appos attr aux auxpass cc ccomp complm conj cop csubj csubjpass "
    "dep det dobj expl hmod hyph infmod intj iobj mark meta neg nmod nn npadvmod nsubj nsubjpass num number oprd obj "
    "obl parataxis partmod pcomp pobj poss possessive preconj prep prt punct quantmod relcl rcmod root xcomp acl",
}
LETTERS = {0: "", 1: "I", 2: "O", 3: "B"}  # of IOB; 0: nobody has said
NEEDED = ("attrs", "tokens", "spaces", "lengths", "strings")
ENTITIES = "entities"
COLUMNS = {ENTITIES: TYPE, "TAG": TAG, "POS": POS}
SEED, MULTIPLIER, MASK = 1, 0xC6A4A7935BD1E995, (1 << 64) - 1  # MurmurHash64A, as spaCy hashes strings
UNSAID = "words of which nothing says whether they are in an entity, read as outside"


def docbin_tags(file: DataFile, tags: str | None) -> str:
    """Which labels are read: "entities", or parts of speech, "TAG" the finer ones and "POS" the universal ones.

    Args:
        tags: what somebody named; None: entities where there are any.
    Raises: UserError for another name, and where there is neither.
    """
    content = _read(file)
    there = [name for name, number in COLUMNS.items() if set(_column(content, number).tolist()) - {0}]
    if not there:
        raise UserError(f"{file.origin}: expected entities, or parts of speech (TAG, POS). Received: neither")
    if tags is not None and tags not in there:
        raise UserError(f"--label={tags}: expected one of {', '.join(there)} of {file.origin}. Received: {tags!r}")
    return tags or there[0]


def docbin_rows(file: DataFile, tags: str) -> Rows:
    """A row a document: `words`, a `Sentence` with its text, `tags`, and `document`, its index.

    Raises: UserError without the extra `spacy`, and for a file that is none or is broken.
    """
    notes = Notes(file.origin)
    content = _read(file)
    return Rows((), _rows(content, tags, notes), notes, has_lines=False)


def _rows(content: Mapping[str, Any], tags: str, notes: Notes) -> Iterator[Row]:
    strings = {0: ""} | {_hash(string): string for string in content["strings"]}
    for first, names in SYMBOLS.items():
        strings |= dict(enumerate(names.split(), start=first))
    words = [strings.get(number, "") for number in _column(content, ORTH).tolist()]
    labels = [strings.get(number, "") for number in _column(content, COLUMNS[tags]).tolist()]
    if tags == ENTITIES:
        letters = [LETTERS.get(number, "O") for number in _column(content, IOB).tolist()]
        pairs = zip(letters, labels, strict=True)
        labels = [f"{letter}-{label}" if letter in ("B", "I") else "O" for letter, label in pairs]
        if unsaid := letters.count(""):
            notes.count(UNSAID, unsaid)
    spaces = np.frombuffer(content["spaces"], bool).tolist()
    ends = list(itertools.accumulate(np.frombuffer(content["lengths"], "<i4").tolist(), initial=0))
    for index, (start, end) in enumerate(itertools.pairwise(ends)):
        text, starts, kept = "", [], []
        for at in range(start, end):
            if words[at].strip():  # spaCy has runs of spaces as words
                starts.append(len(text))
                kept.append(at)
            text += words[at] + " " * spaces[at]
        if not kept or not all(words[start:end]):
            came = "one without words" if not kept else "a word that its table of strings lacks"
            yield index, BadRow(f"expected a text that is not empty. Received: {came}")
            continue
        sentence = Sentence([words[at] for at in kept], text, starts)
        yield index, {"words": sentence, "tags": [labels[at] or "_" for at in kept], "document": index}


def _column(content: Mapping[str, Any], number: int) -> np.ndarray:
    """One attribute of all tokens, uint64; zeros for one that the file has not."""
    attributes = list(content["attrs"])
    table = np.frombuffer(content["tokens"], "<u8").reshape(-1, len(attributes))
    return table[:, attributes.index(number)] if number in attributes else np.zeros(len(table), np.uint64)


def _read(file: DataFile) -> Mapping[str, Any]:
    try:
        import msgpack
    except ImportError as error:
        raise UserError(
            f"{file.origin} needs an optional package: pip install 'bert_tf[spacy]'. Received: {error}"
        ) from None
    try:
        content = msgpack.unpackb(zlib.decompress(b"".join(file.chunks())), strict_map_key=False)
        missing = [name for name in NEEDED if name not in content]
        _column(content, ORTH)
    except (ValueError, TypeError, KeyError, zlib.error, msgpack.UnpackException) as error:
        raise UserError(f"{file.origin}: expected spaCy's DocBin. Received: another file ({error})") from None
    if missing:
        raise UserError(f"{file.origin}: expected spaCy's DocBin. Received: one without {', '.join(missing)}")
    return content


def _hash(string: str) -> int:
    """MurmurHash64A of a string's UTF-8 bytes.

    >>> _hash("coffee") == 3197928453018144401
    True
    """
    data = string.encode("utf-8")
    found = SEED ^ (len(data) * MULTIPLIER & MASK)
    whole = len(data) - len(data) % 8
    for at in range(0, whole, 8):
        block = int.from_bytes(data[at : at + 8], "little") * MULTIPLIER & MASK
        block = (block ^ block >> 47) * MULTIPLIER & MASK
        found = (found ^ block) * MULTIPLIER & MASK
    if rest := data[whole:]:
        found = (found ^ int.from_bytes(rest, "little")) * MULTIPLIER & MASK
    found = (found ^ found >> 47) * MULTIPLIER & MASK
    return found ^ found >> 47
