"""A prepared corpus: the examples of some epochs as TFRecord shards, and a manifest that says what must be in them.

A shard holds one portion of one epoch, as `tf.train.Example`s: `token_ids`, special tokens included; `second_start`,
where the second segment begins, or their number where there is none; and `label`. Nothing is masked in them: that is
done again in each epoch of training.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from bert_tf.data.corpora.pairs import PairSettings, Segments
from bert_tf.data.corpora.portions import SAMPLE_TOKENS, Portions
from bert_tf.data.corpora.store import vocabulary_hash
from bert_tf.errors import UserError
from bert_tf.guard import Checked, check_regular, read_json, short, typed

MANIFEST = "manifest.json"
FORMAT = 1
PARSED_AT_ONCE = 8192
LOG = logging.getLogger(__name__)


class Shard(Checked):
    """What the manifest says of a shard."""

    file: Annotated[str, Field(pattern=r"^[^/\\]+$")]  # which lies beside the manifest
    epoch: Annotated[int, Field(ge=0, lt=1 << 31)]
    examples: Annotated[int, Field(ge=0)]
    tokens: Annotated[int, Field(ge=0)]
    source_tokens: Annotated[int, Field(ge=0, lt=1 << 62)]
    bytes: Annotated[int, Field(ge=0)]
    sha256: str


class Manifest(Checked):
    """What is read of a manifest; it says more for people."""

    settings: dict[str, Any]
    vocabulary: str
    splits: dict[str, list[Shard]]


def is_prepared(where: str) -> bool:
    """Whether `where` is a folder that `bert_tf.prepare` wrote."""
    return (Path(where) / MANIFEST).is_file()


def shard_name(split: str, epoch: int, portion: int) -> str:
    """The file of a portion."""
    return f"{split}-{epoch:03d}-{portion:05d}.tfrecord"


def write_shard(
    folder: Path, split: str, portions: Portions, epoch: int, portion: int, special: tuple[int, int]
) -> None:
    """Writes a portion's examples, and beside them, when all is written, what the manifest is to say of them.

    Args:
        special: ids of [CLS] and [SEP].
    """
    import tensorflow as tf

    segments = portions.segments(epoch, portion)
    path = folder / shard_name(split, epoch, portion)
    cls_id, sep_id = special
    rows = zip(segments.first.tolist(), segments.second.tolist(), segments.labels.tolist(), strict=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for (a, b), (c, d), label in rows:
            ids = [cls_id, *segments.token_ids[a:b].tolist(), sep_id]
            second_start = len(ids)
            ids += [*segments.token_ids[c:d].tolist(), sep_id] if d > c else []
            values = {"token_ids": ids, "second_start": [second_start], "label": [label]}
            features = {name: tf.train.Feature(int64_list=tf.train.Int64List(value=v)) for name, v in values.items()}
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString(deterministic=True))
    entry = {
        "file": path.name,
        "epoch": epoch,
        "block": portion,  # as shards call it that were written before
        "examples": len(segments),
        "tokens": int(segments.lengths.sum()),
        "source_tokens": segments.source_tokens,
        "bytes": path.stat().st_size,
        "sha256": _sha256(path),
    }
    path.with_suffix(".json").write_text(json.dumps(entry) + "\n", encoding="utf-8")


def collect_manifest(folder: Path, wanted: Mapping[str, Sequence[tuple[int, int]]], **described: Any) -> dict[str, Any]:
    """Puts the shards' descriptions together in the manifest, and takes their files away.

    Args:
        wanted: for each split, every (epoch, portion) there must be.
        described: what else the manifest says.
    Raises: UserError if one is missing.
    """
    splits: dict[str, list[dict[str, Any]]] = {}
    for split, numbers in wanted.items():
        splits[split] = []
        for epoch, portion in numbers:
            path = (folder / shard_name(split, epoch, portion)).with_suffix(".json")
            if not path.is_file():
                raise UserError(f"{path.with_suffix('.tfrecord').name} was not written: see what the runner said")
            splits[split].append(json.loads(path.read_text(encoding="utf-8")))
            path.unlink()
    manifest = {"format": FORMAT, **described, "splits": splits}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return manifest


class ShardPortions(Portions):
    """Portions of a prepared corpus. After its last epoch the first one comes again, masked differently.

    Args:
        folder: with the manifest.
        split: "train" or "validation".
        settings: how the run wants examples to be cut, which must be how they were.
        tokenizer: the run's, which must be the one they were made with.
        skip_bad_shards: leave out and count shards that are not as they were written.
    Raises: UserError naming what differs, or the shard and what is wrong with it.
    """

    def __init__(
        self, folder: Path, split: str, settings: PairSettings, tokenizer: Any, *, skip_bad_shards: bool = False
    ) -> None:
        self.folder, self.settings = folder, settings
        try:
            manifest = typed(Manifest, read_json(folder / MANIFEST), folder / MANIFEST)
            entries = [entry.model_dump() for entry in manifest.splits[split]]
            prepared = {**manifest.settings, "vocabulary": manifest.vocabulary}
        except (OSError, UserError, KeyError) as error:
            raise UserError(
                f"{folder / MANIFEST}: expected the manifest of a prepared corpus with the split {split}. "
                f"Received: {type(error).__name__} {error}"
            ) from None
        asked = {**asdict(settings), "vocabulary": vocabulary_hash(tokenizer)}
        different = [f"{name}: there {short(prepared.get(name))}, asked {asked[name]!r}" for name in asked
                     if prepared.get(name) != asked[name]]  # fmt: skip
        if different:
            raise UserError(
                f"{folder} was prepared otherwise ({'; '.join(different)}): prepare it again, or ask the same"
            )
        self._check(entries, skip_bad_shards)
        self._vocabulary_size = tokenizer.vocabulary_size
        good = [entry for entry in entries if entry["file"] not in self.bad_shards]
        epochs = sorted({entry["epoch"] for entry in good})
        self._epochs = [[entry for entry in good if entry["epoch"] == epoch] for epoch in epochs]
        self.bad_rows = sum(entry["examples"] for entry in entries if entry["file"] in self.bad_shards)
        if not good:
            raise UserError(f"{folder}: expected shards of the split {split}. Received: none that can be read")

    def _check(self, entries: Iterable[Mapping[str, Any]], skip: bool) -> None:
        self.bad_shards: dict[str, str] = {}
        for entry in entries:
            path = self.folder / entry["file"]
            problem = _problem(path, entry)
            if problem is None:
                continue
            if not skip:
                raise UserError(f"{path}: {problem}. --skip-bad-rows leaves it out")
            self.bad_shards[entry["file"]] = problem
            LOG.warning("%s is left out: %s", path, problem)

    def _check_ids(self, path: Path, ids: np.ndarray, lengths: np.ndarray, second_start: np.ndarray) -> None:
        """Raises: UserError for what would be looked up beside the tables, or cut beside its example."""
        if ids.size and not 0 <= ids.min() <= ids.max() < self._vocabulary_size:
            came = f"{ids.min()} to {ids.max()}"
            raise UserError(f"{path}: expected ids from 0 to {self._vocabulary_size - 1}. Received: {came}")
        if (lengths < 3).any() or (second_start < 2).any() or (second_start > lengths).any():
            raise UserError(f"{path}: expected a second segment within each example. Received: one beside it")

    def _entries(self, epoch: int) -> list[dict[str, Any]]:
        return self._epochs[epoch % len(self._epochs)]

    def source_tokens(self, epoch: int) -> np.ndarray:
        return np.array([entry["source_tokens"] for entry in self._entries(epoch)], np.int64)

    def segments(self, epoch: int, portion: int) -> Segments:
        entry = self._entries(epoch)[portion]
        ids, lengths, second_start, labels = _read(self.folder / entry["file"])
        if len(labels) != entry["examples"] or int(lengths.sum()) != entry["tokens"]:
            raise UserError(
                f"{self.folder / entry['file']}: expected {entry['examples']} examples. Received: {len(labels)}"
            )
        self._check_ids(self.folder / entry["file"], ids, lengths, second_start)
        ends = np.cumsum(lengths)
        starts = ends - lengths
        is_pair = second_start < lengths
        second = np.stack([starts + second_start, np.where(is_pair, ends - 1, starts + second_start)], axis=1)
        return Segments(
            token_ids=ids.astype(np.int32),
            first=np.stack([starts + 1, starts + second_start - 1], axis=1),
            second=second,
            labels=labels.astype(np.int8),
            source_tokens=entry["source_tokens"],
        )

    def text(self) -> tuple[np.ndarray, np.ndarray]:
        ids, begins, size = [], [], 0
        for portion in range(len(self._entries(0))):
            segments = self.segments(0, portion)
            bounds = np.concatenate([segments.first, segments.second])
            bounds = bounds[bounds[:, 1] > bounds[:, 0]]
            lengths = bounds[:, 1] - bounds[:, 0]
            firsts = np.cumsum(lengths) - lengths
            source = np.arange(lengths.sum()) + np.repeat(bounds[:, 0] - firsts, lengths)
            ids.append(segments.token_ids[source].astype(np.int64))
            begins.append(np.isin(np.arange(len(source)), firsts))
            size += len(source)
            if size > SAMPLE_TOKENS:
                break
        return np.concatenate(ids), np.concatenate(begins)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All token ids, int32 [S]; and of each example their number, where the second segment begins, and the label."""
    import tensorflow as tf

    one = tf.io.FixedLenFeature([], tf.int64)
    features = {"token_ids": tf.io.RaggedFeature(tf.int64), "second_start": one, "label": one}
    parts: list[tuple[np.ndarray, ...]] = []
    try:
        with tf.device("CPU"):
            for records in tf.data.TFRecordDataset(str(path)).batch(PARSED_AT_ONCE):
                found = tf.io.parse_example(records, features)
                ids = found["token_ids"]
                lengths = ids.row_lengths().numpy()
                parts.append((ids.values.numpy(), lengths, found["second_start"].numpy(), found["label"].numpy()))
    except tf.errors.OpError as error:
        raise UserError(f"{path}: expected TFRecords. Received: {str(error).splitlines()[0][:200]}") from None
    if not parts:
        raise UserError(f"{path}: expected TFRecords. Received: none")
    ids, lengths, second_start, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
    return ids, lengths, second_start, labels


def _problem(path: Path, entry: Mapping[str, Any]) -> str | None:
    """What is wrong with a shard, if anything."""
    try:
        size = check_regular(path)
        if size != entry["bytes"]:
            return f"expected {entry['bytes']} bytes. Received: {size}"
        if _sha256(path) != entry["sha256"]:
            return "expected the content that was written. Received: another checksum"
    except OSError as error:
        return f"expected a shard that can be read. Received: {error.strerror or error}"
    return None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
