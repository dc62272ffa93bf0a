"""Tagging of somebody's own sentences: how the files have them, and what the tags are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_tf.config import OwnDataConfig
from bert_tf.data import Annotated, InMemory, Source
from bert_tf.data.files import Row
from bert_tf.data.rows.table import BadRow
from bert_tf.data.sources.annotated.shapes import CONLL, ROWS, SPANS, Shape
from bert_tf.data.sources.annotated.source import CONLL_SUFFIXES, CONLLU_SUFFIXES, DOCBIN, AnnotatedRows
from bert_tf.data.splits.names import TRAIN, VALIDATION
from bert_tf.data.splits.source import SUFFIXES
from bert_tf.data.tagged.label_sets import OUTSIDE, UNNAMED, LabelSet, of_types, read_labels
from bert_tf.data.tagged.rows import TaggedRows
from bert_tf.data.tagged.spans import Sentence, are_spans, span_names
from bert_tf.errors import UserError
from bert_tf.kinds.base import Kind
from bert_tf.kinds.own_data import Given, Inferred, OwnKind
from bert_tf.kinds.own_data.base import table_source
from bert_tf.kinds.tagging.spec import Tagging
from bert_tf.metrics.entities import ENTITY_METRICS

DOCUMENT = "document"
FEW_DOCUMENTS = 10
"""From so many documents on none is parted when rows are put aside for validation."""
FEW = 5
TABLES = (".csv", ".tsv", ".tab")
MOST_LISTED = 20
SHORTEST = 64
"""Least tokens of a window, as what is tagged later may be longer than what was trained on."""
NOTHING = frozenset((OUTSIDE, OUTSIDE.lower()))


@dataclass(frozen=True)
class Looked:
    """What a file of tagged sentences holds.

    Args:
        texts: of each sentence.
        tags: how often each tag stands at a word; of spans how often each type.
        documents: how many there are.
        are_spans: whether tags are types of spans.
        bad: what is wrong with the first row that cannot be read, with its number; empty where all can.
        rows: all of them.
    """

    texts: Sequence[str]
    tags: Counter[Any]
    documents: int
    are_spans: bool
    bad: str
    rows: Sequence[Row]

    @property
    def are_numbers(self) -> bool:
        """Whether tags are numbers, without names."""
        return bool(self.tags) and all(type(tag) is int for tag in self.tags)


def infer(own: OwnDataConfig, given: Given) -> Inferred:
    """Raises: UserError for files of no form known, columns that are not there, and tags that teach nothing."""
    delimiter = _delimiter(given)
    reader = _reader(own, given, delimiter)
    found, looked = _look(reader, given, TRAIN)
    tags = Counter(looked.tags)
    others = [_look(reader, given, split)[1] for split in (given.files or given.memory or {}) if split == VALIDATION]
    others += [_of_file(reader, Path(own.validation))[1]] if isinstance(own.validation, str) else []
    for other in others:
        tags.update(dict.fromkeys(other.tags, 0))
    if looked.are_numbers:
        raise UserError(
            f"{given.origin}: the tags of {found.tags!r} are numbers, {min(tags)} to {max(tags)}: say their names with "
            "--classes=O,B-FIRST,I-FIRST,... in their order"
        )
    if own.classes and not (set(own.classes) & set(tags)):
        raise UserError(
            f"--classes={','.join(own.classes)}: expected tags of {given.origin}. Received: {', '.join(_most(tags))}"
        )
    types, classes, labels = _labels(own, tags, looked)
    if len(types or classes or ()) < (1 if types else 2):
        if looked.bad:
            raise UserError(f"{given.origin}:{looked.bad}")
        raise UserError(
            f"{given.origin}: expected tags of two kinds at least. Received: {', '.join(map(str, tags)) or 'none'}, in "
            f"{found.tags!r}; say which column has them with --label=COLUMN"
        )
    if found.form == ROWS and found.sentence is None and len(looked.texts) == 1 and not others:
        raise UserError(
            f"{given.origin}: read as a word a row, words in {found.words!r} and tags in {found.tags!r}, and nothing "
            "says where a sentence ends: all of it is one. --sentence=COLUMN names the column that says which words "
            "belong together; a table with a text and its label in each row is for --kind=classification"
        )
    by_document = FEW_DOCUMENTS <= looked.documents < len(looked.texts)
    settings: dict[str, Any] = {"text": (found.words,), "label": (found.tags,), "types": types, "classes": classes}
    settings |= {
        "delimiter": delimiter,
        "sentence": found.sentence,
        "group": own.group or ((DOCUMENT,) if by_document else ("words",)),
    }
    settings["metrics"] = own.metrics or (ENTITY_METRICS if types or labels.is_entities else ("accuracy",))
    return Inferred(
        settings=settings,
        lines=[_form_line(found), _tags_line(looked, labels, types), *_document_line(looked, by_document)],
        warnings=[*_bad(own, looked, types, classes), *_rare(looked, labels, types)],
        texts=[[text] for text in looked.texts],
        rows=len(looked.texts),
        shortest=SHORTEST,
        longer="are read in windows that overlap",
    )


def source(own: OwnDataConfig, rows: Source | None) -> Source:
    """Documents, where they are known, or copies of a sentence stay on one side; each type has its share on both."""
    assert own.group
    reader = Annotated(
        files={TRAIN: "train.conll"},
        words=own.text[0] if own.text else None,
        tags=own.label[0] if own.label else None,
        sentence=own.sentence,
        names=(own.classes or ()) if own.types else (),
        delimiter=own.delimiter,
    )
    read = AnnotatedRows(rows=rows, how=reader) if isinstance(rows, InMemory) else reader
    return table_source(own, read, same=own.group, balance=("tags",), suffixes=OWN_SUFFIXES)


def make(own: OwnDataConfig, rows: Source, sequence_length: int) -> Kind:
    """Entities of types, or a label for each word."""
    assert own.metrics
    shared: dict[str, Any] = {"source": rows, "metrics": own.metrics, "sequence_length": sequence_length}
    if own.types:
        return Tagging(types=own.types, scheme=own.scheme, **shared)
    assert own.classes
    return Tagging(labels=own.classes, scheme=own.scheme, **shared)


OWN_SUFFIXES = (*SUFFIXES, *(suffix for suffix in CONLL_SUFFIXES if suffix), *CONLLU_SUFFIXES, DOCBIN)
OWN_DATA = OwnKind(
    keys=("text", "label", "types", "classes", "scheme", "sentence", "group", "metrics"),
    example="--label=ner_tags",
    infer=infer,
    source=source,
    make=make,
    suffixes=OWN_SUFFIXES,
)


def _delimiter(given: Given) -> str | None:
    """What stands between the cells of a table of text; None of another file."""
    path = given.files.get(TRAIN)
    is_table = path is not None and any(suffix in TABLES for suffix in path.suffixes)
    return given.delimiter if is_table else None


def _reader(own: OwnDataConfig, given: Given, delimiter: str | None) -> Annotated:
    for flag, names in (("--text", own.text), ("--label", own.label)):
        if names is not None and len(names) > 1:
            raise UserError(f"{flag}={','.join(names)}: expected one column")
    return Annotated(
        files={},
        words=own.text[0] if own.text else None,
        tags=own.label[0] if own.label else None,
        sentence=own.sentence,
        names=own.classes or (),
        delimiter=delimiter,
        encoding=given.encoding,
    )


def _look(reader: Annotated, given: Given, split: str) -> tuple[Shape, Looked]:
    if given.memory is None:
        return _of_file(reader, given.files[split])
    rows = AnnotatedRows(rows=InMemory(given.memory), how=reader)
    return rows.found(split), _looked(rows.rows_of_split(split))


def _of_file(reader: Annotated, path: Path) -> tuple[Shape, Looked]:
    return reader.found(path), _looked(reader.all_rows(path))


def _looked(rows: Sequence[Row]) -> Looked:
    texts, tags, documents, spans, bad = [], Counter[Any](), set(), False, ""
    for number, row in rows:
        if isinstance(row, BadRow):
            bad = bad or f"{number}: {row.reason}"
            continue
        words, cell = row["words"], row.get("tags") or []
        documents.add(row.get(DOCUMENT))
        if isinstance(words, str):
            texts.append(words)
            spans = True
            tags.update(_names(cell))
            continue
        texts.append(words.text or " ".join(words.words) if isinstance(words, Sentence) else " ".join(words))
        tags.update(tag for tag in cell if isinstance(tag, (str, int)))
    return Looked(texts, tags, len(documents), spans, bad, rows)


def _names(cell: Any) -> list[str]:
    try:
        return span_names(cell) if are_spans(cell) else []
    except ValueError:
        return []  # whoever reads the row again says what is wrong with it


def _labels(
    own: OwnDataConfig, tags: Mapping[str, int], looked: Looked
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None, LabelSet]:
    """The types of entities or the labels of words, one of which is None, and how tags read."""
    if looked.are_spans:
        types = own.types or tuple(sorted(tags))
        return types, None, read_labels([OUTSIDE, *(f"{letter}-{name}" for name in types for letter in "BI")])
    labels = read_labels(sorted(tags), "words" if own.scheme == "words" else None)
    if own.types:
        return own.types, own.classes, labels
    if labels.is_entities and labels.types != (UNNAMED,):
        return tuple(sorted(labels.types)), own.classes, labels
    return None, own.classes or tuple(sorted(tags, key=lambda tag: (tag not in NOTHING, tag))), labels


def _most(tags: Mapping[Any, int]) -> list[str]:
    listed = sorted(map(str, tags))[:MOST_LISTED]
    return listed + [f"and {len(tags) - MOST_LISTED:,} more"] * (len(tags) > MOST_LISTED)


def _form_line(found: Shape) -> str:
    also = f"; other columns that may be: {', '.join(found.candidates)} (--label=COLUMN)" if found.candidates else ""
    by = f", sentences by {found.sentence!r}" if found.sentence else ""
    counted = ", columns counted from 0" if found.form == CONLL else ""
    what = ("text", "spans") if found.form == SPANS else ("words", "tags")
    return f"{found.description}: {what[0]} in {found.words!r}, {what[1]} in {found.tags!r}{counted}{by}{also}"


def _tags_line(looked: Looked, labels: LabelSet, types: Sequence[str] | None) -> str:
    counts = _entities(looked, labels)
    names = sorted(types or counts, key=lambda name: (-counts[name], name))
    some = ", ".join(f"{name} ({counts[name]:,})" for name in names[:MOST_LISTED])
    more = f" and {len(names) - MOST_LISTED:,} more" if len(names) > MOST_LISTED else ""
    if types or labels.is_entities:
        return f"entities of {len(names):,} type{'s' * (len(names) != 1)}, how often each: {some}{more}"
    return f"a label for each word, scored by the share of right words; {len(names):,} labels: {some}{more}"


def _entities(looked: Looked, labels: LabelSet) -> Counter[str]:
    """How often each type, or label, is there: of tags those that begin an entity, or all of a type without such."""
    if looked.are_spans:
        return looked.tags
    if not labels.is_entities:
        return Counter({str(tag): count for tag, count in looked.tags.items()})
    found: Counter[str] = Counter()
    begins: Counter[str] = Counter()
    for tag, kind, letter in zip(labels.labels, labels.type_of, labels.letters, strict=True):
        if kind >= 0:
            found[labels.types[kind]] += looked.tags[tag]
            begins[labels.types[kind]] += looked.tags[tag] * (letter in ("B", "S"))
    return Counter({name: begins[name] or found[name] for name in found})


def _document_line(looked: Looked, by_document: bool) -> list[str]:
    if by_document:
        return [f"{looked.documents:,} documents: none is parted between training and validation (--group=words may)"]
    return []


def _bad(own: OwnDataConfig, looked: Looked, types: Sequence[str] | None, classes: Sequence[str] | None) -> list[str]:
    """How many rows cannot be read, such as those with spans that overlap, which stops the reading."""
    labels = of_types(types) if types else read_labels(classes or (), own.scheme)
    read = TaggedRows("words", "tags", labels, by_type=bool(types), scheme=own.scheme)(looked.rows, "")
    bad = [(number, row.reason) for number, row in read if isinstance(row, BadRow)]
    if not bad:
        return []
    (number, reason), total = bad[0], len(looked.rows)
    share = min(1.0, -(-len(bad) * 1000 // total) / 1000)
    return [
        f"{len(bad):,} of {total:,} rows cannot be read, the first of them {number}: {reason}. Put them right, or "
        f"leave them out with --skip-bad-rows={share:g}"
    ]


def _rare(looked: Looked, labels: LabelSet, types: Sequence[str] | None) -> list[str]:
    counts = _entities(looked, labels)
    rare = [f"{name} ({counts[name]:,})" for name in sorted(types or counts) if counts[name] < FEW]
    if not rare:
        return []
    listed = ", ".join(rare[:MOST_LISTED])
    return [f"{len(rare):,} of them stand there fewer than {FEW} times, too seldom to be learned: {listed}"]
